package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
)

// HoldKind says why a target takes nothing.
type HoldKind string

// The kinds of hold.
const (
	// HoldMisconfigured waits for a person, HoldBreaker for the endpoint.
	HoldMisconfigured HoldKind = "misconfigured"
	HoldBreaker       HoldKind = "breaker"
	// HoldThrottled waits as long as the endpoint asked for.
	HoldThrottled HoldKind = "throttled"
	// HoldQuarantined waits for the plugin, HoldPaused for an operator.
	HoldQuarantined HoldKind = "quarantined"
	HoldPaused      HoldKind = "paused"
	// HoldQuiet waits for the end of the target's quiet hours.
	HoldQuiet HoldKind = "quiet"
)

// HoldKinds returns the kinds of hold.
func HoldKinds() []HoldKind {
	return []HoldKind{HoldMisconfigured, HoldBreaker, HoldThrottled, HoldQuarantined, HoldPaused, HoldQuiet}
}

// Target is what all nodes share of a target: its hold and its pace. The zero value is a
// target that is well.
type Target struct {
	Name string
	// Hold is why it takes nothing now; empty when it does. While it is set, River's
	// queue of the target is paused.
	Hold   HoldKind
	Reason string
	Since  time.Time
	// Until is when the hold ends by itself; zero for never.
	Until time.Time
	// Accused is the delivery whose outcome began the hold, or the last hold if another
	// delivery ended it. Witnessed is set once another one was tried.
	Accused   uuid.UUID
	Witnessed bool
	// Probe is the delivery under way as a probe, ProbeAt the time of the next, zero for
	// holds that are not probed, and Probes how many were made.
	Probe   uuid.UUID
	ProbeAt time.Time
	Probes  int

	// NextAt is the time before which nothing is sent, and Pace what it comes from.
	NextAt time.Time
	Pace   string
	// Pause is the last pause that the endpoint gave no hint of, and Failures how many
	// retryable failures came in a row.
	Pause    time.Duration
	Failures int
	// ArrivalAt is the theoretical arrival time of the rate's next attempt.
	ArrivalAt time.Time
}

// Clear ends the hold.
func (t *Target) Clear() {
	*t = Target{Name: t.Name, NextAt: t.NextAt, Pace: t.Pace, Pause: t.Pause, ArrivalAt: t.ArrivalAt}
}

// Change is what a target's row becomes, decided while the row is locked. It returns what
// becomes of other deliveries by it. It may be called more than once, each time with the
// row as it is then, and changes nothing else.
type Change func(t *Target, now time.Time) []*Settlement

// ChangeTarget changes a target's row, and pauses or resumes River's queue where the
// change begins or ends a hold, in one transaction. It returns the row before and after.
func (s *Store) ChangeTarget(ctx context.Context, name string, change Change) (before, after Target, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		before, after, err = s.changeTarget(ctx, tx, name, change)
		return err
	})
	if err != nil {
		return Target{}, Target{}, fmt.Errorf("change target %s: %w", name, err)
	}
	return before, after, nil
}

func (s *Store) changeTarget(ctx context.Context, tx Tx, name string, change Change) (before, after Target, err error) {
	rows, now, err := tx.LockTargets(ctx, []string{name})
	if err != nil {
		return before, after, err
	}
	t := rows[name]
	before = *t
	others := change(t, now)
	after = *t
	if err := s.saveTarget(ctx, tx, before, t, others); err != nil || len(others) == 0 {
		return before, after, err
	}
	_, err = tx.SettleDeliveries(ctx, others)
	return before, after, err
}

