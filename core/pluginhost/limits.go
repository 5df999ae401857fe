package pluginhost

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/dustin/go-humanize"
)

const (
	// maxProcesses is how many processes a plugin's may be with its descendants. There is a
	// limit of the kernel, RLIMIT_NPROC, but it counts all processes of the user, this one
	// and other plugins' among them, and does not hold for root.
	maxProcesses = 64
	// maxThreads is how many threads all of them may have. Each costs the kernel memory that
	// is not the process's.
	maxThreads = 1024
	// memoryLooks is at how many looks in a row a process must hold too much to be replaced:
	// what it holds falls after the garbage is collected.
	memoryLooks = 3
	// memoryFactor times its bound is how much a process may hold, at any look, before it is
	// ended at once.
	memoryFactor = 2
	// replacePause is how long after a replacement that failed the next is tried.
	replacePause = 30 * time.Second
)

// What a plugin may take too much of, for the metric.
const (
	limitMemory    = "memory"
	limitCPU       = "cpu"
	limitProcesses = "processes"
	limitThreads   = "threads"
)

// excess is that a process takes too much.
type excess struct {
	limit  string
	reason string
	// now: the process is ended at once, and not when its calls have ended.
	now bool
}

// allowance is what a process may take.
type allowance struct {
	// memory is in bytes, or 0 for no bound; key is where operators set it.
	memory int64
	key    string
	// spin is how long it may take more than spinShare of a processor after a call got stuck.
	spin      time.Duration
	spinShare float64
}

// usageJudge judges what a process takes, look by look. The zero value has seen nothing.
type usageJudge struct {
	// over is at how many looks in a row it held more than its bound.
	over int
	// last is what it had spent at the last look, and since at the one from which on it may
	// spin; zero when it has no reason to.
	last, since spent
	// settled are the stuck calls that it does not spin for.
	settled int64
}

// spent is the CPU time that a process has had at a time.
type spent struct {
	at  time.Time
	cpu time.Duration
}

// look returns what a process takes too much of, or nil. stuck counts its calls
// that went on for long after their deadlines. One that is merely late is no reason: a plugin
// that has much to do takes much of a processor, and has late calls.
//
// The bound of memory is no RLIMIT_AS: the Go runtime reserves hundreds of megabytes of addresses that
// it never uses. It is no control group either: a user's own need delegation, which few
// containers and service managers give.
func (j *usageJudge) look(now time.Time, u usage, may allowance, stuck int64) *excess {
	spins := j.spins(now, u.cpu, may, stuck)
	j.over++
	if may.memory == 0 || u.memory <= may.memory {
		j.over = 0
	}
	held := func(than string) string {
		return fmt.Sprintf("it held %s of memory, more than %s%s, which is %s", humanBytes(u.memory), than, may.key, humanBytes(may.memory))
	}
	switch {
	case u.processes > maxProcesses:
		return &excess{limit: limitProcesses, now: true, reason: fmt.Sprintf("it had %d processes, more than %d", u.processes, maxProcesses)}
	case u.threads > maxThreads:
		return &excess{limit: limitThreads, now: true, reason: fmt.Sprintf("it had %d threads, more than %d", u.threads, maxThreads)}
	case j.over > 0 && u.memory > memoryFactor*may.memory:
		return &excess{limit: limitMemory, now: true, reason: held("twice ")}
	case j.over >= memoryLooks:
		return &excess{limit: limitMemory, reason: held("")}
	case spins:
		return &excess{limit: limitCPU, reason: fmt.Sprintf("it took more than %.0f %% of a processor for %s after a call got stuck", 100*may.spinShare, rounded(may.spin))}
	}
	return nil
}

