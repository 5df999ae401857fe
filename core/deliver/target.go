package deliver

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// maxFailures are the retryable failures in a row that open the breaker.
	maxFailures = 5
	// firstProbe and lastProbe bound the pauses between the probes of a hold.
	firstProbe = time.Minute
	lastProbe  = time.Hour
	// longestWait is what a worker waits for its target. A longer pause is a hold.
	longestWait = time.Minute
	// firstPause and lastPause bound the pauses of an endpoint that throttles and does
	// not say for how long.
	firstPause = time.Second
	lastPause  = 5 * time.Minute
)

// nextProbe is the pause after a hold's probe number n, counted from 1.
func nextProbe(n int) time.Duration {
	return min(firstProbe<<min(n-1, 10), lastProbe)
}

// afterSuccess is what the row of a target becomes once its endpoint has taken a
// delivery, or has refused one for its content alone, or nil when nothing changes.
func afterSuccess(before store.Target, id uuid.UUID, o host.Outcome, maxAge time.Duration, probe bool) store.Change {
	pause, why := usedUp(o.Receipt.Limit)
	if !probe && pause == 0 && before.Failures == 0 && before.Pause == 0 {
		return nil
	}
	return func(t *store.Target, now time.Time) []*store.Settlement {
		t.Failures, t.Pause = 0, 0
		if probe {
			endHold(t, id)
		}
		waitAsAsked(t, id, now, pause, maxAge, why)
		return nil
	}
}

// usedUp is the pause that an endpoint's own count asks for.
func usedUp(l *sdk.Limit) (time.Duration, string) {
	if l == nil || l.Remaining > 0 || l.ResetAfter <= 0 {
		return 0, ""
	}
	return l.ResetAfter, fmt.Sprintf("rate limit used up, resets after %s", l.ResetAfter.Round(time.Millisecond))
}

// endHold ends a hold that a probe has passed, unless a person or the plugin is the
// reason. The delivery that began it stays accused when another passed: it is tried again,
// because the endpoint may have been mended between the two.
func endHold(t *store.Target, probe uuid.UUID) {
	if t.Hold == store.HoldPaused || t.Hold == store.HoldQuarantined {
		t.Probe = uuid.Nil
		return
	}
	held := *t
	t.Clear()
	t.NextAt, t.Pace = time.Time{}, ""
	if held.Hold == store.HoldMisconfigured && held.Accused != probe {
		t.Accused = held.Accused
	}
}

// refused makes a dead letter of a delivery that the endpoint refused for its content. One
// that it had accepted waits on for its proof.
func refused(target string, id uuid.UUID, reason string) *store.Settlement {
	return &store.Settlement{
		DeliveryID: id, Target: target, State: event.Dead, Read: event.Delivery{ID: id, State: event.Pending},
		Reason: "the endpoint refused this event and took another: " + reason,
	}
}

// freeProbe lets the next probe be made without waiting for this one.
func freeProbe(id uuid.UUID) store.Change {
	return func(t *store.Target, _ time.Time) []*store.Settlement {
		if t.Probe == id {
			t.Probe = uuid.Nil
		}
		return nil
	}
}

// afterMisconfigured puts the target on hold until a person has mended it. The delivery
// that began the last hold, which another ended, begins none: the endpoint takes others.
func afterMisconfigured(id uuid.UUID, reason string) store.Change {
	return func(t *store.Target, now time.Time) []*store.Settlement {
		if t.Probe == id {
			t.Probe = uuid.Nil
		}
		switch t.Hold {
		case store.HoldPaused, store.HoldQuarantined:
		case store.HoldMisconfigured:
			t.Reason = store.CleanText(reason)
		default:
			if t.Hold == "" && t.Accused == id {
				t.Accused = uuid.Nil
				return []*store.Settlement{refused(t.Name, id, reason)}
			}
			t.Begin(store.HoldMisconfigured, reason, now)
			t.Accused, t.ProbeAt = id, now.Add(firstProbe)
		}
		return nil
	}
}

// afterFailure counts a retryable failure, and opens the breaker. A probe that failed
// leaves the hold.
func afterFailure(id uuid.UUID, reason string, probe bool) store.Change {
	return func(t *store.Target, now time.Time) []*store.Settlement {
		if t.Probe == id {
			t.Probe = uuid.Nil
		}
		if probe {
			if t.Hold == store.HoldBreaker {
				t.Reason = breakerReason(reason)
			}
			return nil
		}
		t.Failures++
		if t.Hold == "" && t.Failures >= maxFailures {
			t.Begin(store.HoldBreaker, breakerReason(reason), now)
			t.Accused, t.ProbeAt = id, now.Add(firstProbe)
		}
		return nil
	}
}

func breakerReason(reason string) string {
	return store.CleanText(fmt.Sprintf("%d attempts in a row failed, the last: %s", maxFailures, reason))
}

// afterThrottled moves the time before which nothing is sent. Without a hint the pause
// doubles, once for all that were under way together.
func afterThrottled(id uuid.UUID, o host.Outcome, maxAge time.Duration, probe bool) store.Change {
	return func(t *store.Target, now time.Time) []*store.Settlement {
		if probe {
			endHold(t, id)
		}
		pause := o.RetryAfter
		why := fmt.Sprintf("%s, Retry-After %s", statusOf(o), pause.Round(time.Second/10))
		if pause <= 0 {
			if !now.Before(t.NextAt) {
				t.Pause = min(max(2*t.Pause, firstPause), lastPause)
			}
			pause, why = t.Pause, statusOf(o)+" without Retry-After"
		}
		if o.Receipt.Status == 0 && o.Message != "" {
			why = o.Message // nobody answered: the target waits for a reason of its own
		}
		waitAsAsked(t, id, now, pause, maxAge, why)
		return nil
	}
}

// waitAsAsked is wait for a pause that the endpoint asked for. One that no delivery outlives is
// out of reason: the target will be asked each hour whether it meant that.
func waitAsAsked(t *store.Target, id uuid.UUID, now time.Time, pause, maxAge time.Duration, why string) {
	if pause <= maxAge {
		wait(t, now, pause, why)
		return
	}
	if t.Hold == "" || t.Hold == store.HoldThrottled {
		t.Begin(store.HoldThrottled, why, now)
		t.Accused, t.Witnessed, t.ProbeAt = id, true, now.Add(lastProbe)
	}
}

func statusOf(o host.Outcome) string {
	if o.Receipt.Status == 0 {
		return "throttled"
	}
	return strconv.Itoa(o.Receipt.Status)
}

// wait lets nothing be sent for a pause. One that is longer than workers wait is a hold
// with a known end.
func wait(t *store.Target, now time.Time, pause time.Duration, why string) {
	if next := now.Add(pause); pause > 0 && next.After(t.NextAt) {
		t.NextAt, t.Pace = next, store.CleanText(why)
	}
	if t.NextAt.Sub(now) <= longestWait {
		return
	}
	if t.Hold == "" {
		t.Begin(store.HoldThrottled, t.Pace, now)
	}
	if t.Hold == store.HoldThrottled && t.ProbeAt.IsZero() {
		t.Until, t.Reason = t.NextAt, t.Pace
	}
}
