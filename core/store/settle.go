package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
)

// Work is a delivery with what its attempt needs. Its event lacks the request.
type Work struct {
	Delivery event.Delivery
	Event    event.Event
	// Target is the row of the target, or the zero value.
	Target Target
	// Now is the database's time.
	Now time.Time
}

// LoadWork reads what an attempt needs, or ErrNotFound. Concurrent calls share queries.
func (s *Store) LoadWork(ctx context.Context, deliveryID uuid.UUID) (Work, error) {
	work, err := s.works.Do(ctx, deliveryID)
	if err == nil && work == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Work{}, fmt.Errorf("load delivery %s: %w", deliveryID, err)
	}
	return *work, nil
}

// LoadRequest reads the request of an event, or ErrNotFound.
func (s *Store) LoadRequest(ctx context.Context, eventID uuid.UUID) (event.Request, error) {
	r, err := s.engine.LoadRequest(ctx, eventID)
	if err != nil {
		return event.Request{}, fmt.Errorf("load request of event %s: %w", eventID, err)
	}
	return r, nil
}

// Settlement is what an attempt, or the decision against one, changes.
type Settlement struct {
	DeliveryID uuid.UUID
	Target     string
	// Attempt is recorded; nil when nothing was tried.
	Attempt *event.Attempt
	// State is the delivery's next state.
	State event.DeliveryState
	// Delay is counted from the database's now to the next attempt of a pending
	// delivery.
	Delay     time.Duration
	Reason    string
	Suspect   bool
	Crashes   int
	MessageID string
	Receipt   []byte
	// JobID is the job that made the attempt, to be deleted with the delivery's end, or to
	// wait with the delivery; zero for none.
	JobID int64
	// Change changes the target's row in the same transaction; nil leaves it.
	Change Change
}

// Settled is what a settlement came to.
type Settled struct {
	// Before and After are the target's row, where the settlement has a Change, and Others
	// what became of other deliveries by it.
	Before, After Target
	Others        []*Settlement
}

// Settle records what became of an attempt. Concurrent calls share transactions. A
// delivery that is in a final state keeps it; the attempt is recorded all the same.
func (s *Store) Settle(ctx context.Context, settlement *Settlement) (Settled, error) {
	settled, err := s.settles.Do(ctx, settlement)
	if err != nil {
		return Settled{}, fmt.Errorf("settle delivery %s: %w", settlement.DeliveryID, err)
	}
	return settled, nil
}

func (s *Store) settleBatch(ctx context.Context, items []*Settlement) ([]Settled, error) {
	results := make([]Settled, len(items))
	err := s.engine.Write(ctx, func(ctx context.Context, tx Tx) error {
		all, err := changeTargets(ctx, tx, items, results)
		if err != nil {
			return err
		}
		for len(all) > 0 {
			n := untilRepeated(all)
			if err := settle(ctx, tx, all[:n]); err != nil {
				return err
			}
			all = all[n:]
		}
		return nil
	})
	return results, err
}

// changeTargets makes the changes to targets and returns the settlements with those that
// come of the changes.
func changeTargets(ctx context.Context, tx Tx, items []*Settlement, results []Settled) ([]*Settlement, error) {
	var names []string
	for _, item := range items {
		if item.Change != nil {
			names = append(names, item.Target)
		}
	}
	if len(names) == 0 {
		return items, nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	targets, now, err := tx.LockTargets(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("lock targets: %w", err)
	}
	before := make(map[string]Target, len(targets))
	for name, t := range targets {
		before[name] = *t
	}
	all := slices.Clone(items)
	for i, item := range items {
		if item.Change == nil {
			continue
		}
		t := targets[item.Target]
		results[i].Before = *t
		results[i].Others = item.Change(t, now)
		results[i].After = *t
		all = append(all, results[i].Others...)
	}
	for _, name := range names {
		if err := saveTarget(ctx, tx, before[name], targets[name]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// settle changes deliveries and records their attempts. That of a delivery which it makes
// delivered is part of its row.
func settle(ctx context.Context, tx Tx, items []*Settlement) error {
	changed, err := tx.SettleDeliveries(ctx, items)
	if err != nil {
		return fmt.Errorf("update deliveries: %w", err)
	}
	var attempts []*event.Attempt
	var done []int64
	var waiting []JobDelay
	for _, s := range items {
		switch {
		case s.JobID == 0:
		case s.State != event.Pending:
			done = append(done, s.JobID)
		case s.Delay > 0:
			waiting = append(waiting, JobDelay{s.JobID, s.Delay})
		}
		if s.Attempt != nil && (s.State != event.Delivered || !changed[s.DeliveryID]) {
			attempts = append(attempts, s.Attempt)
		}
	}
	if len(attempts) > 0 {
		if err := tx.InsertAttempts(ctx, attempts); err != nil {
			return fmt.Errorf("insert attempts: %w", err)
		}
	}
	if len(done) > 0 {
		if err := tx.DeleteJobs(ctx, done); err != nil {
			return fmt.Errorf("delete jobs: %w", err)
		}
	}
	if len(waiting) > 0 {
		if err := tx.DelayJobs(ctx, waiting); err != nil {
			return fmt.Errorf("delay jobs: %w", err)
		}
	}
	return nil
}

// untilRepeated returns how many items come before the first whose delivery is there
// already: one statement changes a row once.
func untilRepeated(items []*Settlement) int {
	seen := make(map[uuid.UUID]bool, len(items))
	for i, s := range items {
		if seen[s.DeliveryID] {
			return i
		}
		seen[s.DeliveryID] = true
	}
	return len(items)
}
