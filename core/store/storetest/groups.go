package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// gathered is an accepted event whose delivery to ops is gathered.
func gathered(t *testing.T, s *store.Store, title string, g event.Grouping) *store.Acceptance {
	t.Helper()
	a := acceptance(title)
	a.Owe("ops", "all", g)
	accept(t, s, a)
	return a
}

func byDownload() event.Grouping {
	return event.Grouping{Key: "radarr/download/1", Wait: time.Hour, MaxWait: 24 * time.Hour, Max: 100}
}

// deliveriesOf are those of an event.
func deliveriesOf(t *testing.T, s *store.Store, id uuid.UUID) []event.Delivery {
	t.Helper()
	_, deliveries, err := s.FindEvent(t.Context(), id)
	require.NoError(t, err)
	return deliveries
}

func titles(events []event.Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Title)
	}
	return all
}

// testGroup has events join an open group, which is closed once.
func testGroup(t *testing.T, db Database) {
	s := db.Store
	one := gathered(t, s, "one", byDownload())
	two := gathered(t, s, "two", byDownload())
	other := byDownload()
	other.Key = "radarr/download/2"
	gathered(t, s, "elsewhere", other)

	group := one.Deliveries[0].ID
	require.Equal(t, group, deliveriesOf(t, s, two.Event.ID)[0].ID, "the second event has no delivery of its own")
	w := load(t, s, group)
	require.True(t, w.Delivery.Open())
	require.Equal(t, 2, w.Delivery.Members)
	require.Equal(t, []string{"one", "two"}, titles(w.Events))
	require.WithinDuration(t, w.Now.Add(time.Hour), w.Delivery.DueAt, time.Minute)

	closed, err := s.CloseGroup(t.Context(), group, false)
	require.NoError(t, err)
	require.False(t, closed, "it is not due")
	closed, err = s.CloseGroup(t.Context(), group, true)
	require.NoError(t, err)
	require.True(t, closed)
	again, err := s.CloseGroup(t.Context(), group, false)
	require.NoError(t, err)
	require.True(t, again, "a worker that comes second finds it closed")

	three := gathered(t, s, "three", byDownload())
	require.NotEqual(t, group, deliveriesOf(t, s, three.Event.ID)[0].ID, "what is closed stays as it is")
	require.Equal(t, []string{"one", "two"}, titles(load(t, s, group).Events))
	for _, e := range load(t, s, group).Events {
		require.Equal(t, acceptance("").Event.Traceparent, e.Traceparent)
	}

	list, err := s.ListDeliveries(t.Context(), store.DeliveryFilter{EventID: two.Event.ID})
	require.NoError(t, err)
	require.Len(t, list, 1)
	events, err := s.ListEvents(t.Context(), store.EventFilter{})
	require.NoError(t, err)
	for _, e := range events {
		require.Equal(t, map[event.DeliveryState]int{event.Pending: 1}, e.Deliveries, e.Title)
	}
}

// testGroupWaits bounds the waiting by the first event, and ends it early.
func testGroupWaits(t *testing.T, db Database) {
	s := db.Store
	short := byDownload()
	short.MaxWait = 10 * time.Minute
	a := gathered(t, s, "one", short)
	w := load(t, s, a.Deliveries[0].ID)
	require.WithinDuration(t, w.Now.Add(10*time.Minute), w.Delivery.DueAt, time.Minute)
	require.Zero(t, jobs(t, db, store.TargetQueue("ops")), "its job waits")

	short.Flush = true
	gathered(t, s, "two", short)
	w = load(t, s, a.Deliveries[0].ID)
	require.False(t, w.Delivery.DueAt.After(w.Now), "the end of the download makes it due")
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))

	at := byDownload()
	at.Key, at.At = "digest", w.Now.Add(5*time.Hour)
	d := gathered(t, s, "three", at)
	w = load(t, s, d.Deliveries[0].ID)
	require.WithinDuration(t, at.At, w.Delivery.DueAt, time.Second)

	outside := acceptance("four")
	outside.Flushes = []event.GroupRef{{Target: "ops", Route: "all", Key: "digest"}, {Target: "ops", Route: "all", Key: "nothing"}}
	accept(t, s, outside)
	w = load(t, s, d.Deliveries[0].ID)
	require.False(t, w.Delivery.DueAt.After(w.Now))
	require.Equal(t, 1, w.Delivery.Members)
}

// testGroupMax closes a group that is full, with the events of one batch in order.
func testGroupMax(t *testing.T, db Database) {
	s := db.Store
	few := byDownload()
	few.Max = 3
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			a := acceptance("one of many")
			a.Owe("ops", "all", few)
			_, err := s.Accept(t.Context(), a)
			require.NoError(t, err)
		})
	}
	all.Wait()
	list, err := s.ListDeliveries(t.Context(), store.DeliveryFilter{Target: "ops"})
	require.NoError(t, err)
	told := map[uuid.UUID]int{}
	for _, d := range list {
		w := load(t, s, d.ID)
		require.Len(t, w.Events, w.Delivery.Members)
		require.LessOrEqual(t, w.Delivery.Members, 3)
		require.Equal(t, w.Delivery.Members < 3, w.Delivery.Open())
		for _, e := range w.Events {
			told[e.ID]++
		}
	}
	require.Len(t, list, 7)
	require.Len(t, told, 20)
	for _, n := range told {
		require.Equal(t, 1, n)
	}
}

