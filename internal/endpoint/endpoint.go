// Package endpoint imitates the services that target plugins talk to, for tests: it
// refuses what they refuse, in the shapes in which they do, so that a message that
// passes here is within every documented limit. The types are handlers; serve them
// with package httptest, on loopback.
package endpoint

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
)

// bodyLimit is far more than any message that is within the limits.
const bodyLimit = 1 << 20

// script is the answers that tests ask for instead of the usual ones.
type script struct {
	mu   sync.Mutex
	next []http.HandlerFunc
}

// Next makes h answer the next request, whatever is in it. Calls queue up.
func (s *script) Next(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, h)
}

// scripted answers r when a test asked for that.
func (s *script) scripted(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	if len(s.next) == 0 {
		s.mu.Unlock()
		return false
	}
	h := s.next[0]
	s.next = s.next[1:]
	s.mu.Unlock()
	h(w, r)
	return true
}

// channel is what a service shows and what it refused. Its lock is the script's.
type channel[M any] struct {
	script
	messages []M
	refused  []string
}

// Messages returns what stands in the channel, oldest first.
func (c *channel[M]) Messages() []M {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.messages)
}

// Refused returns why messages were refused, in order.
func (c *channel[M]) Refused() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.refused)
}

// DeleteMessages empties the channel, as a person may.
func (c *channel[M]) DeleteMessages() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = nil
}

// strict decodes a request's JSON body and refuses members that v does not have: a
// service would ignore a misspelt one, a test must not.
func strict(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// length counts UTF-16 code units of the trimmed text, the strictest reading of
// "characters" that is in use.
func length(s string) int {
	return len(utf16.Encode([]rune(strings.TrimSpace(s))))
}

// absolute reports whether s is an absolute http or https URL.
func absolute(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && !strings.ContainsAny(s, " <>\"\n")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone when this fails, and its own error says so.
	_ = json.NewEncoder(w).Encode(v)
}
