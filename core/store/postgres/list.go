package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// statement gathers the arguments of a text.
type statement struct{ args []any }

// arg adds an argument and returns its name.
func (s *statement) arg(v any) string {
	s.args = append(s.args, v)
	return fmt.Sprintf("$%d", len(s.args))
}

// eachSQL names each value of a column by one step in an index.
const eachSQL = `
WITH RECURSIVE each (value) AS (
	SELECT min(%[2]s) FROM %[1]s WHERE %[3]s
	UNION ALL
	SELECT (SELECT min(%[2]s) FROM %[1]s WHERE %[3]s AND %[2]s > each.value) FROM each WHERE each.value IS NOT NULL
)`

// order is which end of a list comes first.
type order struct{ by, nulls string }

func orderOf(oldest bool) order {
	if oldest {
		return order{"ASC", "ASC NULLS FIRST"}
	}
	return order{"DESC", "DESC NULLS LAST"}
}

// page returns a query of the ids of a list, whose first arguments are the last and the
// first that it may have. Values are selected, so that the plan is the same for all.
func (s *statement) page(table string, ranges []store.Range, o order, limit int) string {
	parts := make([]string, len(ranges))
	for i, r := range ranges {
		var equal []string
		var last, value string
		for _, k := range r.Keys {
			last, value = k.Column, "(SELECT "+s.arg(k.Value)+"::text)"
			equal = append(equal, last+" = "+value)
		}
		all := strings.Join(equal, " AND ")
		switch {
		case r.Each != "":
			parts[i] = fmt.Sprintf("(%s\nSELECT p.id FROM each, LATERAL %s p)",
				fmt.Sprintf(eachSQL, table, r.Each, all), pageOf(table, all+" AND ", r.Each, "each.value", o, limit))
		case len(r.Keys) > 2:
			// See the index for the order of its ids.
			parts[i] = fmt.Sprintf("(SELECT id FROM %s WHERE %s AND id <= $1 AND id >= $2 ORDER BY id %s LIMIT %d)", table, all, o.nulls, limit)
		default:
			parts[i] = pageOf(table, equal[0]+" AND ", last, value, o, limit)
		}
	}
	return fmt.Sprintf("SELECT id FROM (%s) p ORDER BY id %s LIMIT %d", strings.Join(parts, "\nUNION ALL "), o.by, limit)
}

// pageOf is a page of a range. The last column of its key is compared together with the
// id, and not for itself: else the planner takes its order for that of all ids, and may
// hope to meet enough rows soon on a walk through these. It takes a comparison of rows for
// one of their first columns, so that this must include the value.
func pageOf(table, conditions, last, value string, o order, limit int) string {
	return fmt.Sprintf(
		"(SELECT id FROM %[1]s WHERE %[2]s(%[3]s, id) <= (%[4]s, $1) AND (%[3]s, id) >= (%[4]s, $2) ORDER BY %[3]s %[5]s, id %[5]s LIMIT %[6]d)",
		table, conditions, last, value, o.by, limit)
}

// eventIDsSQL is what indexes tell of a list of events.
func eventIDsSQL(f store.EventFilter, limit int) (string, []any) {
	first, last := f.Bounds()
	s, o := statement{args: []any{last, first}}, orderOf(f.Oldest)
	if ranges := f.Ranges(); len(ranges) > 0 {
		return s.page("events", ranges, o, limit), s.args
	}
	return fmt.Sprintf(`SELECT id FROM events WHERE id <= $1 AND id >= $2 ORDER BY id %s LIMIT %d`, o.by, limit), s.args
}

