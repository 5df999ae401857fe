package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// ActivityReader serves who watches what happens.
type ActivityReader interface {
	// CountReceived counts the events that were received in each bucket.
	CountReceived(ctx context.Context, b Buckets) ([]int, error)
	// CountOutcomes counts the deliveries whose last change was in each bucket and made them
	// delivered or dead.
	CountOutcomes(ctx context.Context, b Buckets) (delivered, dead []int, err error)
	// CountFailures counts the attempts that began in each bucket and did not deliver.
	CountFailures(ctx context.Context, b Buckets) ([]int, error)
	// LastOutcomes returns deliveries of a target that have changed since a time, the latest
	// change first, at most limit.
	LastOutcomes(ctx context.Context, target string, since time.Time, limit int) ([]Outcome, error)
	// LastTries returns the attempts of all targets since a time that did not deliver at once,
	// the latest first, at most limit. It says which are of a target.
	LastTries(ctx context.Context, target string, since time.Time, limit int) ([]Try, error)
	// OldestPending returns the targets that have pending deliveries, by name, with when the
	// age of the oldest began, and the database's time. It looks at the first hundred of each:
	// where all of these were retried, an older one may be behind them.
	OldestPending(ctx context.Context) ([]PendingSince, time.Time, error)
	// ChangedDeliveries returns deliveries that were made or changed since a time, in no order,
	// at most limit of each kind. One that was made and changed is there twice.
	ChangedDeliveries(ctx context.Context, since time.Time, limit int) ([]ChangedDelivery, error)
	// SourceMarks returns how far the histories of sources were read, and when their snapshots
	// changed, if that was since a time.
	SourceMarks(ctx context.Context, since time.Time) ([]SourceMark, error)
}

// Buckets divide a time into N parts of the same length.
type Buckets struct {
	From time.Time
	Step time.Duration
	N    int
}

// At is when a bucket begins. That of N is the end of the last.
func (b Buckets) At(i int) time.Time { return b.From.Add(time.Duration(i) * b.Step) }

// Of returns the bucket of a time, and whether there is one.
func (b Buckets) Of(at time.Time) (int, bool) {
	since := at.Sub(b.From)
	i := int(since / b.Step)
	return i, since >= 0 && i < b.N
}

// Outcome is the last change of a delivery.
type Outcome struct {
	At    time.Time
	State event.DeliveryState
	// SentAt and Elapsed are of the attempt that delivered it; zero where it was not
	// delivered, or where that was proven later.
	SentAt  time.Time
	Elapsed time.Duration
}

// Try is an attempt that did not deliver at once: it failed, or its effect was to be proven.
type Try struct {
	At      time.Time
	Elapsed time.Duration
	Class   sdk.Class
	// Own is set where it is of the target that was asked for.
	Own bool
}

// PendingSince is when the age of a target's oldest pending delivery began.
type PendingSince struct {
	Target string
	Since  time.Time
}

// ChangedDelivery is a delivery that was made or changed.
type ChangedDelivery struct {
	ID, EventID uuid.UUID
	UpdatedAt   time.Time
	// Members is how many events it has.
	Members int
}

// SourceMark is how far a history was read, or when a snapshot changed.
type SourceMark struct {
	Source string
	At     time.Time
}

// Activity is what happened in the time of one bucket.
type Activity struct {
	// Accepted counts the events that were received; of one target, the deliveries that were
	// made.
	Accepted int
	// Delivered and Dead count the deliveries that came to this and still are so.
	Delivered, Dead int
	// Failed counts the attempts that failed, and Attempts all of them, which is known of one
	// target alone.
	Failed, Attempts int
	// Median and P95 say how long the attempts of one target took.
	Median, P95 time.Duration
}

