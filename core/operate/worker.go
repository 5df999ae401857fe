package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// shift is how long a job works an action before it makes room for that of another, and
	// so how long a process that stops waits for it.
	shift = 2 * time.Second
	// brokenPause is the wait of a job whose action cannot go on now.
	brokenPause = 5 * time.Second
)

type worker struct {
	river.WorkerDefaults[store.OperateArgs]
	s *Service
}

// Register adds the worker of bulk actions to River's.
func (s *Service) Register(registered *river.Workers) error {
	if err := river.AddWorkerSafely(registered, &worker{s: s}); err != nil {
		return fmt.Errorf("register operate worker: %w", err)
	}
	return nil
}

// Queues adds the queue of bulk actions, with the fetch settings of base. Each node works
// one at a time.
func (*Service) Queues(queues map[string]river.QueueConfig, base river.QueueConfig) {
	base.MaxWorkers = 1
	queues[store.OperateQueue] = base
}

// Timeout is none: a job works one shift, and the statements of a page have bounds.
func (*worker) Timeout(*river.Job[store.OperateArgs]) time.Duration { return -1 }

// Work works an action for a shift.
func (w *worker) Work(ctx context.Context, job *river.Job[store.OperateArgs]) error {
	a, err := w.s.run(ctx, job.Args.ActionID, time.Now().Add(shift))
	switch {
	case ctx.Err() != nil:
		return river.JobSnooze(0) // it goes on here or at another node
	case a.State != store.ActionRunning && a.State != "":
		if err != nil {
			w.s.o.Log.ErrorContext(ctx, "operator action failed", slog.String("action", a.ID.String()), slog.Any("error", err))
		}
		return nil
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		w.s.o.Log.WarnContext(ctx, "operator action waits", slog.String("action", job.Args.ActionID.String()), slog.Any("error", err))
		w.s.o.Store.Wake(store.OperateQueue, brokenPause+10*time.Millisecond)
		return river.JobSnooze(brokenPause)
	}
	w.s.o.Store.Wake(store.OperateQueue, 10*time.Millisecond)
	return river.JobSnooze(0)
}
