// Command bench measures a built Hookarr with its plugins over HTTP, on SQLite and on
// Postgres, and prints one table. It judges nothing.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	bin       string
	dir       string
	databases []string
	json      string
	timeout   time.Duration

	events  int // in each closed run, and for River alone
	warmUp  int
	runs    int
	senders int
	workers int // concurrency of the target
	open    time.Duration
}

// openRate is the events per second of the open run: what a busy library makes.
const openRate = 20

// total is listed among the processes, after them.
const total = "total"

func main() {
	var o options
	var databases string
	flag.StringVar(&o.bin, "bin", "bin", "directory of hookarr and plugins/")
	flag.StringVar(&o.dir, "dir", "/var/tmp", "where databases are made: on a real file system, or nothing is durable")
	flag.StringVar(&databases, "databases", "sqlite,postgres", "what to measure")
	flag.StringVar(&o.json, "json", "", "also write everything to this file")
	flag.DurationVar(&o.timeout, "timeout", 15*time.Minute, "bound on everything")
	flag.IntVar(&o.events, "events", 6000, "events in each run at full speed")
	flag.IntVar(&o.warmUp, "warm-up", 500, "events before the first run")
	flag.IntVar(&o.runs, "runs", 3, "runs at full speed")
	flag.IntVar(&o.senders, "concurrency", 32, "senders at full speed")
	flag.IntVar(&o.workers, "target-concurrency", 64, "attempts that the target may have under way")
	flag.DurationVar(&o.open, "open", 15*time.Second, "length of the run at 20 events a second")
	flag.Parse()
	o.databases = strings.Split(databases, ",")
	o.runs = max(1, o.runs)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// report is everything that was found out.
type report struct {
	Machine   machine            `json:"machine"`
	Databases map[string]*result `json:"databases"`
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("not done within %s", o.timeout))
	defer cancel()
	// It is where package testpg makes its server, too.
	if err := os.Setenv("TMPDIR", o.dir); err != nil {
		return err
	}
	o.dir, err = os.MkdirTemp("", "hookarr-bench-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()

	r := report{Machine: describeMachine(o.dir), Databases: map[string]*result{}}
	var failed []error
	for _, name := range o.databases {
		measured, err := measure(ctx, o, name)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, cmp.Or(context.Cause(ctx), err)))
			continue
		}
		r.Databases[name] = measured
	}
	if len(r.Databases) > 0 {
		failed = append(failed, r.print(out, slices.DeleteFunc(o.databases, func(name string) bool { return r.Databases[name] == nil })))
	}
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		failed = append(failed, err, os.WriteFile(o.json, append(text, '\n'), 0o644))
	}
	return errors.Join(failed...)
}

// measure takes every figure on one database, new ones of which are made for it.
func measure(ctx context.Context, o options, name string) (r *result, err error) {
	db, err := openDatabase(ctx, name, o.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	endpoint, err := startSink(ctx, o.warmUp+o.runs*o.events+int(o.open.Seconds()*openRate))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, endpoint.close()) }()

	r = &result{Database: db.version, Idle: map[string]float64{}, Peak: map[string]float64{}}
	s := settings{bin: o.bin, dir: o.dir, database: db.url, endpoint: endpoint.url, concurrency: o.workers}
	progress(name, "starting with every plugin")
	if err := measureStart(ctx, s, r); err != nil {
		return nil, err
	}
	if err := measureLoad(ctx, o, s, db, endpoint, r); err != nil {
		return nil, err
	}
	progress(name, "River alone")
	r.River, err = db.bareRiver(ctx, riverLoad{jobs: o.events, senders: o.senders, workers: o.workers})
	return r, err
}

// measureStart starts a server with every plugin twice: on a new database and again.
func measureStart(ctx context.Context, s settings, r *result) error {
	s.everyPlugin = true
	for _, took := range []*float64{&r.FirstStart, &r.SecondStart} {
		srv, err := startServer(ctx, s)
		if err != nil {
			return err
		}
		*took = srv.startup.Seconds()
		err = pause(ctx, 2*time.Second) // for the plugins to come to rest
		maps.Copy(r.Idle, memory(srv.processes()))
		if err = errors.Join(err, srv.stop()); err != nil {
			return err
		}
	}
	return nil
}

// measureLoad runs at full speed, then at openRate.
func measureLoad(ctx context.Context, o options, s settings, db *database, endpoint *sink, r *result) (err error) {
	srv, err := startServer(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.stop()) }()
	processes := srv.processes()
	stopWatch := watchMemory(processes, r.Peak)
	defer stopWatch()
	load := newLoad(srv.url, endpoint.book, o.senders)

	progress(db.name, "warming up")
	if _, err := load.fullSpeed(ctx, o.warmUp); err != nil {
		return err
	}
	for n := range o.runs {
		progress(db.name, fmt.Sprintf("full speed, run %d of %d", n+1, o.runs))
		before := cpu(processes, db.postmaster)
		measured, err := load.fullSpeed(ctx, o.events)
		if err != nil {
			return err
		}
		measured.CPU = map[string]float64{}
		for name, seconds := range cpu(processes, db.postmaster) {
			measured.CPU[name] = (seconds - before[name]) * 1000 / float64(o.events)
			measured.CPU[total] += measured.CPU[name]
		}
		r.Runs = append(r.Runs, measured)
	}
	progress(db.name, fmt.Sprintf("%d events a second for %s", openRate, o.open))
	r.Open, err = load.open(ctx, o.open)
	return err
}

func progress(database, what string) { fmt.Fprintf(os.Stderr, "%s: %s\n", database, what) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
