// Package logring keeps the last lines of a log in memory, so that operators can read and
// follow them from elsewhere.
package logring

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxLines and maxBytes bound what is kept, and maxLine what is kept of one line, in
	// bytes.
	maxLines = 2000
	maxBytes = 1 << 20
	maxLine  = 16 << 10
)

// Line is a line of the log.
type Line struct {
	// Number counts the lines of the process from 1.
	Number uint64
	At     time.Time
	Level  slog.Level
	// Text is as slog's text handler writes it, without the line break.
	Text string
}

// Ring keeps the last 2,000 lines of a log, and no more than 1 MiB of them. The zero value
// is ready. It may be used concurrently.
type Ring struct {
	mu    sync.Mutex
	lines []Line
	bytes int
	last  uint64
	// added is closed by the next line, and nil while nobody waits.
	added chan struct{}
}

// After returns the lines above a number that want accepts, oldest first, and the number
// to go on with. Want may be nil. Added is closed once there are others. Of a number that
// this process has not reached yet, which is another process's, it returns all lines.
func (r *Ring) After(number uint64, want func(Line) bool) (lines []Line, last uint64, added <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number > r.last {
		number = 0
	}
	for _, l := range r.lines {
		if l.Number > number && (want == nil || want(l)) {
			lines = append(lines, l)
		}
	}
	if r.added == nil {
		r.added = make(chan struct{})
	}
	return lines, r.last, r.added
}

func (r *Ring) add(l Line) {
	if len(l.Text) > maxLine {
		l.Text = strings.ToValidUTF8(l.Text[:maxLine-utf8.UTFMax], "") + "…"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	l.Number = r.last
	r.lines, r.bytes = append(r.lines, l), r.bytes+len(l.Text)
	for len(r.lines) > maxLines || r.bytes > maxBytes {
		r.bytes -= len(r.lines[0].Text)
		r.lines[0] = Line{}
		r.lines = r.lines[1:]
	}
	if r.added != nil {
		close(r.added)
		r.added = nil
	}
}

// Handler returns a handler that passes records to next and keeps each that next takes.
// The options are those of next, for how values are written.
func (r *Ring) Handler(next slog.Handler, o *slog.HandlerOptions) slog.Handler {
	own := slog.HandlerOptions{Level: minimum}
	if o != nil {
		own.ReplaceAttr = o.ReplaceAttr
	}
	out := new(buffer)
	return &handler{ring: r, next: next, out: out, text: slog.NewTextHandler(out, &own)}
}

// minimum lets the text handler take whatever next takes.
const minimum = slog.Level(-1 << 20)

// handler writes records twice.
type handler struct {
	ring *Ring
	next slog.Handler
	// text writes to out, one record at a time.
	text slog.Handler
	out  *buffer
}

// buffer is what a text handler and those made of it write to.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	h.keep(ctx, record)
	return h.next.Handle(ctx, record)
}

func (h *handler) keep(ctx context.Context, record slog.Record) {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.Reset()
	if err := h.text.Handle(ctx, record); err != nil {
		return // next may do better
	}
	h.ring.add(Line{At: record.Time, Level: record.Level, Text: strings.TrimSuffix(h.out.String(), "\n")})
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next, c.text = h.next.WithAttrs(attrs), h.text.WithAttrs(attrs)
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.next, c.text = h.next.WithGroup(name), h.text.WithGroup(name)
	return &c
}
