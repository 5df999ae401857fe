package pluginhost

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What a plugin may log: a burst, a steady rate and a length. What is more is
// counted or cut.
const (
	logBurst     = 200
	logPerSecond = 50
	maxLogLine   = 16 << 10
	maxLastWords = 200
	// dropsEvery is the pause between reports of dropped lines.
	dropsEvery = time.Minute
)

// levelTrace is hclog's level below debug.
const levelTrace = slog.LevelDebug - 4

// logSink takes what one plugin writes to its standard error to the host's log. It
// does the work of go-plugin's own reader, which takes foreign JSON at its word
// and panics on {"@message":1}, and it limits before it parses.
type logSink struct {
	log *slog.Logger

	mu       sync.Mutex
	limit    *rate.Limiter
	dropped  int
	reports  rate.Sometimes
	panicked bool
	// lastWords is the last line that was not structured: why a process died, as
	// far as it said so.
	lastWords string
}

func newLogSink(log *slog.Logger) *logSink {
	return &logSink{log: log, limit: rate.NewLimiter(logPerSecond, logBurst), reports: rate.Sometimes{Interval: dropsEvery}}
}

// begin prepares for the output of a new process. The limit goes on: a plugin that
// restarts in a loop gets no new burst each time.
func (s *logSink) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panicked, s.lastWords = false, ""
}

// end reports what was dropped and returns the process's last words.
func (s *logSink) end() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reportDropped()
	return s.lastWords
}

func (s *logSink) reportDropped() {
	if s.dropped > 0 {
		s.log.Warn("plugin logs too much, lines dropped", "count", s.dropped)
		s.dropped = 0
	}
}

// line logs one line, which may have been cut.
func (s *logSink) line(line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.limit.Allow() {
		s.dropped++
		return
	}
	if s.dropped > 0 {
		s.reports.Do(s.reportDropped)
	}
	record, ok := parseRecord(line)
	if !ok {
		record = s.plainRecord(string(line))
	}
	if ctx := context.Background(); s.log.Enabled(ctx, record.Level) {
		_ = s.log.Handler().Handle(ctx, record)
	}
}

// plainRecord makes a record of an unstructured line: the runtime's last words at
// error, with everything after them, and other output at debug.
func (s *logSink) plainRecord(line string) slog.Record {
	if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
		s.panicked = true
		s.lastWords = ""
	}
	if !s.panicked || s.lastWords == "" {
		s.lastWords = strings.ToValidUTF8(line[:min(len(line), maxLastWords)], "")
	}
	level := slog.LevelDebug
	if s.panicked {
		level = slog.LevelError
	}
	return slog.NewRecord(time.Now(), level, line, 0)
}

// parseRecord reads a line of JSON as hclog and the SDK write it: @level, @message,
// @timestamp and the fields.
func parseRecord(line []byte) (slog.Record, bool) {
	if line[0] != '{' {
		return slog.Record{}, false
	}
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return slog.Record{}, false
	}
	message, ok := fields["@message"].(string)
	if !ok {
		return slog.Record{}, false
	}
	level, _ := fields["@level"].(string)
	record := slog.NewRecord(time.Now(), parseLevel(level), message, 0)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch key {
		case "@message", "@level", "@timestamp", "@module",
			// The host's own, not to be forged.
			slog.TimeKey, slog.LevelKey, slog.MessageKey, slog.SourceKey, "plugin":
		default:
			record.AddAttrs(slog.Any(key, fields[key]))
		}
	}
	return record, true
}

func parseLevel(s string) slog.Level {
	switch strings.ToLower(s) {
	case "trace":
		return levelTrace
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// logLevel is the name of the lowest level that log writes, for HOOKARR_LOG_LEVEL.
func logLevel(ctx context.Context, log *slog.Logger) string {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if log.Enabled(ctx, level) {
			return strings.ToLower(level.String())
		}
	}
	return "error"
}

// lineWriter hands on what is written to it line by line, each cut at maxLogLine.
type lineWriter struct {
	line func([]byte)
	buf  []byte
	// cut: the rest of the current line is passed over.
	cut bool
}

// Write never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		if !w.cut {
			room := maxLogLine - len(w.buf)
			w.buf = append(w.buf, part[:min(len(part), room)]...)
			if w.cut = len(part) > room; w.cut {
				w.flush()
			}
		}
		if ended {
			w.flush()
			w.cut = false
		}
		p = rest
	}
	return n, nil
}

func (w *lineWriter) flush() {
	if len(w.buf) > 0 {
		w.line(w.buf)
		w.buf = w.buf[:0]
	}
}
