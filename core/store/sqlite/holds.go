package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// holdSQL keeps the beginning and the probes of a hold that is there, and begins
	// one that drains anew. A null probe_at is a kind that is not probed. A pause is
	// a person's word, which nothing overrules.
	holdSQL = `
INSERT INTO target_state (target, kind, reason, since, probe_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (target) DO UPDATE SET
	kind = excluded.kind,
	reason = excluded.reason,
	draining = 0,
	since = iif(target_state.draining, excluded.since, target_state.since),
	probes = iif(target_state.draining, 0, target_state.probes),
	probe = iif(target_state.draining, NULL, target_state.probe),
	probe_at = iif(target_state.draining OR excluded.probe_at IS NULL, excluded.probe_at,
		coalesce(target_state.probe_at, excluded.probe_at))
WHERE target_state.kind <> '` + string(store.HoldPaused) + `' OR target_state.draining OR excluded.kind = target_state.kind`
	drainSet     = `UPDATE target_state SET draining = 1, probe = NULL, probe_at = NULL WHERE NOT draining `
	releaseSQL   = drainSet + `AND target = ?`
	releaseOfSQL = drainSet + `AND kind <> '` + string(store.HoldPaused) + `'
AND target = (SELECT target FROM deliveries WHERE id = ?)`
)

func (t *tx) hold(r store.HoldRequest) error {
	var probeAt any
	if r.Kind.Probed() {
		probeAt = t.now + r.ProbeIn.Microseconds()
	}
	if _, err := t.exec(holdSQL, r.Target, string(r.Kind), store.CleanText(r.Reason), t.now, probeAt); err != nil {
		return fmt.Errorf("hold target %s: %w", r.Target, err)
	}
	return nil
}

// HoldTarget puts a target on hold.
func (s *Store) HoldTarget(ctx context.Context, r store.HoldRequest) error {
	return s.inTx(ctx, func(t *tx) error { return t.hold(r) })
}

// ListHolds returns the targets on hold or draining, by name.
func (s *Store) ListHolds(ctx context.Context) ([]store.Hold, error) {
	now := micros(time.Now())
	holds, err := collect(ctx, s.read, func(row scanner) (store.Hold, error) {
		var r holdRow
		if err := row.Scan(r.dest()...); err != nil {
			return store.Hold{}, err
		}
		return *r.hold(now), nil
	}, `SELECT `+holdCols+` FROM target_state h ORDER BY h.target`)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return holds, nil
}

const (
	dueProbeSQL = `SELECT probe FROM target_state WHERE target = ? AND NOT draining AND probe_at <= ?`
	// probeStateSQL reports whether a probe is still under way; no row: it has ended.
	probeStateSQL = `
SELECT EXISTS (SELECT 1 FROM river_job WHERE queue = ?1 AND json_extract(args, '$.delivery_id') = ?2
	AND state IN ('available', 'pending', 'retryable', 'running', 'scheduled'))
FROM deliveries WHERE id = ?3 AND state = 'pending'`
	oldestHeldSQL = `
UPDATE deliveries SET state = 'pending', not_before = 0, updated_at = ?2
WHERE id = (SELECT id FROM deliveries WHERE target = ?1 AND state = 'held' ORDER BY id LIMIT 1)
RETURNING id`
	nextProbeSQL = `UPDATE target_state SET probe = ?, probes = probes + 1, probe_at = ? WHERE target = ?`
)

