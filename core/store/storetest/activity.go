package storetest

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// lately is the time around now, and one part before and one after it.
func lately() store.Buckets {
	return store.Buckets{From: time.Now().Add(-90 * time.Minute), Step: time.Hour, N: 3}
}

// testActivity has one delivery that is delivered after a failure, one that is dead, and one
// that is proven.
func testActivity(t *testing.T, db Database) {
	settleAs := func(id uuid.UUID, state event.DeliveryState, a *event.Attempt) {
		settle(t, db.Store, store.Settlement{DeliveryID: id, State: state, Attempt: a})
	}
	ok, letter, proven := acceptance("one", "ops", "chat"), acceptance("two", "chat"), acceptance("three", "ops")
	for _, a := range []*store.Acceptance{ok, letter, proven} {
		accept(t, db.Store, a)
	}
	id := ok.Deliveries[0].ID
	settleAs(id, event.Pending, attempt(id, 1, sdk.ClassRetryable, true))
	last := attempt(id, 2, sdk.ClassOK, true)
	last.Elapsed = time.Second
	settleAs(id, event.Delivered, last)
	settleAs(letter.Deliveries[0].ID, event.Dead, attempt(letter.Deliveries[0].ID, 1, sdk.ClassPermanent, true))
	id = proven.Deliveries[0].ID
	accepted := attempt(id, 1, sdk.ClassOK, true)
	accepted.Elapsed = 2 * time.Second
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Verifying, Attempt: accepted, Proof: &event.Proof{AcceptedAt: time.Now(), Within: time.Hour, By: time.Now().Add(time.Hour)}})
	ask := attempt(id, 1, sdk.ClassOK, false)
	ask.Ask, ask.Elapsed = 1, time.Hour
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Delivered, Attempt: ask, Proof: &event.Proof{AcceptedAt: time.Now(), Asks: 1, By: time.Now()}})

	all, err := db.Store.CountActivity(t.Context(), lately())
	require.NoError(t, err)
	require.Equal(t, []store.Activity{{}, {Accepted: 3, Delivered: 2, Dead: 1, Failed: 2}, {}}, all)

	one, since, err := db.Store.TargetActivity(t.Context(), "ops", lately(), 100)
	require.NoError(t, err)
	require.Equal(t, []store.Activity{
		{}, {Accepted: 2, Delivered: 2, Failed: 1, Attempts: 3, Median: time.Second, P95: 2 * time.Second}, {},
	}, one, "the question for the proof is no attempt")
	require.WithinDuration(t, lately().From, since, time.Minute)

	one, _, err = db.Store.TargetActivity(t.Context(), "absent", lately(), 100)
	require.NoError(t, err)
	require.Equal(t, make([]store.Activity, 3), one)
}

// testActivityIsBounded has more deliveries than are read.
func testActivityIsBounded(t *testing.T, db Database) {
	const limit = 5
	for i := range 2 * limit {
		a := acceptance(strconv.Itoa(i), "ops")
		accept(t, db.Store, a)
		id := a.Deliveries[0].ID
		settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Delivered, Attempt: attempt(id, 1, sdk.ClassOK, true)})
	}
	begun := lately().From
	one, since, err := db.Store.TargetActivity(t.Context(), "ops", lately(), limit)
	require.NoError(t, err)
	require.True(t, since.After(begun.Add(time.Minute)), "it says from when on it knows")
	require.LessOrEqual(t, one[1].Accepted, limit)
	require.Positive(t, one[1].Delivered)
	require.LessOrEqual(t, one[1].Delivered, limit)
	require.LessOrEqual(t, one[1].Attempts, limit)
}

// testOldestPending compares a delivery with a dead letter that is older and was retried.
func testOldestPending(t *testing.T, db Database) {
	list, now, err := db.Store.OldestPending(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)
	require.WithinDuration(t, time.Now(), now, time.Minute)

	letter, first, second := dead(t, db, "zero"), acceptance("one", "ops", "chat"), acceptance("two", "ops")
	accept(t, db.Store, first)
	accept(t, db.Store, second)
	_, skipped := operate(t, db.Store, store.Step{Action: action(store.ActionRetry), Retry: []uuid.UUID{letter.Deliveries[0].ID}})
	require.Empty(t, skipped)
	made := func(id uuid.UUID) time.Time {
		d, _, err := db.Store.FindDelivery(t.Context(), id)
		require.NoError(t, err)
		return d.CreatedAt
	}
	list, _, err = db.Store.OldestPending(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.PendingSince{{Target: "chat", Since: made(first.Deliveries[1].ID)}, {Target: "ops", Since: made(first.Deliveries[0].ID)}}, list)

	settle(t, db.Store, store.Settlement{DeliveryID: first.Deliveries[0].ID, State: event.Delivered})
	settle(t, db.Store, store.Settlement{DeliveryID: first.Deliveries[1].ID, State: event.Cancelled})
	list, _, err = db.Store.OldestPending(t.Context())
	require.NoError(t, err)
	require.Equal(t, []store.PendingSince{{Target: "ops", Since: made(second.Deliveries[0].ID)}}, list)
}

