package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// holdSQL keeps the beginning and the probes of a hold that is there, and begins
	// one that drains anew. A null $4 is a kind that is not probed. A pause is a
	// person's word, which nothing overrules.
	holdSQL = `
INSERT INTO target_state (target, kind, reason, probe_at)
VALUES ($1, $2, $3, now() + $4::bigint * interval '1 microsecond')
ON CONFLICT (target) DO UPDATE SET
	kind = excluded.kind,
	reason = excluded.reason,
	draining = false,
	since = CASE WHEN target_state.draining THEN now() ELSE target_state.since END,
	probes = CASE WHEN target_state.draining THEN 0 ELSE target_state.probes END,
	probe = CASE WHEN target_state.draining THEN NULL ELSE target_state.probe END,
	probe_at = CASE WHEN target_state.draining OR excluded.probe_at IS NULL THEN excluded.probe_at
		ELSE coalesce(target_state.probe_at, excluded.probe_at) END
WHERE target_state.kind <> '` + string(store.HoldPaused) + `' OR target_state.draining OR excluded.kind = target_state.kind`
	releaseSQL   = `UPDATE target_state SET draining = true, probe = NULL, probe_at = NULL WHERE target = $1 AND NOT draining`
	releaseOfSQL = `
UPDATE target_state SET draining = true, probe = NULL, probe_at = NULL
WHERE NOT draining AND kind <> '` + string(store.HoldPaused) + `'
AND target = (SELECT target FROM deliveries WHERE id = $1)`
)

func holdArgs(r store.HoldRequest) []any {
	var probeIn pgtype.Int8
	if r.Kind.Probed() {
		probeIn = pgtype.Int8{Int64: r.ProbeIn.Microseconds(), Valid: true}
	}
	return []any{r.Target, string(r.Kind), store.CleanText(r.Reason), probeIn}
}

func queueHold(batch *pgx.Batch, r store.HoldRequest) { batch.Queue(holdSQL, holdArgs(r)...) }

// HoldTarget puts a target on hold.
func (s *Store) HoldTarget(ctx context.Context, r store.HoldRequest) error {
	if _, err := s.pool.Exec(ctx, holdSQL, holdArgs(r)...); err != nil {
		return fmt.Errorf("hold target %s: %w", r.Target, err)
	}
	return nil
}

// ListHolds returns the targets on hold or draining, by name.
func (s *Store) ListHolds(ctx context.Context) ([]store.Hold, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+holdCols+`, now() FROM target_state h ORDER BY h.target`)
	holds, err := collect(rows, err, func(rows pgx.Rows) (store.Hold, error) {
		var r holdRow
		var now time.Time
		if err := rows.Scan(append(r.dest(), &now)...); err != nil {
			return store.Hold{}, err
		}
		return *r.hold(now), nil
	})
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return holds, nil
}

const (
	dueProbeSQL = `
SELECT probe FROM target_state WHERE target = $1 AND NOT draining AND probe_at <= now() FOR UPDATE`
	// probeStateSQL reports whether a probe is still under way; no row: it has ended.
	probeStateSQL = `
SELECT EXISTS (SELECT FROM river_job WHERE args @> jsonb_build_object('delivery_id', d.id::text)
	AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))
FROM deliveries d WHERE d.id = $1 AND d.state = 'pending' FOR UPDATE`
	oldestHeldSQL = `
UPDATE deliveries SET state = 'pending', not_before = 'epoch', updated_at = now()
WHERE id = (SELECT id FROM deliveries WHERE target = $1 AND state = 'held' ORDER BY id LIMIT 1 FOR UPDATE)
RETURNING id`
	nextProbeSQL = `
UPDATE target_state SET probe = $2, probes = probes + 1, probe_at = now() + $3::bigint * interval '1 microsecond'
WHERE target = $1`
)

// Probe gives the oldest held delivery of the target a job.
func (s *Store) Probe(ctx context.Context, target string, next time.Duration) (bool, error) {
	probed := false
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		id, err := nextProbe(ctx, tx, target)
		if err != nil || id == uuid.Nil {
			return err
		}
		if _, err := tx.Exec(ctx, nextProbeSQL, target, id, next.Microseconds()); err != nil {
			return err
		}
		probed = true
		return s.insertJobs(ctx, tx, []river.InsertManyParams{store.DeliverJob(id, target)})
	})
	if err != nil {
		return false, fmt.Errorf("probe target %s: %w", target, err)
	}
	return probed, nil
}

// nextProbe locks the target and returns the delivery to probe it with: the former
// probe when it was lost, else the oldest that is held; or uuid.Nil for none.
func nextProbe(ctx context.Context, tx pgx.Tx, target string) (uuid.UUID, error) {
	var former pgtype.UUID
	err := tx.QueryRow(ctx, dueProbeSQL, target).Scan(&former)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, err
	}
	if former.Valid {
		var live bool
		err := tx.QueryRow(ctx, probeStateSQL, former).Scan(&live)
		if err == nil && live {
			return uuid.Nil, nil
		}
		if err == nil {
			return former.Bytes, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return uuid.Nil, err
		}
	}
	var oldest pgtype.UUID
	err = tx.QueryRow(ctx, oldestHeldSQL, target).Scan(&oldest)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, nil
	}
	return toUUID(oldest), err
}

