package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
)

// mostOfDelivery bounds the normalised events of one delivery in bytes, well below what a
// plugin takes. Events beyond it are told by their titles.
const mostOfDelivery = 16 << 20

// Work is a delivery with what its attempt needs. Its events lack their requests.
type Work struct {
	Delivery event.Delivery
	// Event is the first of Events, which are those of the group.
	Event  event.Event
	Events []event.Event
	// Target is the row of the target, or the zero value.
	Target Target
	// Now is the database's time.
	Now time.Time
}

// LoadWork reads what an attempt needs, or ErrNotFound. Concurrent calls share queries. A
// database that takes no writes has no work: what is sent could not be recorded, and would be
// sent again.
func (s *Store) LoadWork(ctx context.Context, deliveryID uuid.UUID) (Work, error) {
	if s.refused.Load() != nil {
		if err := s.Ready(ctx); errors.Is(err, ErrUnwritable) {
			return Work{}, fmt.Errorf("load delivery %s: %w", deliveryID, err)
		}
	}
	work, err := s.works.Do(ctx, deliveryID)
	if err == nil && work == nil {
		err = ErrNotFound
	}
	if err != nil {
		return Work{}, fmt.Errorf("load delivery %s: %w", deliveryID, err)
	}
	return *work, nil
}

// loadWorks reads what attempts need, those of groups with all of their events.
func (s *Store) loadWorks(ctx context.Context, ids []uuid.UUID) ([]*Work, error) {
	works, err := s.engine.LoadWorks(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, w := range works {
		if w == nil {
			continue
		}
		if w.Delivery.GroupKey != "" {
			if w.Events, err = s.engine.LoadMembers(ctx, w.Delivery.ID, mostOfDelivery); err != nil {
				return nil, err
			}
		}
		if len(w.Events) == 0 {
			w.Events = []event.Event{w.Event}
		}
	}
	return works, nil
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
	// Delay is counted from the database's now to the next attempt of a pending delivery,
	// or the next question for the proof of a verifying one.
	Delay     time.Duration
	Reason    string
	Suspect   bool
	Crashes   int
	MessageID string
	Receipt   []byte
	// SupersededBy is the delivery that tells what this one was to tell.
	SupersededBy uuid.UUID
	// Note is kept with the delivery, unless it is empty.
	Note string
	// Shown is what the message of the delivery's story shows then; nil leaves it.
	Shown *Shown
	// Beside are events of stories that have messages of their own, by the keys of those: if
	// the delivery is delivered, they were told, and an edit of the message has them too.
	Beside map[string][]uuid.UUID
	// Proof is what is known then of the proof that the endpoint did what it accepted; nil
	// leaves it.
	Proof *event.Proof
	// Events are what the target handed back. They are accepted in the same transaction, if
	// the settlement changes the delivery.
	Events []*Acceptance
	// Read is the delivery as it was before the attempt. It is needed with Proof or Events:
	// a settlement of a delivery that has come into another live state meanwhile, such as
	// by an operator, or whose proof another worker has asked for, records the attempt alone.
	Read event.Delivery
	// JobID is the job that made the attempt, to be deleted with the delivery's end, or to
	// wait with the delivery; zero for none.
	JobID int64
	// Silence is the one by which the delivery is cancelled; uuid.Nil for none.
	Silence uuid.UUID
	// Change changes the target's row in the same transaction; nil leaves it.
	Change Change
}

// size is its weight in a batch, in bytes.
func (s *Settlement) size() int {
	n := 0
	for _, a := range s.Events {
		n += a.size()
	}
	return n
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
		targets, all, err := changeTargets(ctx, tx, items, results)
		if err != nil {
			return err
		}
		if err := showAll(ctx, tx, items); err != nil {
			return err
		}
		for _, t := range targets {
			if err := s.saveTarget(ctx, tx, t.before, t.after, all); err != nil {
				return err
			}
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
	s.note(err)
	return results, err
}

// showAll records what messages show, in one order for all transactions.
func showAll(ctx context.Context, tx Tx, items []*Settlement) error {
	shown := slices.DeleteFunc(slices.Clone(items), func(s *Settlement) bool { return s.Shown == nil })
	slices.SortStableFunc(shown, func(a, b *Settlement) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Shown.Key, b.Shown.Key))
	})
	for _, s := range shown {
		if err := show(ctx, tx, s); err != nil {
			return fmt.Errorf("record the message of delivery %s: %w", s.DeliveryID, err)
		}
	}
	for _, s := range items {
		if s.State != event.Delivered && s.State != event.Verifying {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(s.Beside)) {
			if err := tx.AddCorrelationEvents(ctx, s.Target, ShortKey(key), s.Beside[key]); err != nil {
				return fmt.Errorf("record what delivery %s tells of others: %w", s.DeliveryID, err)
			}
		}
	}
	return nil
}

// changedTarget is the row of a target that is locked, and what it is to become.
type changedTarget struct {
	before Target
	after  *Target
}

// changeTargets decides the changes to targets, which are to be saved, and returns the
// settlements with those that come of the changes.
func changeTargets(ctx context.Context, tx Tx, items []*Settlement, results []Settled) ([]changedTarget, []*Settlement, error) {
	var names []string
	for _, item := range items {
		if item.Change != nil {
			names = append(names, item.Target)
		}
	}
	if len(names) == 0 {
		return nil, items, nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	targets, now, err := tx.LockTargets(ctx, names)
	if err != nil {
		return nil, nil, fmt.Errorf("lock targets: %w", err)
	}
	changed := make([]changedTarget, len(names))
	for i, name := range names {
		changed[i] = changedTarget{*targets[name], targets[name]}
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
	return changed, all, nil
}

// settle changes deliveries and records their attempts. That of a delivery which it makes
// delivered is part of its row.
func settle(ctx context.Context, tx Tx, items []*Settlement) error {
	read, err := compare(ctx, tx, items)
	if err != nil {
		return err
	}
	settled := items
	if len(read) > 0 {
		settled = slices.DeleteFunc(slices.Clone(items), func(s *Settlement) bool { return read[s] == overtaken })
	}
	changed, err := tx.SettleDeliveries(ctx, settled)
	if err != nil {
		return fmt.Errorf("update deliveries: %w", err)
	}
	var attempts []*event.Attempt
	var done []int64
	var waiting []JobDelay
	for _, s := range items {
		switch {
		case s.JobID == 0:
		case read[s] == overtaken:
			waiting = append(waiting, JobDelay{JobID: s.JobID})
		case !s.State.Live():
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
	if err := prove(ctx, tx, items, read, changed); err != nil {
		return err
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
	return countSilenced(ctx, tx, items, changed)
}

// countSilenced counts the deliveries that silences have cancelled.
func countSilenced(ctx context.Context, tx Tx, items []*Settlement, changed map[uuid.UUID]bool) error {
	counts := map[uuid.UUID]int{}
	for _, s := range items {
		if s.Silence != uuid.Nil && changed[s.DeliveryID] {
			counts[s.Silence]++
		}
	}
	if len(counts) == 0 {
		return nil
	}
	if err := tx.CountSilenced(ctx, counts); err != nil {
		return fmt.Errorf("count silenced deliveries: %w", err)
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
