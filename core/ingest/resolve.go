package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// redecodeTimeout is how long a decoder may take when no sender waits for it.
const redecodeTimeout = 30 * time.Second

type decodeFunc func(ctx context.Context, source string, r sdk.Request) (host.Decoded, error)

// resolution is what became of a request that was decoded, or will never be.
type resolution struct {
	acceptance store.Acceptance
	// failedTest: the request is the sender's test of the connection and makes no
	// sense; the event's reason says why.
	failedTest bool
}

// resolve decodes and routes a request, on arrival and later alike. An error means
// that decoding is worth another try.
func (g *Generation) resolve(ctx context.Context, e event.Event, decode decodeFunc) (resolution, error) {
	if len(e.Request.Body) == 0 {
		e.State, e.Reason = event.Undecodable, "the body is empty: have the sender post JSON"
		return resolution{acceptance: store.Acceptance{Event: e}}, nil
	}
	// It was encoded on arrival, so that it parses.
	query, _ := url.ParseQuery(e.Request.Query)
	decoded, err := decode(ctx, e.Source, sdk.Request{
		ID: e.ID.String(), Method: e.Request.Method, Header: e.Request.Header, Query: query,
		Body: bytes.TrimPrefix(e.Request.Body, []byte(byteOrderMark)), ReceivedAt: e.ReceivedAt,
	})
	if err != nil {
		return resolution{}, err
	}
	switch {
	case decoded.Event != nil:
		return g.route(e, decoded)
	case decoded.Invalid != "":
		e.State, e.Reason = event.Undecodable, decoded.Invalid
		if more := hint(e.Request); more != "" {
			e.Reason += "; " + more
		}
	case decoded.Skip != "":
		e.State, e.Reason = event.Routed, decoded.Skip
	default:
		return resolution{}, errors.New("the decoder answered neither an event nor a reason for none")
	}
	return resolution{acceptance: store.Acceptance{Event: e}, failedTest: decoded.Test}, nil
}

// route makes of a decoded event what is stored.
func (g *Generation) route(e event.Event, decoded host.Decoded) (resolution, error) {
	a, err := g.address(e, decoded, "")
	if err != nil {
		return resolution{}, err
	}
	s := g.sources[e.Source]
	a.Keys, a.Enrich = eventKeys(&a.Event, s.windows), s.enrich
	if a.Event.CorrelationKey != "" {
		a.Clears = clears(a.Event.Type)
	}
	return resolution{acceptance: a}, nil
}

// address takes over what an event says, and what is owed to targets of it, but to one.
func (g *Generation) address(e event.Event, decoded host.Decoded, except string) (store.Acceptance, error) {
	normalized := []byte(decoded.JSON)
	if normalized == nil {
		var err error
		if normalized, err = json.Marshal(decoded.Event); err != nil {
			return store.Acceptance{}, fmt.Errorf("write event: %w", err)
		}
	}
	d := decoded.Event
	e.State, e.Reason = event.Routed, ""
	e.Type, e.Title, e.Summary = d.Type, d.Title, d.Summary
	e.Fingerprint, e.CorrelationKey = d.Fingerprint, d.CorrelationKey
	e.Normalized = normalized
	a := store.Acceptance{Event: e}
	for _, m := range g.router.Match(e.Source, d, normalized) {
		if m.Target != except {
			a.Owe(m.Target, m.Route, m.Grouping)
		}
	}
	a.Flushes = g.router.Flushes(e.Source, d, normalized)
	return a, nil
}

// decodeOnArrival resolves a request while its sender waits. A decoder that cannot
// answer now leaves the event deferred.
func (in *Intake) decodeOnArrival(ctx context.Context, g *Generation, e event.Event) resolution {
	s := in.memory(e.Source)
	if s.bypass.open(in.now()) {
		return deferred(e, fmt.Errorf("the decoder did not answer %d times in a row", maxTimeouts))
	}
	start := time.Now()
	decoding, cancel := context.WithTimeout(ctx, in.decodeTimeout)
	defer cancel()
	decoding, span := in.tracer.Decode(decoding, &e)
	r, err := g.resolve(decoding, e, in.decoder.Decode)
	span.Decoded(&r.acceptance.Event, err)
	in.journal.decoded(e.Source, time.Since(start))
	switch {
	case err == nil:
		s.bypass.answered()
		return r
	case decoding.Err() != nil:
		s.bypass.timedOut(in.now())
	case errors.Is(err, pluginhost.ErrCrashed):
		in.suspects.add(e.ID)
	}
	return deferred(e, err)
}

func deferred(e event.Event, why error) resolution {
	e.State, e.Reason = event.Deferred, why.Error()
	return resolution{acceptance: store.Acceptance{Event: e}}
}

// Redecode makes up for the decoding of a stored deferred event. The error means that
// it cannot be decoded yet. An event that crashes its decoder three times with nothing
// else under way in it is undecodable. The keys of the request were taken when it was
// stored; the acceptance brings those of the event.
func (in *Intake) Redecode(ctx context.Context, e event.Event) (*store.Acceptance, error) {
	g := in.generation()
	if g.sources[e.Source] == nil {
		return nil, fmt.Errorf("decode event %s: source %s is not configured any more", e.ID, e.Source)
	}
	ctx, cancel := context.WithTimeout(ctx, redecodeTimeout)
	defer cancel()
	suspect := in.suspects.has(e.ID)
	decode := in.decoder.Decode
	if suspect {
		decode = in.decoder.DecodeAlone
	}
	ctx, span := in.tracer.Decode(ctx, &e)
	r, err := g.resolve(ctx, e, decode)
	span.Decoded(&r.acceptance.Event, err)
	if errors.Is(err, pluginhost.ErrCrashed) {
		if !suspect {
			in.suspects.add(e.ID)
		} else if e.Crashes = in.suspects.crashed(e.ID); e.Crashes >= maxCrashes {
			e.State = event.Undecodable
			e.Reason = fmt.Sprintf("crashed the decoder %d times while being decoded alone: %s", e.Crashes, err)
			r, err = resolution{acceptance: store.Acceptance{Event: e}}, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", e.ID, err)
	}
	in.suspects.remove(e.ID)
	in.journal.resolved(ctx, &r.acceptance.Event)
	return &r.acceptance, nil
}
