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
	err := s.inTx(ctx, func(t *tx) error {
		for _, settlement := range items {
			if err := t.settle(settlement); err != nil {
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
INSERT INTO target_state (target, kind, reason, draining, since)
SELECT target, '` + string(store.HoldMisconfigured) + `', 'hold has ended', 1, ?1 FROM deliveries WHERE id = ?2
ON CONFLICT (target) DO NOTHING`
	settleSQL = `
UPDATE deliveries
SET state = ?1, reason = ?2, suspect = ?3, crashes = ?4, message_id = ?5, receipt = ?6, attempts = attempts + ?7,
	updated_at = ?8, not_before = iif(?1 = 'pending', ?9, not_before)
WHERE id = ?10 AND state IN ('pending', 'held')`
	insertAttemptSQL = `
INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM deliveries WHERE id = ?`
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
		if _, err := t.exec(drainHeldSQL, t.now, id); err != nil {
			return fmt.Errorf("hold delivery: %w", err)
		}
	}
	var notBefore int64
	if s.Delay > 0 {
		notBefore = t.now + s.Delay.Microseconds()
	}
	counted := 0
	if s.Attempt != nil && s.Attempt.Counted {
		counted = 1
	}
	_, err := t.exec(settleSQL, string(s.State), store.CleanText(s.Reason), s.Suspect, s.Crashes,
		store.CleanText(s.MessageID), s.Receipt, counted, t.now, notBefore, id)
	if err != nil {
		return fmt.Errorf("update delivery: %w", err)
	}
	if a := s.Attempt; a != nil {
		_, err := t.exec(insertAttemptSQL, micros(a.StartedAt), a.Elapsed.Microseconds(), a.Number, a.Status, a.Counted,
			store.CleanText(string(a.Class)), store.CleanText(a.Message), store.CleanText(a.Excerpt), id)
		if err != nil {
			return fmt.Errorf("insert attempt: %w", err)
		}
	}
	return nil
}