// deliveryIDsSQL is what indexes tell of a list of deliveries.
func deliveryIDsSQL(f store.DeliveryFilter, limit int) (string, []any) {
	first, last := f.Bounds()
	s, o := statement{args: []any{last, first}}, orderOf(f.Oldest)
	if f.EventID != uuid.Nil {
		// An event has few. OFFSET keeps the planner from looking for the others' with their
		// target and state.
		where := "id <= $1 AND id >= $2"
		if f.Target != "" {
			where += " AND target = " + s.arg(f.Target)
		}
		if states := f.AnyOf(); len(states) > 0 {
			where += " AND state = ANY(" + s.arg(states) + ")"
		}
		of := strings.ReplaceAll(ofEventSQL, "$1", s.arg(f.EventID))
		return fmt.Sprintf(`SELECT id FROM (SELECT id, target, state FROM deliveries WHERE id = ANY(ARRAY(%s)) OFFSET 0) d WHERE %s ORDER BY id %s LIMIT %d`,
			of, where, o.by, limit), s.args
	}
	if ranges := f.Ranges(); len(ranges) > 0 {
		return s.page("deliveries", ranges, o, limit), s.args
	}
	return fmt.Sprintf(`SELECT id FROM deliveries WHERE id <= $1 AND id >= $2 ORDER BY id %s LIMIT %d`, o.by, limit), s.args
}

const (
	// ofEventSQL are the deliveries of an event, alone or in a group.
	ofEventSQL = `
SELECT id FROM deliveries WHERE event_id = $1 UNION SELECT delivery_id FROM delivery_events WHERE event_id = $1`
	countStatesSQL = `
SELECT event_id, state, count(*) FROM (
	SELECT event_id, id, state FROM deliveries WHERE event_id = ANY($1)
	UNION SELECT m.event_id, d.id, d.state
	FROM delivery_events m, LATERAL (SELECT id, state FROM deliveries WHERE id = m.delivery_id OFFSET 0) d WHERE m.event_id = ANY($1)) d
GROUP BY event_id, state`
)

const (
	summarizeEventsSQL     = `SELECT id, source, type, state, reason, title, received_at FROM events WHERE id = ANY($1)`
	summarizeDeliveriesSQL = `
SELECT ` + deliveryCols + `, e.source, e.type, e.title FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.id = ANY($1)`
	eventTextsSQL = `
SELECT id, title, summary, correlation_key, substr(coalesce(normalized, ''), 1, $2::integer), substr(body, 1, $2::integer)
FROM events WHERE id = ANY($1)`
	// lastSeenSQL names each source and type by a step in an index, and then looks at the
	// end of each of their states.
	lastSeenSQL = `
WITH RECURSIVE sources (source) AS (
	SELECT min(source) FROM events
	UNION ALL
	SELECT (SELECT min(source) FROM events e WHERE e.source > sources.source) FROM sources WHERE source IS NOT NULL
), each (source, type) AS (
	SELECT source, (SELECT min(type) FROM events e WHERE e.source = sources.source) FROM sources
	UNION ALL
	SELECT source, (SELECT min(type) FROM events e WHERE e.source = each.source AND e.type > each.type) FROM each WHERE type IS NOT NULL
)
SELECT each.source, each.type, e.id, e.received_at
FROM each, LATERAL (
	SELECT l.id FROM unnest(ARRAY['deferred', 'routed', 'undecodable', 'duplicate']) s (state), LATERAL (
		SELECT x.id FROM events x WHERE x.source = each.source AND x.type = each.type AND x.state = s.state
		ORDER BY x.id DESC NULLS LAST LIMIT 1) l
	ORDER BY l.id DESC LIMIT 1) l
JOIN events e ON e.id = l.id
ORDER BY 1, 2`
)

// EventIDs returns the ids that the indexed part of a filter selects.
func (e *Engine) EventIDs(ctx context.Context, f store.EventFilter, limit int) ([]uuid.UUID, error) {
	sql, args := eventIDsSQL(f, limit)
	rows, err := e.pool.Query(ctx, sql, args...)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", oneLine(err))
	}
	return ids, nil
}

