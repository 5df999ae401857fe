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
)

const (
	// attempt is what River gives back when it interrupts a job itself.
	releaseJobs = `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0) WHERE state = 'running' `
	lostJobsSQL = `
SELECT id FROM river_job WHERE state = 'running' AND kind IN ('deliver', 'decode') AND attempted_at < ?
	AND id NOT IN (SELECT value FROM json_each(?))`
	// riverTime is how River writes times.
	riverTime = "2006-01-02 15:04:05.000"
)

// ReturnJob makes a running job available where it was.
func (e *Engine) ReturnJob(ctx context.Context, id int64) error {
	_, err := e.write.ExecContext(ctx, releaseJobs+`AND id = ?`, id)
	return err
}

// Join takes the lock file, unless the database was moved, and makes jobs that ran in a former process available, in
// their places.
func (e *Engine) Join(ctx context.Context, _ string) error {
	if err := e.Reserve(); err != nil {
		return err
	}
	if err := e.giveUpMove(ctx); err != nil {
		return err
	}
	if _, err := e.write.ExecContext(ctx, releaseJobs); err != nil {
		return fmt.Errorf("take over jobs: %w", err)
	}
	// The leader makes jobs available whose time has come. One that was killed would be
	// waited for, for its term of 15 s: groups and retries would be late by that.
	if _, err := e.write.ExecContext(ctx, `DELETE FROM river_leader`); err != nil {
		return fmt.Errorf("end the term of the former process: %w", err)
	}
	return nil
}

// Beat looks whether the files are still this process's. Whoever has the lock file
// lives, and there is no other node.
func (e *Engine) Beat(ctx context.Context, _ string, _ time.Duration) (store.Pulse, error) {
	_ = e.Guard(ctx) // it has logged; upkeep goes on, so that what was accepted goes out
	return store.Pulse{}, nil
}

// ReclaimDead does nothing: there is no other node.
func (*Engine) ReclaimDead(context.Context, string, time.Duration) (int, error) { return 0, nil }

// Leave puts everything into one file and gives the lock file back. Without Reserve or
// Join it does nothing.
func (e *Engine) Leave(ctx context.Context, _ string) error {
	e.mu.Lock()
	reserved := e.lock != nil
	e.mu.Unlock()
	if !reserved {
		return nil
	}
	return errors.Join(e.leaveFile(ctx), e.unlock())
}

