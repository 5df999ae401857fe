package storetest

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

func testSettle(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	id := a.Deliveries[0].ID
	accept(t, db.Store, a)

	settle(t, db.Store, store.Settlement{
		DeliveryID: id, State: event.Pending, Delay: time.Hour, Reason: "503", Suspect: true, Crashes: 2,
		Attempt: attempt(id, 1, sdk.ClassRetryable, true),
	})
	work := load(t, db.Store, id)
	require.Equal(t, 1, work.Delivery.Attempts)
	require.WithinDuration(t, work.Now.Add(time.Hour), work.Delivery.DueAt, time.Minute)
	require.True(t, work.Delivery.Suspect)
	require.Equal(t, 2, work.Delivery.Crashes)
	require.Equal(t, "503", work.Delivery.Reason)

	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Pending, Attempt: attempt(id, 2, sdk.ClassThrottled, false)})
	work = load(t, db.Store, id)
	require.Equal(t, 1, work.Delivery.Attempts, "not counted")

	last := attempt(id, 2, sdk.ClassOK, true)
	last.Message = ""
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Delivered, MessageID: "m1", Receipt: []byte{1}, Attempt: last})
	d, attempts, err := db.Store.FindDelivery(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, event.Delivered, d.State)
	require.Equal(t, 2, d.Attempts)
	require.Equal(t, "m1", d.MessageID)
	require.Equal(t, []byte{1}, d.Receipt)
	require.Len(t, attempts, 3)
	require.Equal(t, *last, attempts[2])
	gone := uuid.New()
	settle(t, db.Store, store.Settlement{DeliveryID: gone, State: event.Dead, Attempt: attempt(gone, 1, sdk.ClassPermanent, true)})
}

func testFinalStatesStay(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	id := a.Deliveries[0].ID
	accept(t, db.Store, a)
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Delivered, Attempt: attempt(id, 1, sdk.ClassOK, true)})
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Pending, Attempt: attempt(id, 2, sdk.ClassRetryable, true)})
	d, attempts, err := db.Store.FindDelivery(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, event.Delivered, d.State)
	require.Len(t, attempts, 2, "the attempt is recorded all the same")
}

func testReconcile(t *testing.T, db Database) {
	lost, later, deferred := acceptance("lost", "ops"), acceptance("later", "ops"), acceptance("deferred")
	deferred.Event.State = event.Deferred
	deferred.Event.ReceivedAt = deferred.Event.ReceivedAt.Add(-time.Hour)
	for _, a := range []*store.Acceptance{lost, later, deferred} {
		accept(t, db.Store, a)
	}
	settle(t, db.Store, store.Settlement{DeliveryID: later.Deliveries[0].ID, State: event.Pending, Delay: time.Hour})
	reconcile := func(grace time.Duration) int {
		deliveries, err := db.Store.ReconcileTarget(t.Context(), "ops", grace, 100)
		require.NoError(t, err)
		events, err := db.Store.ReconcileSource(t.Context(), "radarr", grace, 100)
		require.NoError(t, err)
		return deliveries + events
	}
	require.Zero(t, reconcile(0), "nothing is lost")
	require.EqualValues(t, 3, db.Exec(t, "DELETE FROM river_job"))
	require.Equal(t, 1, reconcile(time.Minute), "the event is old enough to be doubted")
	require.Equal(t, 1, reconcile(0))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
	require.EqualValues(t, 1, jobs(t, db, store.DecodeQueue("radarr")))
	require.Zero(t, reconcile(0))
}

// testReconcileManySlices finds what was lost behind the first slice, and looks no
// further than a slice without a loss.
func testReconcileManySlices(t *testing.T, db Database) {
	for i := range 25 {
		accept(t, db.Store, acceptance(strconv.Itoa(i), "ops"))
	}
	db.Exec(t, "DELETE FROM river_job")
	n, err := db.Store.ReconcileTarget(t.Context(), "ops", 0, 10)
	require.NoError(t, err)
	require.Equal(t, 25, n)
	require.EqualValues(t, 25, jobs(t, db, store.TargetQueue("ops")))
}

// testReconcileOneMoment finds what was lost of more rows than a slice that are due at
// the same time, as those of one transaction are.
func testReconcileOneMoment(t *testing.T, db Database) {
	for i := range 25 {
		accept(t, db.Store, acceptance(strconv.Itoa(i), "ops"))
	}
	db.Exec(t, "UPDATE deliveries SET due_at = (SELECT min(due_at) FROM deliveries)")
	db.Exec(t, "DELETE FROM river_job")
	n, err := db.Store.ReconcileTarget(t.Context(), "ops", 0, 10)
	require.NoError(t, err)
	require.Equal(t, 25, n)
}

