package outage

import "sync"

// Changes knows the last error of each name, so that trouble which goes on is told once. The
// zero value is ready; it may be used concurrently.
type Changes struct {
	mu   sync.Mutex
	last map[string]string
}

// Note reports whether the error of a name, nil for none, is another than that of its last
// call.
func (c *Changes) Note(name string, err error) bool {
	var said string
	if err != nil {
		said = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last[name] == said {
		return false
	}
	if c.last == nil {
		c.last = make(map[string]string)
	}
	c.last[name] = said
	return true
}
