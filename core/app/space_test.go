package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/alert"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// inbox is a router to one target, and keeps what is accepted.
type inbox struct{ types []sdk.Type }

func (*inbox) Match(string, *sdk.Event, []byte) []route.Match {
	return []route.Match{{Target: "ops", Route: "all"}}
}

func (i *inbox) Accept(_ context.Context, a *store.Acceptance) (store.Accepted, error) {
	i.types = append(i.types, a.Event.Type)
	return store.Accepted{}, nil
}

// TestLowSpaceIsToldOnce when it begins, and once when it ends.
func TestLowSpaceIsToldOnce(t *testing.T) {
	t.Parallel()
	told := &inbox{}
	now := store.Space{Total: 100 << 30}
	c := &config.Config{}
	w := spaceWatch{
		space:  func(context.Context) (store.Space, error) { return now, nil },
		config: func() *config.Config { return c }, log: slog.New(slog.DiscardHandler),
		alerts: &alert.Alerts{Router: told, Store: told, Log: slog.New(slog.DiscardHandler)},
	}
	for _, step := range []struct {
		free int64
		low  bool
	}{
		{600 << 20, false},
		{511 << 20, true},
		{100 << 20, true},
		{520 << 20, true}, // it is not to come and go
		{600 << 20, false},
	} {
		now.Free = step.free
		w.look(t.Context())
		w.look(t.Context())
		require.Equal(t, step.low, w.low.Load() != nil, "%d", step.free)
		require.Equal(t, step.low, len(w.warnings()) == 1)
	}
	require.Equal(t, []sdk.Type{sdk.TypeSpaceLow, sdk.TypeSpaceRestored}, told.types)
	more := config.GiB
	c.Database.LowSpace = &more // a reload
	w.look(t.Context())
	require.NotNil(t, w.low.Load())
	require.Less(t, time.Until(w.again), tellSpaceAgain)
}

func TestLeastSpace(t *testing.T) {
	t.Parallel()
	never, much := config.Size(0), 2*config.GiB
	require.EqualValues(t, 512<<20, lowSpace(nil, store.Space{Total: 1 << 40}))
	require.EqualValues(t, 50<<20, lowSpace(nil, store.Space{Total: 1000 << 20}))
	require.Zero(t, lowSpace(&never, store.Space{Total: 1 << 40}))
	require.EqualValues(t, 2<<30, lowSpace(&much, store.Space{Total: 1 << 40}))
}
