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

// FindEvent returns an event and its deliveries.
func (e *Engine) FindEvent(ctx context.Context, id uuid.UUID) (event.Event, []event.Delivery, error) {
	var r eventRow
	if err := e.read.QueryRowContext(ctx, `SELECT `+eventCols+` FROM events e WHERE e.id = ?`, id[:]).Scan(r.dest()...); err != nil {
		return event.Event{}, nil, fmt.Errorf("find event %s: %w", id, notFound(err))
	}
	found, err := r.event()
	if err != nil {
		return event.Event{}, nil, err
	}
	deliveries, err := collect(ctx, e.read, func(row scanner) (event.Delivery, error) {
		var d deliveryRow
		err := row.Scan(d.dest()...)
		return d.delivery(), err
	}, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.id IN (`+ofEventSQL+`) ORDER BY d.id`, id[:])
	if err != nil {
		return event.Event{}, nil, fmt.Errorf("find deliveries of event %s: %w", id, err)
	}
	return found, deliveries, nil
}

// ListRepetitions returns what repeated an event, oldest first.
func (e *Engine) ListRepetitions(ctx context.Context, eventID uuid.UUID, limit int) ([]store.Repetition, error) {
	list, err := collect(ctx, e.read, func(row scanner) (store.Repetition, error) {
		r := store.Repetition{EventID: eventID}
		var seen int64
		err := row.Scan(&r.ID, &seen, &r.Origin)
		r.SeenAt = fromMicros(seen)
		return r, err
	}, `SELECT id, seen_at, origin FROM repetitions WHERE event_id = ? ORDER BY id LIMIT ?`, eventID[:], limit)
	if err != nil {
		return nil, fmt.Errorf("list repetitions of event %s: %w", eventID, err)
	}
	return list, nil
}

const attemptsSQL = `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, coalesce(request, ''), counted, ask FROM attempts WHERE delivery_id = ? ORDER BY id`

// FindDelivery returns a delivery and its attempts.
func (e *Engine) FindDelivery(ctx context.Context, id uuid.UUID) (event.Delivery, []event.Attempt, error) {
	var r deliveryRow
	var delivered deliveredAttempt
	err := e.read.QueryRowContext(ctx, `SELECT `+deliveryCols+`, `+attemptCols+` FROM deliveries d WHERE d.id = ?`, id[:]).
		Scan(append(r.dest(), delivered.dest()...)...)
	if err != nil {
		return event.Delivery{}, nil, fmt.Errorf("find delivery %s: %w", id, notFound(err))
	}
	d := r.delivery()
	attempts, err := collect(ctx, e.read, func(row scanner) (event.Attempt, error) {
		a := event.Attempt{DeliveryID: id}
		var started, elapsed int64
		err := row.Scan(&a.Number, &started, &elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Request, &a.Counted, &a.Ask)
		a.StartedAt, a.Elapsed = fromMicros(started), time.Duration(elapsed)*time.Microsecond
		return a, err
	}, attemptsSQL, id[:])
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
	SELECT s.value, (SELECT min(target) FROM deliveries d WHERE d.state = s.value) FROM json_each('["pending", "verifying", "dead"]') s
	UNION ALL
	SELECT state, (SELECT min(target) FROM deliveries d WHERE d.state = each.state AND d.target > each.target)
	FROM each WHERE target IS NOT NULL
)
SELECT target, state, (SELECT count(*) FROM deliveries d WHERE d.state = each.state AND d.target = each.target)
FROM each WHERE target IS NOT NULL ORDER BY 1, 2`
	listTargetsSQL = `SELECT ` + targetCols + ` FROM targets t WHERE t.hold <> '' OR t.next_at > ? ORDER BY t.name`
	astraySQL      = `
SELECT t.name FROM targets t LEFT JOIN river_queue q ON q.name = '` + store.TargetQueuePrefix + `' || t.name
WHERE t.hold <> '' AND q.paused_at IS NULL
UNION
SELECT substr(q.name, length('` + store.TargetQueuePrefix + `') + 1) FROM river_queue q
LEFT JOIN targets t ON '` + store.TargetQueuePrefix + `' || t.name = q.name
WHERE q.name GLOB '` + store.TargetQueuePrefix + `*' AND q.paused_at IS NOT NULL AND coalesce(t.hold, '') = ''`
)

var openTargetsSQL = "SELECT value FROM (" + targetsIn(event.Pending) + ") p UNION SELECT value FROM (" + targetsIn(event.Verifying) + ") v ORDER BY 1"

// targetsIn names the targets of deliveries in a state.
func targetsIn(state event.DeliveryState) string {
	return fmt.Sprintf(eachSQL, "deliveries", "target", "state = '"+string(state)+"'") + `
SELECT value FROM each WHERE value IS NOT NULL`
}

// CountDeliveries counts the deliveries that are pending, verifying or dead.
func (e *Engine) CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error) {
	counts, err := collect(ctx, e.read, func(row scanner) (c store.DeliveryCount, err error) {
		err = row.Scan(&c.Target, &c.State, &c.Count)
		return c, err
	}, countSQL)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return counts, nil
}

// OpenTargets returns the targets that have pending or verifying deliveries.
func (e *Engine) OpenTargets(ctx context.Context) ([]string, error) {
	targets, err := collect(ctx, e.read, scanOne[string], openTargetsSQL)
	if err != nil {
		return nil, fmt.Errorf("list targets with pending deliveries: %w", err)
	}
	return targets, nil
}

// ListTargets returns the targets that take nothing now.
func (e *Engine) ListTargets(ctx context.Context) ([]store.Target, time.Time, error) {
	now := micros(time.Now())
	targets, err := collect(ctx, e.read, func(row scanner) (store.Target, error) {
		var r targetRow
		err := row.Scan(r.dest()...)
		return r.target(), err
	}, listTargetsSQL, now)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list targets: %w", err)
	}
	return targets, fromMicros(now), nil
}

// QueuesAstray returns the targets whose queue is not as their hold says.
func (e *Engine) QueuesAstray(ctx context.Context) ([]string, error) {
	targets, err := collect(ctx, e.read, scanOne[string], astraySQL)
	if err != nil {
		return nil, fmt.Errorf("compare queues and holds: %w", err)
	}
	return targets, nil
}
