package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

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
		fmt.Fprintf(&b, " AND %s%s = $%d", alias, c.Column, len(*args))
	}
	return b.String()
}

const countStatesSQL = `
SELECT event_id, state, count(*) FROM deliveries WHERE event_id = ANY($1) GROUP BY event_id, state`

// ListEvents returns events, newest first.
func (e *Engine) ListEvents(ctx context.Context, f store.EventFilter) ([]store.EventSummary, error) {
	args := []any{store.Below(f.Before), store.Page(f.Limit)}
	sql := `SELECT id, source, type, state, reason, title, received_at FROM events WHERE id < $1` +
		where("", f.Conditions(), &args) + ` ORDER BY id DESC LIMIT $2`
	rows, err := e.pool.Query(ctx, sql, args...)
	events, err := collect(rows, err, func(rows pgx.Rows) (store.EventSummary, error) {
		s := store.EventSummary{Deliveries: make(map[event.DeliveryState]int)}
		err := rows.Scan((*[16]byte)(&s.ID), &s.Source, &s.Type, &s.State, &s.Reason, &s.Title, &s.ReceivedAt)
		s.ReceivedAt = s.ReceivedAt.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", oneLine(err))
	}
	ids := make([]uuid.UUID, len(events))
	byID := make(map[uuid.UUID]map[event.DeliveryState]int, len(events))
	for i, s := range events {
		ids[i], byID[s.ID] = s.ID, s.Deliveries
	}
	rows, err = e.pool.Query(ctx, countStatesSQL, uuids(ids))
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
	rows, err := e.pool.Query(ctx, `SELECT `+deliveryCols+` FROM deliveries d WHERE d.event_id = $1 ORDER BY d.id`, id)
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

// ListDeliveries returns deliveries, newest first.
func (e *Engine) ListDeliveries(ctx context.Context, f store.DeliveryFilter) ([]store.DeliverySummary, error) {
	args := []any{store.Below(f.Before), store.Page(f.Limit)}
	conditions := f.Conditions()
	filter := ""
	if f.EventID != uuid.Nil {
		args = append(args, f.EventID)
		filter = fmt.Sprintf(" AND d.event_id = $%d", len(args))
	}
	filter += where("d.", conditions, &args)
	page := `SELECT d.* FROM deliveries d WHERE d.id < $1` + filter + `%s ORDER BY d.id DESC LIMIT $2`
	var pages []string
	if len(conditions) == 1 && f.Target != "" && f.EventID == uuid.Nil {
		// Each state of a target has its order; the newest of each hold the newest of all.
		for _, state := range store.DeliveryStates() {
			pages = append(pages, "("+fmt.Sprintf(page, " AND d.state = '"+string(state)+"'")+")")
		}
	} else {
		pages = []string{"(" + fmt.Sprintf(page, "") + ")"}
	}
	rows, err := e.pool.Query(ctx, `SELECT `+deliveryCols+`, e.source, e.type, e.title
FROM (`+strings.Join(pages, " UNION ALL ")+`) d JOIN events e ON e.id = d.event_id ORDER BY d.id DESC LIMIT $2`, args...)
	list, err := collect(rows, err, func(rows pgx.Rows) (store.DeliverySummary, error) {
		var d store.DeliverySummary
		err := rows.Scan(append(deliveryDest(&d.Delivery), &d.Source, &d.Type, &d.Title)...)
		d.Delivery = inUTC(d.Delivery)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", oneLine(err))
	}
	return list, nil
}

const attemptsSQL = `
SELECT number, started_at, elapsed_us, class, status, message, excerpt, counted FROM attempts WHERE delivery_id = $1 ORDER BY id`

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
		err := rows.Scan(&a.Number, &a.StartedAt, &a.Elapsed, &a.Class, &a.Status, &a.Message, &a.Excerpt, &a.Counted)
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
	// eachTargetSQL names each target by one step in an index.
	eachTargetSQL = `
WITH RECURSIVE each (target) AS (
	SELECT min(target) FROM deliveries WHERE %[1]s
	UNION ALL
	SELECT (SELECT min(target) FROM deliveries WHERE %[1]s AND target > each.target) FROM each WHERE each.target IS NOT NULL
)`
	countSQL = `
SELECT each.target, s.state, (SELECT count(*) FROM deliveries d WHERE d.target = each.target AND d.state = s.state)
FROM each, unnest(ARRAY['pending', 'verifying', 'dead']) AS s (state) WHERE each.target IS NOT NULL ORDER BY 1, 2`
	openTargetsSQL = `SELECT target FROM each WHERE target IS NOT NULL`
	listTargetsSQL = `
SELECT ` + targetCols + `, now() FROM targets t WHERE t.hold <> '' OR t.next_at > now() ORDER BY t.name`
	astraySQL = `
SELECT t.name FROM targets t LEFT JOIN river_queue q ON q.name = '` + store.TargetQueuePrefix + `' || t.name
WHERE t.hold <> '' AND q.paused_at IS NULL
UNION
SELECT substr(q.name, length('` + store.TargetQueuePrefix + `') + 1) FROM river_queue q
LEFT JOIN targets t ON '` + store.TargetQueuePrefix + `' || t.name = q.name
WHERE q.name LIKE 'target\_%' AND q.paused_at IS NOT NULL AND coalesce(t.hold, '') = ''`
)

// CountDeliveries counts the deliveries that are pending, verifying or dead.
func (e *Engine) CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error) {
	rows, err := e.pool.Query(ctx, fmt.Sprintf(eachTargetSQL, "true")+countSQL)
	counts, err := collect(rows, err, func(rows pgx.Rows) (c store.DeliveryCount, err error) {
		err = rows.Scan(&c.Target, (*string)(&c.State), &c.Count)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", oneLine(err))
	}
	return slices.DeleteFunc(counts, func(c store.DeliveryCount) bool { return c.Count == 0 }), nil
}

// OpenTargets returns the targets that have pending deliveries.
func (e *Engine) OpenTargets(ctx context.Context) ([]string, error) {
	rows, err := e.pool.Query(ctx, fmt.Sprintf(eachTargetSQL, "state = 'pending'")+openTargetsSQL)
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
