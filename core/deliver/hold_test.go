package deliver

import (
	"context"
	"slices"
	"sync/atomic"
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
		require.WithinDuration(t, h.Since.Add(firstProbe), h.ProbeAt, await)
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

// TestMendedEndpointGetsWhatItRefused answers 404 once, as a proxy does that is just
// starting: nothing is given up.
func TestMendedEndpointGetsWhatItRefused(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		var ids []uuid.UUID
		for range 5 {
			ids = append(ids, r.accept("ops")[0])
		}
		var calls atomic.Int32
		r.plugins.answers(func(context.Context, call) host.Outcome {
			if calls.Add(1) == 1 {
				return host.Outcome{Class: sdk.ClassMisconfigured, Message: "404 from the proxy"}
			}
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.start()
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		require.Equal(t, int32(len(ids)+1), calls.Load())
		require.Zero(t, r.holdOf("ops").Hold)
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
		// An attempt from before the hold may fail late, and then puts off the next probe.
		require.Eventually(t, func() bool { r.probeNow(); return r.holdOf("ops").Hold == "" }, await, 100*time.Millisecond)
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
	})
}

// TestRetriesGoOutWhenAHoldEnds fails once, long before the next attempt, and follows the
// delivery through a hold: the others do not come before it, and it does not wait for its
// time. A probe that fails leaves its time alone.
func TestRetriesGoOutWhenAHoldEnds(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		r.targets[0].Concurrency = 1
		r.targets[0].Retry.Schedule = []time.Duration{40 * time.Minute}
		r.plugins.answers(always(sdk.ClassRetryable, "503"))
		failed := []uuid.UUID{r.accept("ops")[0], r.accept("ops")[0]}
		r.start()
		for _, id := range failed {
			require.Eventually(t, func() bool { _, attempts := r.await(id, event.Pending); return len(attempts) == 1 }, await, 10*time.Millisecond)
		}
		require.NoError(t, r.store.Hold(t.Context(), "ops", store.HoldBreaker, "503"))
		r.exec("UPDATE targets SET probe_at = since")
		require.Eventually(t, func() bool { h := r.holdOf("ops"); return h.Probes == 1 && h.Probe == uuid.Nil }, await, 10*time.Millisecond)
		for _, id := range failed {
			d, _ := r.await(id, event.Pending)
			require.WithinDuration(t, time.Now().Add(30*time.Minute), d.DueAt, 11*time.Minute)
		}
		ids := slices.Concat(failed, r.accept("ops"))
		called := len(r.plugins.of(uuid.Nil))
		r.plugins.answers(nil)
		require.NoError(t, r.store.Release(t.Context(), "ops"))
		for _, id := range ids {
			r.await(id, event.Delivered)
		}
		require.Equal(t, ids, r.order(called))
	})
}

// TestSecondRefusalOfOneEvent is met at low traffic: the hold that an event began was
// ended by a later probe with another. It begins no second one.
func TestSecondRefusalOfOneEvent(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		r.plugins.answers(func(_ context.Context, c call) host.Outcome {
			if c.delivery.ID == id.String() {
				return host.Outcome{Class: sdk.ClassMisconfigured, Message: "403 Forbidden"}
			}
			return host.Outcome{Class: sdk.ClassOK}
		})
		r.start()
		r.awaitHold("ops", store.HoldMisconfigured)
		r.exec("UPDATE targets SET " + r.earlier("since", time.Hour))
		r.await(r.accept("ops")[0], event.Delivered)
		d, _ := r.await(id, event.Dead)
		require.Equal(t, "the endpoint refused this event and took another: 403 Forbidden", d.Reason)
		require.Zero(t, r.holdOf("ops"))
		r.awaitNoJobs()
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
		r.waitTimeout = 100 * time.Millisecond
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
