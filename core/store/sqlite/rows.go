package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// Columns and where they are scanned to; the two lists of a row keep one order.
const (
	eventCols = `e.id, e.source, e.state, e.origin, e.received_at, e.method, e.query, e.header, e.body,
	e.type, e.title, e.summary, e.fingerprint, e.correlation_key, e.normalized, e.reason, e.crashes`
	deliveryCols = `d.id, d.event_id, d.target, d.route, d.state, d.attempts, d.suspect, d.crashes, d.not_before,
	d.reason, d.created_at, d.updated_at, d.message_id, d.receipt`
	holdCols = `h.target, h.kind, h.reason, h.since, h.draining, h.probe_at, h.probes, h.probe`
)

// scanner is a row of a result.
type scanner interface{ Scan(dest ...any) error }

// eventRow is an event as its columns hold it.
type eventRow struct {
	event.Event
	received int64
	header   []byte
}

func (r *eventRow) dest() []any {
	e := &r.Event
	return []any{
		&e.ID, &e.Source, &e.State, &e.Origin, &r.received, &e.Request.Method, &e.Request.Query, &r.header, &e.Request.Body,
		&e.Type, &e.Title, &e.Summary, &e.Fingerprint, &e.CorrelationKey, &e.Normalized, &e.Reason, &e.Crashes,
	}
}

func (r *eventRow) event() (event.Event, error) {
	e := r.Event
	e.ReceivedAt = fromMicros(r.received)
	if err := json.Unmarshal(r.header, &e.Request.Header); err != nil {
		return event.Event{}, fmt.Errorf("decode headers of event %s: %w", e.ID, err)
	}
	return e, nil
}

// deliveryRow is a delivery as its columns hold it.
type deliveryRow struct {
	event.Delivery
	notBefore, created, updated int64
}

func (r *deliveryRow) dest() []any {
	d := &r.Delivery
	return []any{
		&d.ID, &d.EventID, &d.Target, &d.Route, &d.State, &d.Attempts, &d.Suspect, &d.Crashes, &r.notBefore,
		&d.Reason, &r.created, &r.updated, &d.MessageID, &d.Receipt,
	}
}

func (r *deliveryRow) delivery() event.Delivery {
	d := r.Delivery
	d.NotBefore, d.CreatedAt, d.UpdatedAt = fromMicros(r.notBefore), fromMicros(r.created), fromMicros(r.updated)
	return d
}

// holdRow is a hold of an outer join: every column may be null.
type holdRow struct {
	target, kind, reason   sql.NullString
	since, probeAt, probes sql.NullInt64
	draining               sql.NullBool
	probe                  uuid.NullUUID
}

func (r *holdRow) dest() []any {
	return []any{&r.target, &r.kind, &r.reason, &r.since, &r.draining, &r.probeAt, &r.probes, &r.probe}
}

// hold returns the hold, or nil.
func (r *holdRow) hold(now int64) *store.Hold {
	if !r.target.Valid {
		return nil
	}
	return &store.Hold{
		Target: r.target.String, Kind: store.HoldKind(r.kind.String), Reason: r.reason.String,
		Since: fromMicros(r.since.Int64), Draining: r.draining.Bool, ProbeAt: fromMicros(r.probeAt.Int64),
		Probes: int(r.probes.Int64), Probe: r.probe.UUID, Now: fromMicros(now),
	}
}

// querier reads, in a transaction or without.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// collect reads every row of a query with scan.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (list []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

// scanOne scans rows of one column.
func scanOne[T any](row scanner) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}
