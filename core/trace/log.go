package trace

import (
	"context"
	"log/slog"

	oteltrace "go.opentelemetry.io/otel/trace"
)

// LogKey is the attribute of a line that belongs to a trace.
const LogKey = "trace_id"

// Log returns a handler that adds to each line the trace of the context it is written with.
func Log(h slog.Handler) slog.Handler { return handler{h} }

type handler struct{ slog.Handler }

// Handle writes a record.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if sc := oteltrace.SpanContextFromContext(ctx); sc.IsSampled() {
		r = r.Clone()
		r.AddAttrs(slog.String(LogKey, sc.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps adding.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps adding.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// Event returns a context for lines about an event that is none of a span's own.
func Event(ctx context.Context, traceparent string) context.Context {
	if sc := parse(traceparent); sc.IsSampled() {
		return oteltrace.ContextWithRemoteSpanContext(ctx, sc)
	}
	return ctx
}
