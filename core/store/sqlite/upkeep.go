package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// attempt is what River gives back when it interrupts a job itself.
	releaseJobs = `
UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0), scheduled_at = datetime('now', 'subsec')
WHERE state = 'running' AND kind IN ('deliver', 'decode')`
	reclaimOwnSQL = releaseJobs + `
	AND unixepoch(attempted_at, 'subsec') < unixepoch('now', 'subsec') - ?1
	AND id NOT IN (SELECT value FROM json_each(?2))`
)

// Join takes the lock file. What ran in a former process is made available: the lock
// proves that it runs no more.
func (s *Store) Join(ctx context.Context, _ string) error {
	if err := s.acquire(); err != nil {
		return err
	}
	if _, err := s.write.ExecContext(ctx, releaseJobs); err != nil {
		return fmt.Errorf("take over jobs: %w", err)
	}
	return nil
}

// Beat has nothing to do: there is one node, and its lock shows that it lives.
func (s *Store) Beat(context.Context, string, time.Duration) (int, error) { return 0, nil }

// Leave is Join's end.
func (s *Store) Leave(context.Context, string) error { return s.unlock() }

// Reclaim makes the jobs available that the node is recorded to run and does not.
func (s *Store) Reclaim(ctx context.Context, _ string, active []int64, olderThan time.Duration) (int, error) {
	if active == nil {
		active = []int64{}
	}
	list, err := json.Marshal(active)
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs: %w", err)
	}
	result, err := s.write.ExecContext(ctx, reclaimOwnSQL, olderThan.Seconds(), string(list))
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs: %w", err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

const (
	lostDeliveriesSQL = `
SELECT id, target FROM deliveries
WHERE state = 'pending' AND not_before <= ?1 AND updated_at < ?2 AND lower(hex(id)) NOT IN (
	SELECT replace(json_extract(args, '$.delivery_id'), '-', '') FROM river_job
	WHERE kind = 'deliver' AND state IN ` + liveJobs + `)
ORDER BY id LIMIT ?3`
	lostEventsSQL = `
SELECT id FROM events
WHERE state = 'deferred' AND received_at < ?1 AND lower(hex(id)) NOT IN (
	SELECT replace(json_extract(args, '$.event_id'), '-', '') FROM river_job
	WHERE kind = 'decode' AND state IN ` + liveJobs + `)
ORDER BY id LIMIT ?2`
	// touchSQL starts the grace of a row that was given a job anew.
	touchSQL        = `UPDATE deliveries SET updated_at = ? WHERE id = ?`
	drainOrphansSQL = `
INSERT INTO target_state (target, kind, reason, since, draining)
SELECT DISTINCT target, '` + string(store.HoldMisconfigured) + `', 'hold has ended', ?, 1
FROM deliveries WHERE state = 'held' AND target NOT IN (SELECT target FROM target_state)`
)

// Reconcile gives jobs to due pending deliveries and deferred events that have none.
// Deliveries that are held by no hold begin to drain.
func (s *Store) Reconcile(ctx context.Context, limit int) (store.Reconciled, error) {
	var done store.Reconciled
	err := s.inTx(ctx, func(t *tx) error {
		if _, err := t.exec(drainOrphansSQL, t.now); err != nil {
			return err
		}
		before := t.now - store.ReconcileGrace.Microseconds()
		deliveries, err := collect(ctx, t, func(rows *sql.Rows) (id uuid.UUID, err error) {
			var target string
			err = rows.Scan(&id, &target)
			t.jobs = append(t.jobs, store.DeliverJob(id, target))
			return id, err
		}, lostDeliveriesSQL, t.now, before, limit)
		if err != nil {
			return err
		}
		for _, id := range deliveries {
			if _, err := t.exec(touchSQL, t.now, id[:]); err != nil {
				return err
			}
		}
		events, err := collect(ctx, t, scanID, lostEventsSQL, before, limit)
		for _, id := range events {
			t.jobs = append(t.jobs, store.DecodeJob(id))
		}
		done = store.Reconciled{Deliveries: len(deliveries), Events: len(events)}
		return err
	})
	if err != nil {
		return store.Reconciled{}, fmt.Errorf("reconcile: %w", err)
	}
	return done, nil
}

const (
	purgeKeysSQL = `DELETE FROM dedup WHERE (source, key) IN (SELECT source, key FROM dedup WHERE expires_at < ? LIMIT ?)`
	purgeDeadSQL = `
DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state = 'dead' AND updated_at < ? LIMIT ?) RETURNING id`
	// purgeEventsSQL keeps an event that waits for its decoder as one with an open
	// delivery.
	purgeEventsSQL = `
DELETE FROM events WHERE id IN (
	SELECT id FROM events e WHERE received_at < ? AND state <> 'deferred'
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id AND d.state IN ('pending', 'held', 'dead'))
	LIMIT ?) RETURNING id`
	purgeDeliveriesSQL = `DELETE FROM deliveries WHERE event_id = ? RETURNING id`
	purgeAttemptsSQL   = `DELETE FROM attempts WHERE delivery_id = ?`
)

// Purge deletes at most limit rows that are older than their retention.
func (s *Store) Purge(ctx context.Context, r store.Retention, limit int) (int, error) {
	purged := 0
	err := s.inTx(ctx, func(t *tx) error {
		n, err := t.changed(purgeKeysSQL, t.now, limit)
		if err != nil {
			return fmt.Errorf("dedup keys: %w", err)
		}
		deliveries, err := collect(ctx, t, scanID, purgeDeadSQL, t.now-r.DeadLetters.Microseconds(), limit-n)
		if err != nil {
			return fmt.Errorf("dead letters: %w", err)
		}
		events, err := collect(ctx, t, scanID, purgeEventsSQL, t.now-r.Events.Microseconds(), limit-n-len(deliveries))
		if err != nil {
			return fmt.Errorf("events: %w", err)
		}
		purged = n + len(deliveries) + len(events)
		for _, id := range events {
			ended, err := collect(ctx, t, scanID, purgeDeliveriesSQL, id[:])
			if err != nil {
				return fmt.Errorf("deliveries: %w", err)
			}
			deliveries = append(deliveries, ended...)
		}
		for _, id := range deliveries {
			if _, err := t.exec(purgeAttemptsSQL, id[:]); err != nil {
				return fmt.Errorf("attempts: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purge %w", err)
	}
	return purged, nil
}
