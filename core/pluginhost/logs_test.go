package pluginhost

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

// logBuffer collects a log as JSON lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines returns every record so far.
func (b *logBuffer) lines(t *testing.T) []map[string]any {
	t.Helper()
	b.mu.Lock()
	text := b.buf.String()
	b.mu.Unlock() // who logs does not wait for the parsing
	var all []map[string]any
	for line := range strings.Lines(text) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields))
		all = append(all, fields)
	}
	return all
}

// find returns the first record with a message.
func (b *logBuffer) find(t *testing.T, message string) map[string]any {
	t.Helper()
	for _, l := range b.lines(t) {
		if l["msg"] == message {
			return l
		}
	}
	return nil
}

// all returns every record with a message.
func (b *logBuffer) all(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	for _, l := range b.lines(t) {
		if l["msg"] == message {
			found = append(found, l)
		}
	}
	return found
}

func TestLogSinkKeepsLevelAndFields(t *testing.T) {
	t.Parallel()
	var out logBuffer
	w := &lineWriter{line: newLogSink(out.logger().With("plugin", "target-x"), nil).process().line}
	input := `{"@timestamp":"2026-11-23T10:00:00.000000Z","@level":"warn","@message":"slow","instance":"ops","n":1.5,"plugin":"forged","level":"forged"}` + "\n" +
		`{"@level":"nonsense","@message":"no level"}` + "\n" +
		`{"@message":1}` + "\n" + `{"@level":{}}` + "\n" + "[]\n{\nplain\n\n" +
		"panic: oh no\ngoroutine 1 [running]:\n" +
		`{"@level":"debug","@message":"last"}`
	// In pieces, as pipes deliver.
	for chunk := range strings.SplitSeq(input, "o") {
		_, err := w.Write([]byte(chunk + "o"))
		require.NoError(t, err)
	}
	w.flush()

	type line struct{ level, msg any }
	var got []line
	for _, l := range out.lines(t) {
		require.Equal(t, "target-x", l["plugin"])
		got = append(got, line{l["level"], l["msg"]})
	}
	require.Equal(t, []line{
		{"WARN", "slow"},
		{"INFO", "no level"},
		{"DEBUG", `{"@message":1}`},
		{"DEBUG", `{"@level":{}}`},
		{"DEBUG", "[]"},
		{"DEBUG", "{"},
		{"DEBUG", "plain"},
		{"ERROR", "panic: oh no"},
		{"ERROR", "goroutine 1 [running]:"},
		{"ERROR", `{"@level":"debug","@message":"last"}o`},
	}, got)
	first := out.lines(t)[0]
	require.Equal(t, "ops", first["instance"])
	require.InEpsilon(t, 1.5, first["n"], 0.001)
}

func TestLogSinkDropsAFlood(t *testing.T) {
	t.Parallel()
	var out logBuffer
	sink := newLogSink(out.logger(), nil).process()
	w := &lineWriter{line: sink.line}
	_, err := w.Write([]byte(strings.Repeat("flood\n", 100_000)))
	require.NoError(t, err)
	require.Equal(t, "flood", sink.end())
	lines := out.lines(t)
	require.GreaterOrEqual(t, len(lines), logBurst)
	require.Less(t, len(lines), 50_000)
	dropped := 0.0
	kept := 0
	for _, l := range lines {
		if l["msg"] == "flood" {
			kept++
			continue
		}
		require.Equal(t, "plugin logs too much, lines dropped", l["msg"])
		count, ok := l["count"].(float64)
		require.True(t, ok)
		dropped += count
	}
	require.Equal(t, 100_000, kept+int(dropped))
}

// TestPanicPassesTheLimit: a panic comes at the end, often of a flood, and its value may
// have several lines.
func TestPanicPassesTheLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ output, want string }{
		"several lines": {"panic: \nthe reason\n\tof it\n\ngoroutine 1 [running]:\nmain.main()", "panic: the reason of it"},
		"signal":        {"panic: nil pointer\n[signal SIGSEGV]\ngoroutine 1 [running]:\nmain.main()", "panic: nil pointer"},
		"fatal":         {"fatal error: all goroutines are asleep\n\ngoroutine 1 [chan receive]:\nmain.main()", "fatal error: all goroutines are asleep"},
	} {
		var out logBuffer
		sink := newLogSink(out.logger(), nil).process()
		w := &lineWriter{line: sink.line}
		_, err := w.Write([]byte(strings.Repeat("flood\n", 10_000) + test.output + strings.Repeat("\n\tmore of the stack", 100_000)))
		require.NoError(t, err)
		require.Equal(t, test.want, sink.end(), name)
		require.NotNil(t, out.find(t, "main.main()"), name)
		require.Less(t, len(out.all(t, "more of the stack")), 50_000, "the stack is bounded too")
	}
}

