package deliver

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// follow has the workers go by other targets, as a reload does.
func (r *rig) follow(targets ...Target) {
	r.t.Helper()
	former := r.plan.Load()
	require.NoError(r.t, r.workers.Follow(r.t.Context(), former, func() { r.plan.Store(NewPlan(targets, r.sources, former)) }))
}

// TestPlanKeepsWhatIsUnchanged so that only the workers of others are disturbed.
func TestPlanKeepsWhatIsUnchanged(t *testing.T) {
	t.Parallel()
	a, b := Target{Name: "a", Concurrency: 2}, Target{Name: "b", Concurrency: 2}
	first := NewPlan([]Target{a, b}, nil, nil)
	b.Timeout = time.Second
	second := NewPlan([]Target{a, b}, []string{"radarr"}, first)
	require.Same(t, first.target("a"), second.target("a"))
	require.NotSame(t, first.target("b"), second.target("b"))
	require.Equal(t, map[string]river.QueueConfig{
		store.TargetQueue("a"): {MaxWorkers: 2}, store.TargetQueue("b"): {MaxWorkers: 2}, store.DecodeQueue("radarr"): {MaxWorkers: 1},
	}, second.Queues(river.QueueConfig{}))
}

// TestNewRateHoldsAtOnce also for who waits for a slot of the former rate.
func TestNewRateHoldsAtOnce(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency, r.targets[0].Rate = 1, store.Rate{PerSecond: 1. / 3600, Burst: 1}
		first, second := r.accept("ops")[0], r.accept("ops")[0]
		r.start()
		r.await(first, event.Delivered)
		require.Never(t, func() bool { return len(r.plugins.of(second)) > 0 }, 300*time.Millisecond, 20*time.Millisecond)
		faster := r.targets[0]
		faster.Rate.PerSecond = 1000
		r.follow(faster)
		r.await(second, event.Delivered)
	})
}

// TestTargetThatLeftKeepsItsDeliveries: they wait until it is configured again, and
// nothing is sent meanwhile.
func TestTargetThatLeftKeepsItsDeliveries(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		began, release := make(chan struct{}, 1), make(chan struct{})
		r.plugins.answers(func(context.Context, call) host.Outcome {
			select {
			case began <- struct{}{}:
				<-release
			default:
			}
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.targets[0].Concurrency = 1
		first := r.accept("ops")[0]
		r.start()
		<-began
		later := []uuid.UUID{r.accept("ops")[0], r.accept("ops")[0]}
		r.follow(r.targets[1:]...)
		close(release)
		r.await(first, event.Delivered)
		require.NoError(t, r.queue.Queues().Remove(t.Context(), store.TargetQueue("ops")))
		require.Len(t, r.plugins.of(uuid.Nil), 1)
		r.follow(r.targets...)
		require.NoError(t, r.queue.Queues().Add(store.TargetQueue("ops"), river.QueueConfig{
			MaxWorkers: 1, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 50 * time.Millisecond,
		}))
		for _, id := range later {
			r.await(id, event.Delivered)
		}
		require.Len(t, r.plugins.of(uuid.Nil), 3)
		require.Equal(t, later, r.order(1))
	})
}

// TestRateOfATargetThatCameBack is the new one, whatever was taken by the former.
func TestRateOfATargetThatCameBack(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency, r.targets[0].Rate = 1, store.Rate{PerSecond: 1. / 3600, Burst: 1}
		first, second := r.accept("ops")[0], r.accept("ops")[0]
		r.start()
		r.await(first, event.Delivered)
		require.Never(t, func() bool { return len(r.plugins.of(second)) > 0 }, 300*time.Millisecond, 20*time.Millisecond)
		faster := r.targets[0]
		faster.Rate.PerSecond = 1000
		r.follow()
		r.follow(faster)
		r.await(second, event.Delivered)
	})
}
