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

// probe tests a target on hold with a delivery. No job is needed for it: that of the
// delivery waits in the queue, and meets what the probe has settled.
func (w *Workers) probe(ctx context.Context, t Target, id uuid.UUID) {
	// The worker that has it gives it back soon: its target is on hold.
	for until := time.Now().Add(probeTimeout); !w.inflight.enter(0, id); {
		if time.Now().After(until) || !w.sleep(ctx, busyPause/10) {
			return // the next probe is made in time
		}
	}
	defer w.inflight.leave(0, id)
	work, err := w.store.LoadWork(ctx, id)
	p := policyOf(t)
	if err == nil && work.Target.Probe == id && work.Delivery.Open() && p.gate(work, true).attempt {
		w.closes(ctx, work, true)
		work, err = w.store.LoadWork(ctx, id)
	}
	if err == nil && work.Target.Probe == id && !work.Delivery.Open() {
		// Otherwise the hold has ended, and the delivery goes out by its job, maybe at
		// another node now.
		switch v := w.silence(ctx, p, p.gate(work, true), &work, true); {
		case v.settlement != nil:
			_, err = w.settle(ctx, v.settlement, work)
		case v.attempt:
			err = w.probeWith(ctx, t, work)
		}
	}
	if err != nil && ctx.Err() == nil {
		w.log.WarnContext(outage.Symptom(ctx), "target not probed", slog.String("target", t.Name), slog.Any("error", err))
	}
	w.nudge()
}

// probeWith makes a probe of a delivery.
func (w *Workers) probeWith(ctx context.Context, t Target, work store.Work) error {
	if work.Delivery.State == event.Pending && len(work.Events) > 1 && !t.Groups {
		if !t.Described {
			return nil // the next probe is made in time
		}
		w.split(ctx, work, 0)
		_, _, err := w.store.ChangeTarget(ctx, t.Name, untoldProbe(work.Delivery.ID))
		return err
	}
	for {
		f, err := w.try(ctx, t, work, 0)
		// The lease of whoever has the message ends soon.
		if f.next != busy || !w.sleep(ctx, leasePause) {
			return err
		}
	}
}
