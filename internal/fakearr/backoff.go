package fakearr

import "time"

const (
	// A connection is not blocked for so long after the first failure.
	failureGrace = 5 * time.Minute
	// Failures do not escalate for so long after the application's start, and block for
	// at most startupBlock.
	startupGrace = 15 * time.Minute
	startupBlock = 5 * time.Minute
	highestLevel = 5
)

// block is for how long a connection is blocked at a level.
func block(level int) time.Duration {
	minutes := [...]int{0, 1, 5, 15, 30, 60}
	return time.Duration(minutes[level]) * time.Minute
}

// backoff is what an application remembers of a connection's failures.
type backoff struct {
	level        int
	initial      time.Time
	blockedUntil time.Time
}

func (b *backoff) blocked(now time.Time) bool { return b.blockedUntil.After(now) }

func (b *backoff) failed(now, started time.Time) {
	starting := started.Add(startupGrace).After(now)
	first := b.level == 0
	if first {
		b.level, b.initial = 1, now
	}
	if b.initial.Add(failureGrace).After(now) {
		return
	}
	if !first && !starting {
		b.level = min(b.level+1, highestLevel)
	}
	d := block(b.level)
	if starting {
		d = min(d, startupBlock)
	}
	b.blockedUntil = now.Add(d)
}

func (b *backoff) succeeded() {
	if b.level > 0 {
		b.level--
		b.blockedUntil = time.Time{}
	}
}
