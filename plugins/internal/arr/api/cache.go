package api

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// keep is how long an answer is used again. Titles change seldom, and a story is
	// told within minutes.
	keep = 10 * time.Minute
	// maxKept and maxKeptBytes bound the answers that are kept.
	maxKept      = 256
	maxKeptBytes = 8 << 20
)

// cache keeps answers. Callers who want the same at once wait for one call. The zero
// value is ready to use.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
	bytes   int
	// now is time.Now unless set.
	now func() time.Time
}

type entry struct {
	// loading is held by the caller who asks the application.
	loading chan struct{}
	// The rest is guarded by the cache's mu.
	value   any
	bytes   int
	expires time.Time
	used    time.Time
}

// get returns what is kept under key, or what load returns. An error is not kept: the
// next who waited asks again. Load says how many bytes the answer had.
func (c *cache) get(ctx context.Context, key string, load func() (any, int, error)) (any, error) {
	e := c.entry(key)
	select {
	case e.loading <- struct{}{}:
		defer func() { <-e.loading }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the same request of others: %w", ctx.Err())
	}
	c.mu.Lock()
	value, fresh := e.value, e.expires.After(c.time())
	c.mu.Unlock()
	if fresh {
		return value, nil
	}
	value, size, err := load()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] != e {
		return value, nil // Forgotten while it was loaded.
	}
	c.bytes += size - e.bytes
	e.value, e.bytes, e.expires = value, size, c.time().Add(keep)
	for c.bytes > maxKeptBytes {
		c.forgetOldest()
	}
	return value, nil
}

// entry returns the entry of a key, in the place of the one that was used longest ago
// when there are too many.
func (c *cache) entry(key string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		if c.entries == nil {
			c.entries = map[string]*entry{}
		}
		if len(c.entries) >= maxKept {
			c.forgetOldest()
		}
		e = &entry{loading: make(chan struct{}, 1)}
		c.entries[key] = e
	}
	e.used = c.time()
	return e
}

// forget forgets what is kept under keys.
func (c *cache) forget(keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		if e := c.entries[key]; e != nil {
			c.bytes -= e.bytes
			delete(c.entries, key)
		}
	}
}

func (c *cache) forgetOldest() {
	var oldest string
	for key, e := range c.entries {
		if o := c.entries[oldest]; o == nil || e.used.Before(o.used) {
			oldest = key
		}
	}
	c.bytes -= c.entries[oldest].bytes
	delete(c.entries, oldest)
}

func (c *cache) time() time.Time {
	if c.now == nil {
		return time.Now()
	}
	return c.now()
}
