package mediaserver

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// queue is a server that answers every scan alike, and says that it is busy.
type queue struct {
	Server
	answer error
	scans  int
}

func (q *queue) Scan(context.Context, Scan) error { q.scans++; return q.answer }

func (*queue) Busy(context.Context, Library) (bool, error) { return true, nil }

func TestScansOfAServerThatQueues(t *testing.T) {
	t.Parallel()
	late := time.Now().Add(-time.Second)
	s := &queue{}
	env := sdk.Env{Instance: "media", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}
	target, err := New(env, s, Options{Queues: true, Settle: time.Hour, IdleTimeout: time.Hour}, Config{})
	require.NoError(t, err)
	ok, err := target.scan(t.Context(), Scan{Library: Library{ID: "1"}}, late)
	require.NoError(t, err)
	require.True(t, ok, "it is asked though it is busy, and however late it is")
	ok, err = target.scan(t.Context(), Scan{Library: Library{ID: "1"}}, late)
	require.NoError(t, err)
	require.False(t, ok, "it is left alone for a while")
	s.answer = ErrBusy
	ok, err = target.scan(t.Context(), Scan{Library: Library{ID: "2"}}, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, ok, "what has to wait does not wait here")
	require.Equal(t, 2, s.scans)
}
