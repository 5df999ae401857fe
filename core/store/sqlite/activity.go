package sqlite

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const changedFrom = "deliveries INDEXED BY deliveries_changed_idx"

// changedTargets names the targets of deliveries that have changed since they were made.
var changedTargets = fmt.Sprintf(eachSQL, changedFrom, "target", "updated_at <> created_at")

const countReceivedSQL = `
SELECT (SELECT count(*) FROM events WHERE id >= unhex(b.value ->> 0) AND id < unhex(b.value ->> 1)) FROM json_each(?1) b ORDER BY b.key`

var (
	countOutcomesSQL = changedTargets + `
SELECT (d.updated_at - ?1) / ?2, d.state, count(*) FROM each CROSS JOIN ` + changedFromAs + `
WHERE d.target = each.value AND d.updated_at >= ?1 AND d.updated_at < ?3 AND d.updated_at <> d.created_at AND d.state IN ('delivered', 'dead')
GROUP BY 1, 2`
	// changedDeliveriesSQL takes what has changed of each target, and then what was made.
	changedDeliveriesSQL = `
SELECT * FROM (` + changedTargets + `
SELECT d.id, d.event_id, d.updated_at, d.members FROM each CROSS JOIN ` + changedFromAs + `
WHERE d.target = each.value AND d.updated_at >= ?1 AND d.updated_at <> d.created_at LIMIT ?3)
UNION ALL
SELECT * FROM (SELECT id, event_id, updated_at, members FROM deliveries WHERE id >= ?2 ORDER BY id DESC LIMIT ?3)`
	oldestPendingSQL = fmt.Sprintf(eachSQL, "deliveries INDEXED BY deliveries_target_idx", "target", "state = 'pending'") + `
SELECT each.value, (
	SELECT min(o.began) FROM (
		SELECT max(d.created_at, coalesce(d.closed_at, 0), coalesce(d.retried_at, 0)) AS began
		FROM deliveries d INDEXED BY deliveries_target_idx WHERE d.state = 'pending' AND d.target = each.value ORDER BY d.id LIMIT 100) o)
FROM each WHERE each.value IS NOT NULL ORDER BY 1`
)

const (
	changedFromAs    = `deliveries d INDEXED BY deliveries_changed_idx`
	countFailuresSQL = `
SELECT (started_at - ?1) / ?2, count(*) FROM attempts INDEXED BY attempts_started_idx
WHERE started_at >= ?1 AND started_at < ?3 AND ask = 0 AND class <> 'ok' GROUP BY 1`
	lastOutcomesSQL = `
SELECT d.updated_at, d.state, iif(d.asks = 0, coalesce(d.sent_at, 0), 0), coalesce(d.elapsed_us, 0) FROM ` + changedFromAs + `
WHERE d.target = ?1 AND d.updated_at >= ?2 AND d.updated_at <> d.created_at ORDER BY d.updated_at DESC LIMIT ?3`
	lastTriesSQL = `
SELECT a.started_at, a.elapsed_us, a.class, coalesce((SELECT d.target = ?1 FROM deliveries d WHERE d.id = a.delivery_id), false)
FROM attempts a INDEXED BY attempts_started_idx WHERE a.started_at >= ?2 AND a.ask = 0 ORDER BY a.started_at DESC LIMIT ?3`
	sourceMarksSQL = `
SELECT source, read_to FROM cursors
UNION ALL SELECT source, updated_at FROM snapshots INDEXED BY snapshots_updated_at_idx WHERE updated_at >= ?1`
)

// CountReceived counts the events that were received in each bucket.
func (e *Engine) CountReceived(ctx context.Context, b store.Buckets) ([]int, error) {
	ends := make([][2]string, b.N)
	for i := range ends {
		first, last := event.FirstID(b.At(i)), event.FirstID(b.At(i+1))
		ends[i] = [2]string{hex.EncodeToString(first[:]), hex.EncodeToString(last[:])}
	}
	list, err := json.Marshal(ends)
	if err != nil {
		return nil, fmt.Errorf("encode times: %w", err)
	}
	counts, err := collect(ctx, e.read, scanOne[int], countReceivedSQL, string(list))
	if err != nil {
		return nil, fmt.Errorf("count events by time: %w", err)
	}
	return counts, nil
}

