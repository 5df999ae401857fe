package trace_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc/metadata"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/internal/otlp"
	"github.com/hookarr/hookarr/sdk"
)

const sender = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func open(t *testing.T, o trace.Options) *trace.Tracer {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	tracer, err := trace.New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tracer.Shutdown(context.WithoutCancel(t.Context()))) })
	return tracer
}

func request(header http.Header) trace.Request {
	return trace.Request{Source: "radarr", Header: header, Bytes: 7, At: time.Now().Add(-time.Second), Proven: time.Now().Add(-time.Millisecond)}
}

func received(traceparent string, origin sdk.Origin) event.Event {
	return event.Event{ID: event.NewID(), Source: "radarr", Origin: origin, Type: sdk.TypeMediaImported, Title: "a title", Traceparent: traceparent}
}

// parent is what plugins are told.
func parent(ctx context.Context) string {
	md, _ := metadata.FromOutgoingContext(ctx)
	return strings.Join(md.Get("traceparent"), ",")
}

// TestWay follows an event through spans.
func TestWay(t *testing.T) {
	t.Parallel()
	r := otlp.New(t)
	tracer := open(t, trace.Options{Endpoint: r.URL + "/base/", Header: map[string]string{"Authorization": "Bearer 0tlp"}, Version: "1.2.3", Node: "node-1"})
	accepting, span := tracer.Accept(t.Context(), request(nil))
	e := received(span.Traceparent(), sdk.OriginWebhook)
	decoding, decode := tracer.Decode(accepting, &e)
	require.Equal(t, decode.Traceparent(), parent(decoding))
	require.Empty(t, parent(accepting))
	decode.Decoded(&e, nil)
	_, stored := tracer.Store(accepting)
	stored.Stored(nil)
	span.Event(&e)
	span.Answered(202, "stored")

	later, redecode := tracer.Decode(t.Context(), &e)
	require.Equal(t, redecode.Traceparent(), parent(later))
	redecode.Decoded(nil, context.DeadlineExceeded)
	d := event.Delivery{ID: event.NewID(), Target: "ops", Route: "all", State: event.Pending}
	attempting, attempt := tracer.Attempt(t.Context(), d, 2, []event.Event{e, received("", sdk.OriginWebhook), e})
	require.Equal(t, attempt.Traceparent(), parent(attempting))
	require.Equal(t, attempt.Traceparent(), trace.Traceparent(attempting))
	attempt.Attempted(sdk.ClassThrottled, 429)
	d.State, d.Proof.Asks = event.Verifying, 3
	_, ask := tracer.Attempt(t.Context(), d, 2, []event.Event{e})
	ask.Attempted(sdk.ClassOK, 0)
	require.NoError(t, tracer.Shutdown(t.Context()))

	require.Equal(t, "/base/v1/traces", r.Paths()[0])
	require.Equal(t, "Bearer 0tlp", r.Headers()[0].Get("Authorization"))
	accept := r.Spans("hookarr.accept")[0]
	require.Empty(t, accept.Parent)
	require.Empty(t, accept.Links)
	require.Equal(t, e.Traceparent, "00-"+accept.Ref()+"-01")
	require.Equal(t, accept.Trace, trace.ID(e.Traceparent))
	require.GreaterOrEqual(t, accept.End-accept.Start, uint64(time.Second))
	require.Equal(t, map[string]any{
		"hookarr.source": "radarr", "http.request.body.size": int64(7), "http.response.status_code": int64(202), "hookarr.outcome": "stored",
		"hookarr.event.id": e.ID.String(), "hookarr.event.type": "media.imported",
	}, accept.Attributes)
	for key, want := range map[string]string{"service.name": "hookarr", "service.version": "1.2.3", "service.instance.id": "node-1"} {
		require.Equal(t, want, accept.Resource[key])
	}
	decodes := r.Spans("hookarr.decode")
	require.Len(t, decodes, 2)
	for _, child := range []otlp.Span{r.Spans("hookarr.auth")[0], decodes[0], r.Spans("hookarr.store")[0]} {
		require.Equal(t, accept.Ref(), child.Trace+"-"+child.Parent, child.Name)
		require.False(t, child.Failed)
	}
	require.Equal(t, []string{accept.Ref()}, decodes[1].Links)
	require.NotEqual(t, accept.Trace, decodes[1].Trace)
	require.True(t, decodes[1].Failed)

	deliver := r.Spans("hookarr.deliver")[0]
	require.Equal(t, []string{accept.Ref(), accept.Ref()}, deliver.Links, "one for each event that was traced")
	require.NotEqual(t, accept.Trace, deliver.Trace)
	require.True(t, deliver.Failed)
	require.Equal(t, map[string]any{
		"hookarr.source": "radarr", "hookarr.event.id": e.ID.String(), "hookarr.event.type": "media.imported", "hookarr.events": int64(3),
		"hookarr.target": "ops", "hookarr.route": "all", "hookarr.delivery.id": d.ID.String(), "hookarr.attempt": int64(2),
		"hookarr.outcome": "throttled", "http.response.status_code": int64(429),
	}, deliver.Attributes)
	verify := r.Spans("hookarr.verify")[0]
	require.Equal(t, []string{accept.Ref()}, verify.Links)
	require.Equal(t, int64(4), verify.Attributes["hookarr.ask"])
	require.False(t, verify.Failed)
}

