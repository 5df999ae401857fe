package pluginhost

import (
	"slices"
	"time"
)

// backoff decides how long a plugin rests after each end of its process.
type backoff struct {
	timing Timing
	// streak counts ends since the plugin was last stable.
	streak int
	// exits are the recent ends.
	exits []time.Time
}

// ended notes the end of a process and returns the pause before the next start, and
// whether it is a quarantine. spread, from 0 to 1, keeps plugins that fell together
// from rising together.
func (b *backoff) ended(started, now time.Time, spread float64) (pause time.Duration, quarantined bool) {
	if now.Sub(started) >= b.timing.Stable {
		b.streak = 0
	}
	if b.last(now) {
		b.exits = nil
		return b.timing.Quarantine, true
	}
	b.note(now)
	return b.refused(spread), false
}

// last reports whether one more end is too many.
func (b *backoff) last(now time.Time) bool {
	b.exits = slices.DeleteFunc(b.exits, func(at time.Time) bool { return now.Sub(at) >= b.timing.ExitWindow })
	return len(b.exits)+1 >= b.timing.MaxExits
}

// note counts an end after which the plugin does not rest.
func (b *backoff) note(now time.Time) { b.exits = append(b.exits, now) }

// refused returns the pause after a start that was not tried: the file is missing
// or unsafe, which only a person can mend, at any time.
func (b *backoff) refused(spread float64) time.Duration {
	pause := b.timing.BackoffMin
	for range b.streak {
		if pause *= 2; pause >= b.timing.BackoffMax {
			break
		}
	}
	b.streak++
	return time.Duration(float64(min(pause, b.timing.BackoffMax)) * (0.5 + spread/2))
}
