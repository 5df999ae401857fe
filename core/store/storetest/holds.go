package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

func anHour(int) time.Duration { return time.Hour }

// change changes the target ops and returns its row.
func change(t *testing.T, db Database, f func(*store.Target, time.Time)) store.Target {
	t.Helper()
	_, after, err := db.Store.ChangeTarget(t.Context(), "ops", func(row *store.Target, now time.Time) []*store.Settlement {
		f(row, now)
		return nil
	})
	require.NoError(t, err)
	return after
}

func isPaused(t *testing.T, db Database) bool {
	t.Helper()
	return db.Exec(t, "UPDATE river_queue SET metadata = metadata WHERE name = 'target_ops' AND paused_at IS NOT NULL") == 1
}

// testHold begins and ends a hold: the queue follows, rows and jobs do not change.
func testHold(t *testing.T, db Database) {
	ctx := t.Context()
	a := acceptance("one", "ops")
	accept(t, db.Store, a)
	before := load(t, db.Store, a.Deliveries[0].ID)
	require.Empty(t, before.Target.Hold)

	require.NoError(t, db.Store.Hold(ctx, "ops", store.HoldPaused, "by an operator"))
	require.True(t, isPaused(t, db))
	accept(t, db.Store, acceptance("two", "ops"))
	require.EqualValues(t, 2, jobs(t, db, store.TargetQueue("ops")), "newcomers have jobs")
	held := load(t, db.Store, a.Deliveries[0].ID)
	require.Equal(t, before.Delivery, held.Delivery)
	require.Equal(t, store.HoldPaused, held.Target.Hold)
	require.Equal(t, "by an operator", held.Target.Reason)
	require.WithinDuration(t, held.Now, held.Target.Since, time.Minute)

	list, now, err := db.Store.ListTargets(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, held.Target, list[0])
	require.WithinDuration(t, held.Now, now, time.Minute)

	require.NoError(t, db.Store.Hold(ctx, "ops", store.HoldQuarantined, "a plugin"))
	require.Equal(t, store.HoldPaused, load(t, db.Store, a.Deliveries[0].ID).Target.Hold, "a pause stays one")
	require.NoError(t, db.Store.Release(ctx, "ops"))
	require.False(t, isPaused(t, db))
	require.Empty(t, load(t, db.Store, a.Deliveries[0].ID).Target.Hold)
	require.NoError(t, db.Store.Release(ctx, "nobody"), "a target that is not on hold stays so")
	list, _, err = db.Store.ListTargets(ctx)
	require.NoError(t, err)
	require.Empty(t, list)
}

