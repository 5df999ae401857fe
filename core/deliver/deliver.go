// Package deliver works the queue: it brings deliveries to their targets, decodes
// deferred events, and keeps rows and jobs in step.
package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Deliverer makes attempts. pluginhost.Host is one.
type Deliverer interface {
	// Deliver makes one attempt; alone, with nothing else under way in the plugin.
	Deliver(ctx context.Context, target string, d host.Delivery, alone bool) host.Outcome
	// Ready returns a channel that is closed once the target's plugin takes calls.
	Ready(target string) <-chan struct{}
	// Info says whether the target wants the original requests.
	Info(kind host.Kind, instance string) host.InstanceInfo
}

// Redecoder decodes stored deferred events. ingest.Intake is one.
type Redecoder interface {
	// Redecode returns an error while the event cannot be decoded yet.
	Redecode(ctx context.Context, e event.Event) (*store.Acceptance, error)
}

// Target is what the workers need to know of a configured target.
type Target struct {
	Name    string
	Timeout time.Duration
	// Concurrency is how many attempts may be under way at once in this process.
	Concurrency int
	Retry       config.Retry
}

// Options are what Workers are made of.
type Options struct {
	Store     store.Store
	Deliverer Deliverer
	Redecoder Redecoder
	Targets   []Target
	Log       *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

const (
	// jobGrace is the time a job has, beyond its attempt's, to record the outcome.
	jobGrace = 15 * time.Second
	// settlePatience is how long an outcome that the database does not take is
	// carried; a longer outage makes the attempt again, and so a duplicate.
	settlePatience = 2 * time.Minute
	// busyPause is the wait for a delivery that another job of this process has
	// under way.
	busyPause = time.Second
	// brokenPause is the wait of a job whose delivery cannot be read.
	brokenPause = 2 * time.Second
	// pluginPatience is how long a job waits for a plugin that is down before its
	// delivery is looked at again.
	pluginPatience = 5 * time.Second
)

// Workers works the jobs of one process.
type Workers struct {
	store     store.Store
	deliverer Deliverer
	redecoder Redecoder
	targets   map[string]Target
	log       *slog.Logger
	metrics   *metrics
	inflight  inflight
	nudges    chan struct{}
	// patience is pluginPatience, but in tests.
	patience time.Duration
	// quit is closed by Quit.
	quit chan struct{}
	// sending and decoding are the troubles of targets and of sources.
	sending, decoding troubles
}

// New returns workers for the targets.
func New(o Options) *Workers {
	w := &Workers{
		store: o.Store, deliverer: o.Deliverer, redecoder: o.Redecoder, log: o.Log,
		targets:  make(map[string]Target, len(o.Targets)),
		metrics:  newMetrics(o.Metrics, o.Store),
		nudges:   make(chan struct{}, 1),
		patience: pluginPatience,
		quit:     make(chan struct{}),
	}
	for _, t := range o.Targets {
		w.targets[t.Name] = t
	}
	return w
}

// Quit ends all waiting for plugins that are down. It is called once, before the queue
// is stopped, which waits for the jobs that are under way.
func (w *Workers) Quit() { close(w.quit) }

// nudge wakes the keeper before its next beat.
func (w *Workers) nudge() {
	select {
	case w.nudges <- struct{}{}:
	default:
	}
}

// Register adds the workers to River's.
func (w *Workers) Register(workers *river.Workers) error {
	if err := river.AddWorkerSafely(workers, &deliverWorker{w: w}); err != nil {
		return fmt.Errorf("register deliver worker: %w", err)
	}
	if err := river.AddWorkerSafely(workers, &decodeWorker{w: w}); err != nil {
		return fmt.Errorf("register decode worker: %w", err)
	}
	return nil
}

// Queues returns River's queues: one for each target, and one for decoding, with the
// fetch settings of base.
func (w *Workers) Queues(base river.QueueConfig) map[string]river.QueueConfig {
	queues := make(map[string]river.QueueConfig, len(w.targets)+1)
	for name, t := range w.targets {
		q := base
		q.MaxWorkers = t.Concurrency
		queues[store.TargetQueue(name)] = q
	}
	// One at a time, so that an event that crashes its decoder is found out.
	base.MaxWorkers = 1
	queues[store.DecodeQueue] = base
	return queues
}

// deliverWorker attempts one delivery a job.
type deliverWorker struct {
	river.WorkerDefaults[store.DeliverArgs]
	w *Workers
}

// Timeout bounds a job beyond its waiting and its attempt, which have deadlines of their
// own.
func (d *deliverWorker) Timeout(job *river.Job[store.DeliverArgs]) time.Duration {
	return d.w.targets[strings.TrimPrefix(job.Queue, store.TargetQueue(""))].Timeout + d.w.patience + jobGrace
}

// Work makes an attempt, if the gate lets it, and records what became of it.
func (d *deliverWorker) Work(ctx context.Context, job *river.Job[store.DeliverArgs]) error {
	w, id := d.w, job.Args.DeliveryID
	if !w.inflight.enter(job.ID, id) {
		return river.JobSnooze(busyPause)
	}
	defer w.inflight.leave(job.ID, id)

	work, v, err := w.admit(ctx, id)
	if err == nil && v.attempt && w.awaitPlugin(ctx, work.Delivery.Target) {
		work, v, err = w.admit(ctx, id) // a hold may have come meanwhile
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil // purged
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.log.WarnContext(ctx, "delivery not readable", slog.String("delivery", id.String()), slog.Any("error", err))
		return river.JobSnooze(brokenPause)
	}
	if v.settlement != nil {
		return w.settle(ctx, v.settlement)
	}
	if v.snooze > 0 {
		return river.JobSnooze(v.snooze)
	}
	if !v.attempt {
		return nil
	}
	t := w.targets[work.Delivery.Target]
	f := policyOf(t).decide(w.attempt(ctx, t, work, v.probe))
	if f.interrupted {
		if err := ctx.Err(); err != nil {
			return err
		}
		return river.JobSnooze(restartPause)
	}
	if err := w.settle(ctx, f.settlement); err != nil {
		return err
	}
	failpoint(afterSettle)
	if work.Hold != nil {
		w.nudge() // a probe has answered, or a place in the draining window is free
	}
	if f.snooze > 0 {
		return river.JobSnooze(f.snooze)
	}
	return nil
}

// admit reads a delivery and what the gate says of it.
func (w *Workers) admit(ctx context.Context, id uuid.UUID) (store.Work, verdict, error) {
	work, err := w.store.LoadWork(ctx, id)
	if err != nil {
		return work, verdict{}, err
	}
	target := work.Delivery.Target
	t, configured := w.targets[target]
	if !configured {
		return work, verdict{settlement: &store.Settlement{
			DeliveryID: id, State: event.Held, Reason: store.UnconfiguredReason,
			Hold: &store.HoldRequest{Target: target, Kind: store.HoldUnconfigured, Reason: store.UnconfiguredReason},
		}}, nil
	}
	return work, policyOf(t).gate(work), nil
}

func policyOf(t Target) policy { return policy{target: t.Name, retry: t.Retry, jitter: rand.Float64} }

// attempt calls the plugin within the target's timeout.
func (w *Workers) attempt(ctx context.Context, t Target, work store.Work, probe bool) try {
	d := work.Delivery
	hd := host.Delivery{
		ID:             d.ID.String(),
		Attempt:        d.Attempts + 1,
		Route:          d.Route,
		Events:         []json.RawMessage{work.Event.Normalized},
		CorrelationKey: work.Event.CorrelationKey,
	}
	if w.deliverer.Info(host.KindTarget, t.Name).NeedsOriginals {
		hd.Originals = []sdk.Request{originalOf(work.Event)}
	}
	attemptCtx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	start := time.Now()
	outcome := w.deliverer.Deliver(attemptCtx, t.Name, hd, d.Suspect)
	elapsed := time.Since(start)
	failpoint(afterAnswer)

	w.metrics.observe(t.Name, outcome.Class, elapsed, work.Now.Add(elapsed).Sub(work.Event.ReceivedAt))
	w.log.Log(ctx, w.sending.level(t.Name, outcome.Class, time.Now()), "attempt", slog.String("target", t.Name), slog.String("delivery", hd.ID),
		slog.Int("attempt", hd.Attempt), slog.String("class", string(outcome.Class)), slog.Int("status", outcome.Receipt.Status),
		slog.String("message", outcome.Message), slog.Duration("elapsed", elapsed))
	return try{
		delivery: d, age: work.Now.Sub(d.CreatedAt) + elapsed, startedAt: start, elapsed: elapsed, probe: probe, outcome: outcome,
	}
}

// settle records s. The outcome of an attempt is known here alone, so it is kept
// through an outage of the database and a cancelled job.
func (w *Workers) settle(ctx context.Context, s *store.Settlement) error {
	if s.Hold != nil {
		level := w.sending.loud(s.Hold.Target, onHold, time.Now())
		w.log.Log(ctx, level, "target on hold", slog.String("target", s.Hold.Target),
			slog.String("kind", string(s.Hold.Kind)), slog.String("reason", s.Hold.Reason))
	}
	err := persist(context.WithoutCancel(ctx), settlePatience, func(ctx context.Context) error { return w.store.Settle(ctx, s) })
	if err != nil {
		w.log.ErrorContext(ctx, "outcome not recorded: the attempt will be repeated",
			slog.String("delivery", s.DeliveryID.String()), slog.Any("error", err))
		return fmt.Errorf("settle delivery %s: %w", s.DeliveryID, err)
	}
	return nil
}

// persist repeats do until it succeeds or patience ends.
func persist(ctx context.Context, patience time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func originalOf(e event.Event) sdk.Request {
	query, _ := url.ParseQuery(e.Request.Query) // what a sender garbled is passed on as far as it goes
	return sdk.Request{
		ID: e.ID.String(), Method: e.Request.Method, Header: e.Request.Header, Query: query, Body: e.Request.Body, ReceivedAt: e.ReceivedAt,
	}
}

// decodeWorker makes up for the decoding of one deferred event a job.
type decodeWorker struct {
	river.WorkerDefaults[store.DecodeArgs]
	w *Workers
}

// Work decodes and routes the event.
func (d *decodeWorker) Work(ctx context.Context, job *river.Job[store.DecodeArgs]) error {
	w, id := d.w, job.Args.EventID
	if !w.inflight.enter(job.ID, id) {
		return river.JobSnooze(busyPause)
	}
	defer w.inflight.leave(job.ID, id)

	e, acceptance, err := w.redecode(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && acceptance != nil {
		_, err = w.store.Resolve(ctx, acceptance)
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.log.Log(ctx, w.decoding.loud(e.Source, "decode", time.Now()), "event not decoded yet",
			slog.String("source", e.Source), slog.String("event", id.String()), slog.Any("error", err))
		return river.JobSnooze(decodePause)
	}
	w.decoding.well(e.Source)
	return nil
}

// decodePause is the time between the tries to decode a deferred event.
const decodePause = 5 * time.Second

// redecode returns the event and what it becomes, or nil when it is not deferred any
// more.
func (w *Workers) redecode(ctx context.Context, id uuid.UUID) (event.Event, *store.Acceptance, error) {
	e, _, err := w.store.FindEvent(ctx, id)
	if err != nil || e.State != event.Deferred {
		return e, nil, err
	}
	acceptance, err := w.redecoder.Redecode(ctx, e)
	return e, acceptance, err
}
