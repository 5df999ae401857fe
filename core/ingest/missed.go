package ingest

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxRefused bounds the memory of refused clients, for each source.
	maxRefused = 256
	// askPause is the least time between two catch-ups that refusals ask for. It bounds
	// what strangers cause who share an address with a genuine sender.
	askPause = time.Minute
)

// missed knows whose webhooks were refused that will not be sent again. What is refused
// before it has shown who sent it counts for its client alone: strangers cannot have a
// history read, whose application they do not know. The zero value is ready.
type missed struct {
	mu sync.Mutex
	// known: a genuine webhook was refused.
	known   bool
	refused map[netip.Prefix]struct{}
	askedAt time.Time
}

// isRefusal reports whether a webhook with this answer is to be read from the history.
func isRefusal(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable:
		return true
	default:
		return false
	}
}

// note remembers a refusal. When there are too many clients, some other is forgotten: its
// history is read all the same, at the next interval.
func (m *missed) note(client netip.Prefix, genuine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if genuine {
		m.known = true
		return
	}
	if m.refused == nil {
		m.refused = make(map[netip.Prefix]struct{})
	}
	for other := range m.refused {
		if len(m.refused) < maxRefused {
			break
		}
		delete(m.refused, other)
	}
	m.refused[client] = struct{}{}
}

// ended reports whether the history is to be read now that a webhook of the client was
// taken.
func (m *missed) ended(client netip.Prefix, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, refused := m.refused[client]
	if !m.known && !refused || now.Sub(m.askedAt) < askPause {
		return false
	}
	m.known, m.askedAt = false, now
	delete(m.refused, client)
	return true
}

// failed has a history be asked for again that could not be.
func (m *missed) failed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known, m.askedAt = true, time.Time{}
}