// Reclaim makes the jobs available that are recorded as running and do not.
func (e *Engine) Reclaim(ctx context.Context, _ string, active []int64, olderThan time.Duration) (int, error) {
	if active == nil {
		active = []int64{} // null would be an id
	}
	running, err := json.Marshal(active)
	if err != nil {
		return 0, fmt.Errorf("encode jobs: %w", err)
	}
	// Mostly there is none, and looking keeps no writer waiting.
	since := time.Now().Add(-olderThan).UTC().Format(riverTime)
	lost, err := collect(ctx, e.read, scanOne[int64], lostJobsSQL, since, string(running))
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	ids, err := json.Marshal(lost)
	if err != nil {
		return 0, fmt.Errorf("encode jobs: %w", err)
	}
	result, err := e.write.ExecContext(ctx, releaseJobs+`AND attempted_at < ? AND id IN (SELECT value FROM json_each(?))`, since, string(ids))
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

const (
	overdue = `
SELECT id, due_at FROM deliveries
WHERE target = ?1 AND state = 'live' AND due_at >= ?2 AND (due_at, id) > (?2, ?3) AND due_at < ?4 ORDER BY due_at, id LIMIT ?5`
	// deferredSQL looks at the oldest alone: what was received lately comes last.
	deferredSQL = `
SELECT id FROM (SELECT id, received_at FROM events WHERE source = ?1 AND state = 'deferred' AND id > ?2 ORDER BY id LIMIT ?4)
WHERE received_at < ?3 ORDER BY id`
)

var overdueSQL = store.ForLive(overdue)

func (t *tx) Overdue(ctx context.Context, target string, grace time.Duration, after event.Delivery, limit int) ([]event.Delivery, error) {
	return collect(ctx, t.Tx, func(row scanner) (d event.Delivery, err error) {
		var due int64
		err = row.Scan(&d.ID, &due)
		d.DueAt = fromMicros(due)
		return d, err
	}, overdueSQL[after.State], target, max(micros(after.DueAt), 0), after.ID[:], t.now-grace.Microseconds(), limit)
}

func (t *tx) DeferredOf(ctx context.Context, source string, grace time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	return collect(ctx, t.Tx, scanOne[uuid.UUID], deferredSQL, source, after[:], t.now-grace.Microseconds(), limit)
}

const (
	purgeKeysSQL = `
DELETE FROM dedup WHERE (source, key) IN (SELECT source, key FROM dedup WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`
	oldDeadSQL = `
SELECT id, event_id, target, updated_at FROM deliveries INDEXED BY deliveries_dead_idx WHERE state = 'dead' AND updated_at < ? ORDER BY updated_at LIMIT ?`
	lookAgainSQL = `
UPDATE events SET purge_after = received_at WHERE id IN (SELECT ?1 UNION SELECT event_id FROM delivery_events WHERE delivery_id = ?2)`
	oldEventsSQL = `SELECT id, state, source, received_at FROM events WHERE purge_after < ? ORDER BY purge_after LIMIT ?`
	needOfSQL    = `
SELECT max(state IN ('pending', 'verifying')), max(iif(state = 'dead', updated_at, NULL)) FROM deliveries WHERE id IN (` + ofEventSQL + `)`
	lookLaterSQL  = `UPDATE events SET purge_after = ? WHERE id = ?`
	deleteTriesOf = `DELETE FROM attempts WHERE delivery_id = ?`
)

func (t *tx) PurgeKeys(ctx context.Context, limit int) (int, error) {
	return t.changed(ctx, purgeKeysSQL, t.now, limit)
}

func (t *tx) PurgeDead(ctx context.Context, olderThan time.Duration, limit int) (deleted store.Deleted, err error) {
	type dead struct {
		id, event uuid.UUID
		target    string
		since     int64
	}
	old, err := collect(ctx, t.Tx, func(row scanner) (d dead, err error) {
		err = row.Scan(&d.id, &d.event, &d.target, &d.since)
		return d, err
	}, oldDeadSQL, t.now-olderThan.Microseconds(), limit)
	if err != nil {
		return deleted, err
	}
	for _, d := range old {
		if err := t.exec(ctx, lookAgainSQL, d.event[:], d.id[:]); err != nil {
			return deleted, err
		}
		if err := t.deleteDelivery(ctx, d.id); err != nil {
			return deleted, err
		}
		deleted.Add(d.target, 1, fromMicros(d.since))
	}
	return deleted, nil
}

// PurgeEvents looks again at an event with a dead letter when that is to go, and at one
// with an open delivery, or that waits for its decoder, in an hour.
func (t *tx) PurgeEvents(ctx context.Context, r store.Retention, limit int) (deleted store.Deleted, seen int, err error) {
	before := t.now - r.Events.Microseconds()
	type candidate struct {
		id       uuid.UUID
		state    event.State
		source   string
		received int64
	}
	old, err := collect(ctx, t.Tx, func(row scanner) (c candidate, err error) {
		err = row.Scan(&c.id, &c.state, &c.source, &c.received)
		return c, err
	}, oldEventsSQL, before, limit)
	for _, c := range old {
		var open sql.NullBool
		var dead sql.NullInt64
		if err := t.QueryRowContext(ctx, needOfSQL, c.id[:]).Scan(&open, &dead); err != nil {
			return deleted, 0, err
		}
		again := before
		switch {
		case open.Bool || c.state == event.Deferred:
			again += time.Hour.Microseconds()
		case dead.Valid:
			again = max(dead.Int64+r.DeadLetters.Microseconds(), t.now+time.Minute.Microseconds()) - r.Events.Microseconds()
		default:
			if err := t.deleteEvent(ctx, c.id); err != nil {
				return deleted, 0, err
			}
			deleted.Add(c.source, 1, fromMicros(c.received))
			continue
		}
		if err := t.exec(ctx, lookLaterSQL, again, c.id[:]); err != nil {
			return deleted, 0, err
		}
	}
	return deleted, len(old), err
}

func (t *tx) deleteEvent(ctx context.Context, id uuid.UUID) error {
	deliveries, err := collect(ctx, t.Tx, scanOne[uuid.UUID], `SELECT id FROM deliveries WHERE event_id = ?`, id[:])
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		if err := t.deleteDelivery(ctx, d); err != nil {
			return err
		}
	}
	if err := t.exec(ctx, `DELETE FROM delivery_events WHERE event_id = ?`, id[:]); err != nil {
		return err
	}
	if err := t.exec(ctx, `DELETE FROM repetitions WHERE event_id = ?`, id[:]); err != nil {
		return err
	}
	if err := t.exec(ctx, `DELETE FROM operator_changes WHERE event_id = ?`, id[:]); err != nil {
		return err
	}
	return t.exec(ctx, `DELETE FROM events WHERE id = ?`, id[:])
}

func (t *tx) deleteDelivery(ctx context.Context, id uuid.UUID) error {
	if err := t.exec(ctx, deleteTriesOf, id[:]); err != nil {
		return err
	}
	if err := t.exec(ctx, `DELETE FROM delivery_events WHERE delivery_id = ?`, id[:]); err != nil {
		return err
	}
	return t.exec(ctx, `DELETE FROM deliveries WHERE id = ?`, id[:])
}
