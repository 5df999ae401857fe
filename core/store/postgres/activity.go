package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// changedTargets names the targets of deliveries that have changed since they were made.
var changedTargets = fmt.Sprintf(eachSQL, "deliveries", "target", "updated_at <> created_at")

var (
	countOutcomesSQL = changedTargets + `
SELECT floor(extract(epoch FROM d.updated_at - $1::timestamptz) * 1000000 / $2::bigint)::integer, d.state, count(*)
FROM each, LATERAL (
	SELECT d.updated_at, d.state FROM deliveries d
	WHERE d.target = each.value AND d.updated_at >= $1::timestamptz AND d.updated_at < $3 AND d.updated_at <> d.created_at
		AND d.state IN ('delivered', 'dead')) d
WHERE each.value IS NOT NULL GROUP BY 1, 2`
	// changedDeliveriesSQL takes what has changed of each target, and then what was made.
	changedDeliveriesSQL = `
(` + changedTargets + `
SELECT d.id, d.event_id, d.updated_at, d.members FROM each, LATERAL (
	SELECT d.id, d.event_id, d.updated_at, d.members FROM deliveries d
	WHERE d.target = each.value AND d.updated_at >= $1 AND d.updated_at <> d.created_at ORDER BY d.target, d.updated_at DESC LIMIT $3) d
WHERE each.value IS NOT NULL LIMIT $3)
UNION ALL
(SELECT id, event_id, updated_at, members FROM deliveries WHERE id >= $2 ORDER BY id DESC LIMIT $3)`
	// oldestPendingSQL has a row without a target: it tells the time. Its states are compared
	// with the rest of the index: else the planner sorts what the index of what is due has.
	oldestPendingSQL = fmt.Sprintf(eachSQL, "deliveries", "target", "state = 'pending'") + `
SELECT each.value, (SELECT min(greatest(o.created_at, o.closed_at, o.retried_at)) FROM (
	SELECT created_at, closed_at, retried_at FROM deliveries
	WHERE (state, target, id) >= ('pending', each.value, '00000000-0000-0000-0000-000000000000'::uuid)
		AND (state, target, id) <= ('pending', each.value, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
	ORDER BY state, target, id LIMIT 100) o), now()
FROM each ORDER BY 1`
)

const (
	countReceivedSQL = `
SELECT (SELECT count(*) FROM events e WHERE e.id >= b.first AND e.id < b.last)
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY b (first, last, i) ORDER BY b.i`
	countFailuresSQL = `
SELECT floor(extract(epoch FROM started_at - $1::timestamptz) * 1000000 / $2::bigint)::integer, count(*) FROM attempts
WHERE started_at >= $1::timestamptz AND started_at < $3 AND ask = 0 AND class <> 'ok' GROUP BY 1`
	lastOutcomesSQL = `
SELECT d.updated_at, d.state, CASE WHEN d.asks = 0 THEN d.sent_at END, coalesce(d.elapsed_us, 0) FROM deliveries d
WHERE d.target = $1 AND d.updated_at >= $2 AND d.updated_at <> d.created_at ORDER BY d.target DESC, d.updated_at DESC LIMIT $3`
	lastTriesSQL = `
SELECT a.started_at, a.elapsed_us, a.class, coalesce((SELECT d.target = $1 FROM deliveries d WHERE d.id = a.delivery_id), false)
FROM (SELECT started_at, elapsed_us, class, delivery_id FROM attempts WHERE started_at >= $2 AND ask = 0 ORDER BY started_at DESC LIMIT $3) a`
	sourceMarksSQL = `
SELECT source, read_to FROM cursors UNION ALL SELECT source, updated_at FROM snapshots WHERE updated_at >= $1`
)

