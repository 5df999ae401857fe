package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/outage"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/trace"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const (
	// maxStay is how long a job may stay with a worker: longer, and River's rescuer would
	// take it for lost.
	maxStay = 10 * time.Minute
	// heldPause is how long a worker keeps a job of a target on hold, so that one whose
	// queue River has not paused yet is not fetched as fast as it is put back.
	heldPause = time.Second
	// leavingPause keeps a job of a target that left the configuration from being fetched as
	// fast as it is put back, until its queue has ended.
	leavingPause = 50 * time.Millisecond
	// soonest is the longest pause for which River makes a job available at once, so that
	// nothing tells the workers when its time has come.
	soonest = 5 * time.Second
	// longestEarly bounds the sleep of a job that came before its delivery's time, which may
	// be brought forward while the job is with a worker.
	longestEarly = 10 * time.Minute
	// lookAgain is how long a worker waits at most until it looks whether its target still
	// waits: an operator may have ended that.
	lookAgain = 5 * time.Second
)

// deliverWorker attempts one delivery a job.
type deliverWorker struct {
	river.WorkerDefaults[store.DeliverArgs]
	w *Workers
}

// Timeout is none: waiting, attempts and settlements have bounds of their own.
func (*deliverWorker) Timeout(*river.Job[store.DeliverArgs]) time.Duration { return -1 }

// Work makes attempts, if the gate lets it, and records what became of them. A job whose
// target waits stays with its worker, or goes back to its place in the queue, so that the
// order of a target with one worker is kept.
func (d *deliverWorker) Work(ctx context.Context, job *river.Job[store.DeliverArgs]) error {
	w := d.w
	fate, delay, err := w.deliver(ctx, job)
	switch {
	case err != nil:
		return err
	case fate == early, fate == retried:
		if delay <= soonest {
			w.store.Wake(job.Queue, delay+10*time.Millisecond)
		}
		if fate == early {
			return river.JobSnooze(delay)
		}
		return w.store.JobSettled(ctx)
	case fate == again:
		if !w.stopping(ctx) {
			w.store.Wake(job.Queue, restartPause)
		}
		return w.store.KeepPlace(ctx, job.JobRow)
	case fate == settledJob:
		return w.store.JobSettled(ctx)
	}
	return nil
}

// deliver does what a job is for, unless another has its delivery under way. The job is
// free to be taken up again when it returns.
func (w *Workers) deliver(ctx context.Context, job *river.Job[store.DeliverArgs]) (next, time.Duration, error) {
	id := job.Args.DeliveryID
	if !w.inflight.enter(job.ID, id) {
		w.sleep(ctx, busyPause)
		return again, 0, nil
	}
	defer w.inflight.leave(job.ID, id)
	r := run{w: w, id: id, job: job.ID, until: time.Now().Add(maxStay)}
	return r.deliver(ctx)
}

// run is what one job does.
type run struct {
	w   *Workers
	id  uuid.UUID
	job int64
	// until is when the job leaves its worker.
	until time.Time
	// slot is when the target's rate lets the next attempt begin; zero is not asked yet.
	slot time.Time
}

// deliver makes attempts until the job is done or has to wait for longer than a worker
// does. It returns what becomes of the job, and after which delay it is retried.
func (r *run) deliver(ctx context.Context) (next, time.Duration, error) {
	// A slot that was waited for is used: given up at the end of the stay, it would be
	// followed by one that is as far away, and nothing would go out at a low rate.
	for time.Now().Before(r.until) || !r.slot.IsZero() {
		fate, delay, err := r.step(ctx)
		if fate != stays || err != nil {
			return fate, delay, err
		}
	}
	return again, 0, nil
}