// testChangedDeliveries asks what was made and changed since a time that the database tells.
func testChangedDeliveries(t *testing.T, db Database) {
	now := func() time.Time {
		_, now, err := db.Store.ListTargets(t.Context())
		require.NoError(t, err)
		return now
	}
	changed := func(since time.Time, limit int) map[uuid.UUID]uuid.UUID {
		list, err := db.Store.ChangedDeliveries(t.Context(), since, limit)
		require.NoError(t, err)
		ids := map[uuid.UUID]uuid.UUID{}
		for _, c := range list {
			ids[c.ID] = c.EventID
			require.Equal(t, 1, c.Members)
			require.False(t, c.UpdatedAt.Before(since.Truncate(time.Millisecond)))
		}
		return ids
	}
	start := now()
	a, b := acceptance("one", "ops", "chat"), acceptance("two", "ops")
	accept(t, db.Store, a)
	accept(t, db.Store, b)
	ops, chat, other := a.Deliveries[0].ID, a.Deliveries[1].ID, b.Deliveries[0].ID
	require.Equal(t, map[uuid.UUID]uuid.UUID{ops: a.Event.ID, chat: a.Event.ID, other: b.Event.ID}, changed(start, 100), "they were made")
	require.Len(t, changed(start, 2), 2)

	require.Eventually(t, func() bool { return len(changed(now(), 100)) == 0 }, time.Minute, time.Millisecond)
	since := now()
	settle(t, db.Store, store.Settlement{DeliveryID: ops, State: event.Pending, Delay: time.Hour, Attempt: attempt(ops, 1, sdk.ClassRetryable, true)})
	settle(t, db.Store, store.Settlement{DeliveryID: other, State: event.Delivered, Attempt: attempt(other, 1, sdk.ClassOK, true)})
	require.Equal(t, map[uuid.UUID]uuid.UUID{ops: a.Event.ID, other: b.Event.ID}, changed(since, 100))
	list, err := db.Store.ChangedDeliveries(t.Context(), since, 1)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

// testSourceMarks has a history that is read on, and a snapshot that changes.
func testSourceMarks(t *testing.T, db Database) {
	marks := func(since time.Time) map[string]time.Time {
		list, err := db.Store.SourceMarks(t.Context(), since)
		require.NoError(t, err)
		by := map[string]time.Time{}
		for _, m := range list {
			by[m.Source] = m.At
		}
		return by
	}
	require.Empty(t, marks(time.Time{}.AddDate(2000, 0, 0)))
	at := time.Now().UTC().Truncate(time.Microsecond)
	require.NoError(t, db.Store.SaveCursor(t.Context(), "radarr", store.Cursor{From: at.Add(-time.Hour), ReadTo: at}))
	_, _, err := db.Store.AskSnapshot(t.Context(), action(store.ActionSync), "sonarr", store.SnapshotWish{})
	require.NoError(t, err)
	got := marks(at.Add(-time.Minute))
	require.Equal(t, at, got["radarr"])
	require.Contains(t, got, "sonarr")
	require.NotContains(t, marks(at.Add(time.Hour)), "sonarr")
}

// testPauses compares a source that was silent for a while with one that was not.
func testPauses(t *testing.T, db Database) {
	for _, hours := range []int{-50, -40, -10, -5} {
		a := acceptance(strconv.Itoa(hours))
		first := event.FirstID(time.Now().Add(time.Duration(hours) * time.Hour))
		copy(a.Event.ID[:6], first[:6])
		accept(t, db.Store, a)
	}
	p, err := db.Store.PausesOf(t.Context(), "radarr")
	require.NoError(t, err)
	require.Equal(t, 4, p.Events)
	require.WithinDuration(t, time.Now().Add(-5*time.Hour), p.Last, time.Minute)
	require.InDelta(t, 30*time.Hour, p.Longest, float64(time.Minute))

	p, err = db.Store.PausesOf(t.Context(), "absent")
	require.NoError(t, err)
	require.Zero(t, p)
}
