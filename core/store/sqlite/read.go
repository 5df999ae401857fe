package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	listEventsSQL = `
SELECT id, source, type, state, reason, title, received_at FROM events
WHERE id < ?1 AND (?2 = '' OR source = ?2) AND (?3 = '' OR type = ?3) AND (?4 = '' OR state = ?4)
ORDER BY id DESC LIMIT ?5`
	countStatesSQL = `SELECT state, count(*) FROM deliveries WHERE event_id = ? GROUP BY state`
)

// ListEvents returns events, newest first.
func (s *Store) ListEvents(ctx context.Context, f store.EventFilter) ([]store.EventSummary, error) {
	before := store.Below(f.Before)
	events, err := collect(ctx, s.read, func(row scanner) (store.EventSummary, error) {
		e := store.EventSummary{Deliveries: make(map[event.DeliveryState]int)}
		var received int64
		err := row.Scan(&e.ID, &e.Source, &e.Type, &e.State, &e.Reason, &e.Title, &received)
		e.ReceivedAt = fromMicros(received)
		return e, err
	}, listEventsSQL, before[:], f.Source, string(f.Type), string(f.State), store.Page(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	for _, e := range events {
		if _, err := collect(ctx, s.read, func(row scanner) (n int, err error) {
			var state event.DeliveryState
			err = row.Scan(&state, &n)
			e.Deliveries[state] = n
			return n, err
		}, countStatesSQL, e.ID[:]); err != nil {
			return nil, fmt.Errorf("count deliveries of event %s: %w", e.ID, err)
		}
	}
	return events, nil
}

// FindEvent returns an event and its deliveries.
func (s *Store) FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error) {
	var r eventRow
	if err := s.read.QueryRowContext(ctx, `SELECT `+eventCols+` FROM events e WHERE e.id = ?`, id[:]).Scan(r.dest()...); err != nil {
		return event.Event{}, nil, fmt.Errorf("find event %s: %w", id, notFound(err))
	}
	e, err := r.event()
	if err != nil {
		return event.Event{}, nil, err
	}
	deliveries, err := collect(ctx, s.read, func(row scanner) (event.Delivery, error) {
		var d deliveryRow
		err := row.Scan(d.dest()...)
		return d.delivery(), err
	}, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.event_id = ? ORDER BY d.id`, id[:])
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find deliveries of event %s: %w", id, err)
	}
	return e, deliveries, nil
}

const listDeliveriesSQL = `
SELECT ` + deliveryCols + `, e.source, e.type, e.title
FROM deliveries d JOIN events e ON e.id = d.event_id
WHERE d.id < ?1 AND (?2 = '' OR d.target = ?2) AND (?3 = '' OR d.state = ?3) AND (?4 IS NULL OR d.event_id = ?4)
ORDER BY d.id DESC LIMIT ?5`

// ListDeliveries returns deliveries, newest first.
func (s *Store) ListDeliveries(ctx context.Context, f store.DeliveryFilter) ([]store.DeliverySummary, error) {
	before := store.Below(f.Before)
	var eventID []byte
	if f.EventID != uuid.Nil {
		eventID = f.EventID[:]
	}
	list, err := collect(ctx, s.read, func(row scanner) (store.DeliverySummary, error) {
		var r deliveryRow
		var d store.DeliverySummary
		err := row.Scan(append(r.dest(), &d.Source, &d.Type, &d.Title)...)
		d.Delivery = r.delivery()
		return d, err
	}, listDeliveriesSQL, before[:], f.Target, string(f.State), eventID, store.Page(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

// FindDelivery returns a delivery and its attempts.
func (s *Store) FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error) {
	var r deliveryRow
	if err := s.read.QueryRowContext(ctx, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.id = ?`, id[:]).Scan(r.dest()...); err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find delivery %s: %w", id, notFound(err))
	}
	attempts, err := collect(ctx, s.read, func(row scanner) (event.Attempt, error) {
		a := event.Attempt{DeliveryID: id}
		var started, elapsed int64
		err := row.Scan(&a.Number, &started, &elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Counted)
		a.StartedAt, a.Elapsed = fromMicros(started), time.Duration(elapsed)*time.Microsecond
		return a, err
	}, `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, counted
FROM attempts WHERE delivery_id = ? ORDER BY id`, id[:])
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find attempts of delivery %s: %w", id, err)
	}
	return r.delivery(), attempts, nil
}

const countDeliveriesSQL = `
SELECT target, state, count(*) FROM deliveries WHERE state = 'pending' GROUP BY target
UNION ALL
SELECT target, state, count(*) FROM deliveries WHERE state = 'held' GROUP BY target
UNION ALL
SELECT target, state, count(*) FROM deliveries WHERE state = 'dead' GROUP BY target
ORDER BY 1, 2`

// CountDeliveries counts the deliveries that are pending, held or dead.
func (s *Store) CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error) {
	counts, err := collect(ctx, s.read, func(row scanner) (c store.DeliveryCount, err error) {
		err = row.Scan(&c.Target, &c.State, &c.Count)
		return c, err
	}, countDeliveriesSQL)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return counts, nil
}