// step makes an attempt, or waits before the next step.
func (r *run) step(ctx context.Context) (next, time.Duration, error) {
	w := r.w
	work, err := w.store.LoadWork(ctx, r.id)
	if err != nil {
		return w.unreadable(ctx, r.id, err), 0, nil
	}
	t := w.plan().target(work.Delivery.Target)
	if t == nil && work.Delivery.State.Live() {
		// It left the configuration. Its queue ends, and the job waits for it to come back.
		w.sleep(ctx, leavingPause)
		return again, 0, nil
	}
	if t == nil {
		return done, 0, nil
	}
	p := policyOf(t.Target)
	v := p.gate(work, false)
	if v.attempt && work.Delivery.Open() {
		w.closes(ctx, work, false)
		return stays, 0, nil
	}
	v = w.silence(ctx, p, v, &work, false)
	switch {
	case v.settlement != nil:
		v.settlement.JobID = r.job
		_, err := w.settle(ctx, v.settlement, work)
		return settledJob, 0, err
	case v.early > 0:
		return early, min(v.early, longestEarly), nil
	case v.held:
		w.sleepFor(ctx, t, heldPause)
		return again, 0, nil
	case v.wait > 0:
		// Who waited takes a new slot: all of the old ones are over at once.
		r.slot = time.Time{}
		return w.staysAfter(ctx, t, min(v.wait, lookAgain)), 0, nil
	case !v.attempt:
		return done, 0, nil
	}
	if w.awaitPlugin(ctx, t) {
		if w.stopping(ctx) || !w.runs(t.Name) {
			return again, 0, nil // another node's may run
		}
		return stays, 0, nil // a hold may have come meanwhile
	}
	if work.Delivery.State == event.Pending && len(work.Events) > 1 && !t.Groups {
		if !t.Described {
			return w.staysAfter(ctx, t, restartPause), 0, nil
		}
		return w.split(ctx, work, r.job), 0, nil
	}
	if wait := r.slotIn(ctx, t.Target); wait > 0 {
		return w.staysAfter(ctx, t, wait), 0, nil // the target may be told to wait meanwhile
	}
	f, err := w.try(ctx, t.Target, work, r.job)
	if f.next == busy {
		return w.staysAfter(ctx, t, leasePause), 0, nil // with its slot
	}
	r.slot = time.Time{}
	switch {
	case err != nil:
		return done, 0, err
	case f.next == retried:
		return retried, f.settlement.Delay, nil
	case f.next == settledJob:
		return settledJob, 0, nil
	case f.next == interrupted, f.settlement.Attempt == nil, f.settlement.Suspect:
		// The plugin is down: after a pause, here or at another node.
		w.sleepFor(ctx, t, restartPause)
		return again, 0, nil
	}
	return stays, 0, nil
}

// unreadable says what becomes of a job whose delivery cannot be read.
func (w *Workers) unreadable(ctx context.Context, id uuid.UUID, err error) next {
	if errors.Is(err, store.ErrNotFound) {
		return done // purged
	}
	if ctx.Err() == nil {
		w.log.WarnContext(outage.Symptom(ctx), "delivery not readable", slog.String("delivery", id.String()), slog.Any("error", err))
		w.sleep(ctx, brokenPause)
	}
	return again
}

// staysAfter waits, unless the process stops or the target changes.
func (w *Workers) staysAfter(ctx context.Context, t *planned, wait time.Duration) next {
	if w.sleepFor(ctx, t, wait) {
		return stays
	}
	return again
}

// slotIn returns how long it is until the target's rate lets an attempt begin.
func (r *run) slotIn(ctx context.Context, t Target) time.Duration {
	if t.Rate.PerSecond == 0 {
		return 0
	}
	if r.slot.IsZero() {
		at, err := r.w.slots.take(ctx, r.w.store, r.w.plan, t.Name)
		if err != nil {
			r.w.log.WarnContext(outage.Symptom(ctx), "rate not readable", slog.String("target", t.Name), slog.Any("error", err))
			return brokenPause
		}
		if at.IsZero() {
			return time.Millisecond // it is on hold by now, or has changed: the next step says so
		}
		r.slot = at
	}
	return time.Until(r.slot)
}

