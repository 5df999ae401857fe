package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

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
	targetCols = `t.name, t.hold, t.reason, t.since, t.until, t.accused, t.witnessed, t.probe, t.probe_at, t.probes,
	t.next_at, t.pace, t.pause_us, t.failures, t.arrival_at`
)

type eventRow struct {
	event.Event
	header []byte
}

func (r *eventRow) dest() []any {
	e := &r.Event
	return []any{
		(*[16]byte)(&e.ID), &e.Source, (*string)(&e.State), (*string)(&e.Origin), &e.ReceivedAt,
		&e.Request.Method, &e.Request.Query, &r.header, &e.Request.Body, (*string)(&e.Type), &e.Title, &e.Summary,
		&e.Fingerprint, &e.CorrelationKey, &e.Normalized, &e.Reason, &e.Crashes, &e.Traceparent,
	}
}

func (r *eventRow) event() (event.Event, error) {
	e := r.Event
	e.ReceivedAt = e.ReceivedAt.UTC()
	if err := json.Unmarshal(r.header, &e.Request.Header); err != nil {
		return event.Event{}, fmt.Errorf("decode headers of event %s: %w", e.ID, err)
	}
	return e, nil
}

func deliveryDest(d *event.Delivery) []any {
	return []any{
		(*[16]byte)(&d.ID), (*[16]byte)(&d.EventID), &d.Target, &d.Route, (*string)(&d.State), &d.Attempts, &d.Suspect,
		&d.Crashes, &d.DueAt, &d.Reason, &d.CreatedAt, &d.UpdatedAt, &d.MessageID, &d.Receipt,
		(*nullTime)(&d.RetriedAt), &d.RetriedAfter,
		&d.GroupKey, &d.Members, (*nullTime)(&d.ClosedAt), (*nullID)(&d.SupersededBy), &d.Note,
		(*nullTime)(&d.Proof.AcceptedAt), (*nullMicros)(&d.Proof.Within), (*nullTime)(&d.Proof.By), &d.Proof.Asks,
	}
}

// inUTC puts a scanned delivery into the form that the store promises.
func inUTC(d event.Delivery) event.Delivery {
	d.CreatedAt, d.UpdatedAt, d.DueAt = d.CreatedAt.UTC(), d.UpdatedAt.UTC(), d.DueAt.UTC()
	return d
}

// deliveredAttempt is the attempt that is part of a delivery's row; null for none.
type deliveredAttempt struct {
	sent    pgtype.Timestamptz
	elapsed pgtype.Int8
	status  pgtype.Int4
	excerpt pgtype.Text
	request pgtype.Text
}

const attemptCols = `d.sent_at, d.elapsed_us, d.status, d.excerpt, d.request`

func (a *deliveredAttempt) dest() []any {
	return []any{&a.sent, &a.elapsed, &a.status, &a.excerpt, &a.request}
}

func (a *deliveredAttempt) attempt(d event.Delivery) []event.Attempt {
	if !a.sent.Valid {
		return nil
	}
	return []event.Attempt{{
		DeliveryID: d.ID, Number: d.Attempts, StartedAt: a.sent.Time.UTC(), Elapsed: time.Duration(a.elapsed.Int64) * time.Microsecond,
		Class: sdk.ClassOK, Status: int(a.status.Int32), Excerpt: a.excerpt.String, Request: a.request.String, Counted: d.Proof.Asks == 0, Ask: d.Proof.Asks,
	}}
}

// targetRow is a target, or an outer join without one: every column may be null.
type targetRow struct {
	name, hold, reason, pace             pgtype.Text
	since, until, probeAt, next, arrival pgtype.Timestamptz
	accused, probe                       pgtype.UUID
	witnessed                            pgtype.Bool
	probes, failures                     pgtype.Int4
	pause                                pgtype.Int8
}

func (r *targetRow) dest() []any {
	return []any{
		&r.name, &r.hold, &r.reason, &r.since, &r.until, &r.accused, &r.witnessed, &r.probe, &r.probeAt, &r.probes,
		&r.next, &r.pace, &r.pause, &r.failures, &r.arrival,
	}
}

func (r *targetRow) target() store.Target {
	return store.Target{
		Name: r.name.String, Hold: store.HoldKind(r.hold.String), Reason: r.reason.String, Since: utc(r.since), Until: utc(r.until),
		Accused: toUUID(r.accused), Witnessed: r.witnessed.Bool, Probe: toUUID(r.probe), ProbeAt: utc(r.probeAt),
		Probes: int(r.probes.Int32), NextAt: utc(r.next), Pace: r.pace.String, Pause: time.Duration(r.pause.Int64) * time.Microsecond,
		Failures: int(r.failures.Int32), ArrivalAt: utc(r.arrival),
	}
}

// utc is the time of a nullable column; null is the zero time.
func utc(at pgtype.Timestamptz) time.Time {
	if !at.Valid {
		return time.Time{}
	}
	return at.Time.UTC()
}

// nullTime scans a nullable column; null is the zero time.
type nullTime time.Time

// ScanTimestamptz is pgx's.
func (t *nullTime) ScanTimestamptz(v pgtype.Timestamptz) error {
	*t = nullTime(utc(v))
	return nil
}

// nullMicros scans a nullable column of microseconds; null is 0.
type nullMicros time.Duration

// ScanInt64 is pgx's.
func (d *nullMicros) ScanInt64(v pgtype.Int8) error {
	*d = nullMicros(time.Duration(v.Int64) * time.Microsecond)
	return nil
}

// nullID scans a nullable column; null is the zero id.
type nullID uuid.UUID

// ScanUUID is pgx's.
func (id *nullID) ScanUUID(v pgtype.UUID) error {
	*id = v.Bytes
	return nil
}

// collect scans every row with scan.
func collect[T any](rows pgx.Rows, err error, scan func(pgx.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(pgx.CollectableRow) (T, error) { return scan(rows) })
}

func scanID(rows pgx.Rows) (id uuid.UUID, err error) {
	err = rows.Scan((*[16]byte)(&id))
	return id, err
}

func scanText(rows pgx.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}

func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return store.ErrNotFound
	}
	return err
}
