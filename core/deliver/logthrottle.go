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
)

// logThrottle knows what has been said of each target, so that the log tells of changes
// at warn, and not of every delivery that meets the same trouble. The zero value
// works.
type logThrottle struct {
	mu sync.Mutex
	// said is by target, then by trouble.
	said map[string]map[string]saying
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

// well ends the target's logThrottle.
func (t *logThrottle) well(target string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for trouble, s := range t.said[target] {
		t.said[target][trouble] = saying{at: s.at, over: true}
	}
	delete(t.said[target], onHold) // a hold is rare enough by itself
}

// level is how loud an attempt's outcome is told.
func (t *logThrottle) level(target string, class sdk.Class, now time.Time) slog.Level {
	switch class {
	case sdk.ClassOK:
		t.well(target)
		return slog.LevelDebug
	case sdk.ClassInterrupted, sdk.ClassUnavailable, sdk.ClassMisconfigured:
		// The host tells of its plugins, and the hold of what began it.
		return slog.LevelDebug
	case sdk.ClassPermanent:
		return slog.LevelWarn // a dead letter comes once
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