// stopping reports whether Quit was called, or ctx has ended.
func (w *Workers) stopping(ctx context.Context) bool {
	select {
	case <-w.quit:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// try makes an attempt or asks for a proof by a job, or as a probe for job 0, and records
// what became of it.
func (w *Workers) try(ctx context.Context, t Target, work store.Work, job int64) (fate, error) {
	tell, overtaken, leased, err := w.telling(ctx, t, work)
	if leased {
		return fate{next: busy}, nil
	}
	if overtaken != nil {
		return w.overtaken(ctx, work, overtaken, job)
	}
	var attempted try
	if err == nil {
		var span *trace.Span
		ctx, span = w.tracer.Attempt(ctx, work.Delivery, number(work.Delivery), work.Events)
		attempted, err = w.attempt(ctx, t, work, tell, job == 0)
		span.Attempted(attempted.outcome.Class, attempted.outcome.Receipt.Status)
	}
	if err != nil {
		// Nothing was sent. An error would cost the job its place.
		w.log.WarnContext(outage.Symptom(ctx), "delivery not readable", slog.String("delivery", work.Delivery.ID.String()), slog.Any("error", err))
		return fate{next: interrupted}, nil
	}
	f := policyOf(t).decide(attempted)
	if f.settlement == nil {
		return f, nil
	}
	f.settlement.Shown, f.settlement.Beside = tell.shown, tell.beside
	if p := tell.previous; p != nil && f.settlement.Note == "" && f.settlement.MessageID == p.MessageID {
		f.settlement.Note = "edited the message of delivery " + tell.edited.String()
	}
	if attempted.outcome.Crashed {
		w.crashed(ctx, work, f.settlement, attempted.outcome)
	}
	f.settlement.JobID = job
	w.handedBack(ctx, work, f.settlement, attempted.outcome.Events)
	settled, err := w.settle(ctx, f.settlement, work)
	if err != nil {
		return f, err
	}
	failpoint(afterSettle)
	if settled.After.Hold != settled.Before.Hold {
		w.nudge() // the first probe follows at once
	}
	return f, nil
}

// overtaken settles a delivery that has nothing to tell any more.
func (w *Workers) overtaken(ctx context.Context, work store.Work, s *store.Settlement, job int64) (fate, error) {
	s.JobID = job
	if job == 0 {
		s.Change = untoldProbe(s.DeliveryID)
	}
	_, err := w.settle(ctx, s, work)
	return fate{settlement: s, next: settledJob}, err
}

// attempt calls the plugin within the target's timeout.
func (w *Workers) attempt(ctx context.Context, t Target, work store.Work, tell telling, probe bool) (try, error) {
	d := work.Delivery
	hd, err := tell.delivery(work)
	if err != nil {
		return try{}, err
	}
	if w.deliverer.Info(host.KindTarget, t.Name).NeedsOriginals {
		original, err := w.original(ctx, work.Event)
		if err != nil {
			return try{}, err
		}
		hd.Originals = []sdk.Request{original}
	}
	attemptCtx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	start := time.Now()
	outcome := w.call(attemptCtx, t, work, hd)
	elapsed := time.Since(start)
	failpoint(afterAnswer)

	w.metrics.observe(t.Name, d.State, outcome, elapsed, work.Now.Add(elapsed).Sub(work.Event.ReceivedAt))
	if outcome.Class == sdk.ClassOK && outcome.Receipt.Fallback != "" {
		w.fallback(ctx, work, t.Name, outcome.Receipt.Fallback)
	}
	level, msg := w.sending.level(t.Name, outcome.Class, time.Now()), "attempt"
	switch failed := level >= slog.LevelWarn; {
	case outcome.Redeliver:
		msg = "what was accepted is lost: the attempt will be repeated"
	case d.State == event.Verifying && failed:
		msg = "proof not told: the target will be asked again"
	case d.State == event.Verifying:
		msg = "asked for proof"
	case failed:
		msg = "attempt failed: it will be repeated" // a dead letter has a line of its own
	}
	//nolint:sloglint // one of a few constants
	w.log.Log(ctx, level, msg, slog.String("target", t.Name), slog.String("delivery", hd.ID),
		slog.Int("attempt", hd.Attempt), slog.String("class", string(outcome.Class)), slog.Int("status", outcome.Receipt.Status),
		slog.String("message", outcome.Message), slog.Duration("elapsed", elapsed))
	return try{work: work, startedAt: start, elapsed: elapsed, probe: probe, outcome: outcome}, nil
}

// call has the plugin make the attempt, or find out whether what the endpoint accepted is
// proven.
func (w *Workers) call(ctx context.Context, t Target, work store.Work, hd host.Delivery) host.Outcome {
	d := work.Delivery
	if d.State == event.Verifying {
		w.inflight.begin(d.ID, "target "+t.Name+", proof of delivery")
		return w.deliverer.Verify(ctx, t.Name, hd, sdk.Receipt{MessageID: d.MessageID, State: d.Receipt}, policyOf(t).isFinal(work), d.Suspect)
	}
	w.inflight.begin(d.ID, "target "+t.Name+", delivery")
	return w.deliverer.Deliver(ctx, t.Name, hd, d.Suspect)
}

// original is the request of an event, for targets that pass it on.
func (w *Workers) original(ctx context.Context, e event.Event) (sdk.Request, error) {
	r, err := w.store.LoadRequest(ctx, e.ID)
	if err != nil {
		return sdk.Request{}, err
	}
	query, _ := url.ParseQuery(r.Query) // what a sender garbled is passed on as far as it goes
	return sdk.Request{ID: e.ID.String(), Method: r.Method, Header: r.Header, Query: query, Body: r.Body, ReceivedAt: e.ReceivedAt}, nil
}

// settle records s. The outcome of an attempt is known here alone, so it is kept
// through an outage of the database and a cancelled job.
func (w *Workers) settle(ctx context.Context, s *store.Settlement, work store.Work) (settled store.Settled, err error) {
	err = persist(context.WithoutCancel(ctx), settleTimeout, func(ctx context.Context) error {
		settled, err = w.store.Settle(ctx, s)
		return err
	})
	if err != nil {
		w.log.ErrorContext(ctx, "outcome not recorded: the attempt will be repeated", slog.String("target", s.Target),
			slog.String("delivery", s.DeliveryID.String()), slog.Any("error", err))
		return settled, fmt.Errorf("settle delivery %s: %w", s.DeliveryID, err)
	}
	if s.State == event.Dead {
		w.dead(ctx, work, s)
	}
	if s.Silence != uuid.Nil {
		w.metrics.silenced.WithLabelValues(s.Target).Inc()
	}
	for _, other := range settled.Others {
		if other.State == event.Dead {
			refused, err := w.store.LoadWork(ctx, other.DeliveryID) // without it, the line has no title
			if err != nil || refused.Delivery.State == event.Dead {
				w.dead(ctx, refused, other)
			}
		}
	}
	return settled, nil
}
