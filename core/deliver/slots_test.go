package deliver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// workers are those of a rig whose queue does not run.
func (r *rig) idle() *Workers {
	plan := NewPlan(r.targets, nil, nil)
	return New(Options{Store: r.store, Deliverer: r.plugins, Plan: func() *Plan { return plan }, Log: r.log})
}

// TestSlotIsUsedHoweverLateItIs waits for a slot for longer than a job stays with its
// worker: given up, it would be followed by one that is as far away.
func TestSlotIsUsedHoweverLateItIs(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Rate = store.Rate{PerSecond: 1. / 4, Burst: 1}
		id := r.accept("ops")[0]
		_, err := r.store.TakeSlots(t.Context(), "ops", r.targets[0].Rate, 1)
		require.NoError(t, err)
		job := run{w: r.idle(), id: id, until: time.Now().Add(2 * time.Second)}
		fate, _, err := job.deliver(t.Context())
		require.NoError(t, err)
		require.Equal(t, settledJob, fate)
		r.await(id, event.Delivered)
	})
}

// TestHeldTargetGivesNoSlot meets a hold that began after the gate: no slot behind its
// end is taken, which a resumed target would wait for.
func TestHeldTargetGivesNoSlot(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Rate = store.Rate{PerSecond: 100, Burst: 1}
		id := r.accept("ops")[0]
		_, _, err := r.store.ChangeTarget(t.Context(), "ops", func(row *store.Target, now time.Time) []*store.Settlement {
			wait(row, now, time.Hour, "429")
			return nil
		})
		require.NoError(t, err)
		job := run{w: r.idle(), id: id, until: time.Now().Add(time.Hour)}
		require.Positive(t, job.slotIn(t.Context(), r.targets[0]), "the gate is asked again")
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		fate, _, err := job.deliver(t.Context())
		require.NoError(t, err)
		require.Equal(t, settledJob, fate)
		r.await(id, event.Delivered)
	})
}

// silent is a database that does not answer.
type silent struct{ Store }

func (silent) TakeSlots(ctx context.Context, _ string, _ store.Rate, _ int) ([]time.Duration, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestSilentDatabaseHoldsNoReload, which waits for those who take slots: they give up.
func TestSilentDatabaseHoldsNoReload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limited := testTarget("ops")
		limited.Rate = store.Rate{PerSecond: 1}
		plan := NewPlan([]Target{limited}, nil, nil)
		_, err := (&slots{}).take(t.Context(), silent{}, func() *Plan { return plan }, "ops")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
