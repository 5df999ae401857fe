package deliver

import (
	"context"
	"math"
	"sync"
	"time"
)

const (
	// leaseAbove is the rate, per second, from which a node takes several slots at once,
	// and leaseFor how many: those of so long.
	leaseAbove = 20
	leaseFor   = 50 * time.Millisecond
	// takeTimeout is how long a database that has fallen silent is waited for: a reload that
	// changes rates waits too.
	takeTimeout = 10 * time.Second
)

// slots are the places in the rates of targets that this process has taken and not used
// yet. The zero value is ready.
type slots struct {
	// changing is held while rates change.
	changing sync.RWMutex
	mu       sync.Mutex
	targets  map[string]*lease
}

// lease is the slots of one target, in order.
type lease struct {
	mu    sync.Mutex
	slots []time.Time
}

func (s *slots) of(target string) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.targets == nil {
		s.targets = map[string]*lease{}
	}
	if s.targets[target] == nil {
		s.targets[target] = &lease{}
	}
	return s.targets[target]
}

// drop forgets what was taken of a target.
func (s *slots) drop(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.targets, target)
}

// take returns when the next attempt to a target may begin, by the plan that holds now, or
// zero for one on hold or without a rate.
func (s *slots) take(ctx context.Context, store Store, plan func() *Plan, target string) (time.Time, error) {
	s.changing.RLock()
	defer s.changing.RUnlock()
	t := plan().target(target)
	if t == nil || t.Rate.PerSecond == 0 {
		return time.Time{}, nil
	}
	l := s.of(t.Name)
	l.mu.Lock()
	defer l.mu.Unlock()
	// What was not used in its time would come on top of what is.
	now := time.Now()
	for len(l.slots) > 0 && now.Sub(l.slots[0]) > leaseFor {
		l.slots = l.slots[1:]
	}
	if len(l.slots) == 0 {
		n := 1
		if t.Rate.PerSecond > leaseAbove {
			n = int(math.Ceil(t.Rate.PerSecond * leaseFor.Seconds()))
		}
		ctx, cancel := context.WithTimeout(ctx, takeTimeout)
		defer cancel()
		waits, err := store.TakeSlots(ctx, t.Name, t.Rate, n)
		if err != nil {
			return time.Time{}, err
		}
		now = time.Now()
		for _, wait := range waits {
			l.slots = append(l.slots, now.Add(wait))
		}
	}
	if len(l.slots) == 0 {
		return time.Time{}, nil
	}
	at := l.slots[0]
	l.slots = l.slots[1:]
	return at, nil
}
