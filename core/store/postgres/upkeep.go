package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/store"
)

const (
	beatSQL = `
INSERT INTO nodes (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET beat_at = now()`
	forgetNodesSQL = `DELETE FROM nodes WHERE beat_at < now() - $1::bigint * interval '1 microsecond'`
	// attempt is what River gives back when it interrupts a job itself.
	releaseJobs    = `UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0), scheduled_at = now() `
	reclaimDeadSQL = releaseJobs + `
WHERE state = 'running' AND kind IN ('deliver', 'decode', 'enrich', 'catchup')
	AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT name FROM nodes)`
	reclaimOwnSQL = releaseJobs + `
WHERE state = 'running' AND kind IN ('deliver', 'decode')
	AND attempted_by[array_upper(attempted_by, 1)] = $1
	AND attempted_at < now() - $2::bigint * interval '1 microsecond'
	AND id <> ALL($3)`
)

// Join announces a node before its queue starts.
func (s *Store) Join(ctx context.Context, node string) error {
	if _, err := s.pool.Exec(ctx, beatSQL, node); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	return nil
}

// Beat keeps a node alive and makes the jobs of dead nodes available. A node that left
// is as dead as one that has not beaten for deadAfter.
func (s *Store) Beat(ctx context.Context, node string, deadAfter time.Duration) (int, error) {
	var batch pgx.Batch
	batch.Queue(beatSQL, node)
	batch.Queue(forgetNodesSQL, deadAfter.Microseconds())
	reclaimed := 0
	batch.Queue(reclaimDeadSQL).Exec(func(tag pgconn.CommandTag) error {
		reclaimed = int(tag.RowsAffected())
		return nil
	})
	if err := s.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return 0, fmt.Errorf("beat: %w", err)
	}
	return reclaimed, nil
}

// Leave is Join's end.
func (s *Store) Leave(ctx context.Context, node string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM nodes WHERE name = $1`, node); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// Reclaim makes the jobs available that the node is recorded to run and does not.
func (s *Store) Reclaim(ctx context.Context, node string, active []int64, olderThan time.Duration) (int, error) {
	if active == nil {
		active = []int64{} // null would be unequal to nothing
	}
	tag, err := s.pool.Exec(ctx, reclaimOwnSQL, node, olderThan.Microseconds(), active)
	if err != nil {
		return 0, fmt.Errorf("reclaim jobs: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

const (
	lostDeliveriesSQL = `
SELECT id, target FROM deliveries d
WHERE state = 'pending' AND not_before <= now() AND updated_at < now() - $1::bigint * interval '1 microsecond'
	AND NOT EXISTS (
		SELECT FROM river_job j WHERE j.kind = 'deliver' AND j.args->>'delivery_id' = d.id::text
		AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))
ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`
	lostEventsSQL = `
SELECT id FROM events e
WHERE state = 'deferred' AND received_at < now() - $1::bigint * interval '1 microsecond'
	AND NOT EXISTS (
		SELECT FROM river_job j WHERE j.kind = 'decode' AND j.args->>'event_id' = e.id::text
		AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))
ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`
	// touchSQL starts the grace of rows that were given jobs anew.
	touchSQL        = `UPDATE deliveries SET updated_at = now() WHERE id = ANY($1)`
	drainOrphansSQL = `
INSERT INTO target_state (target, kind, reason, draining)
SELECT DISTINCT target, '` + string(store.HoldMisconfigured) + `', 'hold has ended', true
FROM deliveries d WHERE state = 'held' AND NOT EXISTS (SELECT FROM target_state h WHERE h.target = d.target)
ON CONFLICT (target) DO NOTHING`
)

// Reconcile gives jobs to due pending deliveries and deferred events that have none.
// Deliveries that are held by no hold begin to drain.
func (s *Store) Reconcile(ctx context.Context, limit int) (store.Reconciled, error) {
	var done store.Reconciled
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, drainOrphansSQL); err != nil {
			return err
		}
		var jobs []river.InsertManyParams
		var touched []uuid.UUID
		rows, err := tx.Query(ctx, lostDeliveriesSQL, store.ReconcileGrace.Microseconds(), limit)
		if _, err := collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
			var target string
			err = rows.Scan((*[16]byte)(&id), &target)
			jobs = append(jobs, store.DeliverJob(id, target))
			touched = append(touched, id)
			return id, err
		}); err != nil {
			return err
		}
		done.Deliveries = len(touched)
		if _, err := tx.Exec(ctx, touchSQL, uuids(touched)); err != nil {
			return err
		}
		rows, err = tx.Query(ctx, lostEventsSQL, store.ReconcileGrace.Microseconds(), limit)
		events, err := collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
			err = rows.Scan((*[16]byte)(&id))
			jobs = append(jobs, store.DecodeJob(id))
			return id, err
		})
		if err != nil {
			return err
		}
		done.Events = len(events)
		return s.insertJobs(ctx, tx, jobs)
	})
	if err != nil {
		return store.Reconciled{}, fmt.Errorf("reconcile: %w", err)
	}
	return done, nil
}

// purgeSQL are the statements of Purge, which each delete at most $2 rows older than
// $1 microseconds and what belongs to them. An event that waits for its decoder is
// kept as one with an open delivery is.
const (
	purgeKeysSQL = `
DELETE FROM dedup WHERE (source, key) IN (
	SELECT source, key FROM dedup WHERE expires_at < now() - $1::bigint * interval '1 microsecond' LIMIT $2 FOR UPDATE SKIP LOCKED)`
	purgeDeadSQL = `
WITH gone AS (
	DELETE FROM deliveries WHERE id IN (
		SELECT id FROM deliveries WHERE state = 'dead' AND updated_at < now() - $1::bigint * interval '1 microsecond'
		LIMIT $2 FOR UPDATE SKIP LOCKED)
	RETURNING id
), tries AS (
	DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM gone)
)
SELECT count(*) FROM gone`
	purgeEventsSQL = `
WITH gone AS (
	DELETE FROM events WHERE id IN (
		SELECT id FROM events e
		WHERE received_at < now() - $1::bigint * interval '1 microsecond' AND state <> 'deferred'
			AND NOT EXISTS (SELECT FROM deliveries d WHERE d.event_id = e.id AND d.state IN ('pending', 'held', 'dead'))
		LIMIT $2 FOR UPDATE SKIP LOCKED)
	RETURNING id
), ends AS (
	DELETE FROM deliveries WHERE event_id IN (SELECT id FROM gone) RETURNING id
), tries AS (
	DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM ends)
)
SELECT count(*) FROM gone`
)

// Purge deletes at most limit rows that are older than their retention.
func (s *Store) Purge(ctx context.Context, r store.Retention, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, purgeKeysSQL, 0, limit)
	if err != nil {
		return 0, fmt.Errorf("purge dedup keys: %w", err)
	}
	purged := int(tag.RowsAffected())
	var n int
	if err := s.pool.QueryRow(ctx, purgeDeadSQL, r.DeadLetters.Microseconds(), limit-purged).Scan(&n); err != nil {
		return purged, fmt.Errorf("purge dead letters: %w", err)
	}
	purged += n
	if err := s.pool.QueryRow(ctx, purgeEventsSQL, r.Events.Microseconds(), limit-purged).Scan(&n); err != nil {
		return purged, fmt.Errorf("purge events: %w", err)
	}
	return purged + n, nil
}