// saveTarget writes what has changed. Others are settled in the same transaction.
func (s *Store) saveTarget(ctx context.Context, tx Tx, before Target, t *Target, others []*Settlement) error {
	if *t == before {
		return nil
	}
	if err := tx.SaveTarget(ctx, t); err != nil {
		return fmt.Errorf("save target %s: %w", t.Name, err)
	}
	if (t.Hold == "") == (before.Hold == "") {
		return nil
	}
	if err := tx.PauseQueue(ctx, TargetQueue(t.Name), t.Hold != ""); err != nil {
		return fmt.Errorf("pause or resume the queue of target %s: %w", t.Name, err)
	}
	if t.Hold != "" {
		return nil
	}
	// What failed before the hold would come after what was accepted meanwhile, hours later
	// maybe.
	if err := tx.RetryNow(ctx, t.Name); err != nil {
		return fmt.Errorf("retry deliveries of target %s: %w", t.Name, err)
	}
	if s.Digest == nil || !s.Digest(before) {
		return nil
	}
	except := []uuid.UUID{before.Probe, before.Accused}
	for _, o := range others {
		except = append(except, o.DeliveryID)
	}
	return digest(ctx, tx, t.Name, except)
}

// digest makes digests of the pending deliveries of a target, but for some. Their jobs go
// with them: the digests would come after all of these.
func digest(ctx context.Context, tx Tx, target string, except []uuid.UUID) error {
	var merged []uuid.UUID
	var jobs []river.InsertManyParams
	for {
		id := event.NewID()
		part, err := tx.MergePending(ctx, target, id, except, event.DigestMax)
		if err != nil {
			return fmt.Errorf("merge deliveries of target %s: %w", target, err)
		}
		if len(part) == 0 {
			break
		}
		merged, except = append(merged, part...), append(except, id)
		jobs = append(jobs, DeliverJob(id, target))
	}
	if len(merged) == 0 {
		return nil
	}
	if err := tx.DropJobsOf(ctx, target, merged); err != nil {
		return fmt.Errorf("delete jobs of target %s: %w", target, err)
	}
	return insertJobs(ctx, tx, jobs)
}

// WithinDigest returns the first of deliveries that are merged into one digest of at most
// limit events. Two are merged at least.
func WithinDigest(pending []event.Delivery, limit int) []event.Delivery {
	events := 0
	for i, d := range pending {
		if events += d.Members; events > limit && i >= 2 {
			return pending[:i]
		}
	}
	if len(pending) < 2 {
		return nil
	}
	return pending
}

// Hold puts a target on hold for a reason that no delivery gave. A pause stays a pause
// until Release.
func (s *Store) Hold(ctx context.Context, name string, kind HoldKind, reason string) error {
	_, _, err := s.ChangeTarget(ctx, name, func(t *Target, now time.Time) []*Settlement {
		if t.Hold != HoldPaused || kind == HoldPaused {
			t.Begin(kind, reason, now)
		}
		return nil
	})
	return err
}

// Begin puts the target on hold. A hold that is there already keeps its beginning.
func (t *Target) Begin(kind HoldKind, reason string, now time.Time) {
	since := t.Since
	if t.Hold == "" {
		since = now
	}
	t.Clear()
	t.Hold, t.Reason, t.Since = kind, CleanText(reason), since
}

// Free ends the hold, whatever it is, and what the endpoint asked for.
func (t *Target) Free() { *t = Target{Name: t.Name, ArrivalAt: t.ArrivalAt} }

// Release ends the hold of a target, whatever it is, and what its endpoint asked for.
func (s *Store) Release(ctx context.Context, name string) error {
	_, _, err := s.ChangeTarget(ctx, name, func(t *Target, _ time.Time) []*Settlement {
		t.Free()
		return nil
	})
	return err
}

// errNoProbe ends the transaction of a probe that is not to be.
var errNoProbe = errors.New("no probe")

