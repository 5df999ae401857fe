package pluginhost

import (
	"errors"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sweepTime bounds how long the end of a process waits for the ends of its descendants,
// which may fork faster than they are found.
const sweepTime = 2 * time.Second

// maxFound is at how many running descendants a search stops. It is more than a plugin may
// have, and a plugin that forks without end cannot keep the search, and its own end, waiting.
const maxFound = 2 * maxProcesses

// adoptOrphans has the kernel give this process the orphans among its descendants, which
// init would get otherwise: a process that a plugin has hidden by forking twice stays in
// sight. It holds for the whole process and for good, and changes nothing for children that
// somebody waits for.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// descendants are the processes that a plugin's process has started, and they, and so on.
//
// Each plugin begins a session of its own, which its descendants share, whatever process
// group they take. One that begins another session is found from its parent while that
// lives, and when it was orphaned, as a child of this process, by having been seen before
// or by its environment, which has the temporary directory of the plugin's process. What
// has left the session, lost its parent and executed a program with another environment,
// all between two looks, is not found: only a control group or a namespace would hold it,
// and neither is an ordinary user's everywhere.
type descendants struct {
	mu sync.Mutex
	// seen are the start times of those found at the last look, by their ids.
	seen map[int]uint64
}

// find returns the descendants of the process pid, whose environment has the variable
// marker, up to maxFound that run. Children are those of the process itself: none once it
// has ended, when its id may be another's. Orphans returns the children of this process that may
// be somebody's descendants, and is asked last: whoever loses its parent meanwhile is among them.
func (d *descendants) find(pid int, children []int, marker string, orphans func() []procStat) []procStat {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found []procStat
	seen := map[int]uint64{}
	running := 0
	var add func(p procStat)
	addAll := func(pids []int) {
		for _, child := range pids {
			if running >= maxFound {
				return
			}
			if c, err := readStat(child); err == nil {
				add(c)
			}
		}
	}
	add = func(p procStat) {
		if _, known := seen[p.pid]; known || p.pid == pid {
			return
		}
		seen[p.pid] = p.start
		found = append(found, p)
		if p.state != 'Z' {
			running++
		}
		addAll(childrenOf(p.pid))
	}
	addAll(children)
	for _, o := range orphans() {
		if running >= maxFound {
			maps.Copy(seen, d.seen) // they were not looked for
			break
		}
		if start, known := d.seen[o.pid]; known && start == o.start || o.session == pid || hasVariable(o.pid, marker) {
			add(o)
		}
	}
	d.seen = seen
	return found
}

// orphans returns the children of this process that it has not started: those of another
// session that are no plugin's first process. What os/exec starts is of this session.
func orphans(known func(pid int) bool) (all []procStat) {
	session, err := unix.Getsid(0)
	if err != nil {
		return nil
	}
	for _, pid := range childrenOf(os.Getpid()) {
		if known(pid) {
			continue
		}
		if p, err := readStat(pid); err == nil && p.session != session {
			all = append(all, p)
		}
	}
	return all
}

// sweep ends everything that a process which has ended, and was waited for, has left
// running. Known are children of this process that are not its.
func (d *descendants) sweep(pid int, marker string, known func(pid int) bool) {
	found := map[int]uint64{}
	d.mu.Lock()
	maps.Copy(found, d.seen)
	d.mu.Unlock()
	for deadline := time.Now().Add(sweepTime); time.Now().Before(deadline); {
		left := d.find(pid, nil, marker, func() []procStat { return orphans(known) })
		// The kernel's list of children may lack some while others come and go.
		for pid, start := range found {
			p, err := readStat(pid)
			if err == nil && p.start == start && !slices.ContainsFunc(left, func(l procStat) bool { return l.pid == pid }) {
				left = append(left, p)
			}
		}
		if len(left) == 0 {
			return
		}
		for _, p := range left {
			found[p.pid] = p.start
			endProcess(p)
		}
		time.Sleep(time.Millisecond) // until the kernel has ended them
	}
}

// endProcess kills a process and, if it is a child of this one, takes it from the table of
// processes.
func endProcess(p procStat) {
	if p.state != 'Z' {
		killProcess(p)
	}
	reapOrphan(p.pid)
}

// killProcess kills a process, and not a later one that has its id.
func killProcess(p procStat) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ENOSYS) { // before Linux 5.3
		_ = unix.Kill(p.pid, unix.SIGKILL)
		return
	}
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	if now, err := readStat(p.pid); err == nil && now.start == p.start {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// reapOrphan takes an orphan that has ended from the table of processes. It never waits for
// whatever child comes first: that may be one for which another part of the program waits.
func reapOrphan(pid int) { _, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) }

// orphanGrace is how long an orphan has ended before it is reaped: whoever waits for a child,
// such as another host in this process, does so at once.
const orphanGrace = 2 * time.Second

// endedOrphans takes orphans from the table of processes that have ended before anybody knew
// whose they were.
type endedOrphans struct {
	// since is when a look first found each of them ended.
	since map[endedOrphan]time.Time
}

type endedOrphan struct {
	pid   int
	start uint64
}

func (e *endedOrphans) look(now time.Time, orphans []procStat) {
	since := map[endedOrphan]time.Time{}
	for _, o := range orphans {
		if o.state != 'Z' {
			continue
		}
		id := endedOrphan{o.pid, o.start}
		first, known := e.since[id]
		switch {
		case !known:
			since[id] = now
		case now.Sub(first) < orphanGrace:
			since[id] = first
		default:
			reapOrphan(o.pid)
		}
	}
	e.since = since
}

// measure returns what a process takes with its descendants, of whom orphans may be some, and
// false for one that has ended.
func (p *osProcess) measure(orphans func() []procStat) (usage, bool) {
	pid := p.pid()
	own, err := readStat(pid)
	if pid == 0 || err != nil || own.state == 'Z' {
		return usage{}, false
	}
	u := usage{memory: own.held(), cpu: own.cpu, processes: 1, threads: own.threads}
	for _, d := range p.descendants.find(pid, childrenOf(pid), p.marker, orphans) {
		if d.state == 'Z' {
			continue // an orphan is reaped at the next look, and others by their parents
		}
		u.memory += d.held()
		u.cpu += d.cpu
		u.processes++
		u.threads += d.threads
	}
	return u, true
}

// rememberDescendants takes a look at them before the process is ended, and they are
// nobody's any more.
func (p *osProcess) rememberDescendants() {
	if pid := p.pid(); pid != 0 && !closed(p.exited) {
		p.descendants.find(pid, childrenOf(pid), p.marker, func() []procStat { return orphans(p.isPlugin) })
	}
}
