package deliver

import (
	"context"
	"slices"
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

// holdOf returns the row of a target that takes nothing now, or the zero value.
func (r *rig) holdOf(target string) store.Target {
	r.t.Helper()
	targets, _, err := r.store.ListTargets(r.t.Context())
	require.NoError(r.t, err)
	for _, t := range targets {
		if t.Name == target {
			return t
		}
	}
	return store.Target{}
}

func (r *rig) awaitHold(target string, kind store.HoldKind) store.Target {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.holdOf(target).Hold == kind }, await, 10*time.Millisecond, "hold is not %q", kind)
	return r.holdOf(target)
}

// probeNow makes the next probe of a hold due.
func (r *rig) probeNow() { r.exec("UPDATE targets SET " + r.earlier("probe_at", 2*lastProbe)) }

// order returns the deliveries in the order of their calls from the nth on, each once.
func (r *rig) order(from int) []uuid.UUID {
	var ids []uuid.UUID
	for _, c := range r.plugins.of(uuid.Nil)[from:] {
		if id := uuid.MustParse(c.delivery.ID); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestMisconfiguredTargetIsHeldAndProbed follows a hold from its beginning to its end.
func TestMisconfiguredTargetIsHeldAndProbed(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.plugins.answers(always(sdk.ClassMisconfigured, "404 from the endpoint"))
		var ids []uuid.UUID
		for range 12 {
			ids = append(ids, r.accept("ops")[0])
		}
		r.start()
		h := r.awaitHold("ops", store.HoldMisconfigured)
		require.Equal(t, ids[0], h.Accused)
		require.Equal(t, "404 from the endpoint", h.Reason)
		require.Eventually(t, func() bool { return len(r.plugins.of(ids[1])) == 1 }, await, 10*time.Millisecond, "the second witness")
		require.Eventually(t, func() bool { return r.holdOf("ops").Probe == uuid.Nil }, await, 10*time.Millisecond)
		h = r.holdOf("ops")
		require.Equal(t, 1, h.Probes)
		require.WithinDuration(t, h.Since.Add(firstProbe), h.ProbeAt, 10*time.Second)
		require.Len(t, r.plugins.of(uuid.Nil), 2, "nothing else is tried")

		r.probeNow()
		require.Eventually(t, func() bool { return len(r.plugins.of(ids[2])) == 1 }, await, 10*time.Millisecond, "they take turns")
		require.Eventually(t, func() bool { return r.holdOf("ops").Probe == uuid.Nil }, await, 10*time.Millisecond)
		_, attempts := r.await(ids[2], event.Pending)
		require.Len(t, attempts, 1)
		require.False(t, attempts[0].Counted, "a probe is no attempt of the delivery")

		r.plugins.answers(nil)
		r.probeNow()
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		want := append([]uuid.UUID{ids[3]}, slices.Delete(slices.Clone(ids), 3, 4)...)
		require.Equal(t, want, r.order(3), "the probe, then all in their order")
		require.Zero(t, r.holdOf("ops"))
	})
}

// TestOneRefusedEventStopsNobody answers 403 to one event, wherever it stands, and takes
// the others: it becomes a dead letter, and the others go out in their order.
func TestOneRefusedEventStopsNobody(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		var ids []uuid.UUID
		for range 20 {
			ids = append(ids, r.accept("ops")[0])
		}
		refused := map[string]bool{ids[0].String(): true, ids[1].String(): true, ids[7].String(): true}
		r.plugins.answers(func(_ context.Context, c call) host.Outcome {
			if refused[c.delivery.ID] {
				return host.Outcome{Class: sdk.ClassMisconfigured, Message: "403 Forbidden"}
			}
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.start()
		// The witness of the first is refused, too, so that a later probe finds out.
		require.Eventually(t, func() bool { return r.holdOf("ops").Probes == 1 && r.holdOf("ops").Probe == uuid.Nil }, await, 10*time.Millisecond)
		r.probeNow()
		for i, id := range ids {
			if refused[id.String()] {
				d, _ := r.await(id, event.Dead)
				require.Equal(t, "the endpoint refused this event and took another: 403 Forbidden", d.Reason, i)
				continue
			}
			r.await(id, event.Delivered)
		}
		r.awaitNoJobs()
		require.Zero(t, r.holdOf("ops"))
	})
}

// TestOneDeliveryAloneIsProbed has no second witness: the delivery itself is tried later.
// A newcomer is tried at once.
func TestOneDeliveryAloneIsProbed(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.answers(always(sdk.ClassMisconfigured, "401"))
		id := r.accept("ops")[0]
		r.start()
		r.awaitHold("ops", store.HoldMisconfigured)
		r.probeNow()
		require.Eventually(t, func() bool { return len(r.plugins.of(id)) == 2 }, await, 10*time.Millisecond)
		r.await(id, event.Pending)
		require.Eventually(t, func() bool { return r.holdOf("ops").Probe == uuid.Nil }, await, 10*time.Millisecond)
		r.plugins.answers(nil)
		later := r.accept("ops")[0]
		r.await(later, event.Delivered)
		r.await(id, event.Delivered)
		require.Zero(t, r.holdOf("ops"))
	})
}

