package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	// openGroupSQL locks the row that it finds. A group that is closed meanwhile is out of
	// the index, and another is made.
	openGroupSQL = `
INSERT INTO deliveries (id, event_id, target, route, state, group_key, members, due_at)
VALUES ($1, $2, $3, $4, 'pending', $5, 0, now())
ON CONFLICT (target, route, group_key) WHERE group_key <> '' AND closed_at IS NULL AND state = 'pending'
DO UPDATE SET updated_at = now()
RETURNING id, members`
	// joinGroupSQL: a time at which the group is closed stays, also where it has passed
	// while the target takes nothing.
	joinGroupSQL = `
UPDATE deliveries SET members = members + $2, updated_at = now(), note = CASE WHEN $3 = '' THEN note ELSE $3 END,
	due_at = CASE WHEN $4 OR $5 THEN now() WHEN $6::timestamptz IS NULL
		THEN least(now() + $7::bigint * interval '1 microsecond', created_at + $8::bigint * interval '1 microsecond')
		WHEN members = 0 THEN $6 ELSE least(due_at, $6) END,
	closed_at = CASE WHEN $4 THEN now() END
WHERE id = $1`
	addMembersSQL = `
INSERT INTO delivery_events (delivery_id, event_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`
	flushGroupSQL = `
UPDATE deliveries SET due_at = now(), updated_at = now()
WHERE target = $1 AND route = $2 AND group_key = $3 AND group_key <> '' AND closed_at IS NULL AND state = 'pending'
RETURNING id`
	closeGroupSQL = `
UPDATE deliveries SET closed_at = now() WHERE id = $1 AND closed_at IS NULL AND (due_at <= now() OR $2) RETURNING id`
	isClosedSQL  = `SELECT closed_at IS NOT NULL FROM deliveries WHERE id = $1`
	claimFoldSQL = `
INSERT INTO folds AS f (target, key, expires_at, deletion, upgrade)
VALUES ($1, $2, now() + $3::bigint * interval '1 microsecond', $4, $5)
ON CONFLICT (target, key) DO UPDATE SET expires_at = excluded.expires_at,
	deletion = coalesce(excluded.deletion, CASE WHEN f.expires_at > now() THEN f.deletion END),
	upgrade = coalesce(excluded.upgrade, CASE WHEN f.expires_at > now() THEN f.upgrade END)
RETURNING deletion, upgrade`
	purgeFoldsSQL = `
DELETE FROM folds WHERE (target, key) IN (
	SELECT target, key FROM folds WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`

	// pendingSQL leaves out what workers have under way.
	pendingSQL = `
SELECT id, event_id, route, members FROM deliveries WHERE target = $1 AND state = 'pending' AND id <> ALL($4) AND NOT suspect
	AND NOT (group_key IN ('` + event.DigestKey + `', '` + event.FoldKey + `') AND due_at > now())
	AND id <> ALL(ARRAY(SELECT (args->>'delivery_id')::uuid FROM river_job WHERE state = 'running' AND queue = $2))
ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED`
	insertDigestSQL = `
INSERT INTO deliveries (id, event_id, target, route, state, group_key, members, closed_at, due_at)
VALUES ($1, $2, $3, $4, 'pending', '` + event.DigestKey + `', 0, now(), now())`
	// mergeMembersSQL: OFFSET keeps the planner from reading all members in order.
	mergeMembersSQL = `
WITH merged AS (
	INSERT INTO delivery_events (delivery_id, event_id)
	SELECT DISTINCT $1::uuid, coalesce(m.event_id, d.event_id)
	FROM deliveries d LEFT JOIN LATERAL (SELECT event_id FROM delivery_events WHERE delivery_id = d.id OFFSET 0) m ON true
	WHERE d.id = ANY($2) ON CONFLICT DO NOTHING RETURNING event_id
)
UPDATE deliveries SET members = (SELECT count(*) FROM merged) WHERE id = $1`
	supersedeSQL = `
UPDATE deliveries SET state = 'superseded', superseded_by = $2, reason = 'the digest tells of it', updated_at = now()
WHERE id = ANY($1)`
	dropJobsOfSQL = `
DELETE FROM river_job WHERE state IN ('available', 'scheduled', 'retryable') AND queue = $1 AND kind = 'deliver'
	AND (args->>'delivery_id')::uuid = ANY($2)`
)

func (t *tx) OpenGroup(ctx context.Context, d event.Delivery, key string) (store.Group, error) {
	var g store.Group
	err := t.QueryRow(ctx, openGroupSQL, d.ID, d.EventID, d.Target, d.Route, store.ShortKey(key)).Scan((*[16]byte)(&g.ID), &g.Members)
	g.Made = g.ID == d.ID
	return g, err
}

