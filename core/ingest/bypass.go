package ingest

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	// maxTimeouts in a row are what senders wait for a decoder before it is passed by.
	maxTimeouts = 3
	// probeInterval is how often one request waits for it all the same.
	probeInterval = 2 * time.Second
)

// bypass spares senders the wait for a decoder that does not answer. The zero value
// is ready.
type bypass struct {
	mu       sync.Mutex
	timeouts int
	probeAt  time.Time
}

// open reports whether a request is to pass the decoder by. Once per interval it lets
// one through, to learn whether the decoder answers again.
func (b *bypass) open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timeouts < maxTimeouts {
		return false
	}
	if now.Before(b.probeAt) {
		return true
	}
	b.probeAt = now.Add(probeInterval)
	return false
}

// timedOut records that the decoder did not answer.
func (b *bypass) timedOut(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timeouts++
	b.probeAt = now.Add(probeInterval)
}

// answered records that the decoder did.
func (b *bypass) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timeouts = 0
}

const (
	// maxSuspects bounds the memory of suspects, at about 50 bytes each.
	maxSuspects = 10_000
	// maxCrashes is how often an event may crash its decoder while being decoded
	// alone.
	maxCrashes = 3
)

// suspects are the events during whose decoding the decoder crashed: any of those under
// way may be why. Each has the number of crashes that were its own, with nothing else
// under way. They live as long as the process: a restart acquits. The zero value is
// ready.
type suspects struct {
	mu     sync.Mutex
	events map[uuid.UUID]int
}

// add forgets a suspect when there are too many: it becomes one again if it crashes
// the decoder again.
func (s *suspects) add(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil {
		s.events = map[uuid.UUID]int{}
	}
	for other := range s.events {
		if len(s.events) < maxSuspects {
			break
		}
		delete(s.events, other)
	}
	s.events[id] = 0
}

func (s *suspects) has(id uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.events[id]
	return ok
}

// crashed counts a crash of id's own and returns how many there were.
func (s *suspects) crashed(id uuid.UUID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil {
		s.events = map[uuid.UUID]int{}
	}
	s.events[id]++
	return s.events[id]
}

func (s *suspects) remove(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.events, id)
}