// CountOutcomes counts the deliveries that became delivered or dead in each bucket.
func (e *Engine) CountOutcomes(ctx context.Context, b store.Buckets) (delivered, dead []int, err error) {
	delivered, dead = make([]int, b.N), make([]int, b.N)
	_, err = collect(ctx, e.read, func(row scanner) (_ struct{}, err error) {
		var i, n int
		var state event.DeliveryState
		if err = row.Scan(&i, &state, &n); err == nil && state == event.Dead {
			dead[i] = n
		} else if err == nil {
			delivered[i] = n
		}
		return struct{}{}, err
	}, countOutcomesSQL, micros(b.From), b.Step.Microseconds(), micros(b.At(b.N)))
	if err != nil {
		return nil, nil, fmt.Errorf("count outcomes by time: %w", err)
	}
	return delivered, dead, nil
}

// CountFailures counts the attempts that began in each bucket and failed.
func (e *Engine) CountFailures(ctx context.Context, b store.Buckets) ([]int, error) {
	counts := make([]int, b.N)
	_, err := collect(ctx, e.read, func(row scanner) (_ struct{}, err error) {
		var i, n int
		if err = row.Scan(&i, &n); err == nil {
			counts[i] = n
		}
		return struct{}{}, err
	}, countFailuresSQL, micros(b.From), b.Step.Microseconds(), micros(b.At(b.N)))
	if err != nil {
		return nil, fmt.Errorf("count failed attempts by time: %w", err)
	}
	return counts, nil
}

// LastOutcomes returns the last changes of deliveries of a target.
func (e *Engine) LastOutcomes(ctx context.Context, target string, since time.Time, limit int) ([]store.Outcome, error) {
	list, err := collect(ctx, e.read, func(row scanner) (o store.Outcome, err error) {
		var at, sent, elapsed int64
		err = row.Scan(&at, &o.State, &sent, &elapsed)
		o.At, o.SentAt, o.Elapsed = fromMicros(at), fromMicros(sent), time.Duration(elapsed)*time.Microsecond
		return o, err
	}, lastOutcomesSQL, target, micros(since), limit)
	if err != nil {
		return nil, fmt.Errorf("read the last outcomes of target %s: %w", target, err)
	}
	return list, nil
}

// LastTries returns the last attempts that did not deliver at once.
func (e *Engine) LastTries(ctx context.Context, target string, since time.Time, limit int) ([]store.Try, error) {
	list, err := collect(ctx, e.read, func(row scanner) (t store.Try, err error) {
		var at, elapsed int64
		err = row.Scan(&at, &elapsed, &t.Class, &t.Own)
		t.At, t.Elapsed = fromMicros(at), time.Duration(elapsed)*time.Microsecond
		return t, err
	}, lastTriesSQL, target, micros(since), limit)
	if err != nil {
		return nil, fmt.Errorf("read the last attempts: %w", err)
	}
	return list, nil
}

// OldestPending returns when the age of each target's oldest pending delivery began.
func (e *Engine) OldestPending(ctx context.Context) ([]store.PendingSince, time.Time, error) {
	now := micros(time.Now())
	list, err := collect(ctx, e.read, func(row scanner) (p store.PendingSince, err error) {
		var since int64
		err = row.Scan(&p.Target, &since)
		p.Since = fromMicros(since)
		return p, err
	}, oldestPendingSQL)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("find the oldest pending deliveries: %w", err)
	}
	return list, fromMicros(now), nil
}

// ChangedDeliveries returns deliveries that were made or changed since a time.
func (e *Engine) ChangedDeliveries(ctx context.Context, since time.Time, limit int) ([]store.ChangedDelivery, error) {
	first := event.FirstID(since)
	list, err := collect(ctx, e.read, func(row scanner) (c store.ChangedDelivery, err error) {
		var at int64
		err = row.Scan(&c.ID, &c.EventID, &at, &c.Members)
		c.UpdatedAt = fromMicros(at)
		return c, err
	}, changedDeliveriesSQL, micros(since), first[:], limit)
	if err != nil {
		return nil, fmt.Errorf("list deliveries that changed: %w", err)
	}
	return list, nil
}

// SourceMarks returns how far histories were read and when snapshots changed.
func (e *Engine) SourceMarks(ctx context.Context, since time.Time) ([]store.SourceMark, error) {
	list, err := collect(ctx, e.read, func(row scanner) (m store.SourceMark, err error) {
		var at int64
		err = row.Scan(&m.Source, &at)
		m.At = fromMicros(at)
		return m, err
	}, sourceMarksSQL, micros(since))
	if err != nil {
		return nil, fmt.Errorf("list how far histories were read: %w", err)
	}
	return list, nil
}
