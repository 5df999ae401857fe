package live_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/hookarr/hookarr/core/admin/live"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hookarr/hookarr/internal/testpg.(*Server).Start.func1"),
		goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"))
}

// waitTimeout bounds every wait for a condition.
const waitTimeout = time.Minute

// onBoth runs a test on a migrated database of each engine.
func onBoth(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, openSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		s := openPostgres(t, testpg.New(t))
		require.NoError(t, s.Migrate(t.Context()))
		test(t, s)
	})
}

func openSQLite(t *testing.T) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func openPostgres(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// process is what a hub looks at beside the database.
type process struct {
	mu      sync.Mutex
	plugins []pluginhost.Status
	config  *config.Config
	log     bytes.Buffer
}

func (p *process) Status() []pluginhost.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.plugins)
}

func (p *process) Config() *config.Config {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.config
}

func (p *process) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(line)
}

func (p *process) change(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
}

// newHub is one that looks often.
func newHub(t *testing.T, s live.Store) (*live.Hub, *process) {
	t.Helper()
	p := &process{config: &config.Config{}, plugins: []pluginhost.Status{{Kind: host.KindTarget, Plugin: "discord", State: pluginhost.Ready}}}
	h := live.New(live.Options{Store: s, Plugins: p.Status, Config: p.Config, Log: slog.New(slog.NewTextHandler(p, nil)), Every: 10 * time.Millisecond})
	t.Cleanup(h.Close)
	return h, p
}

// watch watches, and returns once the hub has looked for the first time.
func watch(t *testing.T, h *live.Hub) <-chan live.Change {
	t.Helper()
	changes, err := h.Watch(t.Context())
	require.NoError(t, err)
	require.Equal(t, live.Change{Topic: live.Resync}, next(t, changes))
	return changes
}

func next(t *testing.T, changes <-chan live.Change) live.Change {
	t.Helper()
	select {
	case c, open := <-changes:
		require.True(t, open, "the hub has ended the watch")
		return c
	case <-time.After(waitTimeout):
		require.FailNow(t, "nothing changes")
		return live.Change{}
	}
}

// told reads until a change has an id of a topic; an empty one is a change that does not say
// what has changed.
func told(t *testing.T, changes <-chan live.Change, topic live.Topic, id string) {
	t.Helper()
	var seen []live.Change
	for {
		select {
		case c, open := <-changes:
			require.True(t, open, "the hub has ended the watch")
			if c.Topic == topic && (slices.Contains(c.IDs, id) || id == "" && len(c.IDs) == 0) {
				return
			}
			seen = append(seen, c)
		case <-time.After(waitTimeout):
			require.FailNow(t, "not told", "%s %s; told is %v", topic, id, seen)
		}
	}
}

func acceptance(title string, targets ...string) *store.Acceptance {
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, ReceivedAt: time.Now().UTC(),
		Request: event.Request{Method: http.MethodPost, Body: []byte("{}")}, Type: sdk.TypeMediaImported, Title: title, Normalized: []byte("{}"),
	}}
	for _, target := range targets {
		a.Deliveries = append(a.Deliveries, event.Delivery{ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: "all"})
	}
	return a
}

func accept(t *testing.T, s *store.Store, a *store.Acceptance) *store.Acceptance {
	t.Helper()
	_, err := s.Accept(t.Context(), a)
	require.NoError(t, err)
	return a
}

// ago gives an id the time that it would have had then.
func ago(id *uuid.UUID, d time.Duration) {
	first := event.FirstID(time.Now().Add(-d))
	copy(id[:6], first[:6])
}

func settle(t *testing.T, s *store.Store, id uuid.UUID, state event.DeliveryState) {
	t.Helper()
	_, err := s.Settle(t.Context(), &store.Settlement{DeliveryID: id, State: state, Attempt: &event.Attempt{
		DeliveryID: id, Number: 1, StartedAt: time.Now().UTC(), Class: sdk.ClassRetryable, Counted: true,
	}})
	require.NoError(t, err)
}

// unsteady is a store that fails, and counts how often it was asked.
type unsteady struct {
	live.Store
	mu    sync.Mutex
	asked int
	err   error
}

func (u *unsteady) ListTargets(ctx context.Context) ([]store.Target, time.Time, error) {
	u.mu.Lock()
	u.asked++
	err := u.err
	u.mu.Unlock()
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list targets: %w", err)
	}
	return u.Store.ListTargets(ctx)
}

func (u *unsteady) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
}

func (u *unsteady) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.asked
}
