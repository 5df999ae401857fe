package snapshot

import (
	"context"
	"errors"
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
	// runTimeout bounds one job; the next goes on where it ended. A job that runs for more
	// than an hour is taken for lost by River.
	runTimeout = 40 * time.Minute
	// working is how long a job goes on, so that it ends before its timeout by itself.
	working = 30 * time.Minute
	// maxWorkers is how many applications are read at once.
	maxWorkers = 4
	// lookEvery is how often it is looked whether a snapshot is due: an interval of days
	// that began with the process would never end in one that is restarted each night.
	lookEvery = 15 * time.Minute
)

// Register adds the worker of snapshot jobs to River's.
func (r *Reader) Register(workers *river.Workers) error {
	if err := river.AddWorkerSafely(workers, &worker{reader: r}); err != nil {
		return fmt.Errorf("register snapshot worker: %w", err)
	}
	return nil
}

// Queues adds the queue of snapshot jobs, with the fetch settings of base.
func (r *Reader) Queues(queues map[string]river.QueueConfig, base river.QueueConfig) {
	base.MaxWorkers = maxWorkers
	queues[store.SnapshotQueue] = base
}

// PeriodicJobs has it looked whether the snapshot of a source is due.
func (r *Reader) PeriodicJobs() []*river.PeriodicJob {
	sources := r.o.Sources()
	jobs := make([]*river.PeriodicJob, 0, len(sources))
	for source, settings := range sources {
		if settings.Every == 0 {
			continue
		}
		jobs = append(jobs, river.NewPeriodicJob(river.PeriodicInterval(min(settings.Every, lookEvery)),
			func() (river.JobArgs, *river.InsertOpts) { return store.SnapshotArgs{Source: source}, nil }, nil))
	}
	return jobs
}

type worker struct {
	river.WorkerDefaults[store.SnapshotArgs]
	reader *Reader
	// failing has what was told of each source.
	failing outage.Changes
}

// Timeout bounds a job.
func (*worker) Timeout(*river.Job[store.SnapshotArgs]) time.Duration { return runTimeout }

// Work reads the snapshot of a source, if it is due. While its application does not answer,
// the job tries again.
func (w *worker) Work(ctx context.Context, job *river.Job[store.SnapshotArgs]) error {
	source := job.Args.Source
	err := w.reader.Run(ctx, source, w.reader.o.Now().Add(working))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, errLater) {
		return river.JobSnooze(0)
	}
	if w.failing.Note(source, err) {
		log := w.reader.o.Log
		if err == nil {
			log.InfoContext(ctx, "snapshot works again", slog.String("source", source))
		} else {
			log.WarnContext(ctx, "snapshot waits", slog.String("source", source), slog.Any("error", err))
		}
	}
	if err != nil {
		return river.JobSnooze(retryPause)
	}
	return nil
}
