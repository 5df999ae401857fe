package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/excerpt"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk"
)

// prefix is the path of webhooks; what follows is SOURCE or SOURCE/TOKEN.
const prefix = "/hooks/"

// exchange is one request and its answer.
type exchange struct {
	r    *http.Request
	at   time.Time
	conn *http.ResponseController
	// generation is the one that the request is taken in by.
	generation *Generation
	source     *source // nil when it is not configured
	// asked is the source's name as it is in the URL.
	asked string
	// read: the body was received completely.
	read bool
	// genuine: the request was let in.
	genuine bool
	// span is nil for a request that was not let in, or is not traced.
	span *trace.Span
}

// ServeHTTP takes one webhook in.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	x := &exchange{r: r, at: start, conn: http.NewResponseController(w), generation: in.generation()}
	rest, ok := strings.CutPrefix(r.URL.Path, prefix)
	name, token, _ := strings.Cut(rest, "/")
	if ok {
		x.asked = name
		x.source = x.generation.sources[name]
		r.SetPathValue(auth.PathToken, token)
	}
	// A writer that knows no deadlines, as in tests, has no connection to protect.
	_ = x.conn.SetReadDeadline(start.Add(in.bodyTimeout))
	// That of the server is for answers that are ready at once.
	_ = x.conn.SetWriteDeadline(time.Time{})
	a := in.take(r.Context(), x)
	_ = x.conn.SetWriteDeadline(time.Now().Add(in.answerTimeout))
	a.write(w, x.read)
	x.span.Answered(a.status, a.outcome())
	ctx := x.span.In(r.Context())
	in.noteMissed(ctx, x, a.status)
	in.journal.answered(ctx, x, a, time.Since(start))
	if !x.read {
		in.linger(x)
	}
}

// lingerTimeout is how long a sender may go on sending after its answer.
const lingerTimeout = time.Second

// linger sends the answer and reads on for a while: a connection that is closed while
// its sender writes is reset, and the answer is lost with it.
func (in *Intake) linger(x *exchange) {
	_ = x.conn.Flush()
	_ = x.conn.SetReadDeadline(time.Now().Add(lingerTimeout))
	_, _ = io.CopyN(io.Discard, x.r.Body, 2*in.bodies.limit)
}

// take follows a request from its head to the database.
func (in *Intake) take(ctx context.Context, x *exchange) answer {
	r := x.r
	switch {
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		return wrongMethod()
	case x.source == nil:
		return rejected(http.StatusNotFound, "unknown_source", "not found")
	case r.ContentLength > in.bodies.limit:
		return in.tooLarge()
	}
	if err := x.source.gate.Precheck(r); err != nil {
		return in.refused(x, err)
	}
	body, l, err := in.bodies.read(ctx, r, in.sender(x))
	defer l.release()
	if err != nil {
		return in.unread(err)
	}
	x.read = true
	_ = x.conn.SetReadDeadline(time.Time{})
	proven := time.Now()
	identity, err := x.source.gate.Verify(r, body, in.now())
	if err != nil {
		return in.refused(x, err)
	}
	x.genuine = true
	if in.verified != nil {
		in.verified(ctx)
	}
	ctx, x.span = in.tracer.Accept(ctx, trace.Request{
		Source: x.source.name, Header: r.Header, Trusted: x.source.trusted, Bytes: len(body), At: x.at, Proven: proven,
	})
	e := in.event(x, body)
	if err := in.unpack(ctx, l, &e.Request); err != nil {
		return in.unread(err)
	}
	// From here on the event is taken in, whether or not its sender waits for it.
	return in.accept(context.WithoutCancel(ctx), x, e, identity)
}

// unpack puts what was compressed in the place of a compressed body: decoders, targets
// that pass on the raw body and a later decoding find it as if it had been sent so. The
// signature was of what was sent. What cannot be decompressed is left as it is.
func (in *Intake) unpack(ctx context.Context, l *reservation, r *event.Request) error {
	sent := encoding(r.Header)
	if sent == "" {
		return nil
	}
	body, err := in.bodies.unpack(ctx, l, sent, r.Body)
	if errors.Is(err, errDamaged) {
		return nil
	}
	if err != nil {
		return err
	}
	r.Body = body
	r.Header.Del("Content-Encoding")
	r.Header.Del("Content-Length")
	return nil
}

// sender is whose body it is.
func (in *Intake) sender(x *exchange) sender {
	client := x.client()
	return sender{
		client:    auth.Network(client),
		throttled: in.failures.Throttled(client, in.now()),
		interrupt: func() { _ = x.conn.SetReadDeadline(time.Unix(1, 0)) },
	}
}

// event keeps of a request what may be kept.
func (in *Intake) event(x *exchange, body []byte) event.Event {
	header, query := x.source.gate.Strip(x.r.Header, x.r.URL.Query())
	return event.Event{
		ID: event.NewID(), Source: x.source.name, Origin: sdk.OriginWebhook, ReceivedAt: in.now(),
		Request:     event.Request{Method: x.r.Method, Query: query.Encode(), Header: header, Body: body},
		Traceparent: x.span.Traceparent(),
	}
}

