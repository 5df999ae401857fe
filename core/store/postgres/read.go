package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	listEventsSQL = `
SELECT id, source, type, state, reason, title, received_at FROM events
WHERE id < $1 AND ($2 = '' OR source = $2) AND ($3 = '' OR type = $3) AND ($4 = '' OR state = $4)
ORDER BY id DESC LIMIT $5`
	countStatesSQL = `
SELECT event_id, state, count(*) FROM deliveries WHERE event_id = ANY($1) GROUP BY event_id, state`
)

// ListEvents returns events, newest first.
func (s *Store) ListEvents(ctx context.Context, f store.EventFilter) ([]store.EventSummary, error) {
	rows, err := s.pool.Query(ctx, listEventsSQL, store.Below(f.Before), f.Source, string(f.Type), string(f.State), store.Page(f.Limit))
	events, err := collect(rows, err, func(rows pgx.Rows) (store.EventSummary, error) {
		e := store.EventSummary{Deliveries: make(map[event.DeliveryState]int)}
		err := rows.Scan((*[16]byte)(&e.ID), &e.Source, &e.Type, &e.State, &e.Reason, &e.Title, &e.ReceivedAt)
		e.ReceivedAt = e.ReceivedAt.UTC()
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	ids := make([]uuid.UUID, len(events))
	byID := make(map[uuid.UUID]map[event.DeliveryState]int, len(events))
	for i, e := range events {
		ids[i] = e.ID
		byID[e.ID] = e.Deliveries
	}
	rows, err = s.pool.Query(ctx, countStatesSQL, uuids(ids))
	if _, err := collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
		var state event.DeliveryState
		var n int
		err = rows.Scan((*[16]byte)(&id), &state, &n)
		byID[id][state] = n
		return id, err
	}); err != nil {
		return nil, fmt.Errorf("count deliveries of events: %w", err)
	}
	return events, nil
}

// FindEvent returns an event and its deliveries.
func (s *Store) FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error) {
	var r eventRow
	err := s.pool.QueryRow(ctx, `SELECT `+eventCols+` FROM events e WHERE e.id = $1`, id).Scan(r.dest()...)
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find event %s: %w", id, notFound(err))
	}
	e, err := r.event()
	if err != nil {
		return event.Event{}, nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.event_id = $1 ORDER BY d.id`, id)
	deliveries, err := collect(rows, err, scanDelivery)
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find deliveries of event %s: %w", id, err)
	}
	return e, deliveries, nil
}

func scanDelivery(rows pgx.Rows) (event.Delivery, error) {
	var d event.Delivery
	err := rows.Scan(deliveryDest(&d)...)
	return cleanDelivery(d), err
}

const listDeliveriesSQL = `
SELECT ` + deliveryCols + `, e.source, e.type, e.title
FROM deliveries d JOIN events e ON e.id = d.event_id
WHERE d.id < $1 AND ($2 = '' OR d.target = $2) AND ($3 = '' OR d.state = $3) AND ($4::uuid IS NULL OR d.event_id = $4)
ORDER BY d.id DESC LIMIT $5`

// ListDeliveries returns deliveries, newest first.
func (s *Store) ListDeliveries(ctx context.Context, f store.DeliveryFilter) ([]store.DeliverySummary, error) {
	var eventID any
	if f.EventID != uuid.Nil {
		eventID = f.EventID
	}
	rows, err := s.pool.Query(ctx, listDeliveriesSQL, store.Below(f.Before), f.Target, string(f.State), eventID, store.Page(f.Limit))
	list, err := collect(rows, err, func(rows pgx.Rows) (store.DeliverySummary, error) {
		var d store.DeliverySummary
		err := rows.Scan(append(deliveryDest(&d.Delivery), &d.Source, &d.Type, &d.Title)...)
		d.Delivery = cleanDelivery(d.Delivery)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

// FindDelivery returns a delivery and its attempts.
func (s *Store) FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error) {
	var d event.Delivery
	err := s.pool.QueryRow(ctx, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.id = $1`, id).Scan(deliveryDest(&d)...)
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find delivery %s: %w", id, notFound(err))
	}
	rows, err := s.pool.Query(ctx, `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, counted
FROM attempts WHERE delivery_id = $1 ORDER BY id`, id)
	attempts, err := collect(rows, err, func(rows pgx.Rows) (event.Attempt, error) {
		a := event.Attempt{DeliveryID: id}
		err := rows.Scan(&a.Number, &a.StartedAt, &a.Elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Counted)
		a.StartedAt, a.Elapsed = a.StartedAt.UTC(), a.Elapsed*1000 // scanned as microseconds
		return a, err
	})
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find attempts of delivery %s: %w", id, err)
	}
	return cleanDelivery(d), attempts, nil
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
	rows, err := s.pool.Query(ctx, countDeliveriesSQL)
	counts, err := collect(rows, err, func(rows pgx.Rows) (c store.DeliveryCount, err error) {
		err = rows.Scan(&c.Target, &c.State, &c.Count)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return counts, nil
}

func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}
