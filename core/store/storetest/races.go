package storetest

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// holdOf returns the only hold.
func holdOf(t *testing.T, s store.Store) store.Hold {
	t.Helper()
	holds, err := s.ListHolds(t.Context())
	require.NoError(t, err)
	require.Len(t, holds, 1)
	return holds[0]
}

// testDrainMeetsNewcomers lets deliveries arrive, and workers hold what they took
// before the hold, while the target drains: none may be left behind.
func testDrainMeetsNewcomers(t *testing.T, db Database) {
	const senders, each = 4, 40
	ctx := t.Context()
	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	require.NoError(t, db.Store.Release(ctx, "ops"))
	ids := make(chan uuid.UUID, senders*each)
	errs := make(chan error, 3*senders*each)
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := range each {
				a := acceptance(strconv.Itoa(i), "ops")
				_, err := db.Store.Accept(ctx, a)
				errs <- err
				ids <- a.Deliveries[0].ID
				if (s+i)%3 == 0 {
					errs <- db.Store.Settle(ctx, &store.Settlement{DeliveryID: a.Deliveries[0].ID, State: event.Held, Reason: "on hold"})
				}
				if s == 0 {
					_, err = db.Store.Drain(ctx, "ops", senders*each)
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	close(ids)
	for err := range errs {
		require.NoError(t, err)
	}
	_, err := db.Store.Drain(ctx, "ops", senders*each)
	require.NoError(t, err)
	holds, err := db.Store.ListHolds(ctx)
	require.NoError(t, err)
	require.Empty(t, holds)
	for id := range ids {
		require.Equal(t, event.Pending, load(t, db.Store, id).Delivery.State)
	}
}

func testHeldAfterTheHoldEnded(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	accept(t, db.Store, a)
	db.Exec(t, "DELETE FROM river_job")
	settle(t, db.Store, store.Settlement{DeliveryID: a.Deliveries[0].ID, State: event.Held, Reason: "404"})
	require.True(t, holdOf(t, db.Store).Draining)
	left, err := db.Store.Drain(t.Context(), "ops", 1)
	require.NoError(t, err)
	require.Zero(t, left)
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))
}

func testOrphans(t *testing.T, db Database) {
	accept(t, db.Store, acceptance("one", "ops"))
	require.EqualValues(t, 1, db.Exec(t, "UPDATE deliveries SET state = 'held'"))
	_, err := db.Store.Reconcile(t.Context(), 10)
	require.NoError(t, err)
	require.True(t, holdOf(t, db.Store).Draining)
}

func testProbes(t *testing.T, db Database) {
	ctx := t.Context()
	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	due := func() { db.Exec(t, "UPDATE target_state SET probe_at = since") }
	due()
	probed, err := db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.False(t, probed, "nothing is held")
	for i := range 3 {
		accept(t, db.Store, acceptance(strconv.Itoa(i), "ops"))
	}

	var probes atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if probed, err := db.Store.Probe(ctx, "ops", time.Hour); err == nil && probed {
				probes.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, probes.Load())
	first := holdOf(t, db.Store)
	require.Equal(t, 1, first.Probes)

	due()
	probed, err = db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.False(t, probed, "the first is under way")
	require.EqualValues(t, 1, db.Exec(t, "DELETE FROM river_job"))
	probed, err = db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.True(t, probed, "the first was lost")
	again := holdOf(t, db.Store)
	require.Equal(t, first.Probe, again.Probe, "it is made again")
	require.EqualValues(t, 1, jobs(t, db, store.TargetQueue("ops")))

	settle(t, db.Store, store.Settlement{DeliveryID: again.Probe, State: event.Delivered, Release: true})
	require.True(t, holdOf(t, db.Store).Draining, "the answer ends the hold")
	require.Equal(t, uuid.Nil, holdOf(t, db.Store).Probe)
	due()
	probed, err = db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.False(t, probed, "what drains is not probed")
}

var paused = store.HoldRequest{Target: "ops", Kind: store.HoldPaused, Reason: "by an operator", ProbeIn: time.Hour}