// TestReasonOfAnEnd: what a process said last, as a record at error or on a line of its
// own.
func TestReasonOfAnEnd(t *testing.T) {
	t.Parallel()
	long := `{"@level":"error","@message":"at last","error":"` + strings.Repeat("é", 2000) + `"}`
	for output, want := range map[string]string{
		"":             "",
		"one\ntwo\n\n": "two",
		`{"@level":"error","@message":"not built right","error":"one\ntwo"}`:                          "not built right: one two",
		`{"@level":"error","@message":"no cause"}` + "\n" + `{"@level":"warn","@message":"and this"}`: "no cause",
		"plain\n" + long: "at last: " + strings.Repeat("é", (maxExitReason-9)/2),
		"panic: first\n" + `{"@level":"error","@message":"later"}`: "panic: first",
	} {
		var out logBuffer
		sink := newLogSink(out.logger(), nil).process()
		w := &lineWriter{line: sink.line}
		_, err := w.Write([]byte(output))
		require.NoError(t, err)
		w.flush()
		require.Equal(t, want, sink.end(), output)
	}
}

// TestProcessesOfAPluginHaveReasonsOfTheirOwn, as two have while one takes the other's
// place.
func TestProcessesOfAPluginHaveReasonsOfTheirOwn(t *testing.T) {
	t.Parallel()
	var out logBuffer
	sink := newLogSink(out.logger(), nil)
	former, next := sink.process(), sink.process()
	next.line([]byte("panic: it is new"))
	former.line([]byte("the old goes on"))
	next.line([]byte("and does not work"))
	require.Equal(t, "DEBUG", out.find(t, "the old goes on")["level"])
	require.Equal(t, "panic: it is new and does not work", next.end())
	require.Equal(t, "the old goes on", former.end())
}

// TestRecordThatWasCutIsShown at its level, with what comes before the cut.
func TestRecordThatWasCutIsShown(t *testing.T) {
	t.Parallel()
	var out logBuffer
	w := &lineWriter{line: newLogSink(out.logger(), nil).process().line}
	_, err := w.Write([]byte(`{"@level":"error","@message":"plugin panicked","method":"Deliver","stack":"` + strings.Repeat("x", maxLogLine) + `"}` + "\n"))
	require.NoError(t, err)
	record := out.find(t, "plugin panicked")
	require.NotNil(t, record)
	require.Equal(t, "ERROR", record["level"])
	require.Equal(t, "Deliver", record["method"])
	require.NotContains(t, record, "stack")
}

// TestLogSinkReportsDropsNowAndThen: a flood that goes on is not itself reported in a
// flood.
func TestLogSinkReportsDropsNowAndThen(t *testing.T) {
	t.Parallel()
	var out logBuffer
	sink := newLogSink(out.logger(), nil).process()
	for range 100 {
		sink.limit = rate.NewLimiter(0, 0)
		sink.line([]byte("dropped"))
		sink.limit = rate.NewLimiter(rate.Inf, 0)
		sink.line([]byte("kept"))
	}
	require.Len(t, out.all(t, "plugin logs too much, lines dropped"), 1)
	sink.end()
	require.Len(t, out.all(t, "plugin logs too much, lines dropped"), 2)
}

func TestLineWriterCutsLongLines(t *testing.T) {
	t.Parallel()
	var got []string
	w := &lineWriter{line: func(b []byte) { got = append(got, string(b)) }}
	long := strings.Repeat("x", 3*maxLogLine)
	for _, chunk := range []string{"a\nb", long[:maxLogLine], long[maxLogLine:], "\nc\n", long[:maxLogLine], "\n", "d"} {
		n, err := w.Write([]byte(chunk))
		require.NoError(t, err)
		require.Len(t, chunk, n)
	}
	w.flush()
	require.Equal(t, []string{"a", "b" + long[:maxLogLine-1], "c", long[:maxLogLine], "d"}, got)
}

func FuzzLogSink(f *testing.F) {
	f.Add([]byte(`{"@message":1}` + "\n" + `{"@message":"x","@level":7,"k":[{}]}`))
	f.Add([]byte("panic: x\n\xff\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out logBuffer
		sink := newLogSink(out.logger(), nil).process()
		w := &lineWriter{line: sink.line}
		_, err := w.Write(data)
		require.NoError(t, err)
		w.flush()
		require.LessOrEqual(t, len(sink.end()), maxExitReason)
		out.lines(t)
	})
}

func TestLogLevelForPlugins(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "debug", slog.LevelInfo: "info", slog.LevelWarn: "warn", slog.LevelError: "error", levelTrace: "debug",
	} {
		require.Equal(t, want, logLevel(t.Context(), slog.New(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: level}))))
	}
}
