package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// warnBurst and warnRate, per second, bound what strangers can write into the log.
	warnBurst = 10
	warnRate  = 1
)

// journal counts and logs what the intake does.
type journal struct {
	log        *slog.Logger
	warnings   *rate.Limiter
	suppressed atomic.Int64

	accepted    *prometheus.CounterVec
	duplicates  *prometheus.CounterVec
	rejected    *prometheus.CounterVec
	deferred    *prometheus.CounterVec
	undecodable *prometheus.CounterVec
	decode      *prometheus.HistogramVec
	accept      prometheus.Histogram
}

func newJournal(log *slog.Logger, r prometheus.Registerer) *journal {
	f := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"source"}, labels...))
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &journal{
		log: log, warnings: rate.NewLimiter(warnRate, warnBurst),
		accepted:    counter("hookarr_events_accepted_total", "Events stored, by type; undecoded ones have type none.", "type"),
		duplicates:  counter("hookarr_events_duplicate_total", "Requests that repeated an event."),
		rejected:    counter("hookarr_requests_rejected_total", "Requests that were not taken, by reason.", "reason"),
		deferred:    counter("hookarr_events_deferred_total", "Events stored before they could be decoded."),
		undecodable: counter("hookarr_events_undecodable_total", "Events that no decoder understood."),
		decode: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookarr_decode_seconds", Help: "Time that senders waited for the decoder.",
			Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25},
		}, []string{"source"}),
		accept: f.NewHistogram(prometheus.HistogramOpts{
			Name: "hookarr_accept_seconds", Help: "Time that senders waited for the database.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
	}
}

// reasons are why requests of configured sources are not taken.
func reasons() []string {
	return []string{
		string(auth.ReasonMissing), string(auth.ReasonMalformed), string(auth.ReasonMismatch), string(auth.ReasonStale),
		string(auth.ReasonOrigin), string(auth.ReasonHost), string(auth.ReasonAddress),
		"throttled", "method", "too_large", "incomplete", "slow", "busy", "store", "test",
	}
}

// Expect has the counters of sources begin at 0: of one that begins later, Prometheus does
// not see the first increase.
func (in *Intake) Expect(sources []string) {
	for _, source := range sources {
		for _, c := range []*prometheus.CounterVec{in.journal.duplicates, in.journal.deferred, in.journal.undecodable} {
			c.WithLabelValues(source)
		}
		for _, reason := range reasons() {
			in.journal.rejected.WithLabelValues(source, reason)
		}
	}
}

// warn logs, unless there was too much to log; then the next line says how much.
func (j *journal) warn(ctx context.Context, msg string, attrs ...slog.Attr) {
	if !j.warnings.Allow() {
		j.suppressed.Add(1)
		return
	}
	if n := j.suppressed.Swap(0); n > 0 {
		attrs = append(attrs, slog.Int64("suppressed", n))
	}
	//nolint:sloglint // callers pass constants
	j.log.LogAttrs(ctx, slog.LevelWarn, msg, attrs...)
}

func (j *journal) decoded(source string, elapsed time.Duration) {
	j.decode.WithLabelValues(source).Observe(elapsed.Seconds())
}

// repeated counts and logs a request that is dropped because it repeats an event.
func (j *journal) repeated(ctx context.Context, e *event.Event, first uuid.UUID) {
	j.duplicates.WithLabelValues(e.Source).Inc()
	j.log.LogAttrs(ctx, slog.LevelInfo, "duplicate dropped",
		slog.String("source", e.Source), slog.String("type", string(e.Type)),
		slog.String("event", e.ID.String()), slog.String("repeats", first.String()))
}

// stored counts a new event.
func (j *journal) stored(ctx context.Context, e *event.Event) {
	j.accepted.WithLabelValues(e.Source, typeLabel(e.Type)).Inc()
	if e.State == event.Deferred {
		j.deferred.WithLabelValues(e.Source).Inc()
		j.warn(ctx, "event stored undecoded", slog.String("source", e.Source), slog.String("event", e.ID.String()), slog.String("reason", e.Reason))
	}
	j.resolved(ctx, e)
}

// resolved counts what a new event, or a deferred one, came to.
func (j *journal) resolved(ctx context.Context, e *event.Event) {
	if e.State == event.Undecodable {
		j.undecodable.WithLabelValues(e.Source).Inc()
		j.warn(ctx, "event not understood", slog.String("source", e.Source), slog.String("event", e.ID.String()), slog.String("reason", e.Reason))
	}
}

// typeLabel bounds the label, which plugins choose.
func typeLabel(t sdk.Type) string {
	switch {
	case t == "":
		return "none"
	case slices.Contains(sdk.Types(), t):
		return string(t)
	default:
		return "other"
	}
}
