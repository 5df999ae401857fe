package trace

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxLinks bounds the events that the span of one attempt is linked to.
const maxLinks = 100

// The names of attributes. None of them holds what senders or endpoints say.
const (
	attrSource   = attribute.Key("hookarr.source")
	attrTarget   = attribute.Key("hookarr.target")
	attrRoute    = attribute.Key("hookarr.route")
	attrEvent    = attribute.Key("hookarr.event.id")
	attrType     = attribute.Key("hookarr.event.type")
	attrEvents   = attribute.Key("hookarr.events")
	attrDelivery = attribute.Key("hookarr.delivery.id")
	attrAttempt  = attribute.Key("hookarr.attempt")
	attrAsk      = attribute.Key("hookarr.ask")
	attrOutcome  = attribute.Key("hookarr.outcome")
	attrStatus   = attribute.Key("http.response.status_code")
	attrBytes    = attribute.Key("http.request.body.size")
)

// Request is a webhook that was let in.
type Request struct {
	Source string
	// Header is the request's. Its traceparent is taken for the parent where it is Trusted,
	// and else for a link.
	Header  http.Header
	Trusted bool
	Bytes   int
	// At is when it came. Proven is when who sent it began to be found out.
	At, Proven time.Time
}

// Accept starts the span of a request that was let in, with that of letting it in. Who is
// not let in has none: strangers could make as many as they like.
func (t *Tracer) Accept(ctx context.Context, r Request) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	o := []oteltrace.SpanStartOption{
		oteltrace.WithSpanKind(oteltrace.SpanKindServer), oteltrace.WithTimestamp(r.At),
		oteltrace.WithAttributes(attrSource.String(r.Source), attrBytes.Int(r.Bytes)),
	}
	if from := parse(headerOf(r.Header, key)); from.IsValid() {
		if r.Trusted {
			ctx = oteltrace.ContextWithRemoteSpanContext(ctx, from)
		} else {
			o = append(o, oteltrace.WithLinks(oteltrace.Link{SpanContext: from}))
		}
	}
	accepting, s := start(ctx, t.sampled, "hookarr.accept", o...)
	if s != nil {
		_, auth := start(accepting, t.sampled, "hookarr.auth", oteltrace.WithTimestamp(r.Proven), oteltrace.WithAttributes(attrSource.String(r.Source)))
		auth.end()
	}
	return accepting, s
}

// Answered ends the span of a request with what its sender was told: the status, and what
// that stands for.
func (s *Span) Answered(status int, outcome string) {
	if s == nil {
		return
	}
	s.span.SetAttributes(attrStatus.Int(status), attrOutcome.String(outcome))
	if status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, "")
	}
	s.end()
}

// Event says which event the span is about.
func (s *Span) Event(e *event.Event) {
	if s != nil {
		s.span.SetAttributes(aboutEvent(e)...)
	}
}

func aboutEvent(e *event.Event) []attribute.KeyValue {
	about := []attribute.KeyValue{attrEvent.String(e.ID.String())}
	if e.Type != "" {
		about = append(about, attrType.String(string(e.Type)))
	}
	return about
}

// Decode starts the span of the decoding of an event: while its sender waits, as a part of
// the request's, or later, with a link to that.
func (t *Tracer) Decode(ctx context.Context, e *event.Event) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	about := oteltrace.WithAttributes(attrSource.String(e.Source), attrEvent.String(e.ID.String()))
	if within(ctx) {
		return called(start(ctx, t.sampled, "hookarr.decode", oteltrace.WithSpanKind(oteltrace.SpanKindClient), about))
	}
	links := linksTo([]event.Event{*e})
	if len(links) == 0 {
		return ctx, nil
	}
	return called(start(ctx, t.queue, "hookarr.decode", oteltrace.WithSpanKind(oteltrace.SpanKindConsumer), about, oteltrace.WithLinks(links...)))
}

// Decoded ends the span of a decoding with what came of it. An error is one that is tried
// again.
func (s *Span) Decoded(e *event.Event, err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetAttributes(attrOutcome.String(string(event.Deferred)))
		s.span.SetStatus(codes.Error, "")
		s.end()
		return
	}
	s.Event(e)
	s.span.SetAttributes(attrOutcome.String(string(e.State)))
	s.end()
}

// Store starts the span of the wait for the database, which takes several events at once.
func (t *Tracer) Store(ctx context.Context) (context.Context, *Span) {
	if t == nil || !within(ctx) {
		return ctx, nil
	}
	return start(ctx, t.sampled, "hookarr.store", oteltrace.WithSpanKind(oteltrace.SpanKindClient))
}

// Stored ends the span of the wait for the database.
func (s *Span) Stored(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, "")
	}
	s.end()
}

// Attempt starts the span of an attempt to deliver events, or of a question for the proof
// of one, with links to the spans that took the events in.
func (t *Tracer) Attempt(ctx context.Context, d event.Delivery, number int, events []event.Event) (context.Context, *Span) {
	if t == nil || len(events) == 0 {
		return ctx, nil
	}
	by, links := t.queue, linksTo(events)
	if len(links) == 0 {
		// Webhooks were decided upon as they came. Nothing else has been there.
		if events[0].Origin == sdk.OriginWebhook {
			return ctx, nil
		}
		by = t.sampled
	}
	name := "hookarr.deliver"
	about := append(aboutEvent(&events[0]), attrSource.String(events[0].Source), attrEvents.Int(len(events)),
		attrTarget.String(d.Target), attrRoute.String(d.Route), attrDelivery.String(d.ID.String()), attrAttempt.Int(number))
	if d.State == event.Verifying {
		name = "hookarr.verify"
		about = append(about, attrAsk.Int(d.Proof.Asks+1))
	}
	return called(start(ctx, by, name, oteltrace.WithNewRoot(), oteltrace.WithSpanKind(oteltrace.SpanKindConsumer),
		oteltrace.WithAttributes(about...), oteltrace.WithLinks(links...)))
}

// Attempted ends the span of an attempt with what became of it: its class, and the HTTP
// status, or 0 for none.
func (s *Span) Attempted(class sdk.Class, status int) {
	if s == nil {
		return
	}
	if class != "" { // else nothing was sent
		s.span.SetAttributes(attrOutcome.String(string(class)))
	}
	if status != 0 {
		s.span.SetAttributes(attrStatus.Int(status))
	}
	if class != sdk.ClassOK {
		s.span.SetStatus(codes.Error, "")
	}
	s.end()
}

// linksTo are those to the recorded events among some, to a bounded number.
func linksTo(events []event.Event) []oteltrace.Link {
	var links []oteltrace.Link
	for _, e := range events {
		if len(links) == maxLinks {
			break
		}
		if sc := parse(e.Traceparent); sc.IsSampled() {
			links = append(links, oteltrace.Link{SpanContext: sc, Attributes: []attribute.KeyValue{attrEvent.String(e.ID.String())}})
		}
	}
	return links
}

// within reports whether a context has a span that is recorded.
func within(ctx context.Context) bool { return oteltrace.SpanContextFromContext(ctx).IsSampled() }

// called has plugins that are called with the context know of the span.
func called(ctx context.Context, s *Span) (context.Context, *Span) {
	if s == nil {
		return ctx, nil
	}
	return host.WithTraceparent(ctx, s.Traceparent()), s
}

func (s *Span) end() {
	if s != nil {
		s.span.End()
	}
}
