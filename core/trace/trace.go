// Package trace makes the spans of what becomes of a webhook, by OpenTelemetry, and sends
// them to a collector. Delivering is decoupled from accepting by a queue, so that each
// attempt has a trace of its own, with links to the spans that took its events in.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/hookarr/hookarr/core/timeout"
)

const (
	// scope is the name under which the spans are made.
	scope = "github.com/hookarr/hookarr"
	// flushTimeout bounds the end: a collector that does not answer delays no shutdown.
	flushTimeout = 3 * time.Second
)

// Options say where spans go. Without an endpoint, the OTEL_EXPORTER_OTLP_* variables do.
type Options struct {
	// Endpoint is the base URL of an OTLP/HTTP receiver.
	Endpoint string
	// Header is sent with every request, and may hold credentials.
	Header map[string]string
	// Sample is the part of the traces that is recorded, 0 to 1. Nil leaves it to
	// OTEL_TRACES_SAMPLER, which records all where it is not set.
	Sample *float64

	// Version and Node are those of this process.
	Version, Node string
	// Log gets a line when spans cannot be sent, and one when they can again.
	Log *slog.Logger
}

// Tracer starts spans. A nil Tracer starts none, and costs nothing.
type Tracer struct {
	// sampled decides itself what it records. queue records everything: it is asked only for
	// what belongs to an event that is recorded.
	sampled, queue oteltrace.Tracer
	providers      []*sdktrace.TracerProvider
	exporter       *exporter
}

// New returns a tracer, or nil where no endpoint is set.
func New(ctx context.Context, o Options) (*Tracer, error) {
	var options []otlptracehttp.Option
	switch variable, err := Environment(os.Getenv); {
	case o.Endpoint != "":
		u, err := url.Parse(o.Endpoint)
		if err != nil {
			return nil, errors.New("endpoint of traces is no URL")
		}
		options = append(options, otlptracehttp.WithEndpointURL(u.JoinPath("v1", "traces").String()))
	case err != nil:
		return nil, err
	case variable == "":
		return nil, nil //nolint:nilnil // a nil Tracer is one
	}
	if err := checkHeaders(os.Getenv); err != nil {
		return nil, err
	}
	if len(o.Header) > 0 {
		options = append(options, otlptracehttp.WithHeaders(o.Header))
	}
	to, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare to send traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "hookarr"),
		attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Node),
	), resource.WithFromEnv())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err), to.Shutdown(ctx))
	}
	t := &Tracer{exporter: &exporter{SpanExporter: to, log: o.Log}}
	batches := sdktrace.NewBatchSpanProcessor(t.exporter)
	provider := func(more ...sdktrace.TracerProviderOption) oteltrace.Tracer {
		p := sdktrace.NewTracerProvider(append(more, sdktrace.WithResource(about), sdktrace.WithSpanProcessor(batches))...)
		t.providers = append(t.providers, p)
		return p.Tracer(scope, oteltrace.WithInstrumentationVersion(o.Version))
	}
	var sampler []sdktrace.TracerProviderOption
	if o.Sample != nil {
		sampler = append(sampler, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(*o.Sample))))
	}
	t.sampled = provider(sampler...)
	t.queue = provider(sdktrace.WithSampler(sdktrace.AlwaysSample()))
	return t, nil
}

// Shutdown sends what was recorded, for no more than a few seconds. Spans that are started
// afterwards go nowhere.
func (t *Tracer) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	flushing, cancel := context.WithTimeout(ctx, timeout.Of(flushTimeout))
	defer cancel()
	for _, p := range t.providers {
		// What a collector that is away did not take has a line in the log.
		_ = p.Shutdown(flushing)
	}
	// It interrupts a request that is still under way.
	if err := t.exporter.Shutdown(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("end sending traces: %w", err)
	}
	return nil
}

// Span is one that was started. A nil Span records nothing.
type Span struct {
	span oteltrace.Span
}

// start starts a span, and has plugins that are called with the context know of it.
func start(ctx context.Context, by oteltrace.Tracer, name string, o ...oteltrace.SpanStartOption) (context.Context, *Span) {
	ctx, span := by.Start(ctx, name, o...)
	if !span.IsRecording() {
		span.End()
		return ctx, nil
	}
	return ctx, &Span{span}
}

// In returns a context of the span, such as for a line in the log.
func (s *Span) In(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return oteltrace.ContextWithSpan(ctx, s.span)
}

// Traceparent is what the span is known by elsewhere, by W3C Trace Context.
func (s *Span) Traceparent() string {
	if s == nil {
		return ""
	}
	return format(s.span.SpanContext())
}

// headerOf is the value of a header that is there once.
func headerOf(h http.Header, name string) string {
	if values := h.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}