// Probe takes a delivery to probe a target on hold with, and sets the time of the next
// probe: at once with another than the accused, later with each in turn. It returns
// uuid.Nil when none is due. A probe that was lost is made again when the next is due.
func (s *Store) Probe(ctx context.Context, name string, next func(probes int) time.Duration) (id uuid.UUID, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		rows, now, err := tx.LockTargets(ctx, []string{name})
		if err != nil {
			return err
		}
		t := rows[name]
		if t.Hold == "" || t.ProbeAt.IsZero() {
			return errNoProbe
		}
		due := !now.Before(t.ProbeAt)
		if t.Witnessed && !due {
			return errNoProbe
		}
		other := uuid.Nil
		if !t.Witnessed {
			other = t.Accused
		}
		if id, err = nextInTurn(ctx, tx, name, other); err != nil {
			return err
		}
		if id == uuid.Nil && due {
			id, err = nextInTurn(ctx, tx, name, uuid.Nil)
		}
		if err != nil {
			return err
		}
		if id == uuid.Nil {
			return errNoProbe
		}
		t.Probe, t.Probes, t.ProbeAt = id, t.Probes+1, now.Add(next(t.Probes+1))
		t.Witnessed = t.Witnessed || id != t.Accused
		return tx.SaveTarget(ctx, t)
	})
	if errors.Is(err, errNoProbe) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("probe target %s: %w", name, err)
	}
	return id, nil
}

// nextInTurn prefers what was not accepted yet to what is to be proven.
func nextInTurn(ctx context.Context, tx Tx, target string, other uuid.UUID) (id uuid.UUID, err error) {
	for _, state := range live() {
		if id, err = tx.NextInTurn(ctx, target, state, other); err != nil || id != uuid.Nil {
			return id, err
		}
	}
	return id, nil
}

// Rate is how often attempts may begin: Burst at once, then PerSecond.
type Rate struct {
	PerSecond float64
	Burst     int
}

const (
	// maxInterval and maxTolerance bound nonsensical rates.
	maxInterval  = 24 * time.Hour
	maxTolerance = 365 * 24 * time.Hour
)

// TakeSlots takes the next n places of a target's rate (GCRA), and returns how long from
// now each is away, in order. A target on hold gives none: they would lie behind its end,
// and whoever resumes it would wait for them.
func (s *Store) TakeSlots(ctx context.Context, name string, rate Rate, n int) ([]time.Duration, error) {
	interval := min(time.Duration(min(1/rate.PerSecond, maxInterval.Seconds())*float64(time.Second)), maxInterval)
	tolerance := time.Duration(min(float64(max(rate.Burst, 1)-1)*float64(interval), float64(maxTolerance)))
	var waits []time.Duration
	_, _, err := s.ChangeTarget(ctx, name, func(t *Target, now time.Time) []*Settlement {
		waits = waits[:0]
		if t.Hold != "" {
			return nil
		}
		for range n {
			at := later(now, t.NextAt, t.ArrivalAt.Add(-tolerance))
			t.ArrivalAt = later(t.ArrivalAt, at).Add(interval)
			waits = append(waits, at.Sub(now))
		}
		return nil
	})
	return waits, err
}

func later(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// ExpireDeliveries makes deliveries of a target on hold that have waited for longer than
// maxAge dead letters, at most limit, and returns how many.
func (s *Store) ExpireDeliveries(ctx context.Context, target string, maxAge time.Duration, reason string, limit int) (n int, err error) {
	err = s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		n = 0
		for _, state := range live() {
			expired, err := tx.ExpireDeliveries(ctx, target, state, maxAge, CleanText(reason), limit-n)
			if n += expired; err != nil || n >= limit {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("expire deliveries of target %s: %w", target, err)
	}
	return n, nil
}

// AgreeQueues makes River pause the queues of the targets on hold and no others of
// targets, and returns how many it found otherwise: River forgets the queues of a server
// that was off for a day, and others than Hookarr can pause.
func (s *Store) AgreeQueues(ctx context.Context) (int, error) {
	wrong, err := s.QueuesAstray(ctx)
	if err != nil || len(wrong) == 0 {
		return 0, err
	}
	for _, name := range wrong {
		err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
			rows, _, err := tx.LockTargets(ctx, []string{name})
			if err != nil {
				return err
			}
			return tx.PauseQueue(ctx, TargetQueue(name), rows[name].Hold != "")
		})
		if err != nil {
			return 0, fmt.Errorf("pause or resume the queue of target %s: %w", name, err)
		}
	}
	return len(wrong), nil
}
