package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// testGroupRaces accepts events of a few groups through two stores, with the groups of each
// event in another order and some that close others, while operators and holds come and go
// and closers close what is open: each event is in one group of each target.
func testGroupRaces(t *testing.T, db Database) {
	const events, senders, keys = 400, 20, 4
	ctx := t.Context()
	stores := []*store.Store{db.Store, db.Reopen(t)}
	targets := []string{"ops", "chat"}
	accepted := make([]*store.Acceptance, events)
	var joiners, others sync.WaitGroup
	end := make(chan struct{})
	until := func(do func()) {
		others.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					do()
				}
			}
		})
	}
	for i, s := range stores {
		until(func() {
			open, err := s.ListDeliveries(ctx, store.DeliveryFilter{State: event.Pending})
			requireButBusy(t, s, err)
			for _, d := range open {
				_, err := s.CloseGroup(ctx, d.ID, true)
				requireButBusy(t, s, err)
			}
		})
		until(func() {
			requireButBusy(t, s, s.Hold(ctx, targets[i], store.HoldPaused, "a test"))
			requireButBusy(t, s, s.Release(ctx, targets[i]))
		})
	}
	acceptOne := func(i int) {
		a := acceptance(fmt.Sprintf("event %d", i))
		for j := range targets {
			g := byDownload()
			g.Key, g.Max, g.Flush = fmt.Sprintf("key %d", (i+j*i)%keys), 7, i%11 == 0
			g.Replaced = []string{fmt.Sprintf("file %d", i%5), fmt.Sprintf("file %d", (i+2)%5)}
			a.Owe(targets[(i+j)%2], "all", g)
			a.Flushes = append(a.Flushes, event.GroupRef{Target: targets[(i+j+1)%2], Route: "all", Key: fmt.Sprintf("key %d", (i+1)%keys)})
		}
		accepted[i] = a
		patient, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		_, err := stores[i%2].Accept(patient, a)
		require.NoError(t, err)
	}
	for w := range senders {
		joiners.Go(func() {
			for i := w; i < events; i += senders {
				acceptOne(i)
			}
		})
	}
	joiners.Wait()
	close(end)
	others.Wait()
	for _, a := range accepted {
		whole := map[string]uuid.UUID{}
		deliveries := deliveriesOf(t, db.Store, a.Event.ID)
		for _, d := range deliveries {
			whole[d.Target] = d.ID
			require.LessOrEqual(t, d.Members, 7)
		}
		require.Len(t, deliveries, 2, a.Event.Title)
		require.Len(t, whole, 2, a.Event.Title)
	}
}

// requireButBusy lets a store be busy: SQLite has one writer, and this test two processes.
func requireButBusy(t *testing.T, s *store.Store, err error) {
	t.Helper()
	if err == nil || !s.Outage(err) {
		require.NoError(t, err)
	}
}

// testGroupAgain accepts what is there already, as after a commit whose answer was lost.
func testGroupAgain(t *testing.T, db Database) {
	s := db.Store
	a := acceptance("one")
	a.Owe("ops", "all", byDownload())
	a.Owe("chat", "all", event.Grouping{Deleted: []string{"a.mkv"}})
	a.Enrich = true
	for range 3 {
		require.Equal(t, store.Accepted{EventID: a.Event.ID}, accept(t, s, a))
	}
	require.Equal(t, 1, load(t, s, a.Deliveries[0].ID).Delivery.Members)
	require.EqualValues(t, 3, db.Exec(t, "UPDATE river_job SET priority = priority"), "the group's, the deletion's and one to enrich")
	require.NoError(t, s.Enriched(t.Context(), a.Event.ID, []byte(`{"title":"enriched"}`)))
	w := load(t, s, a.Deliveries[0].ID)
	require.True(t, w.Delivery.DueAt.After(w.Now.Add(time.Minute)), "an enrichment closes no group")
	require.JSONEq(t, `{"title":"enriched"}`, string(w.Events[0].Normalized))
	require.EqualValues(t, 3, db.Exec(t, "UPDATE river_job SET priority = priority"))
}

// testGroupKeepsItsTime: events that join while the target takes nothing do not move a time
// that has passed, and a group that events join is not too old.
func testGroupKeepsItsTime(t *testing.T, db Database) {
	s := db.Store
	at := byDownload()
	at.Key, at.At = "digest", time.Now().Add(-time.Hour)
	d := gathered(t, s, "one", at).Deliveries[0].ID
	next := at
	next.At = time.Now().Add(24 * time.Hour)
	gathered(t, s, "two", next)
	w := load(t, s, d)
	require.Equal(t, 2, w.Delivery.Members)
	require.WithinDuration(t, at.At, w.Delivery.DueAt, time.Second)

	n, err := s.ExpireDeliveries(t.Context(), "ops", 30*time.Minute, "too old", 10)
	require.NoError(t, err)
	require.Zero(t, n)
	time.Sleep(time.Millisecond)
	n, err = s.ExpireDeliveries(t.Context(), "ops", time.Microsecond, "too old", 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)

	short := byDownload()
	short.Wait, short.MaxWait = time.Nanosecond, time.Nanosecond
	lost := gathered(t, s, "three", short).Deliveries[0].ID
	db.Exec(t, "DELETE FROM river_job")
	n, err = s.ReconcileTarget(t.Context(), "ops", 0, 10)
	require.NoError(t, err)
	require.Equal(t, 1, n, "a group that has lost its job")
	require.True(t, load(t, s, lost).Delivery.Open())
}