// CountReceived counts the events that were received in each bucket.
func (e *Engine) CountReceived(ctx context.Context, b store.Buckets) ([]int, error) {
	first, last := make([]uuid.UUID, b.N), make([]uuid.UUID, b.N)
	for i := range first {
		first[i], last[i] = event.FirstID(b.At(i)), event.FirstID(b.At(i+1))
	}
	rows, err := e.pool.Query(ctx, countReceivedSQL, uuids(first), uuids(last))
	counts, err := collect(rows, err, func(rows pgx.Rows) (n int, err error) {
		err = rows.Scan(&n)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("count events by time: %w", oneLine(err))
	}
	return counts, nil
}

// CountOutcomes counts the deliveries that became delivered or dead in each bucket.
func (e *Engine) CountOutcomes(ctx context.Context, b store.Buckets) (delivered, dead []int, err error) {
	delivered, dead = make([]int, b.N), make([]int, b.N)
	rows, err := e.pool.Query(ctx, countOutcomesSQL, b.From, b.Step.Microseconds(), b.At(b.N))
	_, err = collect(rows, err, func(rows pgx.Rows) (_ struct{}, err error) {
		var i, n int
		var state string
		if err = rows.Scan(&i, &state, &n); err == nil && state == string(event.Dead) {
			dead[i] = n
		} else if err == nil {
			delivered[i] = n
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("count outcomes by time: %w", oneLine(err))
	}
	return delivered, dead, nil
}

// CountFailures counts the attempts that began in each bucket and failed.
func (e *Engine) CountFailures(ctx context.Context, b store.Buckets) ([]int, error) {
	counts := make([]int, b.N)
	rows, err := e.pool.Query(ctx, countFailuresSQL, b.From, b.Step.Microseconds(), b.At(b.N))
	_, err = collect(rows, err, func(rows pgx.Rows) (_ struct{}, err error) {
		var i, n int
		if err = rows.Scan(&i, &n); err == nil {
			counts[i] = n
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count failed attempts by time: %w", oneLine(err))
	}
	return counts, nil
}

// LastOutcomes returns the last changes of deliveries of a target.
func (e *Engine) LastOutcomes(ctx context.Context, target string, since time.Time, limit int) ([]store.Outcome, error) {
	rows, err := e.pool.Query(ctx, lastOutcomesSQL, target, since, limit)
	list, err := collect(rows, err, func(rows pgx.Rows) (o store.Outcome, err error) {
		var elapsed int64
		err = rows.Scan(&o.At, (*string)(&o.State), (*nullTime)(&o.SentAt), &elapsed)
		o.At, o.Elapsed = o.At.UTC(), time.Duration(elapsed)*time.Microsecond
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the last outcomes of target %s: %w", target, oneLine(err))
	}
	return list, nil
}

// LastTries returns the last attempts that did not deliver at once.
func (e *Engine) LastTries(ctx context.Context, target string, since time.Time, limit int) ([]store.Try, error) {
	rows, err := e.pool.Query(ctx, lastTriesSQL, target, since, limit)
	list, err := collect(rows, err, func(rows pgx.Rows) (t store.Try, err error) {
		var elapsed int64
		err = rows.Scan(&t.At, &elapsed, (*string)(&t.Class), &t.Own)
		t.At, t.Elapsed = t.At.UTC(), time.Duration(elapsed)*time.Microsecond
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the last attempts: %w", oneLine(err))
	}
	return list, nil
}

// OldestPending returns when the age of each target's oldest pending delivery began.
func (e *Engine) OldestPending(ctx context.Context) (list []store.PendingSince, now time.Time, err error) {
	rows, err := e.pool.Query(ctx, oldestPendingSQL)
	_, err = collect(rows, err, func(rows pgx.Rows) (_ struct{}, err error) {
		var target pgtype.Text
		var since nullTime
		if err = rows.Scan(&target, &since, &now); err == nil && target.Valid {
			list = append(list, store.PendingSince{Target: target.String, Since: time.Time(since)})
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("find the oldest pending deliveries: %w", oneLine(err))
	}
	return list, now.UTC(), nil
}

// ChangedDeliveries returns deliveries that were made or changed since a time.
func (e *Engine) ChangedDeliveries(ctx context.Context, since time.Time, limit int) ([]store.ChangedDelivery, error) {
	rows, err := e.pool.Query(ctx, changedDeliveriesSQL, since, event.FirstID(since), limit)
	list, err := collect(rows, err, func(rows pgx.Rows) (c store.ChangedDelivery, err error) {
		err = rows.Scan((*[16]byte)(&c.ID), (*[16]byte)(&c.EventID), &c.UpdatedAt, &c.Members)
		c.UpdatedAt = c.UpdatedAt.UTC()
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries that changed: %w", oneLine(err))
	}
	return list, nil
}

// SourceMarks returns how far histories were read and when snapshots changed.
func (e *Engine) SourceMarks(ctx context.Context, since time.Time) ([]store.SourceMark, error) {
	rows, err := e.pool.Query(ctx, sourceMarksSQL, since)
	list, err := collect(rows, err, func(rows pgx.Rows) (m store.SourceMark, err error) {
		err = rows.Scan(&m.Source, &m.At)
		m.At = m.At.UTC()
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("list how far histories were read: %w", oneLine(err))
	}
	return list, nil
}
