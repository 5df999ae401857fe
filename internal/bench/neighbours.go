package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// neighbourRate is the events per second that both targets take.
const neighbourRate = 50

// neighbour is what the other target's endpoint does.
type neighbour struct {
	name   string
	answer http.HandlerFunc
}

// neighbours answer everything in the same way. Without an answer there is no other
// target.
func neighbours() []neighbour {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	after := func(d time.Duration) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) { _ = pause(r.Context(), d) }
	}
	return []neighbour{
		{"none: alone", nil},
		{"well", status(http.StatusOK)},
		{"held: 404", status(http.StatusNotFound)},
		{"hanging: no answer within its time-out", after(time.Hour)},
		{"slow: 1 s", after(time.Second)},
		{"throttled: 429, Retry-After 2", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
		}},
		{"refusing: 503", status(http.StatusServiceUnavailable)},
	}
}

type neighbourFinding []neighbourRun

type neighbourRun struct {
	Build     string    `json:"build"`
	Other     string    `json:"other_target"`
	Latencies latencies `json:"latencies"`
	Anomalies fullRun   `json:"run"`
}

func (f neighbourFinding) table() table {
	t := table{
		head: []string{"the other target", "build", "ack p50 / p99 ms", "POST to good endpoint p50 / p99 ms", "ratio to alone, p50 / p99", "refused / lost / duplicate"},
		note: fmt.Sprintf("Both targets take the same %d events a second.", neighbourRate),
	}
	alone := map[string]latencies{}
	for _, r := range f {
		l := r.Latencies
		if _, known := alone[r.Build]; !known {
			alone[r.Build] = l
		}
		a := alone[r.Build]
		t.add(r.Other, r.Build, fmt.Sprintf("%.1f / %.1f", l.AckP50, l.AckP99), fmt.Sprintf("%.1f / %.1f", l.ArriveP50, l.ArriveP99),
			fmt.Sprintf("%.2f / %.2f", l.ArriveP50/a.ArriveP50, l.ArriveP99/a.ArriveP99), anomalies([]fullRun{r.Anomalies}))
	}
	return t
}

func measureNeighbours(ctx context.Context, l *lab) (finding, error) {
	var f neighbourFinding
	for _, n := range neighbours() {
		for _, b := range l.builds() {
			l.progress("the other target is %s: %s", n.name, b.name)
			run, err := l.neighbour(ctx, b, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.name, err)
			}
			f = append(f, run)
		}
	}
	return f, nil
}

func (l *lab) neighbour(ctx context.Context, b build, n neighbour) (run neighbourRun, err error) {
	run = neighbourRun{Build: b.name, Other: n.name}
	s, err := l.fresh(ctx, b.bin)
	if err != nil {
		return run, err
	}
	if n.answer != nil {
		other, err := serve(ctx, n.answer)
		if err != nil {
			return run, err
		}
		defer func() { err = errors.Join(err, other.close()) }()
		t := webhook("other", other.url)
		t.timeout = 5 * time.Second
		s.others, s.routed = []target{t}, []string{t.name}
	}
	err = with(ctx, startHookarr, s, func(srv *server) error {
		load := l.load(srv)
		// The other target is found out about first.
		if _, err := load.steadyFor(ctx, neighbourRate, 6*time.Second); err != nil {
			return err
		}
		events, err := load.steadyFor(ctx, neighbourRate, l.phase)
		run.Latencies, run.Anomalies = summarizeLatencies(events), summarize(events)
		return err
	})
	return run, err
}