// testAgree makes River agree with the rows, whatever others did to its queues.
func testAgree(t *testing.T, db Database) {
	ctx := t.Context()
	require.NoError(t, db.Store.Hold(ctx, "ops", store.HoldPaused, ""))
	require.NoError(t, db.Store.Hold(ctx, "chat", store.HoldPaused, ""))
	agree := func(want int) {
		t.Helper()
		n, err := db.Store.AgreeQueues(ctx)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	agree(0)
	require.EqualValues(t, 1, db.Exec(t, "DELETE FROM river_queue WHERE name = 'target_ops'"))
	require.EqualValues(t, 1, db.Exec(t, "UPDATE river_queue SET paused_at = NULL WHERE name = 'target_chat'"))
	agree(2)
	require.True(t, isPaused(t, db))
	require.EqualValues(t, 2, db.Exec(t, "UPDATE targets SET hold = ''"))
	agree(2)
	require.False(t, isPaused(t, db))
	agree(0)
}

func misconfigured(accused uuid.UUID) func(*store.Target, time.Time) {
	return func(row *store.Target, now time.Time) {
		row.Begin(store.HoldMisconfigured, "404", now)
		row.Accused, row.ProbeAt = accused, now.Add(time.Hour)
	}
}

// testProbe probes at once with another than the accused, and later with each in turn.
func testProbe(t *testing.T, db Database) {
	ctx := t.Context()
	probe := func() uuid.UUID {
		t.Helper()
		id, err := db.Store.Probe(ctx, "ops", anHour)
		require.NoError(t, err)
		return id
	}
	require.Equal(t, uuid.Nil, probe(), "it is well")
	var ids []uuid.UUID
	add := func() {
		a := acceptance(strconv.Itoa(len(ids)), "ops")
		accept(t, db.Store, a)
		ids = append(ids, a.Deliveries[0].ID)
	}
	add()
	change(t, db, misconfigured(ids[0]))
	require.Equal(t, uuid.Nil, probe(), "there is no other")
	add()
	add()

	var probes atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if id, err := db.Store.Probe(ctx, "ops", anHour); err == nil && id == ids[1] {
				probes.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, probes.Load(), "once, with the oldest other")
	row := load(t, db.Store, ids[0]).Target
	require.True(t, row.Witnessed)
	require.Equal(t, 1, row.Probes)
	require.Equal(t, ids[1], row.Probe)

	for i, want := range []uuid.UUID{ids[0], ids[2], ids[1]} {
		last := load(t, db.Store, ids[0]).Target.Probe
		settle(t, db.Store, store.Settlement{DeliveryID: last, State: event.Pending, Attempt: attempt(last, 1, sdk.ClassMisconfigured, false)})
		require.Equal(t, uuid.Nil, probe(), "not due")
		change(t, db, func(row *store.Target, now time.Time) { row.ProbeAt = now })
		require.Equal(t, want, probe(), i)
	}
}

// testSettleChanges changes the target in the settlement's transaction, in the order of
// the settlements, and settles what comes of it.
func testSettleChanges(t *testing.T, db Database) {
	accused, witness := acceptance("accused", "ops"), acceptance("witness", "ops")
	accept(t, db.Store, accused)
	accept(t, db.Store, witness)
	first, second := accused.Deliveries[0].ID, witness.Deliveries[0].ID
	settled, err := db.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: first, Target: "ops", State: event.Pending, Attempt: attempt(first, 1, sdk.ClassMisconfigured, true),
		Change: func(row *store.Target, now time.Time) []*store.Settlement { misconfigured(first)(row, now); return nil },
	})
	require.NoError(t, err)
	require.Empty(t, settled.Before.Hold)
	require.Equal(t, store.HoldMisconfigured, settled.After.Hold)
	require.True(t, isPaused(t, db))

	settled, err = db.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: second, Target: "ops", State: event.Delivered, Attempt: attempt(second, 1, sdk.ClassOK, true),
		Change: func(row *store.Target, _ time.Time) []*store.Settlement {
			row.Clear()
			return []*store.Settlement{{DeliveryID: row.Accused, State: event.Dead}, {DeliveryID: first, State: event.Dead, Reason: "refused"}}
		},
	})
	require.NoError(t, err)
	require.Empty(t, settled.After.Hold)
	require.False(t, isPaused(t, db))
	require.Equal(t, event.Dead, load(t, db.Store, first).Delivery.State)
	require.Equal(t, "refused", load(t, db.Store, first).Delivery.Reason)
	require.Equal(t, event.Delivered, load(t, db.Store, second).Delivery.State)
}

