package sdk

import (
	"sync"

	"github.com/hookarr/hookarr/sdk/internal/config"
)

// warnings gathers what an instance's constructor has to say. Nil and closed ones
// gather nothing.
type warnings struct {
	mu     sync.Mutex
	closed bool
	all    []config.Problem
}

func (w *warnings) add(key, message string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.all = append(w.all, config.Problem{Key: key, Message: message})
	}
}

// close returns what was gathered, redacted.
func (w *warnings) close(r redactor) []config.Problem {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for i := range w.all {
		w.all[i].Message = r.line(w.all[i].Message)
	}
	return w.all
}
