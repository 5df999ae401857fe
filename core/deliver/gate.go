package deliver

import (
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// verdict is what the gate says of a job before anything is tried.
type verdict struct {
	// attempt: go on and try.
	attempt bool
	// probe: the attempt tests a target on hold.
	probe bool
	// settlement is recorded instead of an attempt; nil records nothing.
	settlement *store.Settlement
	// snooze runs the job again after this time; zero ends it.
	snooze time.Duration
}

// gate decides whether a delivery may be attempted now. A job may be a repetition of
// one that has done its work, so the row decides and not the job. Rate limits, quiet
// hours and groups will take their place here, after the hold.
func (p policy) gate(w store.Work) verdict {
	d := w.Delivery
	if d.State != event.Pending {
		return verdict{}
	}
	probe := w.Hold != nil && w.Hold.Probe == d.ID
	if w.Hold != nil && !w.Hold.Draining && !probe {
		return verdict{settlement: &store.Settlement{
			DeliveryID: d.ID, State: event.Held, Reason: w.Hold.Reason, Suspect: d.Suspect, Crashes: d.Crashes,
		}}
	}
	if age := w.Now.Sub(d.CreatedAt); age >= p.retry.MaxAge {
		reason := fmt.Sprintf("older than max_age %s", p.retry.MaxAge)
		if d.Reason != "" {
			reason += "; last: " + d.Reason
		}
		return verdict{settlement: &store.Settlement{DeliveryID: d.ID, State: event.Dead, Reason: reason, Crashes: d.Crashes}}
	}
	if wait := d.NotBefore.Sub(w.Now); !d.NotBefore.IsZero() && wait > 0 && !probe {
		return verdict{snooze: wait}
	}
	return verdict{attempt: true, probe: probe}
}
