package catchup

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/store"
)

const (
	// retryPause is the time to the next try when an application does not answer.
	retryPause = time.Minute
	// runTimeout bounds one run.
	runTimeout = 15 * time.Minute
	// maxWorkers is how many histories are read at once: one application that is slow
	// or down holds up no other.
	maxWorkers = 32
)

// Register adds the worker of catch-up jobs to River's.
func (r *Reader) Register(workers *river.Workers) error {
	if err := river.AddWorkerSafely(workers, &worker{reader: r}); err != nil {
		return fmt.Errorf("register catch-up worker: %w", err)
	}
	return nil
}

// Queues adds the queue of catch-up jobs, with the fetch settings of base.
func (r *Reader) Queues(queues map[string]river.QueueConfig, base river.QueueConfig) {
	base.MaxWorkers = maxWorkers
	queues[store.CatchupQueue] = base
}

// PeriodicJobs has each history read at its interval.
func (r *Reader) PeriodicJobs() []*river.PeriodicJob {
	sources := r.o.Sources()
	jobs := make([]*river.PeriodicJob, 0, len(sources))
	for source, settings := range sources {
		jobs = append(jobs, river.NewPeriodicJob(river.PeriodicInterval(settings.Interval),
			func() (river.JobArgs, *river.InsertOpts) { return store.CatchupArgs{Source: source}, nil }, nil))
	}
	return jobs
}

type worker struct {
	river.WorkerDefaults[store.CatchupArgs]
	reader *Reader
	// failing has what was told of each source.
	failing outage.Changes
}

// Timeout bounds a run.
func (*worker) Timeout(*river.Job[store.CatchupArgs]) time.Duration { return runTimeout }

// Work reads one history. While its application does not answer, the job tries again.
func (w *worker) Work(ctx context.Context, job *river.Job[store.CatchupArgs]) error {
	source := job.Args.Source
	_, err := w.reader.CatchUp(ctx, source)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if w.failing.Note(source, err) {
		log := w.reader.o.Log
		if err == nil {
			log.InfoContext(ctx, "catch-up works again", slog.String("source", source))
		} else {
			log.WarnContext(ctx, "catch-up waits", slog.String("source", source), slog.Any("error", err))
		}
	}
	if err != nil {
		return river.JobSnooze(retryPause)
	}
	return nil
}
