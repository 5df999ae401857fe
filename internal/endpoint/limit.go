package endpoint

import (
	"slices"
	"sync"
	"time"
)

// Limit is how many requests a service takes. The first one opens a window; when it is
// over, the next request opens another. Requests beyond the limit are answered 429 and
// do not count. Set it before the first request; the zero Limit takes everything.
type Limit struct {
	// Requests is how many a window takes; zero is any number.
	Requests int
	// Window is how long a window is.
	Window time.Duration
	// NoHeaders leaves out what answers say of the limit: X-RateLimit-*.
	NoHeaders bool
	// NoRetryAfter leaves out of a 429 how long to wait, header and body.
	NoRetryAfter bool
}

// Traffic is what came to a service, on its own clock.
type Traffic struct {
	// Arrivals are the times of all requests, in order.
	Arrivals []time.Time
	// Throttled counts the requests that were answered 429, by the limit or because a
	// test called Throttle.
	Throttled int
	// Violations counts the requests that came before a pause was over that a 429 had
	// asked for. A client that has one request under way at a time has no excuse for
	// any; others cannot know of a pause before its answer has arrived.
	Violations int
}

// Busiest returns the most arrivals that any span of time of this length has, its end
// not included.
func (t Traffic) Busiest(span time.Duration) int {
	most, first := 0, 0
	for i, at := range t.Arrivals {
		for at.Sub(t.Arrivals[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// meter counts requests and holds them to a limit.
type meter struct {
	counting sync.Mutex
	traffic  Traffic
	// opened and taken are of the current window.
	opened time.Time
	taken  int
	// closed is until when a 429 asked for a pause.
	closed time.Time
}

// Traffic returns what has come so far.
func (m *meter) Traffic() Traffic {
	m.counting.Lock()
	defer m.counting.Unlock()
	t := m.traffic
	t.Arrivals = slices.Clone(t.Arrivals)
	return t
}

// arrive notes a request, and returns when it came.
func (m *meter) arrive() time.Time {
	m.counting.Lock()
	defer m.counting.Unlock()
	now := time.Now()
	m.traffic.Arrivals = append(m.traffic.Arrivals, now)
	if now.Before(m.closed) {
		m.traffic.Violations++
	}
	return now
}

// admit reports whether the limit takes a request, how many more it will, and when the
// window is over.
func (m *meter) admit(l Limit, now time.Time) (ok bool, remaining int, reset time.Duration) {
	m.counting.Lock()
	defer m.counting.Unlock()
	if now.Sub(m.opened) >= l.Window {
		m.opened, m.taken = now, 0
	}
	reset = m.opened.Add(l.Window).Sub(now)
	if m.taken >= l.Requests {
		return false, 0, reset
	}
	m.taken++
	return true, l.Requests - m.taken, reset
}

// throttled notes an answer 429 that asks for a pause, or for none when after is zero.
func (m *meter) throttled(after time.Duration) {
	m.counting.Lock()
	defer m.counting.Unlock()
	m.traffic.Throttled++
	if until := time.Now().Add(after); after > 0 && until.After(m.closed) {
		m.closed = until
	}
}

// wholeSeconds is a pause as the header Retry-After has it: rounded up.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
