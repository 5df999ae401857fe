// Package ingest takes webhooks in over HTTP, has them decoded and routed, and answers once
// they are stored.
package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/timeout"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Decoder asks source plugins. pluginhost.Host is one.
type Decoder interface {
	// Decode returns what the source makes of a request. An error means that it is
	// worth another try.
	Decode(ctx context.Context, source string, r sdk.Request) (host.Decoded, error)
	// DecodeAlone is Decode with nothing else under way in the plugin, for requests
	// that may be what crashes it.
	DecodeAlone(ctx context.Context, source string, r sdk.Request) (host.Decoded, error)
}

// Accepter stores events. store.Store is one.
type Accepter interface {
	Accept(ctx context.Context, a *store.Acceptance) (store.Accepted, error)
	AcceptPast(ctx context.Context, a *store.Acceptance, r store.PastRecord) (store.Accepted, error)
	AskCatchup(ctx context.Context, source string) error
}

// Options are what an Intake is made of. The zero values of the limits are those that
// their comments name.
type Options struct {
	// Generation returns what holds now. It is called once for each request.
	Generation func() *Generation
	Decoder    Decoder
	Store      Accepter
	Log        *slog.Logger
	// Tracer may be nil.
	Tracer *trace.Tracer
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Verified, if there is one, is called for each request that was let in.
	Verified func(context.Context)
	// Now is time.Now when nil.
	Now func() time.Time

	// MaxBody is the most bytes of a body: 16 MiB, where a season of a thousand
	// files is about 3.5 MB.
	MaxBody int64
	// MaxBodies is the most bytes of all requests that are being worked on: 64 MiB,
	// where one of MaxBody may take three times that while it is unpacked.
	// When they are reached, the oldest bodies that are still being sent are given up.
	MaxBodies int64
	// BodyTimeout is how long a client may take to send its body: 30 s.
	BodyTimeout time.Duration
	// DecodeTimeout is how long a sender waits for the decoder: 250 ms.
	DecodeTimeout time.Duration
	// AcceptTimeout is how long a sender waits for room for its body, and for the
	// database: 5 s each.
	AcceptTimeout time.Duration
	// AnswerTimeout is how long a sender may take to receive its answer: 15 s.
	AnswerTimeout time.Duration
}

// Intake takes webhooks in. It is the http.Handler of /hooks/ and may be used
// concurrently.
type Intake struct {
	generation func() *Generation
	// memories are of sources, by name: *memoryOf.
	memories sync.Map
	decoder  Decoder
	store    Accepter
	tracer   *trace.Tracer
	verified func(context.Context)
	now      func() time.Time
	bodies   *bodies
	failures auth.Limiter
	suspects suspects
	journal  *journal

	bodyTimeout   time.Duration
	decodeTimeout time.Duration
	acceptTimeout time.Duration
	answerTimeout time.Duration
}

// New returns an intake.
func New(o Options) *Intake {
	in := &Intake{
		generation: o.Generation, decoder: o.Decoder, store: o.Store, tracer: o.Tracer, verified: o.Verified, now: o.Now,
		journal:       newJournal(o.Log, o.Metrics),
		bodyTimeout:   orDefault(o.BodyTimeout, 30*time.Second),
		decodeTimeout: orDefault(o.DecodeTimeout, timeout.Of(250*time.Millisecond)),
		acceptTimeout: orDefault(o.AcceptTimeout, timeout.Of(5*time.Second)),
		answerTimeout: orDefault(o.AnswerTimeout, 15*time.Second),
	}
	if in.now == nil {
		in.now = time.Now
	}
	in.bodies = newBodies(orDefault(o.MaxBody, 16<<20), orDefault(o.MaxBodies, 64<<20), in.acceptTimeout)
	return in
}

func orDefault[T int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
