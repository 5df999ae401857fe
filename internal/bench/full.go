package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// openRate is the events per second of the run for latency: what a busy library
	// makes.
	openRate = 20
	// warmUp is how many events are sent before what is measured.
	warmUp = 300
)

// figures are what `make bench` finds out on one engine.
type figures struct {
	Engine string `json:"engine"`
	// Startup is in seconds, with every plugin.
	Startup float64 `json:"startup_seconds"`
	// Idle and Peak are the PSS in MiB, by process: Idle with every plugin.
	Idle map[string]float64 `json:"idle_mib"`
	Peak map[string]float64 `json:"peak_mib"`
	// Runs are those at full speed of each that is compared, one after the other.
	Runs map[string][]fullRun `json:"full_speed"`
	// River are the jobs per second of River alone.
	River []float64 `json:"river_jobs_per_second"`
	// Empty and Stored are latencies at openRate, on a new database and with Events in
	// it.
	Empty  latencies `json:"latency_empty"`
	Stored latencies `json:"latency_stored"`
	Events int       `json:"events_stored"`
	// Many are servers with Targets targets and nothing to do, by build.
	Targets int                    `json:"targets"`
	Many    map[string]manyTargets `json:"many_targets"`
}

type manyTargets struct {
	Startup float64 `json:"startup_seconds"`
	// CPU is in percent of one core, by process.
	CPU map[string]float64 `json:"cpu_percent"`
}

func measureFull(ctx context.Context, l *lab) (finding, error) {
	f := &figures{
		Engine: l.engine.name, Idle: map[string]float64{}, Peak: map[string]float64{},
		Runs: map[string][]fullRun{}, Events: l.stored, Targets: l.targets, Many: map[string]manyTargets{},
	}
	for _, part := range []func(context.Context, *figures) error{l.rest, l.compare, l.latency, l.manyTargets} {
		if err := part(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// rest starts a server with every plugin.
func (l *lab) rest(ctx context.Context, f *figures) error {
	l.progress("starting with every plugin")
	s, err := l.fresh(ctx, l.bin)
	if err != nil {
		return err
	}
	for _, name := range []string{"discord", "slack"} {
		s.others = append(s.others, target{name: name, plugin: name, config: map[string]any{"webhook_url": l.endpoint.url}})
	}
	return with(ctx, startHookarr, s, func(srv *server) error {
		f.Startup = srv.startup.Seconds()
		err := pause(ctx, 2*time.Second) // for the plugins to come to rest
		maps.Copy(f.Idle, memory(srv.processes()))
		return err
	})
}

// compare runs everything that is compared at full speed, in turns.
func (l *lab) compare(ctx context.Context, f *figures) error {
	type contender struct {
		build
		start    starter
		settings settings
	}
	var contenders []contender
	for _, b := range append(l.builds(), build{bare, l.bin}) {
		s, err := l.fresh(ctx, b.bin)
		if err != nil {
			return err
		}
		start := startHookarr
		if b.name == bare {
			start = startSketch
		}
		contenders = append(contenders, contender{b, start, s})
	}
	for round := range l.runs {
		for _, c := range contenders {
			l.progress("full speed, round %d of %d: %s", round+1, l.runs, c.name)
			peak := map[string]float64{}
			if c.name == hookarr {
				peak = f.Peak
			}
			run, err := l.fullSpeed(ctx, c.start, c.settings, peak)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			f.Runs[c.name] = append(f.Runs[c.name], run)
		}
		slices.Reverse(contenders) // nobody is always after the same
		l.progress("full speed, round %d of %d: River alone", round+1, l.runs)
		database, err := l.engine.create(ctx)
		if err != nil {
			return err
		}
		rate, err := riverAlone(ctx, database, riverLoad{jobs: l.events, senders: l.senders, workers: l.workers})
		if err != nil {
			return fmt.Errorf("run River alone: %w", err)
		}
		f.River = append(f.River, rate)
	}
	return nil
}

// fullSpeed starts a server and sends to it at full speed.
func (l *lab) fullSpeed(ctx context.Context, start starter, s settings, peak map[string]float64) (run fullRun, err error) {
	err = with(ctx, start, s, func(srv *server) error {
		stop := watchMemory(srv.processes(), peak)
		defer stop()
		load := l.load(srv)
		if _, err := load.fullSpeed(ctx, warmUp); err != nil {
			return err
		}
		used := l.watchCPU(srv)
		if run, err = load.fullSpeed(ctx, l.events); err != nil {
			return err
		}
		run.CPU = used()
		for name := range run.CPU {
			run.CPU[name] *= 1000 / float64(l.events)
		}
		return nil
	})
	return run, err
}

// latency sends at openRate to a server with an empty database and to one with a full
// one, in turns.
func (l *lab) latency(ctx context.Context, f *figures) error {
	empty, err := l.fresh(ctx, l.bin)
	if err != nil {
		return err
	}
	stored, err := l.seeded(ctx, l.bin, seeding{events: l.stored, oldest: 29 * 24 * time.Hour, newest: time.Minute})
	if err != nil {
		return err
	}
	var onEmpty, onStored [][]entry
	for round := range l.runs {
		for _, side := range []struct {
			settings
			name  string
			taken *[][]entry
		}{{empty, "an empty database", &onEmpty}, {stored, fmt.Sprintf("%d events stored", l.stored), &onStored}} {
			l.progress("%d events a second, round %d of %d: %s", openRate, round+1, l.runs, side.name)
			err := with(ctx, startHookarr, side.settings, func(srv *server) error {
				load := l.load(srv)
				_, err := load.steadyFor(ctx, openRate, 3*time.Second)
				events, steadyErr := load.steadyFor(ctx, openRate, l.open/time.Duration(l.runs))
				*side.taken = append(*side.taken, events)
				return errors.Join(err, steadyErr)
			})
			if err != nil {
				return err
			}
		}
	}
	f.Empty, f.Stored = summarizeLatencies(onEmpty...), summarizeLatencies(onStored...)
	return nil
}

// seeded are settings with a database that holds events.
func (l *lab) seeded(ctx context.Context, bin string, s seeding) (settings, error) {
	at, err := l.fresh(ctx, bin)
	if err != nil {
		return at, err
	}
	err = with(ctx, startHookarr, at, func(srv *server) error {
		_, err := l.load(srv).fullSpeed(ctx, 1)
		return err
	})
	if err != nil {
		return at, err
	}
	l.progress("storing %d events", s.events)
	return at, s.fill(ctx, at.database)
}

// manyTargets leaves servers with many targets alone.
func (l *lab) manyTargets(ctx context.Context, f *figures) error {
	for _, b := range l.builds() {
		l.progress("%d targets, idle for %s: %s", l.targets, l.idle, b.name)
		s, err := l.fresh(ctx, b.bin)
		if err != nil {
			return err
		}
		for n := range l.targets - 1 {
			s.others = append(s.others, webhook(fmt.Sprintf("idle-%d", n), l.endpoint.url))
		}
		err = with(ctx, startHookarr, s, func(srv *server) error {
			if err := pause(ctx, 5*time.Second); err != nil { // what a start leaves to be done
				return err
			}
			used, begun := l.watchCPU(srv), time.Now()
			err := pause(ctx, l.idle)
			m := manyTargets{Startup: srv.startup.Seconds(), CPU: used()}
			for name := range m.CPU {
				m.CPU[name] *= 100 / time.Since(begun).Seconds()
			}
			f.Many[b.name] = m
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
