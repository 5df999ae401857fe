package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// statement gathers the arguments of a text.
type statement struct{ args []any }

// arg adds an argument and returns its name.
func (s *statement) arg(v any) string {
	s.args = append(s.args, v)
	return fmt.Sprintf("?%d", len(s.args))
}

// eachSQL names each value of a column by one step in an index.
const eachSQL = `
WITH RECURSIVE each (value) AS (
	SELECT min(%[2]s) FROM %[1]s WHERE %[3]s
	UNION ALL
	SELECT (SELECT min(%[2]s) FROM %[1]s WHERE %[3]s AND %[2]s > each.value) FROM each WHERE each.value IS NOT NULL
)`

// order is which end of a list comes first.
func order(oldest bool) string {
	if oldest {
		return "ASC"
	}
	return "DESC"
}

// page returns a query of the ids of a list, whose first arguments are the last and the
// first that it may have, and how long it is.
func (s *statement) page(table string, ranges []store.Range, order string) string {
	parts := make([]string, len(ranges))
	for i, r := range ranges {
		equal := make([]string, len(r.Keys))
		for i, k := range r.Keys {
			equal[i] = k.Column + " = " + s.arg(k.Value)
		}
		from, all := table+" INDEXED BY "+r.Index, strings.Join(equal, " AND ")
		if r.Each == "" {
			parts[i] = fmt.Sprintf("SELECT * FROM (SELECT id FROM %s WHERE %s AND id <= ?1 AND id >= ?2 ORDER BY id %s LIMIT ?3)", from, all, order)
			continue
		}
		// A subquery cannot be joined to what it is of, but its rows can as one value.
		parts[i] = fmt.Sprintf(`SELECT * FROM (%s
SELECT unhex(j.value) FROM each, json_each((
	SELECT json_group_array(hex(id)) FROM (
		SELECT id FROM %s WHERE %s AND %s = each.value AND id <= ?1 AND id >= ?2 ORDER BY id %s LIMIT ?3))) j)`,
			fmt.Sprintf(eachSQL, from, r.Each, all), from, all, r.Each, order)
	}
	return "SELECT * FROM (" + strings.Join(parts, "\nUNION ALL ") + ") ORDER BY 1 " + order + " LIMIT ?3"
}

// eventIDsSQL is what indexes tell of a list of events.
func eventIDsSQL(f store.EventFilter, limit int) (string, []any) {
	first, last := f.Bounds()
	s := statement{args: []any{last[:], first[:], limit}}
	if ranges := f.Ranges(); len(ranges) > 0 {
		return s.page("events", ranges, order(f.Oldest)), s.args
	}
	return `SELECT id FROM events WHERE id <= ?1 AND id >= ?2 ORDER BY id ` + order(f.Oldest) + ` LIMIT ?3`, s.args
}

// deliveryIDsSQL is what indexes tell of a list of deliveries.
func deliveryIDsSQL(f store.DeliveryFilter, limit int) (string, []any) {
	first, last := f.Bounds()
	s := statement{args: []any{last[:], first[:], limit}}
	where := "id <= ?1 AND id >= ?2"
	if f.EventID != uuid.Nil {
		where += " AND id IN (" + strings.ReplaceAll(ofEventSQL, "?1", s.arg(f.EventID[:])) + ")"
		// An event has few: a plus keeps the planner from those of a target or a state.
		if f.Target != "" {
			where += " AND +target = " + s.arg(f.Target)
		}
		var states []string
		for _, state := range f.AnyOf() {
			states = append(states, s.arg(string(state)))
		}
		if len(states) > 0 {
			where += " AND +state IN (" + strings.Join(states, ", ") + ")"
		}
	} else if ranges := f.Ranges(); len(ranges) > 0 {
		return s.page("deliveries", ranges, order(f.Oldest)), s.args
	}
	return `SELECT id FROM deliveries WHERE ` + where + ` ORDER BY id ` + order(f.Oldest) + ` LIMIT ?3`, s.args
}

const (
	// ofEventSQL are the deliveries of an event, alone or in a group.
	ofEventSQL = `
SELECT id FROM deliveries INDEXED BY deliveries_event_idx WHERE event_id = ?1
UNION SELECT delivery_id FROM delivery_events INDEXED BY delivery_events_event_idx WHERE event_id = ?1`
	countStatesSQL = `SELECT state, count(*) FROM deliveries WHERE id IN (` + ofEventSQL + `) GROUP BY state`
)

const (
	// idsOf are ids that a statement is given as a JSON array of hex digits.
	idsOf = `(SELECT unhex(value) FROM json_each(?1))`

	summarizeEventsSQL     = `SELECT id, source, type, state, reason, title, received_at FROM events WHERE id IN ` + idsOf
	summarizeDeliveriesSQL = `
SELECT ` + deliveryCols + `, e.source, e.type, e.title FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.id IN ` + idsOf
	eventTextsSQL = `
SELECT id, title, summary, correlation_key, substr(normalized, 1, ?2), substr(body, 1, ?2) FROM events WHERE id IN ` + idsOf
	// lastSeenSQL names each source and type by a step in an index, and then looks at the
	// end of each of their states.
	lastSeenSQL = `
WITH RECURSIVE sources (source) AS (
	SELECT min(source) FROM events INDEXED BY events_source_type_idx
	UNION ALL
	SELECT (SELECT min(source) FROM events INDEXED BY events_source_type_idx WHERE source > sources.source)
	FROM sources WHERE source IS NOT NULL
), each (source, type) AS (
	SELECT source, (SELECT min(type) FROM events e INDEXED BY events_source_type_idx WHERE e.source = sources.source) FROM sources
	UNION ALL
	SELECT source, (SELECT min(type) FROM events e INDEXED BY events_source_type_idx WHERE e.source = each.source AND e.type > each.type)
	FROM each WHERE type IS NOT NULL
)
SELECT each.source, each.type, e.id, e.received_at
FROM each JOIN events e ON e.id = max(` + lastOfDeferred + `, ` + lastOfRouted + `, ` + lastOfUndecodable + `, ` + lastOfDuplicate + `)
ORDER BY 1, 2`

	lastOf = `coalesce((
	SELECT max(x.id) FROM events x INDEXED BY events_source_type_idx WHERE x.source = each.source AND x.type = each.type AND x.state = `
	lastOfDeferred    = lastOf + `'deferred'), x'')`
	lastOfRouted      = lastOf + `'routed'), x'')`
	lastOfUndecodable = lastOf + `'undecodable'), x'')`
	lastOfDuplicate   = lastOf + `'duplicate'), x'')`
)