// testGroupIsSplit gives each event a delivery of its own.
func testGroupIsSplit(t *testing.T, db Database) {
	s := db.Store
	a := gathered(t, s, "one", byDownload())
	gathered(t, s, "two", byDownload())
	require.NoError(t, s.SplitGroup(t.Context(), load(t, s, a.Deliveries[0].ID), 0))
	require.NoError(t, s.SplitGroup(t.Context(), load(t, s, a.Deliveries[0].ID), 0), "a second time changes nothing")
	list, err := s.ListDeliveries(t.Context(), store.DeliveryFilter{State: event.Pending})
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.EqualValues(t, 2, jobs(t, db, store.TargetQueue("ops")))
	require.Equal(t, event.Superseded, load(t, s, a.Deliveries[0].ID).Delivery.State)
}

// testFold leaves a deletion to its upgrade, whichever comes first.
func testFold(t *testing.T, db Database) {
	s := db.Store
	deletion := gathered(t, s, "deletion", event.Grouping{Deleted: []string{"radarr//a.mkv"}})
	w := load(t, s, deletion.Deliveries[0].ID)
	require.True(t, w.Delivery.DueAt.After(w.Now.Add(time.Minute)), "it waits for the upgrade")
	require.Zero(t, jobs(t, db, store.TargetQueue("ops")))
	upgrade := byDownload()
	upgrade.Replaced = []string{"radarr//a.mkv", "radarr//b.mkv"}
	gathered(t, s, "upgrade of another", event.Grouping{Replaced: []string{"radarr//c.mkv"}})
	whole := gathered(t, s, "upgrade", upgrade).Deliveries[0].ID
	folded := load(t, s, deletion.Deliveries[0].ID).Delivery
	require.Equal(t, event.Superseded, folded.State)
	require.Equal(t, whole, folded.SupersededBy)

	late := gathered(t, s, "late deletion", event.Grouping{Deleted: []string{"radarr//b.mkv"}})
	folded = load(t, s, late.Deliveries[0].ID).Delivery
	require.Equal(t, event.Superseded, folded.State)
	require.Equal(t, whole, folded.SupersededBy)

	alone := gathered(t, s, "deletion without an upgrade", event.Grouping{Deleted: []string{"radarr//d.mkv"}})
	require.Equal(t, event.Pending, load(t, s, alone.Deliveries[0].ID).Delivery.State)
	require.NoError(t, s.Enriched(t.Context(), alone.Event.ID, nil))
	w = load(t, s, alone.Deliveries[0].ID)
	require.True(t, w.Delivery.DueAt.After(w.Now.Add(time.Minute)), "an enrichment does not end its wait")
}

// testMessage leases a story's message to one delivery at a time, and keeps what it tells.
func testMessage(t *testing.T, db Database) {
	s, ctx := db.Store, t.Context()
	one, two := acceptance("one", "ops"), acceptance("two", "ops")
	accept(t, s, one)
	accept(t, s, two)
	first, second := one.Deliveries[0].ID, two.Deliveries[0].ID

	l, err := s.LeaseMessage(ctx, "ops", "radarr/story", first, time.Hour)
	require.NoError(t, err)
	require.Zero(t, l.Busy)
	require.Equal(t, uuid.Nil, l.Delivery)
	busy, err := s.LeaseMessage(ctx, "ops", "radarr/story", second, time.Hour)
	require.NoError(t, err)
	require.Positive(t, busy.Busy)
	again, err := s.LeaseMessage(ctx, "ops", "radarr/story", first, time.Hour)
	require.NoError(t, err)
	require.Zero(t, again.Busy, "its own job, after a crash")

	at := time.Now().UTC().Truncate(time.Microsecond)
	settle(t, s, store.Settlement{
		DeliveryID: first, Target: "ops", State: event.Delivered, MessageID: "m1", Receipt: []byte("r"), Note: "posted anew",
		Shown: &store.Shown{Key: "radarr/story", Events: []uuid.UUID{one.Event.ID}, Type: sdk.TypeReleaseGrabbed, Time: at, Anew: true},
	})
	require.Equal(t, "posted anew", load(t, s, first).Delivery.Note)
	l, err = s.LeaseMessage(ctx, "ops", "radarr/story", second, time.Hour)
	require.NoError(t, err)
	require.Zero(t, l.Busy)
	require.Equal(t, first, l.Delivery)
	require.Equal(t, "m1", l.MessageID)
	require.Equal(t, []byte("r"), l.Receipt)
	require.Equal(t, sdk.TypeReleaseGrabbed, l.Type)
	require.Equal(t, at, l.Time)
	require.WithinDuration(t, l.Now, l.PostedAt, time.Minute)
	require.Equal(t, []string{"one"}, titles(l.Told))

	settle(t, s, store.Settlement{DeliveryID: second, Target: "ops", State: event.Pending, Shown: &store.Shown{Key: "radarr/story"}})
	l, err = s.LeaseMessage(ctx, "ops", "radarr/story", first, time.Hour)
	require.NoError(t, err)
	require.Zero(t, l.Busy, "a failure gives the lease back")
	require.Equal(t, "m1", l.MessageID, "and leaves the message")
	settle(t, s, store.Settlement{DeliveryID: first, Target: "ops", State: event.Delivered, Shown: &store.Shown{Key: "radarr/story"}})

	purged, err := s.Purge(ctx, store.Retention{Events: time.Nanosecond, DeadLetters: time.Hour}, 100)
	require.NoError(t, err)
	require.Positive(t, purged.Events.Count())
	l, err = s.LeaseMessage(ctx, "ops", "radarr/story", second, time.Hour)
	require.NoError(t, err)
	require.Equal(t, uuid.Nil, l.Delivery)
}

