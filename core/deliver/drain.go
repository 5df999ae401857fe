package deliver

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	// drainFirst is how long what ends by itself at Quit is not worth a line.
	drainFirst = 100 * time.Millisecond
	// drainEvery is the pause between lines about a drain.
	drainEvery = 5 * time.Second
	// drainNames bounds how many are named in a line.
	drainNames = 10
)

// Drain calls Quit and then stop, which ends the queue. Meanwhile it logs what is waited
// for, and at the end what is left under way because stop has not waited longer.
func (w *Workers) Drain(ctx context.Context, stop func(context.Context) error) error {
	w.Quit()
	stopped := make(chan error, 1)
	go func() { stopped <- stop(ctx) }()
	pause := time.NewTimer(drainFirst)
	defer pause.Stop()
	for first := true; ; first = false {
		select {
		case err := <-stopped:
			if err != nil {
				w.tellUnderWay(ctx, slog.LevelWarn, "interrupted, goes on at the next start")
			}
			return err
		case <-pause.C:
		}
		if !first || len(w.inflight.underWay()) > 0 {
			w.tellUnderWay(ctx, slog.LevelInfo, "waiting for what is under way")
		}
		pause.Reset(drainEvery)
	}
}

// tellUnderWay names what has been under way for the longest time.
func (w *Workers) tellUnderWay(ctx context.Context, level slog.Level, msg string) {
	all := w.inflight.underWay()
	if len(all) == 0 {
		// These are not worked here.
		w.log.Log(ctx, level, msg, slog.String("jobs", "catch-up or enrichment")) //nolint:sloglint // one of two constants
		return
	}
	names := make([]string, 0, drainNames)
	for _, u := range all[:min(len(all), drainNames)] {
		names = append(names, u.String())
	}
	w.log.Log(ctx, level, msg, slog.Int("count", len(all)), slog.Any("longest", names)) //nolint:sloglint // one of two constants
}

// undertaking is an attempt, or the decoding of a deferred event, that has begun.
type undertaking struct {
	// what is a target and a delivery, or a source and an event.
	what  string
	id    uuid.UUID
	since time.Time
}

// String says what it is, and how long ago it began.
func (u undertaking) String() string {
	return fmt.Sprintf("%s %s for %s", u.what, u.id, time.Since(u.since).Round(100*time.Millisecond))
}

// begin tells what a subject is about, if it was entered.
func (f *inflight) begin(subject uuid.UUID, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, entered := f.subjects[subject]; entered {
		f.subjects[subject] = undertaking{what, subject, time.Now()}
	}
}

// underWay returns what has begun, the longest first.
func (f *inflight) underWay() []undertaking {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]undertaking, 0, len(f.subjects))
	for _, u := range f.subjects {
		if !u.since.IsZero() {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b undertaking) int { return cmp.Or(a.since.Compare(b.since), slices.Compare(a.id[:], b.id[:])) })
	return all
}