// EventTexts has what is searched in events seen.
func (e *Engine) EventTexts(ctx context.Context, ids []uuid.UUID, most int, see func(*store.EventText)) error {
	rows, err := e.pool.Query(ctx, eventTextsSQL, uuids(ids), most)
	_, err = collect(rows, err, func(rows pgx.Rows) (_ struct{}, err error) {
		var t store.EventText
		err = rows.Scan((*[16]byte)(&t.ID), &t.Title, &t.Summary, &t.CorrelationKey, (*pgtype.DriverBytes)(&t.Normalized), (*pgtype.DriverBytes)(&t.Body))
		if err == nil {
			see(&t)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("search events: %w", oneLine(err))
	}
	return nil
}

// SummarizeEvents returns those of the events that are stored.
func (e *Engine) SummarizeEvents(ctx context.Context, ids []uuid.UUID) ([]store.EventSummary, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := e.pool.Query(ctx, summarizeEventsSQL, uuids(ids))
	events, err := collect(rows, err, func(rows pgx.Rows) (store.EventSummary, error) {
		s := store.EventSummary{Deliveries: make(map[event.DeliveryState]int)}
		err := rows.Scan((*[16]byte)(&s.ID), &s.Source, &s.Type, &s.State, &s.Reason, &s.Title, &s.ReceivedAt)
		s.ReceivedAt = s.ReceivedAt.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", oneLine(err))
	}
	byID := make(map[uuid.UUID]map[event.DeliveryState]int, len(events))
	for _, s := range events {
		byID[s.ID] = s.Deliveries
	}
	rows, err = e.pool.Query(ctx, countStatesSQL, uuids(ids))
	if _, err := collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
		var state event.DeliveryState
		var n int
		err = rows.Scan((*[16]byte)(&id), &state, &n)
		if states := byID[id]; states != nil {
			states[state] = n
		}
		return id, err
	}); err != nil {
		return nil, fmt.Errorf("count deliveries of events: %w", err)
	}
	return events, nil
}

// FindEventsByPrefix returns ids of events that begin with a prefix.
func (e *Engine) FindEventsByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error) {
	return e.byPrefix(ctx, `SELECT id FROM events WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3`, prefix, limit)
}

// FindDeliveriesByPrefix returns ids of deliveries that begin with a prefix.
func (e *Engine) FindDeliveriesByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error) {
	return e.byPrefix(ctx, `SELECT id FROM deliveries WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3`, prefix, limit)
}

func (e *Engine) byPrefix(ctx context.Context, sql, prefix string, limit int) ([]uuid.UUID, error) {
	first, last, ok := event.PrefixRange(prefix)
	if !ok {
		return nil, nil
	}
	rows, err := e.pool.Query(ctx, sql, first, last, limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("find ids that begin with %s: %w", prefix, oneLine(err))
	}
	return ids, nil
}

// LastSeen returns when each source was heard of last with each event type.
func (e *Engine) LastSeen(ctx context.Context) ([]store.Seen, error) {
	rows, err := e.pool.Query(ctx, lastSeenSQL)
	list, err := collect(rows, err, func(rows pgx.Rows) (s store.Seen, err error) {
		err = rows.Scan(&s.Source, (*string)(&s.Type), (*[16]byte)(&s.EventID), &s.At)
		s.At = s.At.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", oneLine(err))
	}
	return list, nil
}

// DeliveryIDs returns the ids that the indexed part of a filter selects.
func (e *Engine) DeliveryIDs(ctx context.Context, f store.DeliveryFilter, limit int) ([]uuid.UUID, error) {
	sql, args := deliveryIDsSQL(f, limit)
	rows, err := e.pool.Query(ctx, sql, args...)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", oneLine(err))
	}
	return ids, nil
}

// SummarizeDeliveries returns those of the deliveries that are stored.
func (e *Engine) SummarizeDeliveries(ctx context.Context, ids []uuid.UUID) ([]store.DeliverySummary, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := e.pool.Query(ctx, summarizeDeliveriesSQL, uuids(ids))
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
