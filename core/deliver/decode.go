package deliver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/trace"
)

// decodePause is the time between the tries to decode a deferred event.
const decodePause = 5 * time.Second

// decodeWorker makes up for the decoding of one deferred event a job.
type decodeWorker struct {
	river.WorkerDefaults[store.DecodeArgs]
	w *Workers
}

// Work decodes and routes the event.
func (d *decodeWorker) Work(ctx context.Context, job *river.Job[store.DecodeArgs]) error {
	w, id := d.w, job.Args.EventID
	if !w.inflight.enter(job.ID, id) {
		return river.JobSnooze(busyPause)
	}
	defer w.inflight.leave(job.ID, id)

	e, acceptance, err := w.redecode(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && acceptance != nil {
		_, err = w.store.Resolve(ctx, acceptance)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.log.Log(trace.Event(ctx, e.Traceparent), w.decoding.levelOf(e.Source, "decode", time.Now()), "event not decoded yet",
			slog.String("source", e.Source), slog.String("event", id.String()), slog.Any("error", err))
		w.store.Wake(job.Queue, decodePause+10*time.Millisecond)
		return river.JobSnooze(decodePause)
	}
	w.decoding.recovered(e.Source)
	return nil
}

// redecode returns the event and what it becomes, or nil when it is not deferred any
// more.
func (w *Workers) redecode(ctx context.Context, id uuid.UUID) (event.Event, *store.Acceptance, error) {
	e, _, err := w.store.FindEvent(ctx, id)
	if err != nil || e.State != event.Deferred {
		return e, nil, err
	}
	w.inflight.begin(id, "source "+e.Source+", event")
	acceptance, err := w.redecoder.Redecode(ctx, e)
	return e, acceptance, err
}
