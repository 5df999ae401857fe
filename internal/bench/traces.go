package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// tracing is what a server does with traces.
type tracing struct {
	name   string
	sample *float64 // nil sends none anywhere
}

func tracings() []tracing {
	none, tenth, all := 0.0, 0.1, 1.0
	return []tracing{{"off", nil}, {"no event sampled", &none}, {"one in ten", &tenth}, {"every event", &all}}
}

// traceFinding are the runs, by what was done with traces.
type traceFinding map[string][]fullRun

func (f traceFinding) table() table {
	t := table{
		head: []string{"traces", "events a second", "CPU-s per 1,000 events, core", "ratio of core to off", "refused / lost / duplicate"},
		note: "Medians. The spans go to an endpoint that reads them and does nothing.",
	}
	of := func(name string) func(fullRun) float64 { return func(r fullRun) float64 { return r.CPU[name] } }
	for _, way := range tracings() {
		runs := f[way.name]
		t.add(way.name, median("%.0f", figuresOf(runs, func(r fullRun) float64 { return r.EventsPerSecond })), median("%.3f", figuresOf(runs, of(core))),
			median("%.2f", ratios(figuresOf(runs, of(core)), figuresOf(f["off"], of(core)))), anomalies(runs))
	}
	return t
}

// measureTraces sends to servers that trace differently, in turns.
func measureTraces(ctx context.Context, l *lab) (_ finding, err error) {
	collector, err := serve(ctx, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, collector.close()) }()
	f := traceFinding{}
	for round := range l.runs {
		for _, way := range tracings() {
			l.progress("traces, round %d of %d: %s", round+1, l.runs, way.name)
			s, err := l.fresh(ctx, l.bin)
			if err != nil {
				return nil, err
			}
			if way.sample != nil {
				s.traces, s.sample = collector.url, *way.sample
			}
			run, err := l.fullSpeed(ctx, startHookarr, s, map[string]float64{})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", way.name, err)
			}
			f[way.name] = append(f[way.name], run)
		}
	}
	return f, nil
}
