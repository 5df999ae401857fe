// Package enrich adds to events what their webhooks leave out, before they go out: an
// event's deliveries wait for one job, so that retries and replays tell the same.
package enrich

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// fetchTimeout is how long deliveries wait for the application.
	fetchTimeout = 3 * time.Second
	// jobTimeout leaves time to store the result.
	jobTimeout = 30 * time.Second
	// workers is how many events are enriched at once.
	workers = 8
	// storePause is the wait for a database that does not take a result.
	storePause = 2 * time.Second
)

// Fetcher asks source plugins. pluginhost.Host is one.
type Fetcher interface {
	Fetch(ctx context.Context, source string, event json.RawMessage) (json.RawMessage, error)
}

// Store keeps events. store.Store is one.
type Store interface {
	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	Enriched(ctx context.Context, id uuid.UUID, normalized []byte) error
}

// Worker works enrich jobs.
type Worker struct {
	river.WorkerDefaults[store.EnrichArgs]
	Fetcher Fetcher
	Store   Store
	Log     *slog.Logger
	// FetchTimeout is 3 s when zero.
	FetchTimeout time.Duration
}

// Register adds the worker to River's.
func (w *Worker) Register(registered *river.Workers) error {
	if err := river.AddWorkerSafely(registered, w); err != nil {
		return fmt.Errorf("register enrich worker: %w", err)
	}
	return nil
}

// Queues adds the queue of enrich jobs, with the fetch settings of base.
func (*Worker) Queues(queues map[string]river.QueueConfig, base river.QueueConfig) {
	base.MaxWorkers = workers
	queues[store.EnrichQueue] = base
}

// Timeout bounds a job.
func (*Worker) Timeout(*river.Job[store.EnrichArgs]) time.Duration { return timeout.Of(jobTimeout) }

// Work enriches one event and lets its deliveries go. When the application does not
// answer in time they go without.
func (w *Worker) Work(ctx context.Context, job *river.Job[store.EnrichArgs]) error {
	id := job.Args.EventID
	e, _, err := w.Store.FindEvent(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	var normalized []byte
	if err == nil {
		normalized = w.fetch(ctx, e)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err = w.Store.Enriched(ctx, id, normalized)
	}
	if err != nil {
		w.Log.WarnContext(outage.Symptom(ctx), "event not enriched yet", slog.String("source", e.Source), slog.String("event", id.String()), slog.Any("error", err))
		return river.JobSnooze(storePause)
	}
	return nil
}

// fetch returns the event with more in it, or nil.
func (w *Worker) fetch(ctx context.Context, e event.Event) []byte {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(w.FetchTimeout, timeout.Of(fetchTimeout)))
	defer cancel()
	fetched, err := w.Fetcher.Fetch(ctx, e.Source, e.Normalized)
	if err == nil {
		fetched, err = merge(e.Normalized, fetched)
	}
	switch {
	case err == nil:
		return fetched
	case errors.Is(err, host.ErrUnsupported):
		w.Log.DebugContext(ctx, "event goes out as it came", slog.String("source", e.Source), slog.Any("error", err))
	default:
		w.Log.InfoContext(ctx, "event goes out without details", slog.String("source", e.Source),
			slog.String("event", e.ID.String()), slog.Any("error", err))
	}
	return nil
}

// ours are the fields of an event that say which one it is; no plugin changes them.
var ours = []string{"id", "source", "origin", "time", "type", "native_type", "fingerprint", "correlation_key"}

// merge returns what was fetched with the identity of the event.
func merge(original, fetched []byte) ([]byte, error) {
	var before, after map[string]json.RawMessage
	if err := json.Unmarshal(original, &before); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	if err := json.Unmarshal(fetched, &after); err != nil {
		return nil, fmt.Errorf("read fetched event: %w", err)
	}
	for _, key := range ours {
		if value, ok := before[key]; ok {
			after[key] = value
		} else {
			delete(after, key)
		}
	}
	merged, err := json.Marshal(after)
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return merged, nil
}