// hexIDs are ids as idsOf takes them.
func hexIDs(ids []uuid.UUID) (string, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = hex.EncodeToString(id[:])
	}
	list, err := json.Marshal(texts)
	if err != nil {
		return "", fmt.Errorf("encode ids: %w", err)
	}
	return string(list), nil
}

// EventIDs returns the ids that the indexed part of a filter selects.
func (e *Engine) EventIDs(ctx context.Context, f store.EventFilter, limit int) ([]uuid.UUID, error) {
	query, args := eventIDsSQL(f, limit)
	ids, err := collect(ctx, e.read, scanOne[uuid.UUID], query, args...)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return ids, nil
}

// EventTexts has what is searched in events seen.
func (e *Engine) EventTexts(ctx context.Context, ids []uuid.UUID, most int, see func(*store.EventText)) error {
	list, err := hexIDs(ids)
	if err != nil {
		return err
	}
	_, err = collect(ctx, e.read, func(row scanner) (_ struct{}, err error) {
		var t store.EventText
		err = row.Scan(&t.ID, &t.Title, &t.Summary, &t.CorrelationKey, (*sql.RawBytes)(&t.Normalized), (*sql.RawBytes)(&t.Body))
		if err == nil {
			see(&t)
		}
		return struct{}{}, err
	}, eventTextsSQL, list, most)
	if err != nil {
		return fmt.Errorf("search events: %w", err)
	}
	return nil
}

// SummarizeEvents returns those of the events that are stored.
func (e *Engine) SummarizeEvents(ctx context.Context, ids []uuid.UUID) ([]store.EventSummary, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := hexIDs(ids)
	if err != nil {
		return nil, err
	}
	events, err := collect(ctx, e.read, func(row scanner) (store.EventSummary, error) {
		s := store.EventSummary{Deliveries: make(map[event.DeliveryState]int)}
		var received int64
		err := row.Scan(&s.ID, &s.Source, &s.Type, &s.State, &s.Reason, &s.Title, &received)
		s.ReceivedAt = fromMicros(received)
		return s, err
	}, summarizeEventsSQL, list)
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

// FindEventsByPrefix returns ids of events that begin with a prefix.
func (e *Engine) FindEventsByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error) {
	return e.byPrefix(ctx, `SELECT id FROM events WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?`, prefix, limit)
}

// FindDeliveriesByPrefix returns ids of deliveries that begin with a prefix.
func (e *Engine) FindDeliveriesByPrefix(ctx context.Context, prefix string, limit int) ([]uuid.UUID, error) {
	return e.byPrefix(ctx, `SELECT id FROM deliveries WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?`, prefix, limit)
}

func (e *Engine) byPrefix(ctx context.Context, query, prefix string, limit int) ([]uuid.UUID, error) {
	first, last, ok := event.PrefixRange(prefix)
	if !ok {
		return nil, nil
	}
	ids, err := collect(ctx, e.read, scanOne[uuid.UUID], query, first[:], last[:], limit)
	if err != nil {
		return nil, fmt.Errorf("find ids that begin with %s: %w", prefix, err)
	}
	return ids, nil
}

// LastSeen returns when each source was heard of last with each event type.
func (e *Engine) LastSeen(ctx context.Context) ([]store.Seen, error) {
	list, err := collect(ctx, e.read, func(row scanner) (s store.Seen, err error) {
		var at int64
		err = row.Scan(&s.Source, &s.Type, &s.EventID, &at)
		s.At = fromMicros(at)
		return s, err
	}, lastSeenSQL)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	return list, nil
}

// DeliveryIDs returns the ids that the indexed part of a filter selects.
func (e *Engine) DeliveryIDs(ctx context.Context, f store.DeliveryFilter, limit int) ([]uuid.UUID, error) {
	query, args := deliveryIDsSQL(f, limit)
	ids, err := collect(ctx, e.read, scanOne[uuid.UUID], query, args...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return ids, nil
}

// SummarizeDeliveries returns those of the deliveries that are stored.
func (e *Engine) SummarizeDeliveries(ctx context.Context, ids []uuid.UUID) ([]store.DeliverySummary, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	hexes, err := hexIDs(ids)
	if err != nil {
		return nil, err
	}
	list, err := collect(ctx, e.read, func(row scanner) (store.DeliverySummary, error) {
		var r deliveryRow
		var d store.DeliverySummary
		err := row.Scan(append(r.dest(), &d.Source, &d.Type, &d.Title)...)
		d.Delivery = r.delivery()
		return d, err
	}, summarizeDeliveriesSQL, hexes)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}