// Release ends a hold: the target drains.
func (s *Store) Release(ctx context.Context, target string) error {
	if _, err := s.pool.Exec(ctx, releaseSQL, target); err != nil {
		return fmt.Errorf("release target %s: %w", target, err)
	}
	return nil
}

const (
	lockDrainSQL = `SELECT draining FROM target_state WHERE target = $1 FOR UPDATE`
	drainSQL     = `
WITH due AS (
	SELECT count(*) AS n FROM deliveries WHERE target = $1 AND state = 'pending' AND not_before <= now()
)
UPDATE deliveries SET state = 'pending', updated_at = now()
WHERE id IN (
	SELECT id FROM deliveries WHERE target = $1 AND state = 'held'
	ORDER BY id LIMIT greatest($2 - (SELECT n FROM due), 0) FOR UPDATE)
RETURNING id`
	countHeldSQL = `SELECT count(*) FROM deliveries WHERE target = $1 AND state = 'held'`
	endDrainSQL  = `DELETE FROM target_state WHERE target = $1`
)

// Drain gives jobs to the oldest held deliveries of a draining target until window
// deliveries are due. Whoever accepts or holds a delivery locks the target's row, too,
// so that the draining ends when truly none is held.
func (s *Store) Drain(ctx context.Context, target string, window int) (int, error) {
	held := 0
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var draining bool
		err := tx.QueryRow(ctx, lockDrainSQL, target).Scan(&draining)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if draining {
			if err := s.drain(ctx, tx, target, window); err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, countHeldSQL, target).Scan(&held); err != nil || !draining || held > 0 {
			return err
		}
		_, err = tx.Exec(ctx, endDrainSQL, target)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drain target %s: %w", target, err)
	}
	return held, nil
}

func (s *Store) drain(ctx context.Context, tx pgx.Tx, target string, window int) error {
	rows, err := tx.Query(ctx, drainSQL, target, window)
	ids, err := collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
		err = rows.Scan((*[16]byte)(&id))
		return id, err
	})
	if err != nil {
		return err
	}
	store.SortIDs(ids) // oldest first, which UPDATE does not promise
	jobs := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		jobs[i] = store.DeliverJob(id, target)
	}
	return s.insertJobs(ctx, tx, jobs)
}

const expireHeldSQL = `
UPDATE deliveries SET state = 'dead', reason = $3, updated_at = now()
WHERE id IN (
	SELECT id FROM deliveries
	WHERE target = $1 AND state = 'held' AND created_at < now() - $2::bigint * interval '1 microsecond'
	ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED)`

// ExpireHeld makes held deliveries that are older than maxAge dead letters.
func (s *Store) ExpireHeld(ctx context.Context, target string, maxAge time.Duration, reason string, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, expireHeldSQL, target, maxAge.Microseconds(), store.CleanText(reason), limit)
	if err != nil {
		return 0, fmt.Errorf("expire held deliveries of target %s: %w", target, err)
	}
	return int(tag.RowsAffected()), nil
}

const (
	openTargetsSQL = `
SELECT DISTINCT target FROM deliveries WHERE state = 'pending' AND target <> ALL($1)
UNION
SELECT DISTINCT target FROM deliveries WHERE state = 'held' AND target <> ALL($1)
ORDER BY target`
	holdPendingSQL = `
UPDATE deliveries SET state = 'held', reason = $2, updated_at = now() WHERE state = 'pending' AND target = $1`
	dropJobsSQL = `
DELETE FROM river_job WHERE queue = $1 AND state IN ('available', 'pending', 'retryable', 'scheduled')`
	releaseConfiguredSQL = `
UPDATE target_state SET draining = true, probe = NULL, probe_at = NULL
WHERE kind = '` + string(store.HoldUnconfigured) + `' AND NOT draining AND target = ANY($1)`
)

// HoldUnconfigured puts every target that has open deliveries and is not among
// configured on hold, and releases those that are.
func (s *Store) HoldUnconfigured(ctx context.Context, configured []string) error {
	if configured == nil {
		configured = []string{} // null would be unequal to nothing
	}
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, openTargetsSQL, configured)
		left, err := collect(rows, err, func(rows pgx.Rows) (target string, err error) {
			err = rows.Scan(&target)
			return target, err
		})
		if err != nil {
			return err
		}
		var batch pgx.Batch
		for _, target := range left {
			queueHold(&batch, store.HoldRequest{Target: target, Kind: store.HoldUnconfigured, Reason: store.UnconfiguredReason})
			batch.Queue(holdPendingSQL, target, store.UnconfiguredReason)
			batch.Queue(dropJobsSQL, store.TargetQueue(target))
		}
		batch.Queue(releaseConfiguredSQL, configured)
		return tx.SendBatch(ctx, &batch).Close()
	})
	if err != nil {
		return fmt.Errorf("hold targets that are not configured: %w", err)
	}
	return nil
}
