package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const loadSQL = `
SELECT ` + deliveryCols + `, ` + eventCols + `, ` + holdCols + `, now()
FROM deliveries d
JOIN events e ON e.id = d.event_id
LEFT JOIN target_state h ON h.target = d.target
WHERE d.id = ANY($1)`

// LoadWork reads what an attempt needs. Concurrent calls share queries.
func (s *Store) LoadWork(ctx context.Context, deliveryID uuid.UUID) (store.Work, error) {
	work, err := s.works.Do(ctx, deliveryID)
	if err != nil {
		return store.Work{}, fmt.Errorf("load delivery %s: %w", deliveryID, err)
	}
	if work == nil {
		return store.Work{}, fmt.Errorf("load delivery %s: %w", deliveryID, store.ErrNotFound)
	}
	return *work, nil
}

func (s *Store) loadBatch(ctx context.Context, ids []uuid.UUID) ([]*store.Work, error) {
	rows, err := s.pool.Query(ctx, loadSQL, uuids(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := make(map[uuid.UUID]*store.Work, len(ids))
	for rows.Next() {
		var w store.Work
		var e eventRow
		var h holdRow
		if err := rows.Scan(slices.Concat(deliveryDest(&w.Delivery), e.dest(), h.dest(), []any{&w.Now})...); err != nil {
			return nil, err
		}
		w.Delivery, w.Now, w.Hold = cleanDelivery(w.Delivery), w.Now.UTC(), h.hold(w.Now)
		if w.Event, err = e.event(); err != nil {
			return nil, err
		}
		found[w.Delivery.ID] = &w
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	works := make([]*store.Work, len(ids))
	for i, id := range ids {
		works[i] = found[id]
	}
	return works, nil
}

// Settle records what became of an attempt.
func (s *Store) Settle(ctx context.Context, settlement *store.Settlement) error {
	if _, err := s.settles.Do(ctx, settlement); err != nil {
		return fmt.Errorf("settle delivery %s: %w", settlement.DeliveryID, err)
	}
	return nil
}

const (
	freeProbeSQL = `UPDATE target_state SET probe = NULL WHERE probe = ANY($1)`
	// drainHeldSQL makes sure that what is held is held by something: the hold may
	// have ended while the settlement was on its way. The update locks.
	drainHeldSQL = `
INSERT INTO target_state (target, kind, reason, draining)
SELECT DISTINCT target, '` + string(store.HoldMisconfigured) + `', 'hold has ended', true
FROM deliveries WHERE id = ANY($1) ORDER BY target
ON CONFLICT (target) DO UPDATE SET target = excluded.target`
	settleSQL = `
UPDATE deliveries d
SET state = s.state, reason = s.reason, suspect = s.suspect, crashes = s.crashes, message_id = s.message_id,
	receipt = s.receipt, attempts = d.attempts + s.counted, updated_at = now(),
	not_before = CASE WHEN s.state <> 'pending' THEN d.not_before
		WHEN s.delay_us <= 0 THEN 'epoch'
		ELSE now() + s.delay_us * interval '1 microsecond' END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::integer[], $6::text[], $7::bytea[], $8::integer[], $9::bigint[])
	AS s (id, state, reason, suspect, crashes, message_id, receipt, counted, delay_us)
WHERE d.id = s.id AND d.state IN ('pending', 'held')`
	insertAttemptsSQL = `
INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
SELECT a.*
FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::integer[], $5::integer[], $6::boolean[], $7::text[], $8::text[], $9::text[])
	AS a (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt)
JOIN deliveries d ON d.id = a.delivery_id`
)

// settleBatch records a batch in one round trip, which is one transaction.
func (s *Store) settleBatch(ctx context.Context, items []*store.Settlement) ([]struct{}, error) {
	var batch pgx.Batch
	for rest := items; len(rest) > 0; {
		n := untilRepeated(rest)
		queueSettlements(&batch, rest[:n])
		rest = rest[n:]
	}
	if err := s.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return nil, err
	}
	return make([]struct{}, len(items)), nil
}

// untilRepeated returns how many items come before the first whose delivery is there
// already: one statement changes a row once.
func untilRepeated(items []*store.Settlement) int {
	seen := make(map[uuid.UUID]bool, len(items))
	for i, s := range items {
		if seen[s.DeliveryID] {
			return i
		}
		seen[s.DeliveryID] = true
	}
	return len(items)
}

// queueSettlements touches targets before deliveries, as every transaction does.
func queueSettlements(batch *pgx.Batch, items []*store.Settlement) {
	var c settleColumns
	var a attemptColumns
	var held []uuid.UUID
	for _, s := range items {
		c.add(s)
		if s.Attempt != nil {
			a.add(s.DeliveryID, s.Attempt)
		}
		if s.State == event.Held {
			held = append(held, s.DeliveryID)
		}
	}
	batch.Queue(freeProbeSQL, uuids(c.ids))
	for _, s := range items {
		if s.Hold != nil {
			queueHold(batch, *s.Hold)
		}
		if s.Release {
			batch.Queue(releaseOfSQL, s.DeliveryID)
		}
	}
	if len(held) > 0 {
		batch.Queue(drainHeldSQL, uuids(held))
	}
	batch.Queue(settleSQL, uuids(c.ids), c.states, c.reasons, c.suspects, c.crashes, c.messageIDs, c.receipts, c.counted, c.delays)
	if len(a.ids) > 0 {
		batch.Queue(insertAttemptsSQL, uuids(a.ids), a.started, a.elapsed, a.numbers, a.statuses, a.counted, a.classes, a.messages, a.excerpts)
	}
}

// settleColumns are settlements as the arrays of settleSQL.
type settleColumns struct {
	ids                         []uuid.UUID
	states, reasons, messageIDs []string
	suspects                    []bool
	crashes, counted            []int32
	delays                      []int64
	receipts                    [][]byte
}

func (c *settleColumns) add(s *store.Settlement) {
	var counted int32
	if s.Attempt != nil && s.Attempt.Counted {
		counted = 1
	}
	c.ids = append(c.ids, s.DeliveryID)
	c.states = append(c.states, string(s.State))
	c.reasons = append(c.reasons, store.CleanText(s.Reason))
	c.messageIDs = append(c.messageIDs, store.CleanText(s.MessageID))
	c.suspects = append(c.suspects, s.Suspect)
	c.crashes = append(c.crashes, int32(s.Crashes))
	c.counted = append(c.counted, counted)
	c.delays = append(c.delays, s.Delay.Microseconds())
	c.receipts = append(c.receipts, s.Receipt)
}

// attemptColumns are attempts as the arrays of insertAttemptsSQL.
type attemptColumns struct {
	ids                         []uuid.UUID
	started                     pgtype.FlatArray[pgtype.Timestamptz]
	elapsed                     []int64
	numbers, statuses           []int32
	counted                     []bool
	classes, messages, excerpts []string
}

func (c *attemptColumns) add(deliveryID uuid.UUID, a *event.Attempt) {
	c.ids = append(c.ids, deliveryID)
	c.started = append(c.started, pgtype.Timestamptz{Time: a.StartedAt, Valid: true})
	c.elapsed = append(c.elapsed, a.Elapsed.Microseconds())
	c.numbers = append(c.numbers, int32(a.Number))
	c.statuses = append(c.statuses, int32(a.Status))
	c.counted = append(c.counted, a.Counted)
	c.classes = append(c.classes, store.CleanText(string(a.Class)))
	c.messages = append(c.messages, store.CleanText(a.Message))
	c.excerpts = append(c.excerpts, store.CleanText(a.Excerpt))
}
