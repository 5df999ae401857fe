package pluginhost

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU time in /proc. It is 100 Hz on every architecture that Go
// has (proc_pid_stat(5), USER_HZ).
const clockTick = 10 * time.Millisecond

// maxEnviron is how much of a process's environment is read. That of a plugin is a few KiB.
const maxEnviron = 256 << 10

// procStat is what /proc tells of a process.
type procStat struct {
	pid, group, session int
	// state is Z for one that has ended and was not waited for.
	state byte
	// start is in ticks since the system's, and tells a process from a later one with its id.
	start uint64
	// cpu is that of the process and of the ended children for which it has waited.
	cpu    time.Duration
	memory int64
	// threads is their number, of which one that has not ended has at least one.
	threads int
}

var errStat = errors.New("not the format of proc_pid_stat(5)")

// readStat reads what /proc tells of a process.
func readStat(pid int) (procStat, error) {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	return parseStat(pid, line)
}

// parseStat reads a line of /proc/PID/stat. The name of the program, in parentheses, may
// hold anything.
func parseStat(pid int, line []byte) (procStat, error) {
	// The fields by their number in proc_pid_stat(5), less the two before the state.
	const state, group, session, utime, stime, cutime, cstime, threads, start, resident = 0, 2, 3, 11, 12, 13, 14, 17, 19, 21
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(fields) <= resident {
		return procStat{}, errStat
	}
	var failed error
	number := func(i int) int64 {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		failed = errors.Join(failed, err)
		return n
	}
	p := procStat{
		pid: pid, group: int(number(group)), session: int(number(session)), state: fields[state][0], start: uint64(number(start)),
		cpu:    time.Duration(number(utime)+number(stime)+number(cutime)+number(cstime)) * clockTick,
		memory: number(resident) * int64(os.Getpagesize()), threads: int(number(threads)),
	}
	if failed != nil {
		return procStat{}, fmt.Errorf("%w: %w", errStat, failed)
	}
	return p, nil
}

// childrenOf returns the ids of a process's children, by every thread that has forked one;
// none where the kernel does not tell (CONFIG_PROC_CHILDREN).
func childrenOf(pid int) (children []int) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, _ := os.ReadDir(dir)
	for _, thread := range threads {
		list, _ := os.ReadFile(dir + "/" + thread.Name() + "/children")
		for field := range strings.FieldsSeq(string(list)) {
			if child, err := strconv.Atoi(field); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// hasVariable reports whether a process has a variable, NAME=value, within the first
// maxEnviron bytes of its environment. A process can have any of its memory shown as that.
func hasVariable(pid int, variable string) bool {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	environ, err := io.ReadAll(io.LimitReader(f, maxEnviron))
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if string(v) == variable {
			return true
		}
	}
	return false
}

// residentMemory returns how many bytes of memory a process holds, and 0 for one that has
// ended. Pages of files are left out: plugins that are one file share its pages, and the
// kernel drops them when it needs memory.
func residentMemory(pid int) int64 {
	p, err := readStat(pid)
	if err != nil {
		return 0
	}
	return p.held()
}

// held is memory without pages of files, or memory where the kernel does not tell them apart.
func (p procStat) held() int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/status")
	if err != nil {
		return p.memory
	}
	return max(p.memory-filePages(status), 0)
}

// filePages returns the bytes of the field RssFile of proc_pid_status(5), which is in KiB.
func filePages(status []byte) int64 {
	_, rest, _ := bytes.Cut(status, []byte("\nRssFile:"))
	number, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	n, _ := strconv.ParseInt(string(number), 10, 64) // not there before Linux 4.5
	return n << 10
}
