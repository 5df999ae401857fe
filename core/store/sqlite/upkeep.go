package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// attempt is what River gives back when it interrupts a job itself.
	releaseJobs = `
UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0), scheduled_at = datetime('now', 'subsec')
WHERE state = 'running' `
	reclaimSQL = releaseJobs + `AND kind IN ('deliver', 'decode') AND attempted_at < ? AND id NOT IN (SELECT value FROM json_each(?))`
	// riverTime is how River writes times.
	riverTime = "2006-01-02 15:04:05.000"
)

// Join takes the lock file and makes jobs that ran in a former process available.
func (s *Store) Join(ctx context.Context, _ string) error {
	if err := s.Reserve(); err != nil {
		return err
	}
	err := s.inTx(ctx, func(t *tx) error {
		_, err := t.exec(releaseJobs)
		return err
	})
	if err != nil {
		return fmt.Errorf("take over jobs: %w", err)
	}
	return nil
}

// Beat looks whether the files are still this process's. Whoever has the lock file
// lives, and there is no other node.
func (s *Store) Beat(ctx context.Context, _ string, _ time.Duration) (int, error) {
	_ = s.guard(ctx) // it has logged; upkeep goes on, so that what was accepted goes out
	return 0, nil
}

// Leave puts everything into one file and gives the lock file back. Without Reserve or
// Join it does nothing.
func (s *Store) Leave(ctx context.Context, _ string) error {
	s.mu.Lock()
	reserved := s.lock != nil
	s.mu.Unlock()
	if !reserved {
		return nil
	}
	return errors.Join(s.leaveFile(ctx), s.unlock())
}

// Reclaim makes the jobs available that are recorded as running and do not.
func (s *Store) Reclaim(ctx context.Context, _ string, active []int64, olderThan time.Duration) (reclaimed int, err error) {
	if active == nil {
		active = []int64{} // null would be an id
	}
	ids, err := json.Marshal(active)
	if err != nil {
		return 0, fmt.Errorf("encode jobs: %w", err)
	}
	err = s.inTx(ctx, func(t *tx) error {
		since := fromMicros(t.now - olderThan.Microseconds()).Format(riverTime)
		reclaimed, err = t.changed(reclaimSQL, since, string(ids))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs: %w", err)
	}
	return reclaimed, nil
}

const (
	lostDeliveriesSQL = `
SELECT id, target FROM deliveries
WHERE state = 'pending' AND not_before <= ?1 AND updated_at < ?2
	AND lower(hex(id)) NOT IN (
		SELECT replace(json_extract(args, '$.delivery_id'), '-', '') FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') AND kind = 'deliver')
ORDER BY id LIMIT ?3`
	lostEventsSQL = `
SELECT id FROM events
WHERE state = 'deferred' AND received_at < ?1
	AND lower(hex(id)) NOT IN (
		SELECT replace(json_extract(args, '$.event_id'), '-', '') FROM river_job
		WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled') AND kind = 'decode')
ORDER BY id LIMIT ?2`
	// touchSQL starts the grace of rows that were given jobs anew.
	touchSQL        = `UPDATE deliveries SET updated_at = ? WHERE id = ?`
	drainOrphansSQL = `
INSERT INTO target_state (target, kind, reason, draining, since)
SELECT DISTINCT target, '` + string(store.HoldMisconfigured) + `', 'hold has ended', 1, ?
FROM deliveries d WHERE state = 'held' AND NOT EXISTS (SELECT 1 FROM target_state h WHERE h.target = d.target)`
)

// Reconcile gives jobs to due pending deliveries and deferred events that have none.
// Deliveries that are held by no hold begin to drain.
func (s *Store) Reconcile(ctx context.Context, limit int) (done store.Reconciled, err error) {
	err = s.inTx(ctx, func(t *tx) error {
		if _, err := t.exec(drainOrphansSQL, t.now); err != nil {
			return err
		}
		before := t.now - store.ReconcileGrace.Microseconds()
		lost, err := collect(ctx, t.Tx, func(row scanner) (id uuid.UUID, err error) {
			var target string
			err = row.Scan(&id, &target)
			t.jobs = append(t.jobs, store.DeliverJob(id, target))
			return id, err
		}, lostDeliveriesSQL, t.now, before, limit)
		if err != nil {
			return err
		}
		for _, id := range lost {
			if _, err := t.exec(touchSQL, t.now, id[:]); err != nil {
				return err
			}
		}
		events, err := collect(ctx, t.Tx, scanOne[uuid.UUID], lostEventsSQL, before, limit)
		if err != nil {
			return err
		}
		for _, id := range events {
			t.jobs = append(t.jobs, store.DecodeJob(id))
		}
		done = store.Reconciled{Deliveries: len(lost), Events: len(events)}
		return nil
	})
	if err != nil {
		return store.Reconciled{}, fmt.Errorf("reconcile: %w", err)
	}
	return done, nil
}

// The statements of Purge delete at most ?2 rows older than the time ?1. An event that
// waits for its decoder is kept as one with an open delivery is.
const (
	purgeKeysSQL = `
DELETE FROM dedup WHERE (source, key) IN (SELECT source, key FROM dedup WHERE expires_at < ?1 LIMIT ?2)`
	oldDeadSQL   = `SELECT id FROM deliveries WHERE state = 'dead' AND updated_at < ?1 LIMIT ?2`
	oldEventsSQL = `
SELECT id FROM events e
WHERE received_at < ?1 AND state <> 'deferred'
	AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.state IN ('pending', 'held', 'dead'))
LIMIT ?2`
)

// Purge deletes at most limit rows that are older than their retention.
func (s *Store) Purge(ctx context.Context, r store.Retention, limit int) (purged int, err error) {
	err = s.inTx(ctx, func(t *tx) error {
		if purged, err = t.changed(purgeKeysSQL, t.now, limit); err != nil {
			return err
		}
		dead, err := collect(ctx, t.Tx, scanOne[uuid.UUID], oldDeadSQL, t.now-r.DeadLetters.Microseconds(), limit-purged)
		if err != nil {
			return err
		}
		for _, id := range dead {
			if err := t.deleteDelivery(id); err != nil {
				return err
			}
		}
		purged += len(dead)
		events, err := collect(ctx, t.Tx, scanOne[uuid.UUID], oldEventsSQL, t.now-r.Events.Microseconds(), limit-purged)
		if err != nil {
			return err
		}
		for _, id := range events {
			if err := t.deleteEvent(id); err != nil {
				return err
			}
		}
		purged += len(events)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purge: %w", err)
	}
	return purged, nil
}

func (t *tx) deleteEvent(id uuid.UUID) error {
	deliveries, err := collect(t.ctx, t.Tx, scanOne[uuid.UUID], `SELECT id FROM deliveries WHERE event_id = ?`, id[:])
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		if err := t.deleteDelivery(d); err != nil {
			return err
		}
	}
	_, err = t.exec(`DELETE FROM events WHERE id = ?`, id[:])
	return err
}

func (t *tx) deleteDelivery(id uuid.UUID) error {
	if _, err := t.exec(`DELETE FROM attempts WHERE delivery_id = ?`, id[:]); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM deliveries WHERE id = ?`, id[:])
	return err
}
