package deliver

import (
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// verdict is what the gate says of a delivery before anything is tried. The zero value
// is that there is nothing to do.
type verdict struct {
	// attempt: go on and try.
	attempt bool
	// held: the target takes nothing now.
	held bool
	// wait is how long the target takes nothing, for less than a hold.
	wait time.Duration
	// early is how long before its time the job has come.
	early time.Duration
	// settlement is recorded instead of an attempt.
	settlement *store.Settlement
}

// gate decides whether a delivery may be attempted now, or may probe its target. A job
// may be a repetition of one that has done its work, so the row decides and not the job.
func (p policy) gate(w store.Work, probe bool) verdict {
	d := w.Delivery
	if d.State != event.Pending {
		return verdict{}
	}
	if age := w.Now.Sub(d.Began()); age >= p.retry.MaxAge {
		reason := fmt.Sprintf("older than max_age %s", p.retry.MaxAge)
		if w.Target.Hold != "" {
			reason += ", held: " + w.Target.Reason
		} else if d.Reason != "" {
			reason += "; last: " + d.Reason
		}
		s := &store.Settlement{DeliveryID: d.ID, Target: d.Target, State: event.Dead, Reason: reason, Crashes: d.Crashes}
		if probe {
			s.Change = freeProbe(d.ID)
		}
		return verdict{settlement: s}
	}
	if probe {
		return verdict{attempt: true}
	}
	switch {
	case w.Target.Hold != "":
		return verdict{held: true}
	case d.DueAt.After(w.Now):
		return verdict{early: d.DueAt.Sub(w.Now)}
	case w.Target.NextAt.After(w.Now):
		return verdict{wait: w.Target.NextAt.Sub(w.Now)}
	}
	return verdict{attempt: true}
}
