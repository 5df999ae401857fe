package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tracedCalls are the system calls that are counted.
var tracedCalls = []string{"fsync", "fdatasync", "pwrite64"}

// idleFinding is what a server writes, by build.
type idleFinding struct {
	// Traced: system calls were counted.
	Traced bool                `json:"traced"`
	Builds map[string]*idleRun `json:"builds"`
}

type idleRun struct {
	// Minute is of a minute with nothing to do, and Event of each event beyond that.
	Minute map[string]float64 `json:"idle_minute"`
	Event  map[string]float64 `json:"event"`
}

func (f idleFinding) table() table {
	t := table{head: []string{"core", "build", "a minute idle", "each event"}}
	if !f.Traced {
		t.note = "strace not installed: no system calls were counted"
	}
	counted := []string{writtenBytes}
	if f.Traced {
		counted = append(counted, tracedCalls...)
	}
	for _, what := range counted {
		for _, name := range keys(f.Builds) {
			r := f.Builds[name]
			t.add(what, name, fmt.Sprintf("%.0f", r.Minute[what]), fmt.Sprintf("%.1f", r.Event[what]))
		}
	}
	return t
}

func measureIdle(ctx context.Context, l *lab) (finding, error) {
	_, err := exec.LookPath("strace")
	f := idleFinding{Traced: err == nil, Builds: map[string]*idleRun{}}
	for _, b := range l.builds() {
		s, err := l.fresh(ctx, b.bin)
		if err != nil {
			return nil, err
		}
		err = with(ctx, startHookarr, s, func(srv *server) error {
			f.Builds[b.name], err = l.idleOne(ctx, srv, b, f.Traced)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
	}
	return f, nil
}

func (l *lab) idleOne(ctx context.Context, srv *server, b build, traced bool) (*idleRun, error) {
	load := l.load(srv)
	if _, err := load.fullSpeed(ctx, warmUp); err != nil {
		return nil, err
	}
	// River completes jobs and the database writes its pages back a little later.
	if err := pause(ctx, 15*time.Second); err != nil {
		return nil, err
	}
	l.progress("idle for %s: %s", l.idle, b.name)
	r := &idleRun{Minute: map[string]float64{}, Event: map[string]float64{}}
	idle, took, err := l.countWrites(ctx, srv, traced, func() error { return pause(ctx, l.idle) })
	if err != nil {
		return nil, err
	}
	l.progress("%d events a second for %s: %s", openRate, l.phase, b.name)
	events := 0
	busy, busyTook, err := l.countWrites(ctx, srv, traced, func() error {
		sent, err := load.steadyFor(ctx, openRate, l.phase)
		events = len(sent)
		return errors.Join(err, pause(ctx, time.Second))
	})
	for what := range idle {
		r.Minute[what] = idle[what] / took.Minutes()
		r.Event[what] = (busy[what] - r.Minute[what]*busyTook.Minutes()) / float64(max(events, 1))
	}
	return r, err
}

// writtenBytes are those that went to storage.
const writtenBytes = "bytes written"

// countWrites counts what core writes while something goes on.
func (l *lab) countWrites(ctx context.Context, srv *server, traced bool, during func() error) (counts map[string]float64, took time.Duration, err error) {
	stop := func() (map[string]float64, error) { return map[string]float64{}, nil }
	if traced {
		if stop, err = trace(ctx, srv.pid(), filepath.Join(l.dir, "strace.txt")); err != nil {
			return nil, 0, err
		}
	}
	before, begun := writeBytes(srv.pid()), time.Now()
	err = during()
	took = time.Since(begun)
	counts, stopErr := stop()
	if stopErr == nil {
		counts[writtenBytes] = writeBytes(srv.pid()) - before
	}
	return counts, took, errors.Join(err, stopErr)
}

// trace counts system calls of a process until the returned function is called.
func trace(ctx context.Context, pid int, file string) (stop func() (map[string]float64, error), err error) {
	cmd := exec.CommandContext(ctx, "strace", "-f", "-c", "-o", file, "-e", "trace="+strings.Join(tracedCalls, ","), "-p", strconv.Itoa(pid))
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start strace: %w", err)
	}
	if err := pause(ctx, 2*time.Second); err != nil { // it attaches to each thread
		return nil, err
	}
	if status(pid, "TracerPid") == "0" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("attach strace: %s", said.String())
	}
	return func() (map[string]float64, error) {
		// It then detaches and writes what it counted. It dies of the signal, too.
		err := cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		text, readErr := os.ReadFile(file)
		return callCounts(string(text)), errors.Join(err, readErr)
	}, nil
}

// callCounts reads the table that strace prints: the call is last, its count fourth.
func callCounts(text string) map[string]float64 {
	counts := map[string]float64{}
	for _, call := range tracedCalls {
		counts[call] = 0
	}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if _, wanted := counts[fields[len(fields)-1]]; wanted {
			counts[fields[len(fields)-1]], _ = strconv.ParseFloat(fields[3], 64)
		}
	}
	return counts
}
