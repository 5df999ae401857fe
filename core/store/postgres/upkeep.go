package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	joinSQL = `
INSERT INTO nodes (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET beat_at = now(), steady_since = now()`
	// beatSQL begins the steadiness anew after a gap, and for a node that was forgotten.
	beatSQL = `
INSERT INTO nodes (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET beat_at = now(),
	steady_since = CASE WHEN nodes.beat_at < now() - $2::bigint * interval '1 microsecond' THEN now() ELSE nodes.steady_since END
RETURNING (extract(epoch FROM now() - steady_since) * 1000000)::bigint,
	(SELECT count(*) FROM nodes d WHERE d.name <> $1 AND d.beat_at < now() - $2::bigint * interval '1 microsecond'),
	NOT EXISTS (SELECT FROM nodes d WHERE d.name <> $1)`
	steadySQL = `
SELECT EXISTS (SELECT FROM nodes WHERE name = $1
	AND beat_at >= now() - $2::bigint * interval '1 microsecond' AND steady_since <= now() - $2::bigint * interval '1 microsecond')`
	forgetNodesSQL = `DELETE FROM nodes WHERE beat_at < now() - $1::bigint * interval '1 microsecond'`
	// attempt is what River gives back when it interrupts a job itself.
	releaseJobs = `UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0) WHERE state = 'running' `
	// releaseKinds begins with those that run, which are few. OFFSET keeps the planner from
	// looking for those of a kind, which may be many.
	releaseKinds = releaseJobs + `
AND id = ANY(ARRAY(SELECT id FROM (SELECT id, kind FROM river_job WHERE state = 'running' OFFSET 0) j WHERE kind IN `
	reclaimDeadSQL = releaseKinds + `('deliver', 'decode', 'enrich', 'catchup', 'operate', 'snapshot')))
	AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT name FROM nodes)`
	reclaimOwnSQL = releaseKinds + `('deliver', 'decode')))
	AND attempted_by[array_upper(attempted_by, 1)] = $1
	AND attempted_at < now() - $2::bigint * interval '1 microsecond'
	AND id <> ALL($3)`
)

// ReturnJob makes a running job available where it was.
func (e *Engine) ReturnJob(ctx context.Context, id int64) error {
	_, err := e.moves.Exec(ctx, releaseJobs+`AND id = $1`, id)
	return err
}

// Join announces a node before its queue starts, unless the database was moved.
func (e *Engine) Join(ctx context.Context, node string) error {
	return e.inTablesTx(ctx, func(t pgx.Tx) error {
		if err := e.prepareChange(ctx, t); err != nil {
			return err
		}
		_, err := t.Exec(ctx, joinSQL, node)
		return err
	})
}

// Beat keeps a node alive, on a connection of its own.
func (e *Engine) Beat(ctx context.Context, node string, deadAfter time.Duration) (store.Pulse, error) {
	var p store.Pulse
	var steady int64
	var alone bool
	if err := e.beats.QueryRow(ctx, beatSQL, node, deadAfter.Microseconds()).Scan(&steady, &p.Dead, &alone); err != nil {
		return p, oneLine(err)
	}
	p.Steady = time.Duration(steady) * time.Microsecond
	e.alone.Store(alone)
	return p, nil
}

// ReclaimDead makes the jobs of nodes that are gone available, in their places, if the
// node itself is steady.
func (e *Engine) ReclaimDead(ctx context.Context, node string, deadAfter time.Duration) (n int, err error) {
	err = e.inTx(ctx, func(t pgx.Tx) error {
		var steady bool
		if err := t.QueryRow(ctx, steadySQL, node, deadAfter.Microseconds()).Scan(&steady); err != nil || !steady {
			return err
		}
		if _, err := t.Exec(ctx, forgetNodesSQL, deadAfter.Microseconds()); err != nil {
			return err
		}
		n, err = affected(t.Exec(ctx, reclaimDeadSQL))
		return err
	})
	return n, err
}

// Leave is Join's end.
func (e *Engine) Leave(ctx context.Context, node string) error {
	_, err := e.pool.Exec(ctx, `DELETE FROM nodes WHERE name = $1`, node)
	return oneLine(err)
}

// Reclaim makes the jobs available that the node is recorded to run and does not.
func (e *Engine) Reclaim(ctx context.Context, node string, active []int64, olderThan time.Duration) (int, error) {
	if active == nil {
		active = []int64{} // null would be unequal to nothing
	}
	return affected(e.pool.Exec(ctx, reclaimOwnSQL, node, olderThan.Microseconds(), active))
}

const (
	overdue = `
SELECT id, due_at FROM deliveries
WHERE target = $1 AND state = 'live' AND due_at >= $2 AND (due_at, id) > ($2, $3)
	AND due_at < now() - $4::bigint * interval '1 microsecond'
ORDER BY due_at, id LIMIT $5`
	// deferredSQL looks at the oldest alone: what was received lately comes last. It
	// compares the id with the source for the reason of pageOf.
	deferredSQL = `
SELECT id FROM (
	SELECT id, received_at FROM events WHERE state = 'deferred' AND (source, id) >= ($1, $2) AND source <= $1
	ORDER BY source, id LIMIT $4) e
WHERE received_at < now() - $3::bigint * interval '1 microsecond'
ORDER BY id`
)

var overdueSQL = store.ForLive(overdue)

