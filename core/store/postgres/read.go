package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// FindEvent returns an event and its deliveries.
func (e *Engine) FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error) {
	var r eventRow
	err := e.pool.QueryRow(ctx, `SELECT `+eventCols+` FROM events e WHERE e.id = $1`, id).Scan(r.dest()...)
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find event %s: %w", id, oneLine(notFound(err)))
	}
	found, err := r.event()
	if err != nil {
		return event.Event{}, nil, err
	}
	rows, err := e.pool.Query(ctx, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.id IN (`+ofEventSQL+`) ORDER BY d.id`, id)
	deliveries, err := collect(rows, err, func(rows pgx.Rows) (d event.Delivery, err error) {
		err = rows.Scan(deliveryDest(&d)...)
		return inUTC(d), err
	})
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find deliveries of event %s: %w", id, err)
	}
	return found, deliveries, nil
}

// ListRepetitions returns what repeated an event, oldest first.
func (e *Engine) ListRepetitions(ctx context.Context, eventID uuid.UUID, limit int) ([]store.Repetition, error) {
	rows, err := e.pool.Query(ctx, `SELECT id, seen_at, origin FROM repetitions WHERE event_id = $1 ORDER BY id LIMIT $2`, eventID, limit)
	list, err := collect(rows, err, func(rows pgx.Rows) (store.Repetition, error) {
		r := store.Repetition{EventID: eventID}
		err := rows.Scan((*[16]byte)(&r.ID), &r.SeenAt, (*string)(&r.Origin))
		r.SeenAt = r.SeenAt.UTC()
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("list repetitions of event %s: %w", eventID, oneLine(err))
	}
	return list, nil
}

const attemptsSQL = `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, coalesce(request, ''), counted, ask FROM attempts WHERE delivery_id = $1 ORDER BY id`

// FindDelivery returns a delivery and its attempts.
func (e *Engine) FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error) {
	var d event.Delivery
	var delivered deliveredAttempt
	err := e.pool.QueryRow(ctx, `SELECT `+deliveryCols+`, `+attemptCols+` FROM deliveries d WHERE d.id = $1`, id).
		Scan(append(deliveryDest(&d), delivered.dest()...)...)
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find delivery %s: %w", id, oneLine(notFound(err)))
	}
	d = inUTC(d)
	rows, err := e.pool.Query(ctx, attemptsSQL, id)
	attempts, err := collect(rows, err, func(rows pgx.Rows) (event.Attempt, error) {
		a := event.Attempt{DeliveryID: id}
		err := rows.Scan(&a.Number, &a.StartedAt, &a.Elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Request, &a.Counted, &a.Ask)
		a.StartedAt, a.Elapsed = a.StartedAt.UTC(), a.Elapsed*1000 // scanned as microseconds
		return a, err
	})
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find attempts of delivery %s: %w", id, err)
	}
	attempts = append(attempts, delivered.attempt(d)...)
	slices.SortStableFunc(attempts, func(a, b event.Attempt) int { return a.StartedAt.Compare(b.StartedAt) })
	return d, attempts, nil
}

const (
	countSQL = `
WITH RECURSIVE each (state, target) AS (
	SELECT state, (SELECT min(target) FROM deliveries d WHERE d.state = s.state) FROM unnest(ARRAY['pending', 'verifying', 'dead']) s (state)
	UNION ALL
	SELECT state, (SELECT min(target) FROM deliveries d WHERE d.state = each.state AND d.target > each.target)
	FROM each WHERE target IS NOT NULL
)
SELECT target, state, (SELECT count(*) FROM deliveries d WHERE d.state = each.state AND d.target = each.target)
FROM each WHERE target IS NOT NULL ORDER BY 1, 2`
	// listTargetsSQL has a row without a target where there is none: it tells the time.
	listTargetsSQL = `
SELECT ` + targetCols + `, now() FROM (SELECT) one LEFT JOIN targets t ON t.hold <> '' OR t.next_at > now() ORDER BY t.name`
	astraySQL = `
SELECT t.name FROM targets t LEFT JOIN river_queue q ON q.name = '` + store.TargetQueuePrefix + `' || t.name
WHERE t.hold <> '' AND q.paused_at IS NULL
UNION
SELECT substr(q.name, length('` + store.TargetQueuePrefix + `') + 1) FROM river_queue q
LEFT JOIN targets t ON '` + store.TargetQueuePrefix + `' || t.name = q.name
WHERE q.name LIKE 'target\_%' AND q.paused_at IS NOT NULL AND coalesce(t.hold, '') = ''`
)

var openTargetsSQL = "SELECT value FROM (" + targetsIn(event.Pending) + ") p UNION SELECT value FROM (" + targetsIn(event.Verifying) + ") v ORDER BY 1"

// targetsIn names the targets of deliveries in a state.
func targetsIn(state event.DeliveryState) string {
	return fmt.Sprintf(eachSQL, "deliveries", "target", "state = '"+string(state)+"'") + `
SELECT value FROM each WHERE value IS NOT NULL`
}

// CountDeliveries counts the deliveries that are pending, verifying or dead.
func (e *Engine) CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error) {
	rows, err := e.pool.Query(ctx, countSQL)
	counts, err := collect(rows, err, func(rows pgx.Rows) (c store.DeliveryCount, err error) {
		err = rows.Scan(&c.Target, (*string)(&c.State), &c.Count)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", oneLine(err))
	}
	return counts, nil
}

// OpenTargets returns the targets that have pending or verifying deliveries.
func (e *Engine) OpenTargets(ctx context.Context) ([]string, error) {
	rows, err := e.pool.Query(ctx, openTargetsSQL)
	targets, err := collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("list targets with pending deliveries: %w", oneLine(err))
	}
	return targets, nil
}

// ListTargets returns the targets that take nothing now.
func (e *Engine) ListTargets(ctx context.Context) ([]store.Target, time.Time, error) {
	var now time.Time
	rows, err := e.pool.Query(ctx, listTargetsSQL)
	targets, err := collect(rows, err, func(rows pgx.Rows) (store.Target, error) {
		var r targetRow
		err := rows.Scan(append(r.dest(), &now)...)
		return r.target(), err
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list targets: %w", oneLine(err))
	}
	if len(targets) == 1 && targets[0].Name == "" {
		targets = nil
	}
	return targets, now.UTC(), nil
}

// QueuesAstray returns the targets whose queue is not as their hold says.
func (e *Engine) QueuesAstray(ctx context.Context) ([]string, error) {
	rows, err := e.pool.Query(ctx, astraySQL)
	targets, err := collect(rows, err, scanText)
	if err != nil {
		return nil, fmt.Errorf("compare queues and holds: %w", oneLine(err))
	}
	return targets, nil
}
