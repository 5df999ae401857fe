package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
)

func folded(keys ...[]string) *fold {
	var items []*Acceptance
	for _, list := range keys {
		a := &Acceptance{Event: event.Event{ID: event.NewID(), Source: "radarr"}}
		for _, k := range list {
			a.Keys = append(a.Keys, DedupKey{Key: k, Window: time.Hour})
		}
		items = append(items, a)
	}
	return foldBatch(items)
}

func (f *fold) keys() (keys []string) {
	for _, c := range f.claims {
		keys = append(keys, c.Key)
	}
	return keys
}

func TestFoldFindsRepetitionsWithinABatch(t *testing.T) {
	t.Parallel()

	f := folded([]string{"id:2", "fp:1"}, []string{"id:1", "fp:1"}, []string{"id:1", "fp:3"}, []string{"id:2"}, nil, []string{"fp:4", "fp:4"})
	require.Equal(t, []int{0, 0, 2, 0, 4, 5}, f.first)
	require.Equal(t, []string{"fp:1", "fp:3", "fp:4", "id:1", "id:2"}, f.keys(), "in order; a repetition takes none")
	require.Equal(t, Accepted{EventID: f.items[0].Event.ID, Duplicate: true}, f.accepted(3))
	require.Equal(t, Accepted{EventID: f.items[2].Event.ID}, f.accepted(2))
}

func TestFoldPassesOnWhomTheFirstRepeats(t *testing.T) {
	t.Parallel()

	f := folded([]string{"fp:1", "fp:2"}, []string{"fp:2"})
	stored, later := event.NewID(), event.NewID()
	f.lost(f.claims[0], stored)
	f.lost(f.claims[1], later)
	for i := range f.items {
		require.Equal(t, Accepted{EventID: stored, Duplicate: true}, f.accepted(i))
		require.False(t, f.fresh(i))
	}
}

func TestKeysAreFreedBetweenItems(t *testing.T) {
	t.Parallel()

	plain, clears := &Acceptance{}, &Acceptance{Clears: "health.issue"}
	require.Equal(t, 2, untilClear([]*Acceptance{plain, plain, clears, plain}))
	require.Equal(t, 1, untilClear([]*Acceptance{clears, clears}))
	require.Equal(t, 2, untilClear([]*Acceptance{clears, plain}))
}
