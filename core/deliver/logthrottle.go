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
	// flaky is the least time between two lines of the same trouble: a target that
	// fails now and then is not news each time.
	flaky = time.Minute
	// spateLines is how many lines of a kind are written in spateTime about the deliveries
	// of one target.
	spateLines = 10
	spateTime  = time.Minute
)

// logThrottle knows what has been said of each target, so that the log tells of changes
// at warn, and not of every delivery that meets the same trouble. The zero value
// works.
type logThrottle struct {
	mu sync.Mutex
	// said is by target, then by trouble.
	said map[string]map[string]saying
	// spates are of lines about single deliveries.
	spates map[spateKey]*spate
}

type spateKey struct{ target, what string }

// spate counts the lines since it began, and the deliveries of which none was written.
type spate struct {
	since        time.Time
	lines, extra int
}

// omission is how many deliveries have no line.
type omission struct {
	spateKey
	deliveries int
}

// saying is when a trouble was last told, and whether all has been well since.
type saying struct {
	at   time.Time
	over bool
}

// news reports whether the trouble is to be told, and takes it as told.
func (t *logThrottle) news(target, trouble string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, told := t.said[target][trouble]
	if told && (!last.over || now.Sub(last.at) < flaky) {
		return false
	}
	if t.said == nil {
		t.said = map[string]map[string]saying{}
	}
	if t.said[target] == nil {
		t.said[target] = map[string]saying{}
	}
	t.said[target][trouble] = saying{at: now}
	return true
}

// well ends the target's troubles.
func (t *logThrottle) well(target string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for trouble, s := range t.said[target] {
		t.said[target][trouble] = saying{at: s.at, over: true}
	}
	delete(t.said[target], onHold) // a hold is rare enough by itself
}

// room reports whether a line about n of the target's deliveries is to be written.
func (t *logThrottle) room(target, what string, n int, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := spateKey{target, what}
	s := t.spates[key]
	if s == nil {
		if t.spates == nil {
			t.spates = map[spateKey]*spate{}
		}
		s = &spate{since: now}
		t.spates[key] = s
	}
	if s.lines == spateLines {
		s.extra += n
		return false
	}
	s.lines++
	return true
}

// leftOut ends the spates that are over, and returns the deliveries that have no line.
func (t *logThrottle) leftOut(now time.Time) []omission {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []omission
	for key, s := range t.spates {
		if now.Sub(s.since) < spateTime {
			continue
		}
		delete(t.spates, key)
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
		t.well(target)
		return slog.LevelDebug
	case sdk.ClassInterrupted, sdk.ClassUnavailable, sdk.ClassMisconfigured, sdk.ClassPermanent:
		// The host tells of its plugins, the hold of what began it, and the dead letter
		// has a line of its own.
		return slog.LevelDebug
	default:
		return t.loud(target, string(class), now)
	}
}

// loud is warn for news.
func (t *logThrottle) loud(target, trouble string, now time.Time) slog.Level {
	if t.news(target, trouble, now) {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