// testReconcileWritesNothing looks at rows whose jobs are there. A job that it locked or
// wrote would be passed over by a worker, and the order be lost.
func testReconcileWritesNothing(t *testing.T, db Database) {
	for i := range 25 {
		accept(t, db.Store, acceptance(strconv.Itoa(i), "ops"))
	}
	before := db.Written(t)
	n, err := db.Store.ReconcileTarget(t.Context(), "ops", 0, 10)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, before, db.Written(t))
}

func testReclaim(t *testing.T, db Database) {
	ctx := t.Context()
	require.NoError(t, db.Store.Join(ctx, "node-1"))
	accept(t, db.Store, acceptance("one", "ops"))
	started := make(chan int64, 2)
	queue := startQueue(t, db.Store, "node-1", func(ctx context.Context, job *river.Job[store.DeliverArgs]) error {
		started <- job.ID
		<-ctx.Done()
		return ctx.Err()
	})
	id := <-started
	n, err := db.Store.Reclaim(ctx, "node-1", []int64{id}, 0)
	require.NoError(t, err)
	require.Zero(t, n, "it runs")
	n, err = db.Store.Reclaim(ctx, "node-1", nil, time.Hour)
	require.NoError(t, err)
	require.Zero(t, n, "it may only just have begun")
	require.Eventually(t, func() bool {
		n, err = db.Store.Reclaim(ctx, "node-1", nil, 0)
		return err == nil && n == 1
	}, time.Minute, 50*time.Millisecond)
	require.Equal(t, id, <-started, "it runs again")

	require.NoError(t, db.Store.AskCatchup(ctx, "radarr"))
	db.Exec(t, "UPDATE river_job SET state = 'running', attempted_at = created_at WHERE kind = 'catchup'")
	n, err = db.Store.Reclaim(ctx, "node-1", []int64{id}, 0)
	require.NoError(t, err)
	require.Zero(t, n, "reading a history may take long")
	_, err = db.Store.Beat(ctx, "node-1", time.Minute)
	require.NoError(t, err)
	require.NoError(t, queue.StopAndCancel(context.WithoutCancel(ctx)))
	require.NoError(t, db.Store.Leave(ctx, "node-1"))
}

func testPurge(t *testing.T, db Database) {
	done, open, dead := acceptance("done", "ops"), acceptance("open", "ops"), acceptance("dead", "ops")
	dead.Event.Source, dead.Deliveries[0].Target = "sonarr", "dev"
	done.Keys = []store.DedupKey{{Key: "fp:1", Window: -time.Hour}}
	for _, a := range []*store.Acceptance{done, open, dead} {
		accept(t, db.Store, a)
	}
	id := done.Deliveries[0].ID
	settle(t, db.Store, store.Settlement{DeliveryID: id, State: event.Delivered, Attempt: attempt(id, 1, sdk.ClassOK, true)})
	settle(t, db.Store, store.Settlement{DeliveryID: dead.Deliveries[0].ID, State: event.Dead})
	purge := func(events, deadLetters time.Duration) store.Purged {
		t.Helper()
		p, err := db.Store.Purge(t.Context(), store.Retention{Events: events, DeadLetters: deadLetters}, 100)
		require.NoError(t, err)
		return p
	}
	oldest := func(want, got time.Time) {
		t.Helper()
		require.WithinDuration(t, want, got, time.Microsecond)
	}
	require.Equal(t, store.Purged{Keys: 1}, purge(time.Hour, time.Hour), "the expired key")
	p := purge(-time.Minute, time.Hour)
	require.Equal(t, map[string]int{"radarr": 1}, p.Events.By, "the event that is done")
	oldest(done.Event.ReceivedAt, p.Events.Oldest)
	require.Zero(t, p.DeadLetters)
	_, _, err := db.Store.FindDelivery(t.Context(), id)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Zero(t, purge(-time.Minute, time.Hour), "what is needed is not looked at again")
	for _, a := range []*store.Acceptance{open, dead} {
		_, _, err = db.Store.FindEvent(t.Context(), a.Event.ID)
		require.NoError(t, err)
	}
	letter, _, err := db.Store.FindDelivery(t.Context(), dead.Deliveries[0].ID)
	require.NoError(t, err)
	p = purge(-time.Minute, -time.Minute)
	require.Equal(t, map[string]int{"dev": 1}, p.DeadLetters.By, "the dead letter")
	oldest(letter.UpdatedAt, p.DeadLetters.Oldest)
	require.Equal(t, map[string]int{"sonarr": 1}, p.Events.By, "and its event")
	oldest(dead.Event.ReceivedAt, p.Events.Oldest)
	_, _, err = db.Store.FindEvent(t.Context(), open.Event.ID)
	require.NoError(t, err)
	settle(t, db.Store, store.Settlement{DeliveryID: open.Deliveries[0].ID, State: event.Delivered})
	p = purge(-3*time.Hour, time.Hour)
	require.Equal(t, map[string]int{"radarr": 1}, p.Events.By, "an hour later")

	var first time.Time
	for _, source := range []string{"radarr", "sonarr", "radarr"} {
		a := acceptance(source)
		a.Event.Source = source
		accept(t, db.Store, a)
		if first.IsZero() {
			first = a.Event.ReceivedAt
		}
	}
	p, err = db.Store.Purge(t.Context(), store.Retention{Events: -time.Minute, DeadLetters: time.Hour}, 1)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"radarr": 2, "sonarr": 1}, p.Events.By, "slices add up")
	oldest(first, p.Events.Oldest)
}

