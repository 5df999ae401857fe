package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

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

type eventRow struct {
	event.Event
	header []byte
}

func (r *eventRow) dest() []any {
	e := &r.Event
	return []any{
		(*[16]byte)(&e.ID), &e.Source, (*string)(&e.State), (*string)(&e.Origin), &e.ReceivedAt,
		&e.Request.Method, &e.Request.Query, &r.header, &e.Request.Body, (*string)(&e.Type), &e.Title, &e.Summary,
		&e.Fingerprint, &e.CorrelationKey, &e.Normalized, &e.Reason, &e.Crashes,
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
		&d.Crashes, &d.NotBefore, &d.Reason, &d.CreatedAt, &d.UpdatedAt, &d.MessageID, &d.Receipt,
	}
}

// cleanDelivery puts a scanned delivery into the form that the store promises.
func cleanDelivery(d event.Delivery) event.Delivery {
	d.CreatedAt, d.UpdatedAt, d.NotBefore = d.CreatedAt.UTC(), d.UpdatedAt.UTC(), d.NotBefore.UTC()
	if d.NotBefore.Unix() == 0 {
		d.NotBefore = time.Time{}
	}
	return d
}

// holdRow is a hold of an outer join: every column may be null.
type holdRow struct {
	target, kind, reason pgtype.Text
	since, probeAt       pgtype.Timestamptz
	draining             pgtype.Bool
	probes               pgtype.Int4
	probe                pgtype.UUID
}

func (r *holdRow) dest() []any {
	return []any{&r.target, &r.kind, &r.reason, &r.since, &r.draining, &r.probeAt, &r.probes, &r.probe}
}

// hold returns the hold, or nil.
func (r *holdRow) hold(now time.Time) *store.Hold {
	if !r.target.Valid {
		return nil
	}
	h := &store.Hold{
		Target: r.target.String, Kind: store.HoldKind(r.kind.String), Reason: r.reason.String, Since: r.since.Time.UTC(),
		Draining: r.draining.Bool, Probes: int(r.probes.Int32), Now: now.UTC(),
	}
	if r.probeAt.Valid {
		h.ProbeAt = r.probeAt.Time.UTC()
	}
	if r.probe.Valid {
		h.Probe = r.probe.Bytes
	}
	return h
}

// collect scans every row with scan.
func collect[T any](rows pgx.Rows, err error, scan func(pgx.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(pgx.CollectableRow) (T, error) { return scan(rows) })
}