func testHoldKinds(t *testing.T, db Database) {
	ctx := t.Context()
	quarantined := store.HoldRequest{Target: "ops", Kind: store.HoldQuarantined, Reason: "plugin gone", ProbeIn: time.Hour}
	require.NoError(t, db.Store.HoldTarget(ctx, quarantined))
	accept(t, db.Store, acceptance("one", "ops"))
	before := holdOf(t, db.Store)
	require.Equal(t, store.HoldQuarantined, before.Kind)
	require.True(t, before.ProbeAt.IsZero(), "this kind is not probed")
	probed, err := db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.False(t, probed)

	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	after := holdOf(t, db.Store)
	require.Equal(t, store.HoldMisconfigured, after.Kind)
	require.Equal(t, before.Since, after.Since)
	require.False(t, after.ProbeAt.IsZero())

	require.NoError(t, db.Store.Release(ctx, "ops"))
	require.NoError(t, db.Store.HoldTarget(ctx, paused))
	anew := holdOf(t, db.Store)
	require.False(t, anew.Draining)
	require.True(t, anew.Since.After(before.Since), "what drained begins anew")
	require.True(t, anew.ProbeAt.IsZero())
	require.NoError(t, db.Store.Release(ctx, "nobody"), "a target that is not on hold stays so")
}

// testPauseWins pauses a target while a probe and another attempt are under way, and
// lets both end afterwards: only a person ends a pause.
func testPauseWins(t *testing.T, db Database) {
	ctx := t.Context()
	other, probe := acceptance("other", "ops"), acceptance("probe", "ops")
	accept(t, db.Store, other)
	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	accept(t, db.Store, probe)
	db.Exec(t, "UPDATE target_state SET probe_at = since")
	probed, err := db.Store.Probe(ctx, "ops", time.Hour)
	require.NoError(t, err)
	require.True(t, probed)

	require.NoError(t, db.Store.HoldTarget(ctx, paused))
	isPaused := func() {
		t.Helper()
		h := holdOf(t, db.Store)
		require.Equal(t, store.HoldPaused, h.Kind)
		require.Equal(t, paused.Reason, h.Reason)
		require.False(t, h.Draining)
		require.True(t, h.ProbeAt.IsZero())
	}
	settle(t, db.Store, store.Settlement{DeliveryID: other.Deliveries[0].ID, State: event.Held, Hold: &misconfigured})
	isPaused()
	settle(t, db.Store, store.Settlement{DeliveryID: probe.Deliveries[0].ID, State: event.Delivered, Release: true})
	isPaused()
	require.NoError(t, db.Store.HoldUnconfigured(ctx, nil))
	isPaused()

	again := paused
	again.Reason = "by another operator"
	require.NoError(t, db.Store.HoldTarget(ctx, again))
	require.Equal(t, again.Reason, holdOf(t, db.Store).Reason)
	require.NoError(t, db.Store.Release(ctx, "ops"))
	require.True(t, holdOf(t, db.Store).Draining)
	require.NoError(t, db.Store.HoldTarget(ctx, misconfigured))
	require.Equal(t, store.HoldMisconfigured, holdOf(t, db.Store).Kind, "a pause that has ended is none")
}

// testSettleTogether settles one delivery many times at once: each attempt is there,
// and the count is theirs.
func testSettleTogether(t *testing.T, db Database) {
	const n = 50
	a := acceptance("one", "ops")
	id := a.Deliveries[0].ID
	accept(t, db.Store, a)
	errs := make(chan error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs <- db.Store.Settle(t.Context(), &store.Settlement{
				DeliveryID: id, State: event.Pending, Attempt: attempt(id, i, sdk.ClassRetryable, i%2 == 0),
			})
		})
	}
	wg.Wait()
	for range n {
		require.NoError(t, <-errs)
	}
	d, attempts, err := db.Store.FindDelivery(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, attempts, n)
	require.Equal(t, n/2, d.Attempts)
}

// testAcceptAgain accepts what is there already, as after a commit whose answer was
// lost.
func testAcceptAgain(t *testing.T, db Database) {
	a := acceptance("one", "ops")
	for _, keys := range [][]store.DedupKey{nil, {{Key: "id:1", Window: time.Hour}}} {
		a.Keys = keys
		for range 2 {
			require.Equal(t, store.Accepted{EventID: a.Event.ID}, accept(t, db.Store, a))
		}
	}
	_, deliveries, err := db.Store.FindEvent(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
}

func testLongText(t *testing.T, db Database) {
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	a := acceptance(string(long))
	a.Event.CorrelationKey = string(long)
	a.Keys = []store.DedupKey{{Key: "id:" + string(long), Window: time.Hour}, {Key: "fp:" + string(long), Window: time.Hour}}
	accept(t, db.Store, a)
	again := acceptance("again")
	again.Keys = a.Keys
	require.Equal(t, store.Accepted{EventID: a.Event.ID, Duplicate: true}, accept(t, db.Store, again))
}