func (t *tx) JoinGroup(ctx context.Context, j store.Join) error {
	// A replayed event may be there already.
	added, err := affected(t.Exec(ctx, addMembersSQL, j.Group, uuids(j.Events)))
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, joinGroupSQL, j.Group, added, store.CleanText(j.Note), j.Full, j.Flush, orNull(j.At),
		j.Wait.Microseconds(), j.MaxWait.Microseconds())
	return err
}

func (t *tx) FlushGroup(ctx context.Context, ref event.GroupRef) (uuid.UUID, error) {
	return t.oneID(ctx, flushGroupSQL, ref.Target, ref.Route, store.ShortKey(ref.Key))
}

func (t *tx) CloseGroup(ctx context.Context, id uuid.UUID, early bool) (bool, error) {
	closed, err := t.oneID(ctx, closeGroupSQL, id, early)
	if err != nil || closed != uuid.Nil {
		return closed != uuid.Nil, err
	}
	var was bool
	err = t.QueryRow(ctx, isClosedSQL, id).Scan(&was)
	return was, notFound(err)
}

func (t *tx) ClaimFold(ctx context.Context, c store.FoldClaim) (uuid.UUID, error) {
	deletion, upgrade := pgtype.UUID{Bytes: c.Delivery, Valid: !c.Upgrade}, pgtype.UUID{Bytes: c.Delivery, Valid: c.Upgrade}
	err := t.QueryRow(ctx, claimFoldSQL, c.Target, c.Key, c.Window.Microseconds(), deletion, upgrade).Scan(&deletion, &upgrade)
	if c.Upgrade {
		return toUUID(deletion), err
	}
	return toUUID(upgrade), err
}

func (t *tx) PurgeFolds(ctx context.Context, limit int) (int, error) {
	return affected(t.Exec(ctx, purgeFoldsSQL, limit))
}

func (t *tx) MergePending(ctx context.Context, target string, id uuid.UUID, except []uuid.UUID, limit int) ([]uuid.UUID, error) {
	rows, err := t.Query(ctx, pendingSQL, target, store.TargetQueue(target), limit, uuids(except))
	pending, err := collect(rows, err, func(rows pgx.Rows) (d event.Delivery, err error) {
		err = rows.Scan((*[16]byte)(&d.ID), (*[16]byte)(&d.EventID), &d.Route, &d.Members)
		return d, err
	})
	pending = store.WithinDigest(pending, limit)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, len(pending))
	for i, d := range pending {
		ids[i] = d.ID
	}
	if _, err := t.Exec(ctx, insertDigestSQL, id, pending[0].EventID, target, pending[0].Route); err != nil {
		return nil, err
	}
	if _, err := t.Exec(ctx, mergeMembersSQL, id, uuids(ids)); err != nil {
		return nil, err
	}
	_, err = t.Exec(ctx, supersedeSQL, uuids(ids), id)
	return ids, err
}

func (t *tx) DropJobsOf(ctx context.Context, target string, deliveries []uuid.UUID) error {
	_, err := t.Exec(ctx, dropJobsOfSQL, store.TargetQueue(target), uuids(deliveries))
	return err
}

// oneID returns the id that a statement returns, or uuid.Nil for none.
func (t *tx) oneID(ctx context.Context, sql string, args ...any) (uuid.UUID, error) {
	var id uuid.UUID
	err := t.QueryRow(ctx, sql, args...).Scan((*[16]byte)(&id))
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, nil
	}
	return id, err
}

const (
	correlationCols    = `target, key, delivery_id, message_id, receipt, type, time, posted_at, leased_by, leased_until`
	lockCorrelationSQL = `
INSERT INTO correlations (target, key) VALUES ($1, $2) ON CONFLICT (target, key) DO UPDATE SET updated_at = now()
RETURNING ` + correlationCols + `, now()`
	saveCorrelationSQL = `
UPDATE correlations SET delivery_id = $3, message_id = $4, receipt = $5, type = $6, time = $7, posted_at = $8, leased_by = $9,
	leased_until = $10, updated_at = now()
WHERE target = $1 AND key = $2`
	correlationEventsSQL    = `SELECT event_id FROM correlation_events WHERE target = $1 AND key = $2 ORDER BY event_id`
	addCorrelationEventsSQL = `
INSERT INTO correlation_events (target, key, event_id)
SELECT c.target, c.key, e FROM correlations c, unnest($3::uuid[]) e WHERE c.target = $1 AND c.key = $2
ON CONFLICT DO NOTHING`
	forgetCorrelationEventsSQL = `DELETE FROM correlation_events WHERE target = $1 AND key = $2`
	purgeCorrelationsSQL       = `
WITH gone AS (
	DELETE FROM correlations WHERE (target, key) IN (
		SELECT target, key FROM correlations WHERE updated_at < now() - $1::bigint * interval '1 microsecond'
		ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED)
	RETURNING target, key
), events AS (
	DELETE FROM correlation_events e USING gone WHERE e.target = gone.target AND e.key = gone.key
)
SELECT count(*) FROM gone`
)

