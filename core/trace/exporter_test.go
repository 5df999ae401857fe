package trace

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// receiver takes spans, or does not.
type receiver struct{ err error }

func (r *receiver) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return r.err }

func (*receiver) Shutdown(context.Context) error { return nil }

// TestOutageHasOneLine: and its end another. The SDK is told of no error: it would print it.
func TestOutageHasOneLine(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &receiver{}
	e := &exporter{SpanExporter: r, log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, err := range []error{nil, errors.New("refused:\n" + strings.Repeat("é", 10_000)), errors.New("again"), errors.New("again"), nil, nil} {
		r.err = err
		require.NoError(t, e.ExportSpans(t.Context(), make([]sdktrace.ReadOnlySpan, 10)))
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], `level=WARN msg="traces not sent: deliveries go on" error="refused: ééé`)
	require.Less(t, len(lines[0]), 500)
	require.Contains(t, lines[1], `level=INFO msg="traces are sent again" lost_spans=30`)
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environ map[string]string
		want    string
		err     string
	}{
		"nothing":          {},
		"endpoint":         {environ: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318"}, want: "OTEL_EXPORTER_OTLP_ENDPOINT"},
		"both":             {environ: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://a/b"}, want: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
		"disabled":         {environ: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318", "OTEL_SDK_DISABLED": "TRUE"}},
		"another exporter": {environ: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318", "OTEL_TRACES_EXPORTER": "none"}},
		"no URL":           {environ: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "tempo:4318"}, err: "OTEL_EXPORTER_OTLP_ENDPOINT: want http://HOST:PORT"},
	} {
		got, err := Environment(func(name string) string { return test.environ[name] })
		require.Equal(t, test.want, got, name)
		if test.err != "" {
			require.ErrorContains(t, err, test.err, name)
			continue
		}
		require.NoError(t, err, name)
	}
}

// TestHeadersOfTheEnvironment: the exporter would print one that it does not understand.
func TestHeadersOfTheEnvironment(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{
		"": true, "authorization=Bearer%20s3cret": true, "a=b, c = d=e": true,
		"Bearer s3cret": false, "a=b,s3cret": false, "a=100%s3cret": false, "=s3cret": false,
	} {
		err := checkHeaders(func(name string) string {
			if name == "OTEL_EXPORTER_OTLP_HEADERS" {
				return value
			}
			return ""
		})
		if ok {
			require.NoError(t, err, value)
			continue
		}
		require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_HEADERS: want NAME=VALUE", value)
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestLogNamesTheTrace(t *testing.T) {
	t.Parallel()
	const recorded = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	var b bytes.Buffer
	log := slog.New(Log(slog.NewTextHandler(&b, nil))).With("a", 1)
	log.InfoContext(Event(t.Context(), recorded), "one", "b", 2)
	require.Contains(t, b.String(), "msg=one a=1 b=2 trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n")
	b.Reset()
	for _, none := range []string{"", "nonsense", strings.TrimSuffix(recorded, "1") + "0"} {
		log.InfoContext(Event(t.Context(), none), "other")
	}
	require.NotContains(t, b.String(), "trace_id")
}

// FuzzParse: what is read is what would be written.
func FuzzParse(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add(strings.Repeat("0", 10_000))
	f.Fuzz(func(t *testing.T, s string) {
		sc := parse(s)
		if !sc.IsValid() {
			require.Empty(t, ID(s))
			return
		}
		again := parse(format(sc))
		require.True(t, again.IsValid())
		require.Equal(t, sc.TraceID(), again.TraceID())
		require.Equal(t, sc.SpanID(), again.SpanID())
		require.Len(t, ID(s), 32)
	})
}
