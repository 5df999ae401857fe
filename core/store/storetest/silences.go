package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// silence adds one to ops and returns it, with the record of it.
func silence(t *testing.T, s *store.Store, length time.Duration) (store.Silence, store.Action) {
	t.Helper()
	n := store.Silence{ID: event.NewID(), Expression: "true", Target: "ops", Who: "root", Via: "socket", Comment: "a\x00 test"}
	a := action(store.ActionSilence)
	a.Args.Silence = n.ID
	require.NoError(t, s.AddSilence(t.Context(), a, &n, length))
	return n, *a
}

func silences(t *testing.T, s *store.Store, past time.Duration) ([]store.Silence, time.Time) {
	t.Helper()
	list, now, err := s.ListSilences(t.Context(), past)
	require.NoError(t, err)
	return list, now
}

func testSilences(t *testing.T, db Database) {
	none, _ := silences(t, db.Store, time.Hour)
	require.Empty(t, none)
	short, _ := silence(t, db.Store, time.Hour)
	long, added := silence(t, db.Store, 2*time.Hour)
	require.Equal(t, 2*time.Hour, long.EndsAt.Sub(long.StartsAt))
	long.Comment = "a\uFFFD test"
	short.Comment = long.Comment
	list, now := silences(t, db.Store, 0)
	require.Equal(t, []store.Silence{long, short}, list)
	require.WithinDuration(t, now, long.StartsAt, time.Minute)
	require.True(t, long.ActiveAt(now))
	require.True(t, long.ActiveAt(long.StartsAt))
	require.False(t, long.ActiveAt(long.EndsAt))
	require.Equal(t, long.EndsAt, added.Args.Until)
	found, err := db.Store.FindAction(t.Context(), added.ID)
	require.NoError(t, err)
	require.Equal(t, added, found)

	// What is refused leaves no trace.
	refused := action(store.ActionSilence)
	past := store.Silence{ID: event.NewID(), Expression: "true", EndsAt: now.Add(-time.Hour)}
	require.ErrorIs(t, db.Store.AddSilence(t.Context(), refused, &past, 0), store.ErrSilenceOver)
	_, err = db.Store.FindAction(t.Context(), refused.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = db.Store.ExpireSilence(t.Context(), action(store.ActionExpire), uuid.New())
	require.ErrorIs(t, err, store.ErrNotFound)

	expired := action(store.ActionExpire)
	ended, err := db.Store.ExpireSilence(t.Context(), expired, long.ID)
	require.NoError(t, err)
	require.True(t, ended.EndsAt.Before(long.EndsAt))
	require.Equal(t, store.ActionArgs{Silence: long.ID, When: "true", Target: "ops"}, expired.Args)
	list, _ = silences(t, db.Store, 0)
	require.Equal(t, []store.Silence{short}, list)
	list, now = silences(t, db.Store, time.Hour)
	require.Equal(t, []store.Silence{short, ended}, list, "it ended lately")
	require.False(t, ended.ActiveAt(now))
	_, err = db.Store.ExpireSilence(t.Context(), action(store.ActionExpire), long.ID)
	require.ErrorIs(t, err, store.ErrSilenceOver)

	until := store.Silence{ID: event.NewID(), Expression: "true", EndsAt: now.Add(time.Hour)}
	require.NoError(t, db.Store.AddSilence(t.Context(), action(store.ActionSilence), &until, 0))
	require.Equal(t, now.Add(time.Hour), until.EndsAt)
}

// testSilencesCount: each counts the deliveries that it really cancelled, once.
func testSilencesCount(t *testing.T, db Database) {
	n, _ := silence(t, db.Store, time.Hour)
	other, _ := silence(t, db.Store, 2*time.Hour)
	a, b := acceptance("one", "ops", "chat"), acceptance("two", "ops")
	accept(t, db.Store, a)
	accept(t, db.Store, b)
	for _, d := range []event.Delivery{a.Deliveries[0], b.Deliveries[0], a.Deliveries[0]} {
		settle(t, db.Store, store.Settlement{DeliveryID: d.ID, State: event.Cancelled, Reason: n.Reason(), Silence: n.ID})
	}
	settle(t, db.Store, store.Settlement{DeliveryID: a.Deliveries[1].ID, State: event.Cancelled, Silence: other.ID})
	list, _ := silences(t, db.Store, 0)
	require.Equal(t, []int{1, 2}, []int{list[0].Silenced, list[1].Silenced})
	d := load(t, db.Store, a.Deliveries[0].ID).Delivery
	require.Equal(t, event.Cancelled, d.State)
	require.Equal(t, "silenced by root until "+n.EndsAt.Format("2006-01-02 15:04 UTC")+": a\uFFFD test (silence "+n.ID.String()+")", d.Reason)
}

func testSilencesAreBounded(t *testing.T, db Database) {
	for range store.MaxSilences {
		silence(t, db.Store, time.Hour)
	}
	one := store.Silence{ID: event.NewID(), Expression: "true"}
	err := db.Store.AddSilence(t.Context(), action(store.ActionSilence), &one, time.Hour)
	require.ErrorIs(t, err, store.ErrTooManySilences)
	list, _ := silences(t, db.Store, 0)
	require.Len(t, list, store.MaxSilences)

	// They end, and are purged when no delivery can speak of them.
	require.EqualValues(t, store.MaxSilences, db.Exec(t, "UPDATE silences SET ends_at = starts_at - (ends_at - starts_at)"))
	list, _ = silences(t, db.Store, 2*time.Hour)
	require.Len(t, list, store.MaxSilences)
	p, err := db.Store.Purge(t.Context(), store.Retention{Events: time.Minute, DeadLetters: 3 * time.Hour}, 500)
	require.NoError(t, err)
	require.Zero(t, p.Silences)
	p, err = db.Store.Purge(t.Context(), store.Retention{Events: time.Minute, DeadLetters: time.Minute}, 500)
	require.NoError(t, err)
	require.Equal(t, store.MaxSilences, p.Silences)
}