func (t *tx) LockCorrelation(ctx context.Context, target, key string) (c store.Correlation, now time.Time, err error) {
	var delivery, leasedBy pgtype.UUID
	var at, posted, until pgtype.Timestamptz
	err = t.QueryRow(ctx, lockCorrelationSQL, target, key).Scan(&c.Target, &c.Key, &delivery, &c.MessageID, &c.Receipt, (*string)(&c.Type), &at,
		&posted, &leasedBy, &until, &now)
	c.Delivery, c.LeasedBy, c.Time, c.PostedAt, c.LeasedUntil = toUUID(delivery), toUUID(leasedBy), utc(at), utc(posted), utc(until)
	return c, now.UTC(), err
}

func (t *tx) SaveCorrelation(ctx context.Context, c *store.Correlation) error {
	_, err := t.Exec(ctx, saveCorrelationSQL, c.Target, c.Key, idOrNull(c.Delivery), c.MessageID, c.Receipt, string(c.Type), orNull(c.Time),
		orNull(c.PostedAt), idOrNull(c.LeasedBy), orNull(c.LeasedUntil))
	return err
}

func (t *tx) CorrelationEvents(ctx context.Context, target, key string) ([]uuid.UUID, error) {
	rows, err := t.Query(ctx, correlationEventsSQL, target, key)
	return collect(rows, err, scanID)
}

func (t *tx) AddCorrelationEvents(ctx context.Context, target, key string, events []uuid.UUID) error {
	_, err := t.Exec(ctx, addCorrelationEventsSQL, target, key, uuids(events))
	return err
}

func (t *tx) ForgetCorrelationEvents(ctx context.Context, target, key string) error {
	_, err := t.Exec(ctx, forgetCorrelationEventsSQL, target, key)
	return err
}

func (t *tx) PurgeCorrelations(ctx context.Context, olderThan time.Duration, limit int) (n int, err error) {
	err = t.QueryRow(ctx, purgeCorrelationsSQL, olderThan.Microseconds(), limit).Scan(&n)
	return n, err
}

// loadEventsSQL leaves out the normalised forms that come after the first $2 bytes of them.
const loadEventsSQL = `
SELECT id, source, origin, type, title, summary, received_at, correlation_key, traceparent,
	CASE WHEN sum(length(normalized)) OVER (ORDER BY id) <= $2 THEN normalized END
FROM events WHERE id = ANY($1) ORDER BY id`

const membersSQL = `SELECT event_id FROM delivery_events WHERE delivery_id = $1`

// LoadMembers reads the events of a group.
func (e *Engine) LoadMembers(ctx context.Context, delivery uuid.UUID, most int) ([]event.Event, error) {
	rows, err := e.pool.Query(ctx, membersSQL, delivery)
	ids, err := collect(rows, err, scanID)
	if err != nil || len(ids) == 0 {
		return nil, oneLine(err)
	}
	return e.LoadEvents(ctx, ids, most)
}

// LoadEvents reads events.
func (e *Engine) LoadEvents(ctx context.Context, ids []uuid.UUID, most int) ([]event.Event, error) {
	rows, err := e.pool.Query(ctx, loadEventsSQL, uuids(ids), most)
	events, err := collect(rows, err, func(rows pgx.Rows) (x event.Event, err error) {
		err = rows.Scan((*[16]byte)(&x.ID), &x.Source, (*string)(&x.Origin), (*string)(&x.Type), &x.Title, &x.Summary, &x.ReceivedAt, &x.CorrelationKey, &x.Traceparent, &x.Normalized)
		x.ReceivedAt = x.ReceivedAt.UTC()
		return x, err
	})
	return events, oneLine(err)
}

// ListMembers returns the ids of the events of a group, oldest first.
func (e *Engine) ListMembers(ctx context.Context, delivery uuid.UUID, limit int) ([]uuid.UUID, error) {
	rows, err := e.pool.Query(ctx, membersSQL+` ORDER BY event_id LIMIT $2`, delivery, limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("list events of delivery %s: %w", delivery, oneLine(err))
	}
	return ids, nil
}
