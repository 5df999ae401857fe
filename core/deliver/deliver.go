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
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Deliverer makes attempts. pluginhost.Host is one.
type Deliverer interface {
	// Deliver makes one attempt; alone, with nothing else under way in the plugin.
	Deliver(ctx context.Context, target string, d host.Delivery, alone bool) host.Outcome
	// Verify finds out whether what the endpoint accepted with a receipt is proven. After a
	// final question, nobody asks again.
	Verify(ctx context.Context, target string, d host.Delivery, accepted sdk.Receipt, final, alone bool) host.Outcome
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

// Composer makes of what targets hand back what is stored. ingest.Intake is one.
type Composer interface {
	// Compose routes an event that a target tells under the name of a source. It goes to
	// others than that target.
	Compose(target, source string, back host.HandedBack) (*store.Acceptance, error)
}

// Store keeps deliveries and targets. store.Store is one.
type Store interface {
	LoadWork(ctx context.Context, deliveryID uuid.UUID) (store.Work, error)
	LoadRequest(ctx context.Context, eventID uuid.UUID) (event.Request, error)
	Settle(ctx context.Context, s *store.Settlement) (store.Settled, error)
	CloseGroup(ctx context.Context, id uuid.UUID, early bool) (closed bool, err error)
	SplitGroup(ctx context.Context, work store.Work, job int64) error
	LeaseMessage(ctx context.Context, target, key string, delivery uuid.UUID, d time.Duration) (store.Lease, error)
	ChangeTarget(ctx context.Context, target string, change store.Change) (before, after store.Target, err error)
	TakeSlots(ctx context.Context, target string, rate store.Rate, n int) ([]time.Duration, error)
	KeepPlace(ctx context.Context, job *rivertype.JobRow) error
	JobSettled(ctx context.Context) error
	Wake(queue string, after time.Duration)

	FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error)
	Resolve(ctx context.Context, a *store.Acceptance) (store.Accepted, error)
}

// Alerter tells of trouble. alert.Alerts is one.
type Alerter interface {
	TargetHeld(ctx context.Context, t store.Target) (told bool)
	TargetResumed(ctx context.Context, target string, kind store.HoldKind) (told bool)
	DeliveryDead(ctx context.Context, target, title, reason string)
	DeliveriesDead(ctx context.Context, target string, n int, reason string)
}

// Silencer says which events operators want to hear nothing of. silence.Silences is one.
type Silencer interface {
	// Match is asked before every attempt. Both times are the database's.
	Match(ctx context.Context, target string, e event.Event, accepted, now time.Time) (store.Silence, bool, error)
}

// Options are what Workers are made of.
type Options struct {
	Store     Store
	Deliverer Deliverer
	Redecoder Redecoder
	// Composer may be nil where no target hands events back.
	Composer Composer
	// Silencer may be nil.
	Silencer Silencer
	// Plan returns the one that holds now.
	Plan func() *Plan
	// Alerts may be nil.
	Alerts Alerter
	Log    *slog.Logger
	// Tracer may be nil.
	Tracer *trace.Tracer
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

const (
	// settleTimeout is how long an outcome that the database does not take is
	// carried; a longer outage makes the attempt again, and so a duplicate.
	settleTimeout = 2 * time.Minute
	// busyPause is the wait for a delivery that another job of this process has
	// under way.
	busyPause = time.Second
	// brokenPause is the wait of a job whose delivery cannot be read.
	brokenPause = 2 * time.Second
	// pluginTimeout is how long a job waits for a plugin that is down before its
	// delivery is looked at again.
	pluginTimeout = 5 * time.Second
)

// Workers works the jobs of one process.
type Workers struct {
	store     Store
	deliverer Deliverer
	redecoder Redecoder
	composer  Composer
	plan      func() *Plan
	alerts    Alerter
	silencer  Silencer
	log       *slog.Logger
	tracer    *trace.Tracer
	metrics   *metrics
	inflight  inflight
	slots     slots
	// held has the keeper look at holds before its next heartbeat.
	held chan struct{}
	// waitTimeout is pluginTimeout, but in tests.
	waitTimeout time.Duration
	// quit is closed by Quit.
	quit chan struct{}
	// sending and decoding bound what is logged of targets and of sources.
	sending, decoding logThrottle
}

// New returns workers of jobs.
func New(o Options) *Workers {
	w := &Workers{
		store: o.Store, deliverer: o.Deliverer, redecoder: o.Redecoder, composer: o.Composer, log: o.Log, plan: o.Plan, alerts: o.Alerts, silencer: o.Silencer,
		tracer:      o.Tracer,
		held:        make(chan struct{}, 1),
		waitTimeout: pluginTimeout,
		quit:        make(chan struct{}),
	}
	if w.alerts == nil {
		w.alerts = noAlerts{}
	}
	w.metrics = newMetrics(o.Metrics)
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

// nudge wakes the keeper before its next heartbeat.
func (w *Workers) nudge() {
	select {
	case w.held <- struct{}{}:
	default:
	}
}

// Register adds the workers to River's.
func (w *Workers) Register(workers *river.Workers) error {
	w.expect()
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

func policyOf(t Target) policy {
	return policy{target: t.Name, retry: t.Retry, quiet: t.Quiet, drop: t.Drop, jitter: rand.Float64}
}

// persist repeats do until it succeeds or waitTimeout ends.
func persist(ctx context.Context, waitTimeout time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
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
func (noAlerts) DeliveriesDead(context.Context, string, int, string)        {}
