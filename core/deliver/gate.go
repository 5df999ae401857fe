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
	// attempt: go on and try, or ask for the proof.
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

// gate decides whether a delivery may be attempted now, may be asked for its proof, or may
// probe its target. A job
// may be a repetition of one that has done its work, so the row decides and not the job. An
// open group is closed before anything is said of its events: others may join it meanwhile.
func (p policy) gate(w store.Work, probe bool) verdict {
	d := w.Delivery
	if !d.State.Live() {
		return verdict{}
	}
	if p.tooOld(w) && d.State == event.Pending {
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
	if p.drop && d.State == event.Pending && !d.Open() && len(p.wanted(w)) == 0 {
		s := &store.Settlement{DeliveryID: d.ID, Target: d.Target, State: event.Cancelled, Reason: "it came in quiet hours", Crashes: d.Crashes}
		if probe {
			s.Change = untoldProbe(d.ID)
		}
		return verdict{settlement: s}
	}
	// The hold of quiet hours may be late, and nobody is to be woken.
	if _, quiet := p.quiet.In(w.Now); quiet {
		return verdict{held: true}
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

// tooOld reports whether a delivery is older than it may become. One that waits for its proof
// is asked for it once more then.
func (p policy) tooOld(w store.Work) bool {
	return w.Now.Sub(w.Delivery.Began()) >= p.retry.MaxAge && !w.Delivery.Open()
}

// wanted are the events of a delivery but for those that are given up because they came in
// quiet hours. What an operator retries is wanted.
func (p policy) wanted(w store.Work) []event.Event {
	if !p.drop || !w.Delivery.RetriedAt.IsZero() {
		return w.Events
	}
	var wanted []event.Event
	for _, e := range w.Events {
		if _, quiet := p.quiet.In(cameAt(w.Delivery, e)); !quiet {
			wanted = append(wanted, e)
		}
	}
	return wanted
}

// cameAt is when an event of a delivery asked to be told. A replay, and what an operator
// retries, begins when it is asked for.
func cameAt(d event.Delivery, e event.Event) time.Time {
	if d.GroupKey != "" && d.RetriedAt.IsZero() {
		return e.ReceivedAt
	}
	return d.Began()
}
