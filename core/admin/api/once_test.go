package api

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

func openStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

// counter counts how often something is done.
type counter struct {
	n   int
	err error
}

func (c *counter) do() (*body[int], error) {
	c.n++
	return &body[int]{c.n}, c.err
}

func as(t *testing.T, name string) context.Context {
	t.Helper()
	return admin.WithPrincipal(t.Context(), admin.Principal{Name: name, Via: "token", Role: operate})
}

func detail(t *testing.T, err error) (int, string) {
	t.Helper()
	p, ok := errors.AsType[*admin.Problem](err)
	require.True(t, ok, "%v", err)
	return p.Status, p.Detail
}

func TestOnce(t *testing.T) {
	t.Parallel()
	claims := openStore(t)
	o, c := newOnce(claims), new(counter)
	for range 3 {
		got, err := makeOnce(as(t, "ci"), o, "replay", "k1", "request", c.do)
		require.NoError(t, err)
		require.Equal(t, 1, got.Body)
	}
	// Without a key each is a request of its own, and keys are a principal's own.
	_, err := makeOnce(as(t, "ci"), o, "replay", "", "request", c.do)
	require.NoError(t, err)
	_, err = makeOnce(as(t, "ann"), o, "replay", "k1", "request", c.do)
	require.NoError(t, err)
	require.Equal(t, 3, c.n)

	_, err = makeOnce(as(t, "ci"), o, "replay", "k1", "another", c.do)
	status, said := detail(t, err)
	require.Equal(t, 422, status)
	require.Contains(t, said, "another request")
	_, err = makeOnce(as(t, "ci"), o, "retry", "k1", "request", c.do)
	status, _ = detail(t, err)
	require.Equal(t, 422, status)

	// After a restart the answer is gone, and still nothing happens twice.
	_, err = makeOnce(as(t, "ci"), newOnce(claims), "replay", "k1", "request", c.do)
	status, said = detail(t, err)
	require.Equal(t, 409, status)
	require.Contains(t, said, "/api/v1/actions")
	require.Equal(t, 3, c.n)
}

func TestOnceAfterFailures(t *testing.T) {
	t.Parallel()
	o := newOnce(openStore(t))
	refused := &counter{err: admin.NewProblem(409, "not now")}
	for want := range 3 {
		_, err := makeOnce(as(t, "ci"), o, "replay", "refused", 1, refused.do)
		status, _ := detail(t, err)
		require.Equal(t, 409, status)
		require.Equal(t, want+1, refused.n, "what was refused may be asked for again")
	}
	failed := &counter{err: errors.New("connection lost at commit")}
	_, err := makeOnce(as(t, "ci"), o, "replay", "failed", 1, failed.do)
	require.ErrorIs(t, err, failed.err)
	_, err = makeOnce(as(t, "ci"), o, "replay", "failed", 1, failed.do)
	status, said := detail(t, err)
	require.Equal(t, 409, status)
	require.Contains(t, said, "its answer is not kept")
	require.Equal(t, 1, failed.n, "what failed may have been done")
}

func TestOnceWhileUnderWay(t *testing.T) {
	t.Parallel()
	o := newOnce(openStore(t))
	begun, end := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = makeOnce(as(t, "ci"), o, "replay", "k", 1, func() (*body[int], error) {
			close(begun)
			<-end
			return &body[int]{1}, nil
		})
	})
	<-begun
	_, err := makeOnce(as(t, "ci"), o, "replay", "k", 1, new(counter).do)
	status, said := detail(t, err)
	require.Equal(t, 409, status)
	require.Contains(t, said, "under way")
	close(end)
	wg.Wait()
}

func TestOnceKeepsABoundedNumberOfAnswers(t *testing.T) {
	t.Parallel()
	o := newOnce(nil)
	c := new(counter)
	for i := range maxAnswers + 10 {
		_, err := makeOnce(as(t, "ci"), o, "replay", string(rune('a'+i)), 1, c.do)
		require.NoError(t, err)
	}
	require.Len(t, o.answers, maxAnswers)
	require.Len(t, o.order, maxAnswers)
}
