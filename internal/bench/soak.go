package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"
)

const (
	// maxSoakRate is room in the book, in events a second.
	maxSoakRate = 3000
	// soakWindow is compared: the first with the last.
	soakWindow = 5 * time.Minute
	soakPieces = 20
)

// soakFinding is a long run at half of the full rate, by build.
type soakFinding map[string]*soakRun

type soakRun struct {
	// Full and Rate are in events a second: what the server can do, and what it gets.
	Full  float64   `json:"full_rate"`
	Rate  float64   `json:"rate"`
	First soakPiece `json:"first"`
	Last  soakPiece `json:"last"`
	// Pieces are the whole run in parts.
	Pieces []soakPiece `json:"pieces"`
	Run    fullRun     `json:"run"`
}

// soakPiece is a part of a run.
type soakPiece struct {
	// Until is in seconds since the run began.
	Until     float64   `json:"until_seconds"`
	Rate      float64   `json:"arrivals_per_second"`
	Latencies latencies `json:"latencies"`
	// MiB is the PSS at its end, by process.
	MiB map[string]float64 `json:"mib"`
}

func (f soakFinding) table() table {
	t := table{head: []string{"build", "until s", "events/s", "POST to endpoint p50 / p99 ms", "PSS MiB core / source / target", "goal"}}
	for _, name := range keys(f) {
		r := f[name]
		add := func(until string, p soakPiece, goal string) {
			mib := ""
			if p.MiB != nil {
				mib = fmt.Sprintf("%.1f / %.1f / %.1f", p.MiB[core], p.MiB["source-radarr"], p.MiB["target-webhook"])
			}
			t.add(name, until, fmt.Sprintf("%.0f", p.Rate), fmt.Sprintf("%.1f / %.1f", p.Latencies.ArriveP50, p.Latencies.ArriveP99), mib, goal)
		}
		for _, p := range r.Pieces {
			add(fmt.Sprintf("%.0f", p.Until), p, "")
		}
		add("the first part", r.First, "")
		add("the last part", r.Last, "")
		t.add(name, "ratio", fmt.Sprintf("%.2f", r.Last.Rate/r.First.Rate), fmt.Sprintf("%.2f / %.2f",
			r.Last.Latencies.ArriveP50/r.First.Latencies.ArriveP50, r.Last.Latencies.ArriveP99/r.First.Latencies.ArriveP99), "", ">= 0.95, p99 <= 1.2")
		t.add(name, fmt.Sprintf("%.0f/s sent, of %.0f/s; refused / lost / duplicate %s", r.Rate, r.Full, anomalies([]fullRun{r.Run})))
	}
	return t
}

func measureSoak(ctx context.Context, l *lab) (finding, error) {
	f := soakFinding{}
	for _, b := range l.builds() {
		s, err := l.fresh(ctx, b.bin)
		if err != nil {
			return nil, err
		}
		err = with(ctx, startHookarr, s, func(srv *server) error {
			f[b.name], err = l.soakOne(ctx, srv, b)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return f, nil
}

func (l *lab) soakOne(ctx context.Context, srv *server, b build) (*soakRun, error) {
	l.progress("full speed: %s", b.name)
	load := l.load(srv)
	_, warmUpErr := load.fullSpeed(ctx, warmUp)
	full, err := load.fullSpeed(ctx, l.events)
	if err := errors.Join(warmUpErr, err); err != nil {
		return nil, err
	}
	r := &soakRun{Full: full.EventsPerSecond, Rate: min(full.EventsPerSecond/2, maxSoakRate)}
	l.progress("%.0f events a second for %s: %s", r.Rate, l.soak, b.name)
	begun := l.endpoint.book.now()
	stop := sampleMemory(srv.processes(), l.soak/soakPieces)
	events, err := load.steadyFor(ctx, r.Rate, l.soak)
	sizes := stop()
	if err != nil {
		return nil, err
	}
	piece := func(from, to time.Duration) soakPiece {
		return soakPieceOf(events, begun+int64(from), begun+int64(to), to)
	}
	for n := range soakPieces {
		p := piece(l.soak*time.Duration(n)/soakPieces, l.soak*time.Duration(n+1)/soakPieces)
		if n < len(sizes) {
			p.MiB = sizes[n]
		}
		r.Pieces = append(r.Pieces, p)
	}
	window := min(soakWindow, l.soak/4)
	r.First, r.Last = piece(0, window), piece(l.soak-window, l.soak)
	r.Run = summarize(events)
	return r, nil
}

// soakPieceOf is of the events that were sent between two times of the book; all that
// arrived in that time count as arrivals.
func soakPieceOf(events []entry, from, to int64, until time.Duration) soakPiece {
	sent := func(at int64) int {
		return sort.Search(len(events), func(i int) bool { return events[i].sent.Load() >= at })
	}
	arrived := 0
	for i := range events {
		if at := events[i].arrived.Load(); from <= at && at < to {
			arrived++
		}
	}
	return soakPiece{
		Until: until.Seconds(), Rate: float64(arrived) / time.Duration(to-from).Seconds(),
		Latencies: summarizeLatencies(events[sent(from):max(sent(from), sent(to))]),
	}
}

// sampleMemory takes the memory of processes again and again until the returned
// function is called, which returns what it was.
func sampleMemory(processes map[string][]int, every time.Duration) (stop func() []map[string]float64) {
	done := make(chan struct{})
	var sampler sync.WaitGroup
	var sizes []map[string]float64
	sampler.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				sizes = append(sizes, memory(processes))
			case <-done:
				return
			}
		}
	})
	return func() []map[string]float64 {
		close(done)
		sampler.Wait()
		return slices.Clone(sizes)
	}
}
