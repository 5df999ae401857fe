package trace

import (
	"context"
	"encoding/hex"
	"strings"

	oteltrace "go.opentelemetry.io/otel/trace"
)

// key is the name of the header of W3C Trace Context.
const key = "traceparent"

// format writes a span's context, or nothing for none.
func format(sc oteltrace.SpanContext) string {
	if !sc.IsValid() {
		return ""
	}
	return "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-" + (sc.TraceFlags() & oteltrace.FlagsSampled).String()
}

// parse reads a traceparent of version 00, the only one that there is. What is none is the
// invalid context.
func parse(traceparent string) oteltrace.SpanContext {
	const like = "00-TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT-SSSSSSSSSSSSSSSS-FF"
	if len(traceparent) != len(like) || strings.ToLower(traceparent) != traceparent {
		return oteltrace.SpanContext{}
	}
	parts := strings.Split(traceparent, "-")
	if len(parts) != 4 || parts[0] != "00" {
		return oteltrace.SpanContext{}
	}
	id, noTrace := oteltrace.TraceIDFromHex(parts[1])
	span, noSpan := oteltrace.SpanIDFromHex(parts[2])
	flags, noFlags := hex.DecodeString(parts[3])
	if noTrace != nil || noSpan != nil || noFlags != nil || len(flags) != 1 {
		return oteltrace.SpanContext{}
	}
	return oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: id, SpanID: span, TraceFlags: oteltrace.TraceFlags(flags[0]) & oteltrace.FlagsSampled, Remote: true,
	})
}

// Traceparent is that of the span of a context, or nothing where none is recorded.
func Traceparent(ctx context.Context) string {
	if sc := oteltrace.SpanContextFromContext(ctx); sc.IsSampled() {
		return format(sc)
	}
	return ""
}

// ID returns the id of the trace that a traceparent belongs to, as people look it up, or
// nothing for none.
func ID(traceparent string) string {
	if sc := parse(traceparent); sc.IsValid() {
		return sc.TraceID().String()
	}
	return ""
}
