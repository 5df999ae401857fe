package ui

import "sync"

// maxKeys bounds the forms that are remembered.
const maxKeys = 1000

// sentForms are the keys of the forms that were sent, so that one which is sent twice, by a
// double click, is obeyed once. The zero value is ready.
type sentForms struct {
	mu    sync.Mutex
	known map[string]bool
	order []string
}

// first reports whether a form with the key is sent for the first time. A form without a key
// always is.
func (s *sentForms) first(key string) bool {
	if key == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[key] {
		return false
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	if len(s.order) == maxKeys {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	s.known[key] = true
	s.order = append(s.order, key)
	return true
}
