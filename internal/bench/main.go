// Command bench measures a built Hookarr with its plugins from outside: over HTTP, in
// /proc and in its database, on SQLite and on Postgres. It prints tables and judges
// nothing.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	bin     string
	before  string
	dir     string
	json    string
	engines string
	timeout time.Duration

	events  int // in each run at full speed, and for River alone
	runs    int
	senders int
	workers int // concurrency of the target
	open    time.Duration
	stored  int
	targets int
	idle    time.Duration

	// Paths of the desk that pages ask for.
	stream, page, now string
	watchers          int
	watch             time.Duration

	calls int // of each plugin under load

	phase       time.Duration
	soak        time.Duration
	old         int
	waitTimeout time.Duration
}

// measurements are by the command's first argument.
var measurements = map[string]measurement{
	"full": {
		measure: measureFull, idle: 30 * time.Second, engines: sqlite + "," + postgres, timeout: 30 * time.Minute,
		room: func(o options) int {
			return o.runs*3*(o.events+warmUp) + 2*openRate*(int(o.open.Seconds())+o.runs*4) + 1
		},
	},
	"idle": {
		measure: measureIdle, idle: time.Minute, engines: sqlite, timeout: 10 * time.Minute,
		room: func(o options) int { return 2 * (warmUp + openRate*(int(o.phase.Seconds())+1)) },
	},
	"soak": {
		measure: measureSoak, engines: sqlite + "," + postgres, timeout: 2 * time.Hour,
		room: func(o options) int { return 2 * (warmUp + o.events + maxSoakRate*(int(o.soak.Seconds())+1)) },
	},
	"purge": {
		measure: measurePurge, engines: sqlite + "," + postgres, timeout: time.Hour,
		room: func(o options) int { return 2 * purgeRate * int((o.waitTimeout + 2*o.phase + time.Minute).Seconds()) },
	},
	"traces": {
		measure: measureTraces, engines: sqlite + "," + postgres, timeout: 30 * time.Minute,
		room: func(o options) int { return o.runs * len(tracings()) * (o.events + warmUp) },
	},
	"desk": {
		measure: measureDesk, engines: sqlite + "," + postgres, timeout: 30 * time.Minute,
		room: func(o options) int { return 1 + 2*deskRate*int((o.watch+10*time.Second).Seconds()) },
	},
	"plugins": {
		measure: measurePlugins, engines: noDatabase, timeout: 30 * time.Minute,
		room: func(options) int { return 1 },
	},
	"neighbours": {
		measure: measureNeighbours, engines: sqlite + "," + postgres, timeout: 30 * time.Minute,
		room: func(o options) int {
			return 2 * len(neighbours()) * neighbourRate * int((o.phase + 10*time.Second).Seconds())
		},
	},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	name := "full"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	if name == sketchCommand && len(args) == 1 {
		return runSketch(ctx, args[0])
	}
	m, ok := measurements[name]
	if !ok {
		return fmt.Errorf("%q is none of %s", name, strings.Join(keys(measurements), ", "))
	}
	o, err := parse(name, m, args)
	if err != nil {
		return err
	}
	return run(ctx, o, name, m, out)
}

func parse(name string, m measurement, args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench "+name, flag.ContinueOnError)
	flags.StringVar(&o.bin, "bin", "bin", "directory of hookarr and plugins/")
	flags.StringVar(&o.before, "before", "", "the same of another build, which is measured beside it")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "where databases are made: on a real file system, or nothing is durable")
	flags.StringVar(&o.engines, "databases", m.engines, "what to measure on")
	flags.StringVar(&o.json, "json", "", "also write everything to this file")
	flags.DurationVar(&o.timeout, "timeout", m.timeout, "bound on everything")
	flags.IntVar(&o.events, "events", 6000, "events in each run at full speed")
	flags.IntVar(&o.runs, "runs", 3, "runs of each that is compared")
	flags.IntVar(&o.senders, "concurrency", 32, "senders at full speed")
	flags.IntVar(&o.workers, "target-concurrency", 64, "attempts that the target may have under way")
	flags.DurationVar(&o.open, "open", 45*time.Second, "full: length of all runs for latency")
	flags.IntVar(&o.stored, "stored", 500_000, "full, desk: events in the full database")
	flags.IntVar(&o.targets, "targets", 300, "full: targets of the idle server")
	flags.DurationVar(&o.idle, "idle", m.idle, "full, idle: how long a server is left alone")
	flags.DurationVar(&o.phase, "phase", 20*time.Second, "idle, purge, neighbours: length of each run at a steady rate")
	flags.IntVar(&o.watchers, "watchers", 10, "desk: pages that are open")
	flags.DurationVar(&o.watch, "watch", time.Minute, "desk: length of each run")
	flags.StringVar(&o.stream, "stream", "/live", "desk: path of the stream of changes")
	flags.StringVar(&o.page, "page", "/api/v1/events?limit=50", "desk: path of what most pages fetch anew")
	flags.StringVar(&o.now, "now", "/api/v1/overview,/api/v1/activity", "desk: paths of what each fifth page fetches anew")
	flags.IntVar(&o.calls, "calls", 2000, "plugins: calls of each plugin that gets a load")
	flags.DurationVar(&o.soak, "soak", 20*time.Minute, "soak: length of the run")
	flags.IntVar(&o.old, "old", 200_000, "purge: events beyond their retention")
	flags.DurationVar(&o.waitTimeout, "wait", 5*time.Minute, "purge: bound on the purge")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	o.runs = max(1, o.runs)
	return o, nil
}

// report is what the JSON holds.
type report struct {
	Machine  machine            `json:"machine"`
	Measured map[string]finding `json:"measured"`
}

func run(ctx context.Context, o options, name string, m measurement, out io.Writer) (err error) {
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

	r := report{Machine: describeMachine(o.dir), Measured: map[string]finding{}}
	_, err = fmt.Fprintf(out, "%s\nLoad, server, plugins, database and endpoint share the machine. Of several runs: median (least to most).\n", r.Machine)
	failed := []error{err}
	for engine := range strings.SplitSeq(o.engines, ",") {
		found, version, err := measureOn(ctx, o, engine, m)
		if err == nil {
			r.Measured[engine] = found
			err = found.table().print(out, fmt.Sprintf("%s on %s", name, version))
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", engine, cmp.Or(context.Cause(ctx), err)))
		}
	}
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		failed = append(failed, err, os.WriteFile(o.json, append(text, '\n'), 0o644))
	}
	return errors.Join(failed...)
}

func measureOn(ctx context.Context, o options, engine string, m measurement) (found finding, version string, err error) {
	l, err := openLab(ctx, o, engine, m.room(o))
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	found, err = m.measure(ctx, l)
	return found, l.engine.version, err
}