func (t *tx) Overdue(ctx context.Context, target string, grace time.Duration, after event.Delivery, limit int) ([]event.Delivery, error) {
	rows, err := t.Query(ctx, overdueSQL[after.State], target, after.DueAt, after.ID, grace.Microseconds(), limit)
	return collect(rows, err, func(rows pgx.Rows) (d event.Delivery, err error) {
		err = rows.Scan((*[16]byte)(&d.ID), &d.DueAt)
		return d, err
	})
}

func (t *tx) DeferredOf(ctx context.Context, source string, grace time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	rows, err := t.Query(ctx, deferredSQL, source, store.From(after), grace.Microseconds(), limit)
	return collect(rows, err, scanID)
}

// The statements of a purge look at no more than $2 rows older than $1 microseconds. What
// belongs to these is found by arrays of ids: to join, the planner might read all there is.
const (
	purgeKeysSQL = `
DELETE FROM dedup WHERE (source, key) IN (
	SELECT source, key FROM dedup WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`
	purgeDeadSQL = `
WITH gone AS (
	DELETE FROM deliveries WHERE id = ANY(ARRAY(
		SELECT id FROM deliveries WHERE state = 'dead' AND updated_at < now() - $1::bigint * interval '1 microsecond'
		ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED))
	RETURNING id, event_id, target, updated_at
), tries AS (
	DELETE FROM attempts WHERE delivery_id = ANY(ARRAY(SELECT id FROM gone))
), members AS (
	DELETE FROM delivery_events WHERE delivery_id = ANY(ARRAY(SELECT id FROM gone)) RETURNING event_id
), again AS (
	UPDATE events SET purge_after = received_at WHERE id = ANY(ARRAY(SELECT event_id FROM gone UNION SELECT event_id FROM members))
)
SELECT target, count(*), min(updated_at) FROM gone GROUP BY target`
	// purgeEventsSQL looks again at an event with a dead letter when that is to go, and
	// at one with an open delivery, or that waits for its decoder, in an hour. The row
	// without a source counts all it has looked at.
	purgeEventsSQL = `
WITH old AS (
	SELECT e.id, e.state = 'deferred' OR coalesce(d.pending, false) AS open, d.dead_at
	FROM (
		SELECT id, state FROM events WHERE purge_after < now() - $1::bigint * interval '1 microsecond'
		ORDER BY purge_after LIMIT $2 FOR UPDATE SKIP LOCKED) e
	LEFT JOIN LATERAL (
		SELECT bool_or(state IN ('pending', 'verifying')) AS pending, max(updated_at) FILTER (WHERE state = 'dead') AS dead_at
		FROM deliveries WHERE event_id = e.id OR id = ANY(ARRAY(SELECT delivery_id FROM delivery_events WHERE event_id = e.id))) d ON true
), kept AS (
	UPDATE events SET purge_after = CASE WHEN old.open THEN now() + interval '1 hour'
		ELSE greatest(old.dead_at + $3::bigint * interval '1 microsecond', now() + interval '1 minute') END
		- $1::bigint * interval '1 microsecond'
	FROM old WHERE events.id = ANY(ARRAY(SELECT id FROM old)) AND events.id = old.id AND (old.open OR old.dead_at IS NOT NULL)
), gone AS (
	DELETE FROM events WHERE id = ANY(ARRAY(SELECT id FROM old WHERE NOT open AND dead_at IS NULL)) RETURNING id, source, received_at
), ends AS (
	DELETE FROM deliveries WHERE event_id = ANY(ARRAY(SELECT id FROM gone)) RETURNING id
), tries AS (
	DELETE FROM attempts WHERE delivery_id = ANY(ARRAY(SELECT id FROM ends))
), members AS (
	DELETE FROM delivery_events
	WHERE event_id = ANY(ARRAY(SELECT id FROM gone)) OR delivery_id = ANY(ARRAY(SELECT id FROM ends))
), stories AS (
	DELETE FROM operator_changes WHERE event_id = ANY(ARRAY(SELECT id FROM gone))
), repeats AS (
	DELETE FROM repetitions WHERE event_id = ANY(ARRAY(SELECT id FROM gone))
)
SELECT source, count(*), min(received_at) FROM gone GROUP BY source
UNION ALL SELECT '', count(*), now() FROM old`
)

func (t *tx) PurgeKeys(ctx context.Context, limit int) (int, error) {
	return affected(t.Exec(ctx, purgeKeysSQL, limit))
}

func (t *tx) PurgeDead(ctx context.Context, olderThan time.Duration, limit int) (deleted store.Deleted, err error) {
	rows, err := t.Query(ctx, purgeDeadSQL, olderThan.Microseconds(), limit)
	counts, err := collect(rows, err, scanCount)
	for _, c := range counts {
		deleted.Add(c.name, c.n, c.oldest)
	}
	return deleted, err
}

func (t *tx) PurgeEvents(ctx context.Context, r store.Retention, limit int) (deleted store.Deleted, seen int, err error) {
	rows, err := t.Query(ctx, purgeEventsSQL, r.Events.Microseconds(), limit, r.DeadLetters.Microseconds())
	counts, err := collect(rows, err, scanCount)
	for _, c := range counts {
		if c.name == "" {
			seen = c.n
		} else {
			deleted.Add(c.name, c.n, c.oldest)
		}
	}
	return deleted, seen, err
}

// count is of rows that have a name.
type count struct {
	name   string
	n      int
	oldest time.Time
}

func scanCount(rows pgx.Rows) (c count, err error) {
	err = rows.Scan(&c.name, &c.n, &c.oldest)
	return c, err
}