// Probe gives the oldest held delivery of the target a job.
func (s *Store) Probe(ctx context.Context, target string, next time.Duration) (bool, error) {
	probed := false
	err := s.inTx(ctx, func(t *tx) error {
		id, err := t.nextProbe(target)
		if err != nil || id == uuid.Nil {
			return err
		}
		probed = true
		t.jobs = append(t.jobs, store.DeliverJob(id, target))
		_, err = t.exec(nextProbeSQL, id[:], t.now+next.Microseconds(), target)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("probe target %s: %w", target, err)
	}
	return probed, nil
}

// nextProbe returns the delivery to probe the target with: the former probe when it
// was lost, else the oldest that is held; or uuid.Nil for none.
func (t *tx) nextProbe(target string) (uuid.UUID, error) {
	var former uuid.NullUUID
	err := t.row(dueProbeSQL, []any{target, t.now}, &former)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, err
	}
	if former.Valid {
		var live bool
		err := t.row(probeStateSQL, []any{store.TargetQueue(target), former.UUID.String(), former.UUID[:]}, &live)
		switch {
		case err == nil && live:
			return uuid.Nil, nil
		case err == nil:
			return former.UUID, nil
		case !errors.Is(err, sql.ErrNoRows):
			return uuid.Nil, err
		}
	}
	var oldest uuid.UUID
	err = t.row(oldestHeldSQL, []any{target, t.now}, &oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	return oldest, err
}

// Release ends a hold: the target drains.
func (s *Store) Release(ctx context.Context, target string) error {
	err := s.inTx(ctx, func(t *tx) error {
		_, err := t.exec(releaseSQL, target)
		return err
	})
	if err != nil {
		return fmt.Errorf("release target %s: %w", target, err)
	}
	return nil
}

const (
	drainingSQL = `SELECT draining FROM target_state WHERE target = ?`
	drainSQL    = `
UPDATE deliveries SET state = 'pending', updated_at = ?1
WHERE id IN (
	SELECT id FROM deliveries WHERE target = ?2 AND state = 'held' ORDER BY id
	LIMIT max(0, ?3 - (SELECT count(*) FROM deliveries WHERE target = ?2 AND state = 'pending' AND not_before <= ?1)))
RETURNING id`
	countHeldSQL = `SELECT count(*) FROM deliveries WHERE target = ? AND state = 'held'`
	endDrainSQL  = `DELETE FROM target_state WHERE target = ?`
)

// Drain gives jobs to the oldest held deliveries of a draining target until window
// deliveries are due.
func (s *Store) Drain(ctx context.Context, target string, window int) (int, error) {
	held := 0
	err := s.inTx(ctx, func(t *tx) error {
		var draining bool
		if err := t.row(drainingSQL, []any{target}, &draining); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if draining {
			ids, err := collect(ctx, t.Tx, scanOne[uuid.UUID], drainSQL, t.now, target, window)
			if err != nil {
				return err
			}
			store.SortIDs(ids) // oldest first, which UPDATE does not promise
			for _, id := range ids {
				t.jobs = append(t.jobs, store.DeliverJob(id, target))
			}
		}
		if err := t.row(countHeldSQL, []any{target}, &held); err != nil || !draining || held > 0 {
			return err
		}
		_, err := t.exec(endDrainSQL, target)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drain target %s: %w", target, err)
	}
	return held, nil
}

const expireHeldSQL = `
UPDATE deliveries SET state = 'dead', reason = ?1, updated_at = ?2
WHERE id IN (
	SELECT id FROM deliveries WHERE target = ?3 AND state = 'held' AND created_at < ?4 ORDER BY id LIMIT ?5)`

// ExpireHeld makes held deliveries that are older than maxAge dead letters.
func (s *Store) ExpireHeld(ctx context.Context, target string, maxAge time.Duration, reason string, limit int) (expired int, err error) {
	err = s.inTx(ctx, func(t *tx) error {
		expired, err = t.changed(expireHeldSQL, store.CleanText(reason), t.now, target, t.now-maxAge.Microseconds(), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("expire held deliveries of target %s: %w", target, err)
	}
	return expired, nil
}

const (
	openTargetsSQL = `
SELECT DISTINCT target FROM deliveries WHERE state = 'pending' AND target NOT IN (SELECT value FROM json_each(?1))
UNION
SELECT DISTINCT target FROM deliveries WHERE state = 'held' AND target NOT IN (SELECT value FROM json_each(?1))`
	holdPendingSQL = `UPDATE deliveries SET state = 'held', reason = ?, updated_at = ? WHERE state = 'pending' AND target = ?`
	dropJobsSQL    = `
DELETE FROM river_job WHERE queue = ? AND state IN ('available', 'pending', 'retryable', 'scheduled')`
	releaseConfiguredSQL = drainSet + `
AND kind = '` + string(store.HoldUnconfigured) + `' AND target IN (SELECT value FROM json_each(?))`
)

// HoldUnconfigured puts every target that has open deliveries and is not among
// configured on hold, and releases those that are.
func (s *Store) HoldUnconfigured(ctx context.Context, configured []string) error {
	if configured == nil {
		configured = []string{} // null would be a name
	}
	names, err := json.Marshal(configured)
	if err != nil {
		return fmt.Errorf("encode targets: %w", err)
	}
	err = s.inTx(ctx, func(t *tx) error {
		left, err := collect(ctx, t.Tx, scanOne[string], openTargetsSQL, string(names))
		if err != nil {
			return err
		}
		for _, target := range left {
			if err := t.hold(store.HoldRequest{Target: target, Kind: store.HoldUnconfigured, Reason: store.UnconfiguredReason}); err != nil {
				return err
			}
			if _, err := t.exec(holdPendingSQL, store.UnconfiguredReason, t.now, target); err != nil {
				return err
			}
			if _, err := t.exec(dropJobsSQL, store.TargetQueue(target)); err != nil {
				return err
			}
		}
		_, err = t.exec(releaseConfiguredSQL, string(names))
		return err
	})
	if err != nil {
		return fmt.Errorf("hold targets that are not configured: %w", err)
	}
	return nil
}