// testDigest merges what waited for a hold.
func testDigest(t *testing.T, db Database) {
	s, ctx := db.Store, t.Context()
	var asked store.Target
	s.Digest = func(held store.Target) bool { asked = held; return true }
	require.NoError(t, s.Hold(ctx, "ops", store.HoldPaused, "by an operator"))
	one, two, three := acceptance("one", "ops", "chat"), acceptance("two", "ops"), acceptance("three")
	accept(t, s, one)
	accept(t, s, two)
	three.Owe("ops", "all", byDownload())
	accept(t, s, three)
	require.NoError(t, s.Release(ctx, "ops"))
	require.Equal(t, store.HoldPaused, asked.Hold)

	list, err := s.ListDeliveries(ctx, store.DeliveryFilter{Target: "ops", State: event.Pending})
	require.NoError(t, err)
	require.Len(t, list, 1)
	w := load(t, s, list[0].ID)
	require.Equal(t, []string{"one", "two", "three"}, titles(w.Events))
	require.Equal(t, 3, w.Delivery.Members)
	require.False(t, w.Delivery.Open())
	require.Equal(t, list[0].ID, load(t, s, one.Deliveries[0].ID).Delivery.SupersededBy)
	require.Equal(t, event.Pending, load(t, s, one.Deliveries[1].ID).Delivery.State, "another target's")

	require.NoError(t, s.Hold(ctx, "chat", store.HoldPaused, "by an operator"))
	require.NoError(t, s.Release(ctx, "chat"))
	require.Equal(t, event.Pending, load(t, s, one.Deliveries[1].ID).Delivery.State, "one needs no digest")
}

// testProbeLeavesDigests to their time, and takes one that is due.
func testProbeLeavesDigests(t *testing.T, db Database) {
	ctx := t.Context()
	a := acceptance("weekly", "ops")
	a.Deliveries = nil
	a.Owe("ops", "week", event.Grouping{Key: "digest", At: time.Now().Add(5 * time.Hour), Max: 5})
	accept(t, db.Store, a)
	digest := a.Deliveries[0].ID
	change(t, db, func(row *store.Target, now time.Time) {
		row.Begin(store.HoldBreaker, "503", now)
		row.ProbeAt = now.Add(-time.Hour)
	})
	id, err := db.Store.Probe(ctx, "ops", anHour)
	require.NoError(t, err)
	require.Equal(t, uuid.Nil, id)
	db.Exec(t, "UPDATE deliveries SET due_at = created_at")
	id, err = db.Store.Probe(ctx, "ops", anHour)
	require.NoError(t, err)
	require.Equal(t, digest, id)
}

// testPurgeKeepsGroups keeps every event of a group that is to be delivered.
func testPurgeKeepsGroups(t *testing.T, db Database) {
	s := db.Store
	a := gathered(t, s, "one", byDownload())
	gathered(t, s, "two", byDownload())
	accept(t, s, acceptance("of no delivery"))
	p, err := s.Purge(t.Context(), store.Retention{Events: time.Nanosecond, DeadLetters: time.Hour}, 100)
	require.NoError(t, err)
	require.Equal(t, 1, p.Events.Count())
	require.Len(t, load(t, s, a.Deliveries[0].ID).Events, 2)
	settle(t, s, store.Settlement{DeliveryID: a.Deliveries[0].ID, Target: "ops", State: event.Delivered})
	db.Exec(t, "UPDATE events SET purge_after = received_at")
	p, err = s.Purge(t.Context(), store.Retention{Events: time.Nanosecond, DeadLetters: time.Hour}, 100)
	require.NoError(t, err)
	require.Equal(t, 2, p.Events.Count())
	require.Zero(t, db.Exec(t, "DELETE FROM delivery_events"))
}