// TestSenders: a trusted one's trace is continued, another's is linked, and nonsense is
// neither.
func TestSenders(t *testing.T) {
	t.Parallel()
	r := otlp.New(t)
	tracer := open(t, trace.Options{Endpoint: r.URL})
	accept := func(trusted bool, values ...string) otlp.Span {
		v := request(http.Header{"Traceparent": values, "Tracestate": {"a=b"}})
		v.Trusted = trusted
		_, span := tracer.Accept(t.Context(), v)
		require.NotNil(t, span)
		span.Answered(500, "store")
		return otlp.Span{Trace: strings.Split(span.Traceparent(), "-")[1], ID: strings.Split(span.Traceparent(), "-")[2]}
	}
	trusted, linked := accept(true, sender), accept(false, sender)
	unsampled := accept(false, strings.TrimSuffix(sender, "1")+"0")
	ignored := map[string]bool{}
	for _, nonsense := range [][]string{
		nil,
		{""},
		{sender, sender},
		{strings.Repeat("a", 10_000)},
		{sender + "-more"},
		{strings.ToUpper(sender)},
		{"ff" + sender[2:]},
		{"01" + sender[2:]},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01"},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"},
		{"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\x00\xff"},
	} {
		ignored[accept(true, nonsense...).Ref()] = true
		ignored[accept(false, nonsense...).Ref()] = true
	}
	require.NoError(t, tracer.Shutdown(t.Context()))
	const of = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
	for _, s := range r.Spans("hookarr.accept") {
		require.True(t, s.Failed)
		switch s.Ref() {
		case trusted.Ref():
			require.Equal(t, of, s.Trace+"-"+s.Parent)
			require.Empty(t, s.Links)
		case linked.Ref(), unsampled.Ref():
			require.NotEqual(t, of[:32], s.Trace)
			require.Empty(t, s.Parent)
			require.Equal(t, []string{of}, s.Links)
		default:
			require.True(t, ignored[s.Ref()])
			require.Empty(t, s.Links)
			require.Empty(t, s.Parent)
			require.NotEqual(t, of[:32], s.Trace)
		}
	}
}

// TestSample: what follows from an event is recorded if the event is. Nobody was asked
// about what did not come as a webhook.
func TestSample(t *testing.T) {
	t.Parallel()
	r := otlp.New(t)
	none, all := 0.0, 1.0
	off := open(t, trace.Options{Endpoint: r.URL, Sample: &none})
	accepting, span := off.Accept(t.Context(), request(http.Header{"Traceparent": {sender}}))
	require.Nil(t, span)
	require.Empty(t, span.Traceparent())
	e := received("", sdk.OriginWebhook)
	ctx, span := off.Decode(accepting, &e)
	require.Nil(t, span)
	require.Empty(t, parent(ctx))
	_, span = off.Store(accepting)
	require.Nil(t, span)
	attempt := func(tracer *trace.Tracer, e event.Event) *trace.Span {
		ctx, span := tracer.Attempt(t.Context(), event.Delivery{}, 1, []event.Event{e})
		require.Equal(t, span.Traceparent(), parent(ctx))
		return span
	}
	require.Nil(t, attempt(off, e))
	require.Nil(t, attempt(off, received("", sdk.OriginCatchup)))
	require.NotNil(t, attempt(off, received(sender, sdk.OriginWebhook)), "another process, or an earlier configuration, recorded it")
	on := open(t, trace.Options{Endpoint: r.URL, Sample: &all})
	require.Nil(t, attempt(on, e))
	require.NotNil(t, attempt(on, received("", sdk.OriginCatchup)))
	require.Nil(t, attempt(on, received("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", sdk.OriginWebhook)))
}