func testLists(t *testing.T, db Database) {
	ctx := t.Context()
	var all []*store.Acceptance
	for i := range 5 {
		a := acceptance(strconv.Itoa(i), "ops")
		if i == 2 {
			a.Event.Source, a.Event.Type, a.Event.Reason = "radarr-4k", sdk.TypeTest, "odd"
		}
		accept(t, db.Store, a)
		all = append(all, a)
	}
	settle(t, db.Store, store.Settlement{DeliveryID: all[0].Deliveries[0].ID, State: event.Dead})

	page, err := db.Store.ListEvents(ctx, store.EventFilter{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []string{"4", "3"}, []string{page[0].Title, page[1].Title})
	page, err = db.Store.ListEvents(ctx, store.EventFilter{Before: page[1].ID})
	require.NoError(t, err)
	require.Len(t, page, 3)
	require.Equal(t, map[event.DeliveryState]int{event.Dead: 1}, page[2].Deliveries)
	for _, f := range []store.EventFilter{{Source: "radarr-4k"}, {Type: sdk.TypeTest}} {
		page, err = db.Store.ListEvents(ctx, f)
		require.NoError(t, err)
		require.Len(t, page, 1)
		require.Equal(t, all[2].Event.ID, page[0].ID)
		require.Equal(t, "odd", page[0].Reason)
	}
	for _, f := range []store.DeliveryFilter{{State: event.Dead}, {EventID: all[0].Event.ID}, {Target: "ops", State: event.Dead}} {
		deliveries, err := db.Store.ListDeliveries(ctx, f)
		require.NoError(t, err)
		require.Len(t, deliveries, 1)
		require.Equal(t, "0", deliveries[0].Title)
		require.Equal(t, "radarr", deliveries[0].Source)
	}
	counts, err := db.Store.CountDeliveries(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []store.DeliveryCount{
		{Target: "ops", State: event.Pending, Count: 4}, {Target: "ops", State: event.Dead, Count: 1},
	}, counts)
}

func testWork(t *testing.T, db Database) {
	const n = 100
	worked := make(chan uuid.UUID, 2*n)
	queue := startQueue(t, db.Store, "node-1", func(_ context.Context, job *river.Job[store.DeliverArgs]) error {
		worked <- job.Args.DeliveryID
		return nil
	})
	want := map[uuid.UUID]bool{}
	for i := range n {
		a := acceptance(strconv.Itoa(i), "ops")
		accept(t, db.Store, a)
		want[a.Deliveries[0].ID] = true
	}
	for range n {
		id := <-worked
		require.True(t, want[id], "once")
		delete(want, id)
	}
	require.NoError(t, queue.Stop(context.WithoutCancel(t.Context())))
	require.Empty(t, worked)
}

// deliverWorker is a function that works deliver jobs.
type deliverWorker struct {
	river.WorkerDefaults[store.DeliverArgs]
	work func(context.Context, *river.Job[store.DeliverArgs]) error
}

func (w *deliverWorker) Work(ctx context.Context, job *river.Job[store.DeliverArgs]) error {
	return w.work(ctx, job)
}

func startQueue(t *testing.T, s *store.Store, node string, work func(context.Context, *river.Job[store.DeliverArgs]) error) store.Queue {
	t.Helper()
	return startWorkers(t, s, node, 4, work)
}

func startWorkers(
	t *testing.T, s *store.Store, node string, n int, work func(context.Context, *river.Job[store.DeliverArgs]) error,
) store.Queue {
	t.Helper()
	workers := river.NewWorkers()
	river.AddWorker(workers, &deliverWorker{work: work})
	queue, err := s.OpenQueue(&river.Config{
		ID: node, Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{
			store.TargetQueue("ops"): {MaxWorkers: n, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond},
		},
	})
	require.NoError(t, err)
	require.NoError(t, queue.Start(context.WithoutCancel(t.Context())))
	return queue
}
