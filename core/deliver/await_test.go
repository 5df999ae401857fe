package deliver

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/sdk"
)

// awaitWaiting waits until n jobs are being worked.
func (r *rig) awaitWaiting(n int) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.count("SELECT count(*) FROM river_job WHERE state = 'running'") == n },
		await, 10*time.Millisecond)
}

// TestDeliveriesWaitForTheirPlugin keeps a plugin down until every worker waits for it.
// The other deliveries stay in the queue, and each is tried once.
func TestDeliveriesWaitForTheirPlugin(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.set(false)
		r.waitTimeout = time.Hour
		var ids []uuid.UUID
		for range 50 {
			ids = append(ids, r.accept("ops")[0])
		}
		r.start()
		r.awaitWaiting(r.targets[0].Concurrency)
		require.Empty(t, r.plugins.of(uuid.Nil))
		require.Equal(t, len(ids), r.count("SELECT count(*) FROM river_job WHERE attempt <= 1 AND state IN ('available', 'running')"))

		r.plugins.set(true)
		for _, id := range ids {
			_, attempts := r.await(id, event.Delivered)
			require.Len(t, attempts, 1)
		}
		require.Len(t, r.plugins.of(uuid.Nil), len(ids))
	})
}

// TestPatienceEnds looks at deliveries again that wait for a plugin for long: one is too
// old by then.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.set(false)
		r.waitTimeout = 50 * time.Millisecond
		id := r.accept("ops")[0]
		r.start()
		r.awaitWaiting(1)
		r.exec("UPDATE deliveries SET " + r.earlier("created_at", 2*time.Hour))
		d, attempts := r.await(id, event.Dead)
		require.Empty(t, attempts)
		require.Equal(t, "older than max_age 1h0m0s", d.Reason)
	})
}

// TestQuitEndsWaiting stops a queue whose jobs wait for a plugin.
func TestQuitEndsWaiting(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.set(false)
		r.plugins.answers(always(sdk.ClassUnavailable, "plugin chaos is not ready"))
		r.waitTimeout = time.Hour
		id := r.accept("ops")[0]
		r.start()
		r.awaitWaiting(1)
		r.workers.Quit()
		require.NoError(t, r.queue.Stop(t.Context()))
		d, attempts := r.await(id, event.Pending)
		require.Zero(t, d.Attempts)
		require.Empty(t, attempts)
	})
}

// TestPluginBrokenOnOneNode shares a database between a node that has given up the
// plugin and one where it runs: the target is not held for long, and not again, and
// everything arrives.
func TestPluginBrokenOnOneNode(t *testing.T) {
	t.Parallel()

	url := testpg.New(t)
	broken, healthy := newRig(t, url), newRig(t, url)
	broken.plugins.set(false)
	broken.plugins.answers(always(sdk.ClassUnavailable, "quarantined"))
	broken.waitTimeout = 100 * time.Millisecond
	var looks atomic.Int64
	broken.quarantine = func() map[string]string {
		looks.Add(1)
		return broken.plugins.givenUp("ops")()
	}
	broken.start()
	require.Eventually(t, func() bool { return broken.holdOf("ops").Hold == store.HoldQuarantined }, await, 10*time.Millisecond)
	ids := broken.accept("ops", "ops", "ops", "ops")
	healthy.start()
	for range 30 {
		ids = append(ids, broken.accept("ops")[0])
	}
	for _, id := range ids {
		_, attempts := healthy.await(id, event.Delivered)
		require.Len(t, attempts, 1)
	}
	require.Empty(t, healthy.holdOf("ops").Hold)
	seen := looks.Load()
	require.Eventually(t, func() bool { return looks.Load() > seen+5 }, await, 10*time.Millisecond)
	require.Empty(t, healthy.holdOf("ops").Hold, "it is not held again")
}
