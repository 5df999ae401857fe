// Package deliver works the queue: it brings deliveries to their targets, decodes
// deferred events, and keeps rows and jobs in step.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
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

// Store keeps deliveries and targets. store.Store is one.
type Store interface {
	LoadWork(ctx context.Context, deliveryID uuid.UUID) (store.Work, error)
	LoadRequest(ctx context.Context, eventID uuid.UUID) (event.Request, error)
	Settle(ctx context.Context, s *store.Settlement) (store.Settled, error)
	ChangeTarget(ctx context.Context, target string, change store.Change) (before, after store.Target, err error)
	TakeSlots(ctx context.Context, target string, rate store.Rate, n int) ([]time.Duration, error)
	KeepPlace(ctx context.Context, job *rivertype.JobRow) error
	JobSettled(ctx context.Context) error
	Wake(queue string, after time.Duration)

	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	Resolve(ctx context.Context, a *store.Acceptance) (store.Accepted, error)

	CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
}

// Alerter tells of trouble. alert.Alerts is one.
type Alerter interface {
	TargetHeld(ctx context.Context, t store.Target) (told bool)
	TargetResumed(ctx context.Context, target string, kind store.HoldKind) (told bool)
	DeliveryDead(ctx context.Context, target, title, reason string)
}

// Options are what Workers are made of.
type Options struct {
	Store     Store
	Deliverer Deliverer
	Redecoder Redecoder
	// Plan returns the one that holds now.
	Plan func() *Plan
	// Alerts may be nil.
	Alerts Alerter
	Log    *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

const (
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
	store     Store
	deliverer Deliverer
	redecoder Redecoder
	plan      func() *Plan
	alerts    Alerter
	log       *slog.Logger
	metrics   *metrics
	inflight  inflight
	slots     slots
	// held has the keeper look at holds before its next beat.
	held chan struct{}
	// patience is pluginPatience, but in tests.
	patience time.Duration
	// quit is closed by Quit.
	quit chan struct{}
	// sending and decoding bound what is logged of targets and of sources.
	sending, decoding logThrottle
}

// New returns workers of jobs.
func New(o Options) *Workers {
	w := &Workers{
		store: o.Store, deliverer: o.Deliverer, redecoder: o.Redecoder, log: o.Log, plan: o.Plan, alerts: o.Alerts,
		held:     make(chan struct{}, 1),
		patience: pluginPatience,
		quit:     make(chan struct{}),
	}
	if w.alerts == nil {
		w.alerts = noAlerts{}
	}
	w.metrics = newMetrics(o.Metrics, o.Store, o.Plan)
	return w
}

// Quit ends all waiting for targets and plugins. It is called once, before the queue is
// stopped, which waits for the jobs that are under way.
func (w *Workers) Quit() { close(w.quit) }

// Wait waits until no job is under way, or for the end of ctx: one that was put back into
// its place may have been taken up again unseen by the queue that has stopped.
func (w *Workers) Wait(ctx context.Context) error {
	for len(w.inflight.active()) > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for deliveries under way: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// nudge wakes the keeper before its next beat.
func (w *Workers) nudge() {
	select {
	case w.held <- struct{}{}:
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

// sleep waits, or until Quit or the end of ctx. It reports whether it waited to the end.
func (w *Workers) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.quit:
	case <-ctx.Done():
	}
	return false
}

func policyOf(t Target) policy { return policy{target: t.Name, retry: t.Retry, jitter: rand.Float64} }

// persist repeats do until it succeeds or patience ends.
func persist(ctx context.Context, patience time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := do(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// noAlerts tells nobody.
type noAlerts struct{}

func (noAlerts) TargetHeld(context.Context, store.Target) bool              { return true }
func (noAlerts) TargetResumed(context.Context, string, store.HoldKind) bool { return true }
func (noAlerts) DeliveryDead(context.Context, string, string, string)       {}
