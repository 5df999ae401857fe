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
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/hookarr/hookarr/sdk/host"
)

// What a plugin may log: a burst, a steady rate and a length. What is more is
// counted or cut.
const (
	logBurst     = 200
	logPerSecond = 50
	maxLogLine   = 16 << 10
	// maxPanic is how many bytes of a panic are logged whatever else the plugin logs: they
	// come at the end, often of a flood.
	maxPanic = 16 << 10
	// maxExitReason bounds what a process said of its end, in bytes.
	maxExitReason = 1 << 10
	// dropsEvery is the pause between reports of dropped lines.
	dropsEvery = time.Minute
)

// levelTrace is hclog's level below debug.
const levelTrace = slog.LevelDebug - 4

// logSink takes what the processes of one plugin write to their standard errors to the
// host's log. It does the work of go-plugin's own reader, which takes foreign JSON at its
// word and panics on {"@message":1}, and it limits before it parses.
type logSink struct {
	log *slog.Logger
	// stuck counts the records that tell of a stuck call; nil counts nothing.
	stuck prometheus.Counter
	// raw gets every line as it came, before any limit but that of its length; nil is
	// nobody.
	raw func(line []byte)

	mu      sync.Mutex
	limit   *rate.Limiter
	dropped int
	reports rate.Sometimes
}

func newLogSink(log *slog.Logger, stuck prometheus.Counter) *logSink {
	return &logSink{log: log, stuck: stuck, limit: rate.NewLimiter(logPerSecond, logBurst), reports: rate.Sometimes{Interval: dropsEvery}}
}

func (s *logSink) reportDropped() {
	if s.dropped > 0 {
		s.log.Warn("plugin logs too much, lines dropped", "count", s.dropped)
		s.dropped = 0
	}
}

// processLog is the log of one process. The limit is the plugin's: one that restarts in a
// loop gets no new burst each time.
type processLog struct {
	*logSink
	// stuckCalls counts the calls of which the process has said that they are stuck.
	stuckCalls atomic.Int64

	panicked bool
	// trace is how many bytes of a panic may still come past the limit.
	trace int
	// inReason: the lines of a panic's value still come.
	inReason bool
	// reason is why the process ended, as far as it said so: the value of a panic, or
	// else the last record at error or the last line that was not structured.
	reason string
}

// process returns the log of a new process.
func (s *logSink) process() *processLog { return &processLog{logSink: s} }

// end reports what was dropped and returns what the process said of its end.
func (l *processLog) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reportDropped()
	return l.reason
}

// printed tells of a process that writes to its standard output after the handshake.
func (l *processLog) printed() {
	l.log.Warn("plugin writes to its standard output, which is discarded: it must log to standard error")
}

// line logs one line, which may have been cut.
func (l *processLog) line(line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.raw != nil {
		l.raw(line)
	}
	if isPanic(line) && !l.panicked {
		l.panicked, l.inReason, l.trace, l.reason = true, true, maxPanic, ""
	}
	if l.trace -= len(line); l.trace < 0 && !l.limit.Allow() {
		l.dropped++
		return
	}
	if l.dropped > 0 {
		l.reports.Do(l.reportDropped)
	}
	record, ok := parseRecord(line)
	if ok {
		l.noteRecord(record)
	} else {
		record = l.plainRecord(string(line))
	}
	if ctx := context.Background(); l.log.Enabled(ctx, record.Level) {
		_ = l.log.Handler().Handle(ctx, record)
	}
}

// isPanic reports whether a line is how the Go runtime begins to tell of a process's end.
func isPanic(line []byte) bool {
	return bytes.HasPrefix(line, []byte("panic:")) || bytes.HasPrefix(line, []byte("fatal error:"))
}

// noteRecord takes a record at error for the reason of the process's end, which it may
// be: so does the SDK say why it does not serve.
func (l *processLog) noteRecord(r slog.Record) {
	if r.Level < slog.LevelError {
		return
	}
	if r.Message == host.StuckCall {
		l.stuckCalls.Add(1)
		if l.stuck != nil {
			l.stuck.Inc()
		}
		return
	}
	if l.panicked {
		return
	}
	l.reason = ""
	l.addReason(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "error" {
			l.reason += ":"
			l.addReason(a.Value.String())
		}
		return true
	})
}

// addReason appends to the reason, on one line and within its bound.
func (l *processLog) addReason(text string) {
	l.reason = strings.TrimSpace(l.reason + " " + strings.Join(strings.Fields(text), " "))
	l.reason = strings.ToValidUTF8(l.reason[:min(len(l.reason), maxExitReason)], "")
}

// plainRecord makes a record of an unstructured line: a panic of the runtime at error,
// with everything after it, and other output at debug.
func (l *processLog) plainRecord(line string) slog.Record {
	// The stack follows the value, which may have several lines.
	if strings.HasPrefix(line, "goroutine ") || strings.HasPrefix(line, "[signal ") {
		l.inReason = false
	}
	if !l.panicked {
		l.reason = ""
	}
	if !l.panicked || l.inReason {
		l.addReason(line)
	}
	level := slog.LevelDebug
	if l.panicked {
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
		if len(line) < maxLogLine {
			return slog.Record{}, false
		}
		fields = firstFields(line)
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

// firstFields reads of a record that was cut what comes before the cut, which is
// the message and its level as hclog and the SDK write it.
func firstFields(line []byte) map[string]any {
	fields := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(line))
	_, _ = d.Token() // the brace
	for {
		key, err := d.Token()
		name, ok := key.(string)
		var value any
		if err != nil || !ok || d.Decode(&value) != nil {
			return fields
		}
		fields[name] = value
	}
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
