package deliver

import (
	"errors"
	"sync"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/pluginhost"
)

// crashCounter finds the event that crashes its decoder every time. Counts live as
// long as the process: a restart gives an event three more tries.
type crashCounter struct {
	mu sync.Mutex
	n  map[uuid.UUID]int
}

// accuse counts err against the event when it is a crash, and reports whether the
// event has crashed its decoder too often.
func (c *crashCounter) accuse(id uuid.UUID, err error) bool {
	if !errors.Is(err, pluginhost.ErrCrashed) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[uuid.UUID]int{}
	}
	c.n[id]++
	if c.n[id] < maxCrashes {
		return false
	}
	delete(c.n, id)
	return true
}
