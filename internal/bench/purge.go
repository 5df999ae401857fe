package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// purgeRate is the events per second that flow meanwhile.
	purgeRate = 50
	// keptByDead: the deliveries of so many events, one of them, are dead letters.
	keptByDead = 4
	// Old events are between two ages that are beyond the retention.
	shortRetention        = time.Hour
	oldestAged, newestAge = 3 * time.Hour, 2 * time.Hour
)

// purgeFinding is what a purge does to the events that flow meanwhile, by build.
type purgeFinding map[string]*purgeRun

type purgeRun struct {
	Before latencies `json:"before"`
	During latencies `json:"during"`
	After  latencies `json:"after"`
	// Took is in seconds, from the start of the server until the old events were gone.
	Took    float64 `json:"took_seconds"`
	Old     int     `json:"old_events"`
	Kept    int     `json:"kept_by_dead_letters"`
	Left    int     `json:"left"`
	Refused int     `json:"refused"`
	Lost    int     `json:"lost"`
}

func (f purgeFinding) table() table {
	t := table{
		head: []string{"build", "", "ack p50 / p99 ms", "POST to endpoint p50 / p99 ms"},
		note: fmt.Sprintf("At %d events a second. The purge begins with the server's start.", purgeRate),
	}
	for _, name := range keys(f) {
		r := f[name]
		for _, phase := range []struct {
			name string
			latencies
		}{{"before", r.Before}, {"during", r.During}, {"after", r.After}} {
			t.add(name, phase.name, fmt.Sprintf("%.1f / %.1f", phase.AckP50, phase.AckP99), fmt.Sprintf("%.1f / %.1f", phase.ArriveP50, phase.ArriveP99))
		}
		done := "done"
		if r.Left > r.Kept {
			done = "NOT done"
		}
		t.add(name, fmt.Sprintf("%s after %.1f s: %d of %d old events left, %d to be kept; refused %d, lost %d", done, r.Took, r.Left, r.Old, r.Kept, r.Refused, r.Lost))
	}
	return t
}

func measurePurge(ctx context.Context, l *lab) (finding, error) {
	f := purgeFinding{}
	for _, b := range l.builds() {
		run, err := l.purge(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		f[b.name] = run
	}
	return f, nil
}

func (l *lab) purge(ctx context.Context, b build) (run *purgeRun, err error) {
	run = &purgeRun{Old: l.old, Kept: l.old / keptByDead}
	s, err := l.seeded(ctx, b.bin, seeding{events: l.old, oldest: oldestAged, newest: newestAge, dead: keptByDead})
	if err != nil {
		return nil, err
	}
	db, err := openSQL(ctx, s.database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	left := func() (int, error) {
		return countOlder(ctx, db, strings.HasPrefix(s.database, sqliteScheme), time.Now().Add(-shortRetention))
	}
	note := func(events []entry, into *latencies) {
		sum := summarize(events)
		*into = summarizeLatencies(events)
		run.Refused, run.Lost = run.Refused+sum.Refused, run.Lost+sum.Lost
	}

	l.progress("%d old events, before their purge: %s", l.old, b.name)
	err = with(ctx, startHookarr, s, func(srv *server) error {
		load := l.load(srv)
		_, warmUpErr := load.steadyFor(ctx, purgeRate, 3*time.Second)
		events, err := load.steadyFor(ctx, purgeRate, l.phase)
		note(events, &run.Before)
		return errors.Join(warmUpErr, err)
	})
	if err != nil {
		return nil, err
	}

	l.progress("purging: %s", b.name)
	s.retention = shortRetention
	begun := time.Now()
	err = with(ctx, startHookarr, s, func(srv *server) error {
		load := l.load(srv)
		gone := make(chan struct{})
		var watcher sync.WaitGroup
		var watchErr error
		watcher.Go(func() {
			defer close(gone)
			run.Left, watchErr = awaitAtMost(ctx, run.Kept, l.waitTimeout, left)
			run.Took = time.Since(begun).Seconds()
		})
		events, err := load.steady(ctx, purgeRate, gone)
		watcher.Wait()
		note(events, &run.During)
		if err := errors.Join(watchErr, err); err != nil {
			return err
		}
		l.progress("after the purge: %s", b.name)
		events, err = load.steadyFor(ctx, purgeRate, l.phase)
		note(events, &run.After)
		return err
	})
	if err != nil {
		return nil, err
	}
	run.Left, err = left()
	return run, err
}

// awaitAtMost returns when few are left, or waitTimeout ends.
func awaitAtMost(ctx context.Context, few int, waitTimeout time.Duration, left func() (int, error)) (n int, err error) {
	for deadline := time.Now().Add(waitTimeout); ; {
		// Counting is work for the database, too.
		if err := pause(ctx, time.Second); err != nil {
			return n, err
		}
		if n, err = left(); err != nil || n <= few || time.Now().After(deadline) {
			return n, err
		}
	}
}

// countOlder counts the events that were received before a time: ids begin with it.
func countOlder(ctx context.Context, db *sql.DB, bytes bool, at time.Time) (n int, err error) {
	var bound uuid.UUID
	for i, ms := 5, at.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		bound[i] = byte(ms)
	}
	arg := any(bound.String())
	if bytes {
		arg = bound[:]
	}
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM events WHERE id < $1", arg).Scan(&n)
	return n, err
}