// humanBytes writes a number of bytes for people.
func humanBytes(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

// spins reports whether the process has taken too much of a processor for too long since a call
// got stuck. If it has not, the call counts as ended, or as waiting for something, and
// what the process takes later is put down to others.
func (j *usageJudge) spins(now time.Time, cpu time.Duration, may allowance, stuck int64) bool {
	before := j.last
	j.last = spent{now, cpu}
	if j.since.at.IsZero() {
		if stuck > j.settled && !before.at.IsZero() {
			j.since = before
		}
		return false
	}
	took := now.Sub(j.since.at)
	if took < may.spin {
		return false
	}
	burnt := cpu - j.since.cpu
	j.since, j.settled = spent{}, stuck
	return float64(burnt) > may.spinShare*float64(took)
}

// watchUsage looks again and again at what the processes take, until close.
func (l *launcher) watchUsage() {
	defer close(l.watched)
	ticker := time.NewTicker(l.opts.Timing.Look)
	defer ticker.Stop()
	var ended endedOrphans
	for {
		select {
		case <-l.closing:
			return
		case <-ticker.C:
		}
		running := l.processes()
		left := func() []procStat { return orphans(l.started) }
		ended.look(time.Now(), left())
		for _, p := range running {
			if u, ok := p.measure(left); ok {
				p.look(u)
			}
		}
	}
}

// look judges what the process takes. One without a supervisor, which still starts or is
// launched for a question, has nothing to take its place: it is only ended, for what ends any
// at once.
func (p *process) look(u usage) {
	p.memory.Store(u.memory)
	s := p.supervisor.Load()
	may := allowance{memory: p.settings.Memory, key: "plugins." + p.label + ".memory"}
	if s != nil {
		s.countCPU(p, u.cpu)
		may.memory, may.spin, may.spinShare = s.settings().Memory, s.timing.Spin, s.timing.SpinShare
	}
	e := p.judge.look(time.Now(), u, may, p.log.stuckCalls.Load())
	switch {
	case e == nil:
	case s == nil:
		if e.now && p.fault.CompareAndSwap(nil, &e.reason) {
			p.kill()
		}
	case e.now:
		s.endFor(p, *e)
	case s.taking() == p:
		s.replaceFor(p, *e)
	}
}

// countCPU adds what the process has spent since the last look to what the plugin has.
func (s *supervisor) countCPU(p *process, cpu time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if spent := cpu - p.counted; spent > 0 {
		p.counted = cpu
		s.metrics.cpu.WithLabelValues(s.label()).Add(spent.Seconds())
	}
}

// endFor ends a process at once. Its calls count as cut off by this host: the deliveries are
// tried again and none is accused, for a bound that is too low would make dead letters of
// all.
func (s *supervisor) endFor(p *process, e excess) {
	if !p.fault.CompareAndSwap(nil, &e.reason) {
		return
	}
	s.note(p, e, "process ended")
	p.kill()
}

// replaceFor has another process take the place of one, which finishes its calls. Processes
// that are replaced again and again for their memory are as bad as those that end: too many
// within the time of the quarantine, and the plugin rests. Those that spin are not: each was
// looked at for a while, and its deliveries went on.
func (s *supervisor) replaceFor(p *process, e excess) {
	now := time.Now()
	if now.Before(p.nextTry) {
		return
	}
	p.nextTry = now.Add(replacePause)
	s.mu.Lock()
	last := e.limit == limitMemory && s.history.last(now)
	if e.limit == limitMemory && !last {
		s.history.note(now)
	}
	s.mu.Unlock()
	if last {
		reason := fmt.Sprintf("ended or replaced %d times within %s, last: %s", s.timing.MaxExits, s.timing.ExitWindow, e.reason)
		if p.fault.CompareAndSwap(nil, &reason) {
			s.note(p, e, "plugin given up for a while")
		}
	} else {
		s.note(p, e, "process replaced")
	}
	select {
	case s.excessive <- p:
	default: // another has taken its place, or it is tried again
	}
}

// note tells of an excess, and of what is done about it, in the log, the metrics and the
// state.
func (s *supervisor) note(p *process, e excess, action string) {
	s.log.Error("plugin takes too much", slog.Int("pid", p.pid()), slog.String("reason", e.reason), slog.String("action", action))
	s.metrics.excesses.WithLabelValues(s.label(), e.limit).Inc()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastFailure = Failure{At: time.Now(), Reason: e.reason}
	s.wakeWaiting()
}

// replaceProcess is reload for as long as calls go to p.
func (s *supervisor) replaceProcess(ctx context.Context, p *process) {
	s.replacing.Lock()
	defer s.replacing.Unlock()
	if s.taking() == p {
		_ = s.reloadLocked(ctx) // it is logged
	}
}