func (in *Intake) accept(ctx context.Context, x *exchange, e event.Event, who auth.Identity) answer {
	resolved := in.decodeOnArrival(ctx, x.generation, e)
	a := &resolved.acceptance
	x.span.Event(&a.Event)
	if resolved.failedTest {
		return failedTest(a.Event.Reason)
	}
	a.Keys = append(requestKeys(&a.Event, who, x.source.windows), a.Keys...)

	start := time.Now()
	waiting, cancel := context.WithTimeout(ctx, in.acceptTimeout)
	defer cancel()
	waiting, span := in.tracer.Store(waiting)
	accepted, err := in.store.Accept(waiting, a)
	span.Stored(err)
	in.journal.accept.Observe(time.Since(start).Seconds())
	if err != nil {
		return unavailable("store", "the event could not be stored: send it again", err)
	}
	if accepted.Duplicate {
		in.journal.repeated(ctx, &a.Event, accepted.EventID)
		return duplicate(accepted.EventID)
	}
	in.journal.stored(ctx, &a.Event)
	return stored(accepted.EventID)
}

// refused answers who is not let in. What was wrong is for the log alone.
func (in *Intake) refused(x *exchange, err error) answer {
	var reason string
	if refusal, ok := errors.AsType[*auth.Error](err); ok {
		reason = string(refusal.Reason)
	}
	var a answer
	switch {
	case errors.Is(err, auth.ErrForbidden):
		a = rejected(http.StatusForbidden, reason, "forbidden")
	case in.failures.Fail(x.client(), in.now()):
		a = rejected(http.StatusTooManyRequests, "throttled", "too many failed attempts")
		a.retryAfter = "1"
	default:
		a = rejected(http.StatusUnauthorized, reason, "unauthorized")
		a.challenge = x.source.gate.Challenge()
	}
	a.cause = err
	return a
}

func (in *Intake) tooLarge() answer {
	return rejected(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("body larger than %d bytes", in.bodies.limit))
}

// unread answers a request whose body could not be read.
func (in *Intake) unread(err error) answer {
	switch {
	case errors.Is(err, errTooLarge):
		return in.tooLarge()
	case errors.Is(err, errBusy):
		return unavailable("busy", "too many requests are under way: send it again", err)
	case errors.Is(err, errSlow):
		return rejected(http.StatusRequestTimeout, "slow", err.Error())
	default:
		return rejected(http.StatusBadRequest, "incomplete", err.Error())
	}
}

// client is invalid when the address cannot be told.
func (x *exchange) client() netip.Addr {
	if x.source != nil {
		return x.source.gate.Client(x.r)
	}
	peer, _ := netip.ParseAddrPort(x.r.RemoteAddr)
	return peer.Addr().Unmap()
}

// label is the source's name for metrics and logs, which strangers must not choose.
func (x *exchange) label() string {
	if x.source == nil {
		return "unknown"
	}
	return x.source.name
}

// maxAsked is in bytes: a name of a source is seldom longer, and a secret that stands in its
// place is not logged as a whole.
const maxAsked = 20

// nameAsked is the name of a source that is not configured. What is no name is left out, as
// is a secret that stands in its place.
func (x *exchange) nameAsked() string {
	if !config.NamePattern.MatchString(strings.ToLower(x.asked)) || x.generation.hasSecret(x.asked) {
		return "[no name]"
	}
	return excerpt.Of(x.asked, maxAsked)
}

// url is what may be logged of the URL: of one that leads nowhere, nothing.
func (x *exchange) url() string {
	if x.source == nil {
		return prefix + "[unknown]"
	}
	return auth.RedactURL(x.r.URL)
}

// answered counts and logs an answered request.
func (j *journal) answered(ctx context.Context, x *exchange, a answer, elapsed time.Duration) {
	if a.reason != "" {
		j.rejected.WithLabelValues(x.label(), a.reason).Inc()
		attrs := []slog.Attr{
			slog.String("source", x.label()), slog.String("client", x.client().String()),
			slog.String("reason", a.reason), slog.Int("status", a.status),
		}
		if x.source == nil {
			attrs = append(attrs, slog.String("asked", x.nameAsked()), slog.String("sources", x.generation.names()))
		}
		if a.cause != nil {
			attrs = append(attrs, slog.Any("error", a.cause))
		}
		j.warn(ctx, "webhook rejected", attrs...)
	}
	if !j.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	j.log.LogAttrs(ctx, slog.LevelDebug, "webhook",
		slog.String("source", x.label()), slog.String("client", x.client().String()),
		slog.String("method", x.r.Method), slog.String("url", x.url()), slog.Int64("bytes", x.r.ContentLength),
		slog.Int("status", a.status), slog.String("event", a.eventID()), slog.Duration("elapsed", elapsed))
}
