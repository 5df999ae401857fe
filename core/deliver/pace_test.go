package deliver

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestThrottledTargetWaitsAsAWhole sends nothing inside a pause that the endpoint asked
// for, but what is under way, and keeps the order.
func TestThrottledTargetWaitsAsAWhole(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		const pause = 700 * time.Millisecond
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		var ids []uuid.UUID
		for range 10 {
			ids = append(ids, r.accept("ops")[0])
		}
		var mu sync.Mutex
		var last time.Time
		n, early := 0, 0
		r.plugins.answers(func(context.Context, call) host.Outcome {
			mu.Lock()
			defer mu.Unlock()
			if n++; !last.IsZero() && time.Since(last) < pause {
				early++
			}
			last = time.Time{}
			switch n {
			case 3:
				last = time.Now()
				return host.Outcome{Class: sdk.ClassThrottled, RetryAfter: pause, Receipt: sdk.Receipt{Status: 429}}
			case 6:
				last = time.Now()
				return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{Status: 200, Limit: &sdk.Limit{ResetAfter: pause}}}
			}
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.start()
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		require.Zero(t, early)
		require.Equal(t, ids, r.order(0))
		require.Len(t, r.plugins.of(uuid.Nil), len(ids)+1)
	})
}

// TestLongThrottleIsAHold waits without a worker, and goes on when the time has come.
func TestLongThrottleIsAHold(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.plugins.answers(func(context.Context, call) host.Outcome {
			return host.Outcome{Class: sdk.ClassThrottled, RetryAfter: 2 * time.Minute, Receipt: sdk.Receipt{Status: 429}}
		})
		ids := []uuid.UUID{r.accept("ops")[0], r.accept("ops")[0]}
		r.start()
		h := r.awaitHold("ops", store.HoldThrottled)
		require.Equal(t, "429, Retry-After 2m0s", h.Reason)
		require.WithinDuration(t, h.Since.Add(2*time.Minute), h.Until, time.Minute)
		require.Eventually(t, func() bool { return r.count("SELECT count(*) FROM river_job WHERE state = 'available'") == 2 }, await, 10*time.Millisecond)
		r.plugins.answers(nil)
		r.exec("UPDATE targets SET " + r.earlier("until", time.Hour) + ", " + r.earlier("next_at", time.Hour))
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		require.Equal(t, ids, r.order(1))
	})
}

// TestNonsensicalRetryAfterIsProbed asks for a year: the target is asked each hour.
func TestNonsensicalRetryAfterIsProbed(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.answers(func(context.Context, call) host.Outcome {
			return host.Outcome{Class: sdk.ClassThrottled, RetryAfter: 365 * 24 * time.Hour, Receipt: sdk.Receipt{Status: 429}}
		})
		id := r.accept("ops")[0]
		r.start()
		h := r.awaitHold("ops", store.HoldThrottled)
		require.True(t, h.Until.IsZero())
		require.WithinDuration(t, h.Since.Add(lastProbe), h.ProbeAt, time.Minute)
		r.plugins.answers(nil)
		r.probeNow()
		r.await(id, event.Delivered)
		require.Zero(t, r.holdOf("ops"))
	})
}

// TestRateIsKept sends as often as the rate allows, from two nodes on Postgres.
func TestRateIsKept(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Rate = store.Rate{PerSecond: 10, Burst: 2}
		nodes := []*rig{r}
		if !r.onSQLite() {
			other := newRig(t, url)
			other.targets = r.targets
			nodes = append(nodes, other)
		}
		var ids []uuid.UUID
		for range 12 {
			ids = append(ids, r.accept("ops")[0])
		}
		var mu sync.Mutex
		var at []time.Time
		start := time.Now()
		for _, n := range nodes {
			n.plugins.answers(func(context.Context, call) host.Outcome {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Now())
				return host.Outcome{Class: sdk.ClassOK}
			})
			n.start()
		}
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		// Two at once, then ten a second; what is late makes the others no earlier.
		require.GreaterOrEqual(t, at[len(at)-1].Sub(start), time.Second)
	})
}

// TestLearntPauseIsBounded meets an endpoint that tells a point in time where a duration
// belongs: the target is probed, as after a Retry-After that is out of reason.
func TestLearntPauseIsBounded(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.answers(func(context.Context, call) host.Outcome {
			return host.Outcome{Class: sdk.ClassOK, Receipt: sdk.Receipt{Status: 200, Limit: &sdk.Limit{ResetAfter: 1764300000 * time.Second}}}
		})
		id := r.accept("ops")[0]
		r.start()
		r.await(id, event.Delivered)
		h := r.awaitHold("ops", store.HoldThrottled)
		require.True(t, h.Until.IsZero())
		require.WithinDuration(t, h.Since.Add(lastProbe), h.ProbeAt, time.Minute)
	})
}