func TestLinksAreBounded(t *testing.T) {
	t.Parallel()
	r := otlp.New(t)
	tracer := open(t, trace.Options{Endpoint: r.URL})
	events := make([]event.Event, 500)
	for i := range events {
		events[i] = received(fmt.Sprintf("00-%032x-%016x-01", i+1, i+1), sdk.OriginWebhook)
	}
	_, span := tracer.Attempt(t.Context(), event.Delivery{}, 1, events)
	span.Attempted(sdk.ClassOK, 200)
	require.NoError(t, tracer.Shutdown(t.Context()))
	s := r.Spans("hookarr.deliver")[0]
	require.Len(t, s.Links, 100)
	require.Equal(t, int64(500), s.Attributes["hookarr.events"])
}

// TestOff: nothing is made, and nothing runs.
func TestOff(t *testing.T) { //nolint:paralleltest // it counts what runs
	running := goleak.IgnoreCurrent()
	tracer, err := trace.New(t.Context(), trace.Options{})
	require.NoError(t, err)
	require.Nil(t, tracer)
	ctx, span := tracer.Accept(t.Context(), request(http.Header{"Traceparent": {sender}}))
	require.Equal(t, t.Context(), ctx)
	e := received("", sdk.OriginWebhook)
	ctx, decode := tracer.Decode(ctx, &e)
	decode.Decoded(&e, nil)
	ctx, store := tracer.Store(ctx)
	store.Stored(nil)
	ctx, attempt := tracer.Attempt(ctx, event.Delivery{}, 1, []event.Event{received(sender, sdk.OriginWebhook)})
	attempt.Attempted(sdk.ClassOK, 200)
	span.Event(&e)
	span.Answered(202, "stored")
	require.Empty(t, span.Traceparent())
	require.Empty(t, parent(ctx))
	require.Equal(t, t.Context(), span.In(ctx))
	require.NoError(t, tracer.Shutdown(t.Context()))
	require.NoError(t, goleak.Find(running))
}

// TestEnvironmentHolds: what the SDK documents works, and the configuration comes before it.
func TestEnvironmentHolds(t *testing.T) {
	r := otlp.New(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=media")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=home")
	t.Setenv("OTEL_SERVICE_NAME", "hooks")
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	_, span := open(t, trace.Options{}).Accept(t.Context(), request(nil))
	require.Nil(t, span)
	all := 1.0
	tracer := open(t, trace.Options{Sample: &all})
	_, span = tracer.Accept(t.Context(), request(nil))
	span.Answered(202, "stored")
	require.NoError(t, tracer.Shutdown(t.Context()))
	s := r.Spans("hookarr.accept")[0]
	require.Equal(t, "media", r.Headers()[0].Get("X-Tenant"))
	require.Equal(t, "home", s.Resource["deployment.environment"])
	require.Equal(t, "hooks", s.Resource["service.name"])

	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Bearer s3cret")
	_, err := trace.New(t.Context(), trace.Options{})
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_HEADERS: want NAME=VALUE")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "tempo:4318")
	_, err = trace.New(t.Context(), trace.Options{})
	require.ErrorContains(t, err, "OTEL_EXPORTER_OTLP_ENDPOINT: want http://HOST:PORT")
}

// TestShutdownEnds though the receiver never answers.
func TestShutdownEnds(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	tracer := open(t, trace.Options{Endpoint: server.URL})
	_, span := tracer.Accept(t.Context(), request(nil))
	span.Answered(202, "stored")
	require.NoError(t, tracer.Shutdown(t.Context()))
	<-asked
}

// BenchmarkEvent is what the spans of an event and of one attempt cost: off, for one that
// is not sampled, and recorded.
func BenchmarkEvent(b *testing.B) {
	none := 0.0
	for name, o := range map[string]*trace.Options{"off": nil, "unsampled": {Sample: &none}, "recorded": {}} {
		b.Run(name, func(b *testing.B) {
			var tracer *trace.Tracer
			if o != nil {
				sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
				defer sink.Close()
				o.Endpoint, o.Log = sink.URL, slog.New(slog.DiscardHandler)
				var err error
				tracer, err = trace.New(b.Context(), *o)
				require.NoError(b, err)
				defer func() { _ = tracer.Shutdown(b.Context()) }()
			}
			v := request(http.Header{})
			e := received("", sdk.OriginWebhook)
			events := []event.Event{e}
			d := event.Delivery{ID: event.NewID(), Target: "ops", Route: "all", State: event.Pending}
			b.ReportAllocs()
			for b.Loop() {
				ctx, span := tracer.Accept(b.Context(), v)
				events[0].Traceparent = span.Traceparent()
				_, decode := tracer.Decode(ctx, &e)
				decode.Decoded(&e, nil)
				_, store := tracer.Store(ctx)
				store.Stored(nil)
				span.Event(&e)
				span.Answered(202, "stored")
				_, attempt := tracer.Attempt(b.Context(), d, 1, events)
				attempt.Attempted(sdk.ClassOK, 200)
			}
		})
	}
}
