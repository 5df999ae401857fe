package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// where adds the conditions of a list to its arguments. States are written out: a plan
// for any state could not use the indexes of some.
func where(alias string, conditions []store.Condition, args *[]any) string {
	var b strings.Builder
	for _, c := range conditions {
		if c.Column == "state" {
			fmt.Fprintf(&b, " AND %sstate = '%s'", alias, strings.ReplaceAll(c.Value, "'", "''"))
			continue
		}
		*args = append(*args, c.Value)
		fmt.Fprintf(&b, " AND %s%s = ?%d", alias, c.Column, len(*args))
	}
	return b.String()
}

const countStatesSQL = `SELECT state, count(*) FROM deliveries WHERE event_id = ? GROUP BY state`

// ListEvents returns events, newest first.
func (e *Engine) ListEvents(ctx context.Context, f store.EventFilter) ([]store.EventSummary, error) {
	before := store.Below(f.Before)
	args := []any{before[:], store.Page(f.Limit)}
	list := `SELECT id, source, type, state, reason, title, received_at FROM events WHERE id < ?1` +
		where("", f.Conditions(), &args) + ` ORDER BY id DESC LIMIT ?2`
	events, err := collect(ctx, e.read, func(row scanner) (store.EventSummary, error) {
		s := store.EventSummary{Deliveries: make(map[event.DeliveryState]int)}
		var received int64
		err := row.Scan(&s.ID, &s.Source, &s.Type, &s.State, &s.Reason, &s.Title, &received)
		s.ReceivedAt = fromMicros(received)
		return s, err
	}, list, args...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	for _, s := range events {
		if _, err := collect(ctx, e.read, func(row scanner) (n int, err error) {
			var state event.DeliveryState
			err = row.Scan(&state, &n)
			s.Deliveries[state] = n
			return n, err
		}, countStatesSQL, s.ID[:]); err != nil {
			return nil, fmt.Errorf("count deliveries of event %s: %w", s.ID, err)
		}
	}
	return events, nil
}

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
	}, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.event_id = ? ORDER BY d.id`, id[:])
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

// ListDeliveries returns deliveries, newest first.
func (e *Engine) ListDeliveries(ctx context.Context, f store.DeliveryFilter) ([]store.DeliverySummary, error) {
	before := store.Below(f.Before)
	args := []any{before[:], store.Page(f.Limit)}
	conditions := f.Conditions()
	filter := ""
	if f.EventID != uuid.Nil {
		args = append(args, f.EventID[:])
		filter = fmt.Sprintf(" AND d.event_id = ?%d", len(args))
	}
	filter += where("d.", conditions, &args)
	page := `SELECT * FROM (SELECT d.* FROM deliveries d WHERE d.id < ?1` + filter + `%s ORDER BY d.id DESC LIMIT ?2)`
	var pages []string
	if len(conditions) == 1 && f.Target != "" && f.EventID == uuid.Nil {
		// Each state of a target has its order; the newest of each hold the newest of all.
		for _, state := range store.DeliveryStates() {
			pages = append(pages, fmt.Sprintf(page, " AND d.state = '"+string(state)+"'"))
		}
	} else {
		pages = []string{fmt.Sprintf(page, "")}
	}
	list, err := collect(ctx, e.read, func(row scanner) (store.DeliverySummary, error) {
		var r deliveryRow
		var d store.DeliverySummary
		err := row.Scan(append(r.dest(), &d.Source, &d.Type, &d.Title)...)
		d.Delivery = r.delivery()
		return d, err
	}, `SELECT `+deliveryCols+`, e.source, e.type, e.title
FROM (`+strings.Join(pages, " UNION ALL ")+`) d JOIN events e ON e.id = d.event_id ORDER BY d.id DESC LIMIT ?2`, args...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

const attemptsSQL = `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, counted FROM attempts WHERE delivery_id = ? ORDER BY id`

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
		err := row.Scan(&a.Number, &started, &elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Counted)
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
	// eachTargetSQL names each target by one step in an index.
	eachTargetSQL = `
WITH RECURSIVE each (target) AS (
	SELECT min(target) FROM deliveries WHERE %[1]s
	UNION ALL
	SELECT (SELECT min(target) FROM deliveries WHERE %[1]s AND target > each.target) FROM each WHERE each.target IS NOT NULL
)`
	countSQL = `
SELECT each.target, s.value, (SELECT count(*) FROM deliveries d WHERE d.target = each.target AND d.state = s.value)
FROM each, json_each('["pending", "verifying", "dead"]') AS s WHERE each.target IS NOT NULL ORDER BY 1, 2`
	openTargetsSQL = `SELECT target FROM each WHERE target IS NOT NULL`
	listTargetsSQL = `SELECT ` + targetCols + ` FROM targets t WHERE t.hold <> '' OR t.next_at > ? ORDER BY t.name`
	astraySQL      = `
SELECT t.name FROM targets t LEFT JOIN river_queue q ON q.name = '` + store.TargetQueuePrefix + `' || t.name
WHERE t.hold <> '' AND q.paused_at IS NULL
UNION
SELECT substr(q.name, length('` + store.TargetQueuePrefix + `') + 1) FROM river_queue q
LEFT JOIN targets t ON '` + store.TargetQueuePrefix + `' || t.name = q.name
WHERE q.name GLOB '` + store.TargetQueuePrefix + `*' AND q.paused_at IS NOT NULL AND coalesce(t.hold, '') = ''`
)

// CountDeliveries counts the deliveries that are pending, verifying or dead.
func (e *Engine) CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error) {
	counts, err := collect(ctx, e.read, func(row scanner) (c store.DeliveryCount, err error) {
		err = row.Scan(&c.Target, &c.State, &c.Count)
		return c, err
	}, fmt.Sprintf(eachTargetSQL, "true")+countSQL)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return slices.DeleteFunc(counts, func(c store.DeliveryCount) bool { return c.Count == 0 }), nil
}

// OpenTargets returns the targets that have pending deliveries.
func (e *Engine) OpenTargets(ctx context.Context) ([]string, error) {
	targets, err := collect(ctx, e.read, scanOne[string], fmt.Sprintf(eachTargetSQL, "state = 'pending'")+openTargetsSQL)
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