// testSlots takes places in a rate from several callers: no two are closer than the rate
// allows, and none comes before the target may be sent to.
func testSlots(t *testing.T, db Database) {
	const callers, each = 4, 5
	rate := store.Rate{PerSecond: 10, Burst: 3}
	var mu sync.Mutex
	var all []time.Time
	var wg sync.WaitGroup
	begin := time.Now()
	for range callers {
		wg.Go(func() {
			waits, err := db.Store.TakeSlots(t.Context(), "ops", rate, each)
			now := time.Now()
			mu.Lock()
			defer mu.Unlock()
			for _, wait := range waits {
				all = append(all, now.Add(wait))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Len(t, all, callers*each)
	var last time.Time
	for _, at := range all {
		if at.After(last) {
			last = at
		}
	}
	// Three at once, then one each 100 ms; a database that is slow to answer makes it later.
	require.GreaterOrEqual(t, last.Sub(begin), (callers*each-3)*100*time.Millisecond)

	change(t, db, func(row *store.Target, now time.Time) { row.NextAt = now.Add(time.Hour) })
	waits, err := db.Store.TakeSlots(t.Context(), "ops", rate, 2)
	require.NoError(t, err)
	require.Greater(t, waits[0], 59*time.Minute)
}

func testExpire(t *testing.T, db Database) {
	ctx := t.Context()
	require.NoError(t, db.Store.Hold(ctx, "ops", store.HoldPaused, ""))
	a := acceptance("one", "ops")
	accept(t, db.Store, a)
	n, err := db.Store.ExpireDeliveries(ctx, "ops", time.Hour, "too old", 10)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = db.Store.ExpireDeliveries(ctx, "ops", -time.Minute, "too old", 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	d := load(t, db.Store, a.Deliveries[0].ID).Delivery
	require.Equal(t, event.Dead, d.State)
	require.Equal(t, "too old", d.Reason)
}

// testPlace puts jobs back where they were: those behind them stay behind.
func testPlace(t *testing.T, db Database) {
	var order []string
	var ids []uuid.UUID
	names := map[uuid.UUID]string{}
	for i := range 20 {
		a := acceptance(strconv.Itoa(i), "ops")
		accept(t, db.Store, a)
		ids = append(ids, a.Deliveries[0].ID)
		names[a.Deliveries[0].ID] = a.Event.Title
	}
	put := map[uuid.UUID]int{ids[3]: 3, ids[4]: 1, ids[19]: 2}
	done := make(chan struct{})
	queue := startOne(t, db.Store, func(ctx context.Context, job *river.Job[store.DeliverArgs]) error {
		id := job.Args.DeliveryID
		if put[id] > 0 {
			put[id]--
			return db.Store.KeepPlace(ctx, job.JobRow)
		}
		if order = append(order, names[id]); len(order) == len(ids) {
			close(done)
		}
		return nil
	})
	<-done
	require.NoError(t, queue.Stop(context.WithoutCancel(t.Context())))
	for i, name := range order {
		require.Equal(t, strconv.Itoa(i), name)
	}
	require.EqualValues(t, 0, db.Exec(t, "DELETE FROM river_job"), "what is done is gone")
}

// testHeldQueueIsLeftAlone has 2,000 deliveries wait for a paused target under a running
// queue: no row and no job of theirs is written, and they go out in their order.
func testHeldQueueIsLeftAlone(t *testing.T, db Database) {
	const n = 2000
	ctx := t.Context()
	require.NoError(t, db.Store.Hold(ctx, "ops", store.HoldPaused, ""))
	var order []uuid.UUID
	done := make(chan struct{})
	queue := startOne(t, db.Store, func(_ context.Context, job *river.Job[store.DeliverArgs]) error {
		if order = append(order, job.Args.DeliveryID); len(order) == n {
			close(done)
		}
		return nil
	})
	var want []uuid.UUID
	for i := range n {
		a := acceptance(strconv.Itoa(i), "ops")
		accept(t, db.Store, a)
		want = append(want, a.Deliveries[0].ID)
	}
	before := db.Written(t)
	_, err := db.Store.AgreeQueues(ctx)
	require.NoError(t, err)
	time.Sleep(500 * time.Millisecond)
	require.Equal(t, before, db.Written(t))
	require.NoError(t, db.Store.Release(ctx, "ops"))
	<-done
	require.NoError(t, queue.Stop(context.WithoutCancel(ctx)))
	require.Equal(t, want, order)
}

// testOneJobEach repeats everything that makes jobs: each row has one.
func testOneJobEach(t *testing.T, db Database) {
	ctx := t.Context()
	a, b := acceptance("one", "ops"), acceptance("two", "ops", "chat")
	b.Enrich = true
	for range 2 {
		accept(t, db.Store, a)
		accept(t, db.Store, b)
		require.NoError(t, db.Store.Enriched(ctx, b.Event.ID, nil))
		for _, target := range []string{"ops", "chat"} {
			_, err := db.Store.ReconcileTarget(ctx, target, -time.Minute, 100)
			require.NoError(t, err)
		}
	}
	require.EqualValues(t, 2, jobs(t, db, store.TargetQueue("ops")))
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("chat")))
	require.EqualValues(t, 1, jobs(t, db, store.EnrichQueue))
}

// testReconcileWaitsForEnrichment gives no job to deliveries whose event is enriched.
func testReconcileWaitsForEnrichment(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	a.Enrich = true
	accept(t, db.Store, a)
	n, err := db.Store.ReconcileTarget(t.Context(), "ops", 0, 100)
	require.NoError(t, err)
	require.Zero(t, n)
}

func startOne(t *testing.T, s *store.Store, work func(context.Context, *river.Job[store.DeliverArgs]) error) store.Queue {
	t.Helper()
	return startWorkers(t, s, fmt.Sprintf("node-%s", event.NewID()), 1, work)
}
