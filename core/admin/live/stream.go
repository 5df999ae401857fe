package live

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hookarr/hookarr/core/admin"
)

const (
	// heartbeat keeps proxies from ending a silent stream: the usual time-out is a minute.
	heartbeat = 15 * time.Second
	// writeTimeout bounds one message to who does not read.
	writeTimeout = 10 * time.Second
)

// Stream sends a hub's changes to a browser as server-sent events, each named by its topic
// with {"ids": [...]}, or {} where it is not told what has changed. It asks nobody who they
// are; package access does.
type Stream struct {
	Hub *Hub
	// Still reports whether the one who was let in still may watch. It is asked at each
	// heartbeat; nil is always.
	Still func(ctx context.Context) bool
	// Heartbeat is the time between two; 0 is 15 seconds.
	Heartbeat time.Duration
}

// ServeHTTP streams until the request's context ends or the hub is closed.
func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	changes, err := s.Hub.Watch(ctx)
	if err != nil {
		w.Header().Set("Retry-After", "5")
		admin.NewProblem(http.StatusServiceUnavailable, err.Error()).Write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	// A proxy that gathers or compresses would keep what is to be seen at once.
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	out := writer{w: w, control: http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	if out.send([]byte(":\n\n")) != nil {
		return
	}
	every := s.Heartbeat
	if every == 0 {
		every = heartbeat
	}
	beat := time.NewTicker(every)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case c, open := <-changes:
			if !open || out.send(message(c)) != nil {
				return
			}
		case <-beat.C:
			if s.Still != nil && !s.Still(ctx) || out.send([]byte(":\n\n")) != nil {
				return
			}
		}
	}
}

// message is a change as a server-sent event.
func message(c Change) []byte {
	data, err := json.Marshal(struct {
		IDs []string `json:"ids,omitempty"`
	}{c.IDs})
	if err != nil {
		data = []byte("{}") // strings have no error
	}
	var b bytes.Buffer
	b.WriteString("event: " + string(c.Topic) + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes()
}

// writer sends each message at once, in its own time: that of the server is for answers that
// end.
type writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (w writer) send(message []byte) error {
	if err := w.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.w.Write(message); err != nil {
		return err
	}
	if err := w.control.Flush(); err != nil {
		return err
	}
	// HTTP/2 resets a stream whose deadline passes, written or not.
	_ = w.control.SetWriteDeadline(time.Time{})
	return nil
}
