package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Columns and where they are scanned to; the two lists of a row keep one order.
const (
	eventCols = `e.id, e.source, e.state, e.origin, e.received_at, e.method, e.query, e.header, e.body,
	e.type, e.title, e.summary, e.fingerprint, e.correlation_key, e.normalized, e.reason, e.crashes, e.traceparent`
	deliveryCols = `d.id, d.event_id, d.target, d.route, d.state, d.attempts, d.suspect, d.crashes, d.due_at,
	d.reason, d.created_at, d.updated_at, d.message_id, d.receipt, d.retried_at, d.retried_after,
	d.group_key, d.members, d.closed_at, d.superseded_by, d.note, d.accepted_at, d.prove_within_us, d.prove_by, d.asks`
	attemptCols = `d.sent_at, d.elapsed_us, d.status, d.excerpt, d.request`
	targetCols  = `t.name, t.hold, t.reason, t.since, t.until, t.accused, t.witnessed, t.probe, t.probe_at, t.probes,
	t.next_at, t.pace, t.pause_us, t.failures, t.arrival_at`
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
		&e.Type, &e.Title, &e.Summary, &e.Fingerprint, &e.CorrelationKey, &e.Normalized, &e.Reason, &e.Crashes, &e.Traceparent,
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
	due, created, updated int64
	retried, closed       sql.NullInt64
	accepted, within, by  sql.NullInt64
	superseded            uuid.NullUUID
}

func (r *deliveryRow) dest() []any {
	d := &r.Delivery
	return []any{
		&d.ID, &d.EventID, &d.Target, &d.Route, &d.State, &d.Attempts, &d.Suspect, &d.Crashes, &r.due,
		&d.Reason, &r.created, &r.updated, &d.MessageID, &d.Receipt, &r.retried, &d.RetriedAfter,
		&d.GroupKey, &d.Members, &r.closed, &r.superseded, &d.Note, &r.accepted, &r.within, &r.by, &d.Proof.Asks,
	}
}

func (r *deliveryRow) delivery() event.Delivery {
	d := r.Delivery
	d.DueAt, d.CreatedAt, d.UpdatedAt = fromMicros(r.due), fromMicros(r.created), fromMicros(r.updated)
	d.RetriedAt, d.ClosedAt, d.SupersededBy = fromMicros(r.retried.Int64), fromMicros(r.closed.Int64), r.superseded.UUID
	d.Proof.AcceptedAt, d.Proof.By = fromMicros(r.accepted.Int64), fromMicros(r.by.Int64)
	d.Proof.Within = time.Duration(r.within.Int64) * time.Microsecond
	return d
}

// deliveredAttempt is the attempt that is part of a delivery's row; null for none.
type deliveredAttempt struct {
	sent, elapsed, status sql.NullInt64
	excerpt, request      sql.NullString
}

func (a *deliveredAttempt) dest() []any {
	return []any{&a.sent, &a.elapsed, &a.status, &a.excerpt, &a.request}
}

func (a *deliveredAttempt) attempt(d event.Delivery) []event.Attempt {
	if !a.sent.Valid {
		return nil
	}
	return []event.Attempt{{
		DeliveryID: d.ID, Number: d.Attempts, StartedAt: fromMicros(a.sent.Int64), Elapsed: time.Duration(a.elapsed.Int64) * time.Microsecond,
		Class: sdk.ClassOK, Status: int(a.status.Int64), Excerpt: a.excerpt.String, Request: a.request.String, Counted: d.Proof.Asks == 0, Ask: d.Proof.Asks,
	}}
}

// targetRow is a target, or an outer join without one: every column may be null.
type targetRow struct {
	name, hold, reason, pace                                      sql.NullString
	since, until, probeAt, next, arrival, probes, pause, failures sql.NullInt64
	accused, probe                                                uuid.NullUUID
	witnessed                                                     sql.NullBool
}

func (r *targetRow) dest() []any {
	return []any{
		&r.name, &r.hold, &r.reason, &r.since, &r.until, &r.accused, &r.witnessed, &r.probe, &r.probeAt, &r.probes,
		&r.next, &r.pace, &r.pause, &r.failures, &r.arrival,
	}
}

func (r *targetRow) target() store.Target {
	return store.Target{
		Name: r.name.String, Hold: store.HoldKind(r.hold.String), Reason: r.reason.String,
		Since: fromMicros(r.since.Int64), Until: fromMicros(r.until.Int64), Accused: r.accused.UUID, Witnessed: r.witnessed.Bool,
		Probe: r.probe.UUID, ProbeAt: fromMicros(r.probeAt.Int64), Probes: int(r.probes.Int64),
		NextAt: fromMicros(r.next.Int64), Pace: r.pace.String, Pause: time.Duration(r.pause.Int64) * time.Microsecond,
		Failures: int(r.failures.Int64), ArrivalAt: fromMicros(r.arrival.Int64),
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