// CountActivity says what happened in each bucket, over all targets.
func (s *Store) CountActivity(ctx context.Context, b Buckets) ([]Activity, error) {
	received, err := s.CountReceived(ctx, b)
	if err != nil {
		return nil, err
	}
	delivered, dead, err := s.CountOutcomes(ctx, b)
	if err != nil {
		return nil, err
	}
	failed, err := s.CountFailures(ctx, b)
	if err != nil {
		return nil, err
	}
	all := make([]Activity, b.N)
	for i := range all {
		all[i] = Activity{Accepted: received[i], Delivered: delivered[i], Dead: dead[i], Failed: failed[i]}
	}
	return all, nil
}

// TargetActivity says what happened to a target in each bucket. It reads no more than limit
// of its newest deliveries, of its last outcomes, and of the last attempts of all targets:
// what is before since is not known, and zero.
func (s *Store) TargetActivity(ctx context.Context, target string, b Buckets, limit int) (all []Activity, since time.Time, err error) {
	made, err := s.DeliveryIDs(ctx, DeliveryFilter{Target: target, Since: b.From}, limit)
	if err != nil {
		return nil, since, err
	}
	outcomes, err := s.LastOutcomes(ctx, target, b.From, limit)
	if err != nil {
		return nil, since, err
	}
	tries, err := s.LastTries(ctx, target, b.From, limit)
	if err != nil {
		return nil, since, err
	}
	since = b.From
	if len(made) >= limit {
		since = later(since, event.TimeOf(made[len(made)-1]))
	}
	if len(outcomes) >= limit {
		since = later(since, outcomes[len(outcomes)-1].At)
	}
	if len(tries) >= limit {
		since = later(since, tries[len(tries)-1].At)
	}
	all = make([]Activity, b.N)
	elapsed := make([][]time.Duration, b.N)
	count := func(at time.Time, do func(a *Activity, i int)) {
		if i, ok := b.Of(at); ok && !at.Before(since) {
			do(&all[i], i)
		}
	}
	for _, id := range made {
		count(event.TimeOf(id), func(a *Activity, _ int) { a.Accepted++ })
	}
	for _, o := range outcomes {
		count(o.At, func(a *Activity, _ int) {
			switch o.State {
			case event.Delivered:
				a.Delivered++
			case event.Dead:
				a.Dead++
			default: // no outcome of an attempt
			}
		})
		if !o.SentAt.IsZero() {
			count(o.SentAt, func(_ *Activity, i int) { elapsed[i] = append(elapsed[i], o.Elapsed) })
		}
	}
	for _, t := range tries {
		if !t.Own {
			continue
		}
		count(t.At, func(a *Activity, i int) {
			elapsed[i] = append(elapsed[i], t.Elapsed)
			if t.Class != sdk.ClassOK {
				a.Failed++
			}
		})
	}
	for i := range all {
		slices.Sort(elapsed[i])
		all[i].Attempts, all[i].Median, all[i].P95 = len(elapsed[i]), quantile(elapsed[i], 50), quantile(elapsed[i], 95)
	}
	return all, since, nil
}

// quantile is the least of sorted values that percent of them do not exceed; 0 of none.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*percent+99)/100, 1)-1]
}

// pauseSample is how many of a source's last events tell how it usually behaves.
const pauseSample = 100

// Pauses is how a source usually behaves, by its last hundred events.
type Pauses struct {
	// Events is how many there are; Last is when the last was received, and Longest the
	// longest time between two.
	Events  int
	Last    time.Time
	Longest time.Duration
}

// PausesOf returns how a source usually behaves.
func (s *Store) PausesOf(ctx context.Context, source string) (p Pauses, err error) {
	ids, err := s.EventIDs(ctx, EventFilter{Source: source}, pauseSample)
	if err != nil {
		return p, fmt.Errorf("read the last events of source %s: %w", source, err)
	}
	p.Events = len(ids)
	for i, id := range ids {
		at := event.TimeOf(id)
		if i == 0 {
			p.Last = at
			continue
		}
		p.Longest = max(p.Longest, event.TimeOf(ids[i-1]).Sub(at))
	}
	return p, nil
}