// TestBreakerOpensAndCloses fails five times in a row, with whichever deliveries.
func TestBreakerOpensAndCloses(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.plugins.answers(always(sdk.ClassRetryable, "503 from the endpoint"))
		var ids []uuid.UUID
		for range 30 {
			ids = append(ids, r.accept("ops")[0])
		}
		r.start()
		h := r.awaitHold("ops", store.HoldBreaker)
		require.Equal(t, "5 attempts in a row failed, the last: 503 from the endpoint", h.Reason)
		require.Eventually(t, func() bool { return r.holdOf("ops").Witnessed }, await, 10*time.Millisecond)
		require.Eventually(t, func() bool { return r.holdOf("ops").Probe == uuid.Nil }, await, 10*time.Millisecond)
		r.plugins.answers(nil)
		r.probeNow()
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
	})
}

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
		require.WithinDuration(t, h.Since.Add(2*time.Minute), h.Until, time.Second)
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
		require.WithinDuration(t, h.Since.Add(lastProbe), h.ProbeAt, time.Second)
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

// TestHeldDeliveriesExpire makes a dead letter of what waited too long.
func TestHeldDeliveriesExpire(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldPaused, "by an operator"))
		old, young := r.accept("ops")[0], r.accept("ops")[0]
		r.exec("UPDATE deliveries SET " + r.earlier("due_at", 2*time.Hour) + " WHERE id = (SELECT id FROM deliveries ORDER BY id LIMIT 1)")
		r.start()
		d, _ := r.await(old, event.Dead)
		require.Equal(t, "older than max_age 1h0m0s, held: by an operator", d.Reason)
		r.await(young, event.Pending)
		require.Empty(t, r.plugins.of(uuid.Nil))
	})
}

// TestUnconfiguredTargetWaits takes a target away and gives it back.
func TestUnconfiguredTargetWaits(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		ids := r.accept("ops", "gone")
		r.start()
		r.await(ids[0], event.Delivered)
		r.stop()

		again := newRig(t, url)
		again.targets = []Target{testTarget("ops"), testTarget("gone")}
		again.start()
		again.await(ids[1], event.Delivered)
		again.awaitNoJobs()
		require.Len(t, again.plugins.of(uuid.Nil), 1)
	})
}

// TestQuarantinedPluginHoldsItsTargets holds until the plugin runs, and again when it is
// given up again.
func TestQuarantinedPluginHoldsItsTargets(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.patience = 100 * time.Millisecond
		r.quarantine = r.plugins.givenUp("ops")
		var ids []uuid.UUID
		for range 15 {
			ids = append(ids, r.accept("ops")[0])
		}
		r.plugins.set(false)
		r.start()
		r.awaitHold("ops", store.HoldQuarantined)
		require.Empty(t, r.plugins.of(uuid.Nil), "what waits for a plugin is held without a try")

		r.plugins.answers(func(context.Context, call) host.Outcome {
			r.plugins.set(false) // it has recovered, and fails again at once
			return host.Outcome{Class: sdk.ClassUnavailable, Message: "quarantined"}
		})
		r.plugins.set(true)
		require.Eventually(t, func() bool { return r.plugins.isDown() && r.holdOf("ops").Hold == store.HoldQuarantined }, await, 10*time.Millisecond)
		require.Len(t, r.plugins.of(uuid.Nil), 1)

		r.plugins.answers(nil)
		r.plugins.set(true)
		for _, id := range ids {
			_, attempts := r.await(id, event.Delivered)
			require.Len(t, attempts, 1)
		}
		require.Equal(t, ids, r.order(0))
	})
}

// TestProbeOfAHoldThatHasEnded is not made: the delivery goes out by its job, maybe at
// another node at this moment.
func TestProbeOfAHoldThatHasEnded(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		_, _, err := r.store.ChangeTarget(t.Context(), "ops", func(row *store.Target, now time.Time) []*store.Settlement {
			row.Begin(store.HoldBreaker, "503", now)
			row.ProbeAt = now
			return nil
		})
		require.NoError(t, err)
		w := r.idle()
		probe, err := r.store.Probe(t.Context(), "ops", nextProbe)
		require.NoError(t, err)
		require.Equal(t, id, probe)
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		w.probe(t.Context(), r.targets[0], probe)
		require.Empty(t, r.plugins.of(uuid.Nil))
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
		require.WithinDuration(t, h.Since.Add(lastProbe), h.ProbeAt, time.Second)
	})
}
