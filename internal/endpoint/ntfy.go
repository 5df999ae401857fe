package endpoint

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// NtfyTopic is one that anybody may publish to.
const NtfyTopic = "hookarr-Xb4tQ9"

// Ntfy is an ntfy server. Its limits are those of https://docs.ntfy.sh/publish/ and of the
// server itself (binwiederhier/ntfy, server/errors.go and server/server.go), which has no
// room for attachments here: a longer message is refused, where others make a file of it.
// It is stricter than ntfy in a few things: unknown members and empty messages are refused.
// The zero value is ready.
//
// With a Limit it holds clients to that: ntfy's own is 60 requests, and one more each 5 s.
// Traffic says how they kept to it.
type Ntfy struct {
	script
	meter
	Limit Limit
	// Authorization is the header that publishing needs; empty is none.
	Authorization string
	// Old is a server before 2.16, which knows no sequences and says nothing of that.
	Old bool

	messages  []NtfyMessage
	published int
	refused   []string
}

// NtfyBody is what may be published.
type NtfyBody struct {
	Topic      string       `json:"topic"`
	SequenceID string       `json:"sequence_id,omitempty"`
	Title      string       `json:"title,omitempty"`
	Message    string       `json:"message"`
	Priority   int          `json:"priority,omitempty"`
	Tags       []string     `json:"tags,omitempty"`
	Click      string       `json:"click,omitempty"`
	Attach     string       `json:"attach,omitempty"`
	Icon       string       `json:"icon,omitempty"`
	Markdown   bool         `json:"markdown,omitempty"`
	Actions    []NtfyAction `json:"actions,omitempty"`
}

// NtfyAction is a button.
type NtfyAction struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
}

// NtfyMessage is a notification as clients show it: of a sequence, the last.
type NtfyMessage struct {
	ID string
	// Edits counts what took the place of the sequence's first.
	Edits int
	NtfyBody
}

// URL returns the URL of a server that serves n.
func (*Ntfy) URL(server string) string { return server + "/" }

// Messages returns what clients show, oldest first.
func (n *Ntfy) Messages() []NtfyMessage {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.messages)
}

// Refused returns why requests were answered 400 or 413, in order.
func (n *Ntfy) Refused() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.refused)
}

// Throttle answers the next request as one too many, without a word of how long to wait.
func (n *Ntfy) Throttle() { n.Fail(42901, "limit reached: too many requests") }

// Fail answers the next request with one of ntfy's errors, whose codes begin with the status.
func (n *Ntfy) Fail(code int, said string) {
	n.Next(func(w http.ResponseWriter, _ *http.Request) {
		if code/100 == http.StatusTooManyRequests {
			n.throttled(0)
		}
		ntfyError(w, code, said)
	})
}

// ServeHTTP answers like ntfy.
func (n *Ntfy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := n.arrive()
	if n.scripted(w, r) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case r.URL.Path != "/", r.Method != http.MethodPost && r.Method != http.MethodPut:
		ntfyError(w, 40401, "page not found")
		return
	case n.Authorization != "" && r.Header.Get("Authorization") == "":
		ntfyError(w, 40301, "forbidden")
		return
	case r.Header.Get("Authorization") != n.Authorization:
		ntfyError(w, 40101, "unauthorized")
		return
	}
	if n.Limit.Requests > 0 {
		if ok, _, _ := n.admit(n.Limit, now); !ok {
			n.throttled(0)
			ntfyError(w, 42901, "limit reached: too many requests")
			return
		}
	}
	body, code, err := ntfyRead(w, r)
	if err != nil {
		n.refused = append(n.refused, err.Error())
		ntfyError(w, code, err.Error())
		return
	}
	m := n.publish(body)
	told := map[string]any{"id": m.ID, "time": time.Now().Unix(), "event": "message", "topic": m.Topic, "title": m.Title, "message": m.Message}
	if !n.Old && m.SequenceID != "" && m.SequenceID != m.ID {
		told["sequence_id"] = m.SequenceID
	}
	writeJSON(w, http.StatusOK, told)
}

// publish shows a notification anew, or in the place of its sequence's last.
func (n *Ntfy) publish(body NtfyBody) NtfyMessage {
	n.published++
	m := NtfyMessage{ID: fmt.Sprintf("ntfy%08d", n.published), NtfyBody: body}
	i := slices.IndexFunc(n.messages, func(shown NtfyMessage) bool {
		return !n.Old && m.SequenceID != "" && (shown.SequenceID == m.SequenceID || shown.ID == m.SequenceID)
	})
	if i < 0 {
		n.messages = append(n.messages, m)
		return m
	}
	m.Edits = n.messages[i].Edits + 1
	n.messages[i] = m
	return m
}

func ntfyError(w http.ResponseWriter, code int, said string) {
	writeJSON(w, code/100, map[string]any{"code": code, "http": code / 100, "error": said, "link": "https://ntfy.sh/docs/publish/"})
}

// ntfyRead returns what is published, or an error with ntfy's code for it.
func ntfyRead(w http.ResponseWriter, r *http.Request) (NtfyBody, int, error) {
	var body NtfyBody
	const messageLimit = 4096 // bytes, message-size-limit of the server's configuration
	r.Body = http.MaxBytesReader(w, r.Body, 2*messageLimit)
	if err := strict(w, r, &body); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok || errors.Is(err, io.ErrUnexpectedEOF) {
			return body, 41303, errors.New("JSON body too large")
		}
		return body, 40017, fmt.Errorf("invalid request: request body must be message JSON: %w", err)
	}
	name := regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)
	web := regexp.MustCompile(`^https?://`)
	switch {
	case !name.MatchString(body.Topic):
		return body, 40009, errors.New("invalid request: topic invalid")
	case body.SequenceID != "" && !name.MatchString(body.SequenceID):
		return body, 40049, errors.New("invalid request: sequence ID invalid")
	case body.Priority < 0 || body.Priority > 5:
		return body, 40007, errors.New("invalid priority parameter")
	case body.Attach != "" && !web.MatchString(body.Attach):
		return body, 40013, errors.New("invalid request: attachment URL is invalid")
	case body.Icon != "" && !web.MatchString(body.Icon):
		return body, 40021, errors.New("invalid request: icon URL is invalid")
	case strings.TrimSpace(body.Message) == "":
		return body, 40000, errors.New("invalid request: no message")
	case len(body.Message) > messageLimit:
		return body, 40014, errors.New("invalid request: attachments not allowed")
	}
	if len(body.Actions) > 3 || slices.ContainsFunc(body.Actions, func(a NtfyAction) bool {
		return a.Action != "view" || a.Label == "" || a.URL == ""
	}) {
		return body, 40018, errors.New("invalid request: actions invalid")
	}
	return body, 0, nil
}