// testOpenGroupsAreOperated: what operators do to an open group closes it, so that it meets
// no other one that is open.
func testOpenGroupsAreOperated(t *testing.T, db Database) {
	s := db.Store
	one := gathered(t, s, "one", byDownload()).Deliveries[0].ID
	a := acceptance("two")
	a.Owe("new", "all", byDownload())
	accept(t, s, a)
	operate(t, s, store.Step{Action: action(store.ActionRename), Move: []uuid.UUID{one}, MoveTo: "new"})
	require.False(t, load(t, s, one).Delivery.Open())
	require.True(t, load(t, s, a.Deliveries[0].ID).Delivery.Open())

	cancelled := gathered(t, s, "three", byDownload()).Deliveries[0].ID
	operate(t, s, store.Step{Action: action(store.ActionCancel), Cancel: []uuid.UUID{cancelled}})
	next := gathered(t, s, "four", byDownload()).Deliveries[0].ID
	require.NotEqual(t, cancelled, next)
	operate(t, s, store.Step{Action: action(store.ActionRetry), Retry: []uuid.UUID{cancelled, next}})
	for _, id := range []uuid.UUID{cancelled, next} {
		w := load(t, s, id)
		require.Equal(t, event.Pending, w.Delivery.State)
		require.False(t, w.Delivery.Open())
		require.Len(t, w.Events, 1)
	}
	require.EqualValues(t, 2, jobs(t, db, store.TargetQueue("ops")))
}

// testDigestOfMany bounds digests by their events, and leaves no jobs of what they merge.
func testDigestOfMany(t *testing.T, db Database) {
	s, ctx := db.Store, t.Context()
	s.Digest = func(store.Target) bool { return true }
	require.NoError(t, s.Hold(ctx, "ops", store.HoldPaused, "by an operator"))
	few := byDownload()
	few.Max = 100
	var all sync.WaitGroup
	for i := range 1250 {
		all.Go(func() {
			a := acceptance("one of many")
			if i < 250 {
				a.Owe("ops", "all", few)
			} else {
				a.Owe("ops", "all", event.Grouping{})
			}
			_, err := s.Accept(ctx, a)
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.NoError(t, s.Release(ctx, "ops"))
	list, err := s.ListDeliveries(ctx, store.DeliveryFilter{Target: "ops", State: event.Pending})
	require.NoError(t, err)
	total := 0
	for _, d := range list {
		require.LessOrEqual(t, d.Members, 1000)
		total += d.Members
	}
	require.Len(t, list, 2)
	require.Equal(t, 1250, total)
	require.EqualValues(t, 2, db.Exec(t, "UPDATE river_job SET priority = priority"))
}

// testShownBesideHolds settles deliveries of stories through two stores while a hold of
// their target ends: neither waits for the other.
func testShownBesideHolds(t *testing.T, db Database) {
	const n = 40
	ctx := t.Context()
	stores := []*store.Store{db.Store, db.Reopen(t)}
	var all sync.WaitGroup
	for i := range n {
		a := acceptance(fmt.Sprintf("event %d", i), "ops")
		accept(t, db.Store, a)
		id := a.Deliveries[0].ID
		settle(t, db.Store, store.Settlement{DeliveryID: id, Target: "ops", State: event.Pending, Delay: time.Hour, Attempt: attempt(id, 1, sdk.ClassRetryable, true)})
		key := fmt.Sprintf("story %d", i%5)
		_, err := db.Store.LeaseMessage(ctx, "ops", key, id, time.Hour)
		require.NoError(t, err)
		all.Go(func() {
			for range 5 {
				_, err := stores[i%2].Settle(ctx, &store.Settlement{
					DeliveryID: id, Target: "ops", State: event.Pending, Delay: time.Hour, Shown: &store.Shown{Key: key},
					Change: func(row *store.Target, now time.Time) []*store.Settlement {
						if row.Hold == "" {
							row.Begin(store.HoldBreaker, "503", now)
						} else {
							row.Clear()
						}
						return nil
					},
				})
				require.NoError(t, err)
			}
		})
	}
	all.Wait()
}
