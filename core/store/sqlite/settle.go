package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const loadSQL = `
SELECT ` + deliveryCols + `, ` + eventCols + `, ` + holdCols + `
FROM deliveries d
JOIN events e ON e.id = d.event_id
LEFT JOIN target_state h ON h.target = d.target
WHERE d.id = ?`

// LoadWork reads what an attempt needs.
func (s *Store) LoadWork(ctx context.Context, deliveryID uuid.UUID) (store.Work, error) {
	var d deliveryRow
	var e eventRow
	var h holdRow
	now := micros(time.Now())
	err := s.read.QueryRowContext(ctx, loadSQL, deliveryID[:]).Scan(slices.Concat(d.dest(), e.dest(), h.dest())...)
	if err != nil {
		return store.Work{}, fmt.Errorf("load delivery %s: %w", deliveryID, notFound(err))
	}
	w := store.Work{Delivery: d.delivery(), Hold: h.hold(now), Now: fromMicros(now)}
	if w.Event, err = e.event(); err != nil {
		return store.Work{}, err
	}
	return w, nil
}

// Settle records what became of an attempt.
func (s *Store) Settle(ctx context.Context, settlement *store.Settlement) error {
	if _, err := s.settles.Do(ctx, settlement); err != nil {
		return fmt.Errorf("settle delivery %s: %w", settlement.DeliveryID, err)
	}
	return nil
}

func (s *Store) settleBatch(ctx context.Context, items []*store.Settlement) ([]struct{}, error) {
	if err := s.statements.prepare(ctx, s.write); err != nil {
		return nil, err
	}
	err := s.inTx(ctx, func(t *tx) error {
		for _, item := range items {
			if err := t.settle(item); err != nil {
				return err
			}
		}
		return nil
	})
	return make([]struct{}, len(items)), err
}

const (
	freeProbeSQL = `UPDATE target_state SET probe = NULL WHERE probe = ?`
	// drainHeldSQL makes sure that what is held is held by something: the hold may
	// have ended while the settlement was on its way.
	drainHeldSQL = `
INSERT INTO target_state (target, kind, reason, since, draining)
SELECT target, '` + string(store.HoldMisconfigured) + `', 'hold has ended', ?2, 1 FROM deliveries WHERE id = ?1
ON CONFLICT (target) DO NOTHING`
	settleSQL = `
UPDATE deliveries
SET state = ?2, reason = ?3, suspect = ?4, crashes = ?5, message_id = ?6, receipt = ?7, attempts = attempts + ?8,
	updated_at = ?9, not_before = coalesce(?10, not_before)
WHERE id = ?1 AND state IN ('pending', 'held')`
	insertAttemptSQL = `
INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM deliveries WHERE id = ?1)`
)

func (t *tx) settle(s *store.Settlement) error {
	id := s.DeliveryID[:]
	if _, err := t.exec(freeProbeSQL, id); err != nil {
		return fmt.Errorf("free probe: %w", err)
	}
	if s.Hold != nil {
		if err := t.hold(*s.Hold); err != nil {
			return err
		}
	}
	if s.Release {
		if _, err := t.exec(releaseOfSQL, id); err != nil {
			return fmt.Errorf("release target: %w", err)
		}
	}
	if s.State == event.Held {
		if _, err := t.exec(drainHeldSQL, id, t.now); err != nil {
			return fmt.Errorf("drain target: %w", err)
		}
	}
	counted := 0
	if s.Attempt != nil && s.Attempt.Counted {
		counted = 1
	}
	var notBefore any // null leaves it
	switch {
	case s.State == event.Pending && s.Delay > 0:
		notBefore = t.now + s.Delay.Microseconds()
	case s.State == event.Pending:
		notBefore = 0
	}
	if _, err := t.exec(settleSQL, id, string(s.State), store.CleanText(s.Reason), s.Suspect, s.Crashes,
		store.CleanText(s.MessageID), s.Receipt, counted, t.now, notBefore); err != nil {
		return fmt.Errorf("update delivery: %w", err)
	}
	a := s.Attempt
	if a == nil {
		return nil
	}
	if _, err := t.exec(insertAttemptSQL, id, micros(a.StartedAt), a.Elapsed.Microseconds(), a.Number, a.Status, a.Counted,
		store.CleanText(string(a.Class)), store.CleanText(a.Message), store.CleanText(a.Excerpt)); err != nil {
		return fmt.Errorf("insert attempt: %w", err)
	}
	return nil
}
