package deliver

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/store"
)

// silence is the verdict on a delivery that may be attempted, or its end where operators
// want to hear nothing of its events. Those of a group that are silenced, or came in hours
// that drop them, are left out of the work. As long as nobody knows, it waits.
func (w *Workers) silence(ctx context.Context, p policy, v verdict, work *store.Work, probe bool) verdict {
	if !v.attempt {
		return v
	}
	d, at := work.Delivery, work.Now
	if d.State == event.Verifying {
		at = d.Proof.AcceptedAt // what is to be proven is what was told then
	}
	if wanted := p.wanted(*work); p.drop && len(wanted) > 0 {
		work.Events, work.Event = wanted, wanted[0]
	}
	if w.silencer == nil {
		return v
	}
	var n store.Silence
	var audible []event.Event
	for _, e := range work.Events {
		by, silenced, err := w.silencer.Match(ctx, d.Target, e, cameAt(d, e), at)
		if err != nil {
			w.log.WarnContext(outage.Symptom(ctx), "silences not readable", slog.String("delivery", d.ID.String()), slog.Any("error", err))
			return verdict{wait: brokenPause}
		}
		if silenced {
			n = by
			continue
		}
		audible = append(audible, e)
	}
	if len(audible) > 0 {
		work.Events, work.Event = audible, audible[0]
		return v
	}
	if d.State == event.Verifying {
		return v
	}
	s := &store.Settlement{
		DeliveryID: d.ID, Target: d.Target, State: event.Cancelled, Reason: n.Reason(), Crashes: d.Crashes, Silence: n.ID,
	}
	if probe {
		s.Change = untoldProbe(d.ID)
	}
	return verdict{settlement: s}
}

// untoldProbe has the target probed with another delivery at once: this one told nothing
// of it.
func untoldProbe(id uuid.UUID) store.Change {
	return func(t *store.Target, now time.Time) []*store.Settlement {
		if t.Probe != id {
			return nil
		}
		t.Probe, t.ProbeAt, t.Probes = uuid.Nil, now, t.Probes-1
		t.Witnessed = t.Witnessed && t.Probes > 0
		return nil
	}
}
