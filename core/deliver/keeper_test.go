package deliver

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// hold returns the target's hold, or nil.
func (r *rig) hold(target string) *store.Hold {
	r.t.Helper()
	holds, err := r.store.ListHolds(r.t.Context())
	require.NoError(r.t, err)
	for _, h := range holds {
		if h.Target == target {
			return &h
		}
	}
	return nil
}

// TestMisconfiguredTargetIsHeldProbedAndDrained follows a hold from its beginning to
// its end.
func TestMisconfiguredTargetIsHeldProbedAndDrained(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.plugins.answers(always(sdk.ClassMisconfigured, "404 from the endpoint"))
		r.start()
		var ids []uuid.UUID
		for range 12 {
			ids = append(ids, r.accept("ops")[0])
		}
		for i, id := range ids {
			d, attempts := r.await(id, event.Held)
			require.Equal(t, "404 from the endpoint", d.Reason)
			if i > 0 {
				require.Empty(t, attempts)
			}
		}
		r.awaitNoJobs()
		require.Len(t, r.plugins.of(uuid.Nil), 1)
		h := r.hold("ops")
		require.Equal(t, store.HoldMisconfigured, h.Kind)
		require.False(t, h.Draining)
		require.WithinDuration(t, h.Since.Add(firstProbe), h.ProbeAt, time.Second)

		probe := func() { r.exec("UPDATE target_state SET " + r.earlier("probe_at", lastProbe)) }
		probe()
		require.Eventually(t, func() bool { return len(r.plugins.of(ids[0])) == 2 }, await, 10*time.Millisecond)
		d, attempts := r.await(ids[0], event.Held)
		require.Equal(t, 1, d.Attempts, "a probe is no attempt of the delivery")
		require.Len(t, attempts, 2)
		require.False(t, attempts[1].Counted)
		require.Equal(t, 1, r.hold("ops").Probes)
		require.Len(t, r.plugins.of(uuid.Nil), 2, "a probe is one delivery")

		r.plugins.answers(nil)
		probe()
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		calls := r.plugins.of(uuid.Nil)[2:]
		require.Len(t, calls, len(ids))
		for i, c := range calls {
			require.Equal(t, ids[i].String(), c.delivery.ID, "oldest first")
		}
		require.Eventually(t, func() bool { return r.hold("ops") == nil }, await, 10*time.Millisecond)
	})
}

// TestHeldDeliveriesExpire makes a dead letter of what waited too long.
func TestHeldDeliveriesExpire(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.HoldTarget(t.Context(), store.HoldRequest{Target: "ops", Kind: store.HoldPaused, Reason: "paused"}))
		old, young := r.accept("ops")[0], r.accept("ops")[0]
		r.exec("UPDATE deliveries SET " + r.earlier("created_at", 2*time.Hour) + " WHERE id = (SELECT id FROM deliveries ORDER BY id LIMIT 1)")
		r.start()
		d, _ := r.await(old, event.Dead)
		require.Equal(t, "older than max_age 1h0m0s on hold: paused", d.Reason)
		r.await(young, event.Held)
		require.Empty(t, r.plugins.of(uuid.Nil))
	})
}

// TestUnconfiguredTargetIsHeld takes a target away and gives it back.
func TestUnconfiguredTargetIsHeld(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		ids := r.accept("ops", "gone")
		require.NoError(t, r.store.HoldUnconfigured(t.Context(), []string{"ops"}))
		require.Equal(t, store.HoldUnconfigured, r.hold("gone").Kind)
		// A job that another process put where this one works.
		ids = append(ids, r.accept("lost")...)
		require.EqualValues(t, 1, r.exec("UPDATE river_job SET queue = 'target_ops' WHERE queue = 'target_lost'"))
		r.start()
		r.await(ids[0], event.Delivered)
		d, _ := r.await(ids[2], event.Held)
		require.Equal(t, store.UnconfiguredReason, d.Reason)
		require.Equal(t, store.HoldUnconfigured, r.hold("lost").Kind)
		require.Len(t, r.plugins.of(uuid.Nil), 1)
		r.stop()

		again := newRig(t, url)
		again.targets = []Target{testTarget("ops"), testTarget("gone"), testTarget("lost")}
		require.NoError(t, again.store.HoldUnconfigured(t.Context(), []string{"ops", "gone", "lost"}))
		again.start()
		again.await(ids[1], event.Delivered)
		again.await(ids[2], event.Delivered)
		again.awaitNoJobs()
		require.Len(t, again.plugins.of(uuid.Nil), 2)
	})
}

