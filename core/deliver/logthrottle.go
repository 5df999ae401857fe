package deliver

import (
	"log/slog"
	"sync"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// onHold is what is said of a target that was put on hold.
	onHold = "hold"
	// repeatAfter is the least time between two lines of the same trouble: a target that
	// fails now and then is not news each time.
	repeatAfter = time.Minute
	// burstLines is how many lines of a kind are written in burstTime about the deliveries
	// of one target.
	burstLines = 10
	burstTime  = time.Minute
)

// logThrottle knows what has been said of each target, so that the log tells of changes
// at warn, and not of every delivery that meets the same trouble. The zero value
// works.
type logThrottle struct {
	mu sync.Mutex
	// said is by target, then by trouble.
	said map[string]map[string]lastTold
	// bursts are of lines about single deliveries.
	bursts map[burstKey]*burst
}

type burstKey struct{ target, what string }

// burst counts the lines since it began, and the deliveries of which none was written.
type burst struct {
	since        time.Time
	lines, extra int
}

// omission is how many deliveries have no line.
type omission struct {
	burstKey
	deliveries int
}

// lastTold is when a trouble was last told, and whether all has been well since.
type lastTold struct {
	at   time.Time
	over bool
}

// isNew reports whether the trouble is to be told, and takes it as told.
func (t *logThrottle) isNew(target, trouble string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, told := t.said[target][trouble]
	if told && (!last.over || now.Sub(last.at) < repeatAfter) {
		return false
	}
	if t.said == nil {
		t.said = map[string]map[string]lastTold{}
	}
	if t.said[target] == nil {
		t.said[target] = map[string]lastTold{}
	}
	t.said[target][trouble] = lastTold{at: now}
	return true
}

// recovered ends the target's troubles.
func (t *logThrottle) recovered(target string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for trouble, s := range t.said[target] {
		t.said[target][trouble] = lastTold{at: s.at, over: true}
	}
	delete(t.said[target], onHold) // a hold is rare enough by itself
}

// allowLine reports whether a line about n of the target's deliveries is to be written.
func (t *logThrottle) allowLine(target, what string, n int, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := burstKey{target, what}
	s := t.bursts[key]
	if s == nil {
		if t.bursts == nil {
			t.bursts = map[burstKey]*burst{}
		}
		s = &burst{since: now}
		t.bursts[key] = s
	}
	if s.lines == burstLines {
		s.extra += n
		return false
	}
	s.lines++
	return true
}

// leftOut ends the bursts that are over, and returns the deliveries that have no line.
func (t *logThrottle) leftOut(now time.Time) []omission {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []omission
	for key, s := range t.bursts {
		if now.Sub(s.since) < burstTime {
			continue
		}
		delete(t.bursts, key)
		if s.extra > 0 {
			all = append(all, omission{key, s.extra})
		}
	}
	return all
}

// level is how loud an attempt's outcome is told.
func (t *logThrottle) level(target string, class sdk.Class, now time.Time) slog.Level {
	switch class {
	case sdk.ClassOK:
		t.recovered(target)
		return slog.LevelDebug
	case sdk.ClassInterrupted, sdk.ClassUnavailable, sdk.ClassMisconfigured, sdk.ClassPermanent:
		// The host tells of its plugins, the hold of what began it, and the dead letter
		// has a line of its own.
		return slog.LevelDebug
	default:
		return t.levelOf(target, string(class), now)
	}
}

// levelOf is warn for news.
func (t *logThrottle) levelOf(target, trouble string, now time.Time) slog.Level {
	if t.isNew(target, trouble, now) {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
