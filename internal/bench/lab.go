package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// lab is what measurements on one engine work with.
type lab struct {
	options
	engine   *engine
	endpoint *sink
}

// measurement is one of this program's commands: what it finds out on one engine goes
// into a table, and as it is into the JSON.
type measurement struct {
	// room is how many events are sent at most.
	room    func(options) int
	timeout time.Duration
	engines string
	idle    time.Duration
	measure func(context.Context, *lab) (finding, error)
}

// finding is what was found out.
type finding interface{ table() table }

// table is printed with its columns aligned.
type table struct {
	head []string
	rows [][]string
	// note says how to read it.
	note string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t table) print(out io.Writer, title string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n%s\n", title, strings.Join(t.head, "\t"))
	for _, row := range t.rows {
		b.WriteString(strings.Join(row, "\t") + "\n")
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if err := w.Flush(); err != nil || t.note == "" {
		return err
	}
	_, err := fmt.Fprintln(out, t.note)
	return err
}

// openLab has room for so many events.
func openLab(ctx context.Context, o options, engineName string, room int) (*lab, error) {
	e, err := openEngine(ctx, engineName, o.dir)
	if err != nil {
		return nil, err
	}
	endpoint, err := startSink(ctx, room)
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return &lab{options: o, engine: e, endpoint: endpoint}, nil
}

func (l *lab) close() error { return errors.Join(l.endpoint.close(), l.engine.close()) }

// fresh are settings with an empty database.
func (l *lab) fresh(ctx context.Context, bin string) (settings, error) {
	database, err := l.engine.create(ctx)
	return settings{bin: bin, dir: l.dir, database: database, endpoint: l.endpoint.url, workers: l.workers}, err
}

// builds are what is measured: first the build in question, then the old one, if
// there is any.
func (l *lab) builds() []build {
	all := []build{{hookarr, l.bin}}
	if l.before != "" {
		all = append(all, build{oldBuild, l.before})
	}
	return all
}

type build struct{ name, bin string }

// Names of what is compared.
const (
	hookarr  = "hookarr"
	oldBuild = "old build"
	bare     = "sketch"
)

func (l *lab) progress(format string, args ...any) {
	fmt.Fprintln(os.Stderr, l.engine.name+":", fmt.Sprintf(format, args...))
}

// with starts a server, does something with it, and stops it.
func with(ctx context.Context, start starter, s settings, do func(*server) error) error {
	srv, err := start(ctx, s)
	if err != nil {
		return err
	}
	err = do(srv)
	return errors.Join(err, srv.stop())
}

// load sends to a server.
func (l *lab) load(srv *server) *load { return newLoad(srv.url, l.endpoint.book, l.senders) }

// watchCPU returns a function that returns the seconds used since, by process, and in
// total.
func (l *lab) watchCPU(srv *server) func() map[string]float64 {
	processes := srv.processes()
	begun := cpu(processes, l.engine.postmaster)
	return func() map[string]float64 {
		used := cpu(processes, l.engine.postmaster)
		sum := 0.0
		for name := range used {
			used[name] -= begun[name]
			if name != bench {
				sum += used[name]
			}
		}
		used[total] = sum
		return used
	}
}

// median of some figures, and how far they are apart.
func median(format string, values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := fmt.Sprintf(format, quantile(sorted, 0.5))
	if len(sorted) == 1 {
		return middle
	}
	return fmt.Sprintf("%s ("+format+" to "+format+")", middle, sorted[0], sorted[len(sorted)-1])
}

// ratios divides figures that were taken one after the other.
func ratios(values, by []float64) []float64 {
	var all []float64
	for i := range min(len(values), len(by)) {
		if by[i] != 0 {
			all = append(all, values[i]/by[i])
		}
	}
	return all
}

// keys are the names that figures are of, in order.
func keys[V any](figures map[string]V) []string { return slices.Sorted(maps.Keys(figures)) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