// TestQuarantinedPluginHoldsItsTargets holds, drains, and holds again what drains.
func TestQuarantinedPluginHoldsItsTargets(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.patience = time.Second
		r.quarantine = r.plugins.givenUp("ops")
		held := func() bool {
			h := r.hold("ops")
			return h != nil && h.Kind == store.HoldQuarantined && !h.Draining
		}
		var ids []uuid.UUID
		for range 15 {
			ids = append(ids, r.accept("ops")[0])
		}
		r.plugins.set(false)
		r.start()
		require.Eventually(t, held, await, 10*time.Millisecond)
		for range 15 {
			ids = append(ids, r.accept("ops")[0])
		}
		r.awaitNoJobs()
		require.Empty(t, r.plugins.of(uuid.Nil), "what waits for a plugin is held without a try")

		r.plugins.answers(func(context.Context, call) host.Outcome {
			r.plugins.set(false) // it has recovered, and fails again at once
			return host.Outcome{Class: sdk.ClassUnavailable, Message: "quarantined"}
		})
		r.plugins.set(true)
		require.Eventually(t, func() bool { return r.plugins.isDown() && held() }, await, 10*time.Millisecond)
		require.Less(t, len(r.plugins.of(uuid.Nil)), len(ids)/2, "what drains is not held again")
		for _, id := range ids {
			r.await(id, event.Held)
		}

		r.plugins.answers(nil)
		r.plugins.set(true)
		for _, id := range ids {
			_, attempts := r.await(id, event.Delivered)
			require.Len(t, attempts, 1)
		}
	})
}

// TestRowsWithoutJobsGetThem deletes every job.
func TestRowsWithoutJobsGetThem(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		ids := r.accept("ops", "ops", "ops")
		require.EqualValues(t, 3, r.exec("DELETE FROM river_job"))
		r.exec("UPDATE deliveries SET " + r.earlier("updated_at", time.Minute))
		r.start()
		for _, id := range ids {
			_, attempts := r.await(id, event.Delivered)
			require.Len(t, attempts, 1)
		}
	})
}

// TestLostRunningJobIsTakenUpAgain meets a job that is recorded as running here and
// is not.
func TestLostRunningJobIsTakenUpAgain(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		statement := "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 minute', attempted_by = ARRAY['" + r.node + "']"
		if r.onSQLite() {
			statement = `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = datetime('now', '-1 minute'), attempted_by = jsonb('["` + r.node + `"]')`
		}
		require.EqualValues(t, 1, r.exec(statement))
		r.start()
		d, _ := r.await(id, event.Delivered)
		require.Equal(t, 1, d.Attempts)
	})
}

// TestJobsOfDeadNodesAreTakenOver shares a database with a node that dies.
func TestJobsOfDeadNodesAreTakenOver(t *testing.T) {
	t.Parallel()

	r := newRig(t, testpg.New(t))
	id := r.accept("ops")[0]
	require.NoError(t, r.store.Join(t.Context(), "other"))
	require.EqualValues(t, 1, r.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{other}'"))
	n, err := r.store.Beat(t.Context(), r.node, deadAfter)
	require.NoError(t, err)
	require.Zero(t, n, "the other node lives")
	require.EqualValues(t, 1, r.exec("UPDATE nodes SET beat_at = now() - interval '11 seconds' WHERE name = 'other'"))
	r.start()
	d, _ := r.await(id, event.Delivered)
	require.Equal(t, 1, d.Attempts)
}

// TestPurgeFollowsRetention deletes what is done and old.
func TestPurgeFollowsRetention(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.HoldTarget(t.Context(), store.HoldRequest{Target: "paused", Kind: store.HoldPaused, Reason: "paused"}))
		r.accept() // no route
		r.accept("paused")
		r.exec("UPDATE events SET " + r.earlier("received_at", 2*time.Hour))
		r.start()
		require.Eventually(t, func() bool { return r.count("SELECT count(*) FROM events") == 1 }, await, 10*time.Millisecond)
		require.Equal(t, 1, r.count("SELECT count(*) FROM deliveries"), "a held delivery keeps its event")
	})
}
