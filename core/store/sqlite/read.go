package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	listEventsSQL = `
SELECT id, source, type, state, title, received_at FROM events
WHERE id < ?1 AND (?2 = '' OR source = ?2) AND (?3 = '' OR type = ?3) AND (?4 = '' OR state = ?4)
ORDER BY id DESC LIMIT ?5`
	countStatesSQL = `SELECT state, count(*) FROM deliveries WHERE event_id = ? GROUP BY state`
)

// ListEvents returns events, newest first.
func (s *Store) ListEvents(ctx context.Context, f store.EventFilter) ([]store.EventSummary, error) {
	before := store.Below(f.Before)
	events, err := collect(ctx, s.read, func(rows *sql.Rows) (e store.EventSummary, err error) {
		var received int64
		err = rows.Scan(&e.ID, &e.Source, &e.Type, &e.State, &e.Title, &received)
		e.ReceivedAt = fromMicros(received)
		return e, err
	}, listEventsSQL, before[:], f.Source, string(f.Type), string(f.State), store.Page(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	for i := range events {
		events[i].Deliveries = make(map[event.DeliveryState]int)
		_, err := collect(ctx, s.read, func(rows *sql.Rows) (state event.DeliveryState, err error) {
			var n int
			err = rows.Scan(&state, &n)
			events[i].Deliveries[state] = n
			return state, err
		}, countStatesSQL, events[i].ID[:])
		if err != nil {
			return nil, fmt.Errorf("count deliveries of events: %w", err)
		}
	}
	return events, nil
}

// FindEvent returns an event and its deliveries.
func (s *Store) FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error) {
	var r eventRow
	err := s.read.QueryRowContext(ctx, `SELECT `+eventCols+` FROM events e WHERE e.id = ?`, id[:]).Scan(r.dest()...)
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find event %s: %w", id, notFound(err))
	}
	e, err := r.event()
	if err != nil {
		return event.Event{}, nil, err
	}
	deliveries, err := collect(ctx, s.read, scanDelivery,
		`SELECT `+deliveryCols+` FROM deliveries d WHERE d.event_id = ? ORDER BY d.id`, id[:])
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
	var eventID any
	if f.EventID != uuid.Nil {
		eventID = f.EventID[:]
	}
	before := store.Below(f.Before)
	list, err := collect(ctx, s.read, func(rows *sql.Rows) (d store.DeliverySummary, err error) {
		var r deliveryRow
		err = rows.Scan(append(r.dest(), &d.Source, &d.Type, &d.Title)...)
		d.Delivery = r.delivery()
		return d, err
	}, listDeliveriesSQL, before[:], f.Target, string(f.State), eventID, store.Page(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

const listAttemptsSQL = `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, counted
FROM attempts WHERE delivery_id = ? ORDER BY id`

// FindDelivery returns a delivery and its attempts.
func (s *Store) FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error) {
	var r deliveryRow
	err := s.read.QueryRowContext(ctx, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.id = ?`, id[:]).Scan(r.dest()...)
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find delivery %s: %w", id, notFound(err))
	}
	attempts, err := collect(ctx, s.read, func(rows *sql.Rows) (event.Attempt, error) {
		a := event.Attempt{DeliveryID: id}
		var started, elapsed int64
		err := rows.Scan(&a.Number, &started, &elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Counted)
		a.StartedAt, a.Elapsed = fromMicros(started), time.Duration(elapsed)*time.Microsecond
		return a, err
	}, listAttemptsSQL, id[:])
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find attempts of delivery %s: %w", id, err)
	}
	return r.delivery(), attempts, nil
}

const countDeliveriesSQL = `
SELECT target, state, count(*) FROM deliveries WHERE state = 'pending' GROUP BY target, state
UNION ALL
SELECT target, state, count(*) FROM deliveries WHERE state = 'held' GROUP BY target, state
UNION ALL
SELECT target, state, count(*) FROM deliveries WHERE state = 'dead' GROUP BY target, state
ORDER BY 1, 2`

// CountDeliveries counts the deliveries that are pending, held or dead.
func (s *Store) CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error) {
	counts, err := collect(ctx, s.read, func(rows *sql.Rows) (c store.DeliveryCount, err error) {
		err = rows.Scan(&c.Target, &c.State, &c.Count)
		return c, err
	}, countDeliveriesSQL)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return counts, nil
}
