package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ticksPerSecond is USER_HZ, the unit of times in /proc/PID/stat: 100 on every
// architecture that Go supports.
const ticksPerSecond = 100

// stat returns the fields of /proc/PID/stat from the third on, the state; none when
// the process has ended. See proc_pid_stat(5).
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}

// ticks is the processor time of a process, with that of its children that have
// ended when reaped is set.
func ticks(pid int, reaped bool) float64 {
	fields := stat(pid)
	last := 13 // utime, stime
	if reaped {
		last = 15 // cutime, cstime
	}
	sum := 0.0
	if len(fields) < last {
		return 0
	}
	for _, field := range fields[11:last] {
		n, _ := strconv.ParseFloat(field, 64)
		sum += n
	}
	return sum
}

// onCPU is the processor time of a process in seconds, to the nanosecond and without that
// of threads that have ended. See Documentation/scheduler/sched-stats.rst of Linux.
func onCPU(pid int) float64 {
	sum := 0.0
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid)) // the pattern is right
	for _, thread := range threads {
		text, _ := os.ReadFile(thread) // a thread may have ended
		first, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseFloat(first, 64)
		sum += n
	}
	return sum / 1e9
}

// cpu returns the seconds that each process has used, and the Postgres server with all
// its backends.
func cpu(processes map[string][]int, postmaster int) map[string]float64 {
	used := map[string]float64{}
	for name, pids := range processes {
		for _, pid := range pids {
			used[name] += ticks(pid, false) / ticksPerSecond
		}
	}
	if postmaster != 0 {
		used[postgres] = ticks(postmaster, true) / ticksPerSecond
		for _, pid := range descendants(postmaster) {
			used[postgres] += ticks(pid, false) / ticksPerSecond
		}
	}
	return used
}

// memory returns the proportional set size of the server's processes in MiB.
func memory(processes map[string][]int) map[string]float64 {
	sizes := map[string]float64{}
	for name, pids := range processes {
		for _, pid := range pids {
			if name != bench {
				sizes[name] += pss(pid) / 1024
			}
		}
	}
	return sizes
}

// pss is in KiB, 0 when the process has ended.
func pss(pid int) float64 {
	value, _, _ := strings.Cut(field(pid, "smaps_rollup", "Pss"), " ")
	n, _ := strconv.ParseFloat(value, 64)
	return n
}

// writeBytes is what a process has caused to be written to storage.
func writeBytes(pid int) float64 {
	n, _ := strconv.ParseFloat(field(pid, "io", "write_bytes"), 64)
	return n
}

// status is a line of /proc/PID/status.
func status(pid int, name string) string { return field(pid, "status", name) }

// field is a line "NAME: VALUE" of a file of /proc/PID, empty when the process has ended.
func field(pid int, file, name string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// watchMemory keeps the highest memory of each process in peak until the returned
// function is called; until then, peak is the watcher's.
func watchMemory(processes map[string][]int, peak map[string]float64) (stop func()) {
	done := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			for name, size := range memory(processes) {
				peak[name] = max(peak[name], size)
			}
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		watcher.Wait()
	}
}

// descendants returns the children of a process, theirs, and so on.
func descendants(pid int) []int {
	var all []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is right
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread may have ended
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
				all = append(all, descendants(child)...)
			}
		}
	}
	return all
}

// program is the name under which a process was started, by which plugins of one file differ.
func program(pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	name, _, _ := strings.Cut(string(text), "\x00")
	return filepath.Base(name)
}

// parent is the process that started another, 0 when unknown.
func parent(pid int) int {
	fields := stat(pid)
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(fields[1])
	return n
}
