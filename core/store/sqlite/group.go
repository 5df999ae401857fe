package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	openGroupSQL = `
INSERT INTO deliveries (id, event_id, target, route, state, group_key, members, created_at, updated_at, due_at)
VALUES (?1, ?2, ?3, ?4, 'pending', ?5, 0, ?6, ?6, ?6)
ON CONFLICT (target, route, group_key) WHERE group_key <> '' AND closed_at IS NULL AND state = 'pending'
DO UPDATE SET updated_at = ?6
RETURNING id, members`
	// joinGroupSQL: a time at which the group is closed stays, also where it has passed
	// while the target takes nothing.
	joinGroupSQL = `
UPDATE deliveries SET members = members + ?2, updated_at = ?9, note = iif(?3 = '', note, ?3),
	due_at = CASE WHEN ?4 OR ?5 THEN ?9 WHEN ?6 IS NULL THEN min(?9 + ?7, created_at + ?8) WHEN members = 0 THEN ?6 ELSE min(due_at, ?6) END,
	closed_at = iif(?4, ?9, NULL)
WHERE id = ?1`
	addMemberSQL  = `INSERT INTO delivery_events (delivery_id, event_id) VALUES (?, ?) ON CONFLICT DO NOTHING`
	flushGroupSQL = `
UPDATE deliveries INDEXED BY deliveries_open_idx SET due_at = ?4, updated_at = ?4
WHERE target = ?1 AND route = ?2 AND group_key = ?3 AND group_key <> '' AND closed_at IS NULL AND state = 'pending'
RETURNING id`
	closeGroupSQL = `UPDATE deliveries SET closed_at = ?3 WHERE id = ?1 AND closed_at IS NULL AND (due_at <= ?3 OR ?2) RETURNING id`
	isClosedSQL   = `SELECT closed_at IS NOT NULL FROM deliveries WHERE id = ?`
	claimFoldSQL  = `
INSERT INTO folds AS f (target, key, expires_at, deletion, upgrade) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (target, key) DO UPDATE SET expires_at = excluded.expires_at,
	deletion = coalesce(excluded.deletion, iif(f.expires_at > ?6, f.deletion, NULL)),
	upgrade = coalesce(excluded.upgrade, iif(f.expires_at > ?6, f.upgrade, NULL))
RETURNING deletion, upgrade`
	purgeFoldsSQL = `
DELETE FROM folds WHERE (target, key) IN (SELECT target, key FROM folds WHERE expires_at < ? ORDER BY expires_at LIMIT ?)`

	// pendingSQL leaves out what workers have under way.
	pendingSQL = `
SELECT id, event_id, route, members FROM deliveries
WHERE target = ?1 AND state = 'pending' AND id NOT IN (SELECT unhex(value) FROM json_each(?4)) AND NOT suspect
	AND NOT (group_key IN ('` + event.DigestKey + `', '` + event.FoldKey + `') AND due_at > ?5)
	AND lower(hex(id)) NOT IN (SELECT replace(args->>'delivery_id', '-', '') FROM river_job WHERE state = 'running' AND queue = ?2)
ORDER BY due_at, id LIMIT ?3`
	insertDigestSQL = `
INSERT INTO deliveries (id, event_id, target, route, state, group_key, members, created_at, updated_at, closed_at, due_at)
VALUES (?1, ?2, ?3, ?4, 'pending', '` + event.DigestKey + `', 0, ?5, ?5, ?5, ?5)`
	mergeMembersSQL = `
INSERT INTO delivery_events (delivery_id, event_id)
SELECT ?2, coalesce(m.event_id, d.event_id) FROM deliveries d LEFT JOIN delivery_events m ON m.delivery_id = d.id
WHERE d.id IN ` + idsOf + ` ON CONFLICT DO NOTHING`
	countMembersSQL = `
UPDATE deliveries SET members = (SELECT count(*) FROM delivery_events m WHERE m.delivery_id = ?1) WHERE id = ?1`
	supersedeSQL = `
UPDATE deliveries SET state = 'superseded', superseded_by = ?2, reason = 'the digest tells of it', updated_at = ?3 WHERE id IN ` + idsOf
	dropJobsOfSQL = `
DELETE FROM river_job WHERE state IN ('available', 'scheduled', 'retryable') AND queue = ?2 AND kind = 'deliver'
	AND unhex(args->>'delivery_id', '-') IN ` + idsOf
)

func (t *tx) OpenGroup(ctx context.Context, d event.Delivery, key string) (store.Group, error) {
	var g store.Group
	err := t.QueryRowContext(ctx, openGroupSQL, d.ID[:], d.EventID[:], d.Target, d.Route, store.ShortKey(key), t.now).Scan(&g.ID, &g.Members)
	g.Made = g.ID == d.ID
	return g, err
}

func (t *tx) JoinGroup(ctx context.Context, j store.Join) error {
	added := 0
	for _, id := range j.Events {
		n, err := t.changed(ctx, addMemberSQL, j.Group[:], id[:])
		if err != nil {
			return err
		}
		added += n // a replayed event may be there already
	}
	return t.exec(ctx, joinGroupSQL, j.Group[:], added, store.CleanText(j.Note), j.Full, j.Flush, orNull(j.At),
		j.Wait.Microseconds(), j.MaxWait.Microseconds(), t.now)
}

func (t *tx) FlushGroup(ctx context.Context, ref event.GroupRef) (uuid.UUID, error) {
	return t.oneID(ctx, flushGroupSQL, ref.Target, ref.Route, store.ShortKey(ref.Key), t.now)
}

func (t *tx) CloseGroup(ctx context.Context, id uuid.UUID, early bool) (bool, error) {
	closed, err := t.oneID(ctx, closeGroupSQL, id[:], early, t.now)
	if err != nil || closed != uuid.Nil {
		return closed != uuid.Nil, err
	}
	var was bool
	err = t.QueryRowContext(ctx, isClosedSQL, id[:]).Scan(&was)
	return was, notFound(err)
}

func (t *tx) ClaimFold(ctx context.Context, c store.FoldClaim) (uuid.UUID, error) {
	deletion, upgrade := uuid.NullUUID{UUID: c.Delivery, Valid: !c.Upgrade}, uuid.NullUUID{UUID: c.Delivery, Valid: c.Upgrade}
	err := t.QueryRowContext(ctx, claimFoldSQL, c.Target, c.Key, t.now+c.Window.Microseconds(), blob(deletion), blob(upgrade), t.now).
		Scan(&deletion, &upgrade)
	if c.Upgrade {
		return deletion.UUID, err
	}
	return upgrade.UUID, err
}

// blob is an id for a nullable column.
func blob(id uuid.NullUUID) any {
	if !id.Valid {
		return nil
	}
	return id.UUID[:]
}

func (t *tx) PurgeFolds(ctx context.Context, limit int) (int, error) {
	return t.changed(ctx, purgeFoldsSQL, t.now, limit)
}

func (t *tx) MergePending(ctx context.Context, target string, id uuid.UUID, except []uuid.UUID, limit int) ([]uuid.UUID, error) {
	list, err := hexIDs(except)
	if err != nil {
		return nil, err
	}
	pending, err := collect(ctx, t.Tx, func(row scanner) (d event.Delivery, err error) {
		err = row.Scan(&d.ID, &d.EventID, &d.Route, &d.Members)
		return d, err
	}, pendingSQL, target, store.TargetQueue(target), limit, list, t.now)
	pending = store.WithinDigest(pending, limit)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, len(pending))
	for i, d := range pending {
		ids[i] = d.ID
	}
	if list, err = hexIDs(ids); err != nil {
		return nil, err
	}
	if err := t.exec(ctx, insertDigestSQL, id[:], pending[0].EventID[:], target, pending[0].Route, t.now); err != nil {
		return nil, err
	}
	if err := t.exec(ctx, mergeMembersSQL, list, id[:]); err != nil {
		return nil, err
	}
	if err := t.exec(ctx, supersedeSQL, list, id[:], t.now); err != nil {
		return nil, err
	}
	return ids, t.exec(ctx, countMembersSQL, id[:])
}

func (t *tx) DropJobsOf(ctx context.Context, target string, deliveries []uuid.UUID) error {
	list, err := hexIDs(deliveries)
	if err != nil {
		return err
	}
	return t.exec(ctx, dropJobsOfSQL, list, store.TargetQueue(target))
}

// oneID returns the id that a statement returns, or uuid.Nil for none.
func (t *tx) oneID(ctx context.Context, query string, args ...any) (id uuid.UUID, err error) {
	err = t.QueryRowContext(ctx, query, args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	return id, err
}

const (
	correlationCols    = `target, key, delivery_id, message_id, receipt, type, time, posted_at, leased_by, leased_until`
	lockCorrelationSQL = `SELECT ` + correlationCols + ` FROM correlations WHERE target = ? AND key = ?`
	saveCorrelationSQL = `
INSERT INTO correlations (` + correlationCols + `, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (target, key) DO UPDATE SET delivery_id = ?3, message_id = ?4, receipt = ?5, type = ?6, time = ?7, posted_at = ?8,
	leased_by = ?9, leased_until = ?10, updated_at = ?11`
	correlationEventsSQL   = `SELECT event_id FROM correlation_events WHERE target = ? AND key = ? ORDER BY event_id`
	addCorrelationEventSQL = `
INSERT INTO correlation_events (target, key, event_id) SELECT target, key, ?3 FROM correlations WHERE target = ?1 AND key = ?2
ON CONFLICT DO NOTHING`
	forgetCorrelationEventsSQL = `DELETE FROM correlation_events WHERE target = ? AND key = ?`
	oldCorrelationsSQL         = `SELECT target, key FROM correlations WHERE updated_at < ? ORDER BY updated_at LIMIT ?`
)

// LockCorrelation reads the row: whoever is in a transaction here is the only one.
func (t *tx) LockCorrelation(ctx context.Context, target, key string) (c store.Correlation, now time.Time, err error) {
	var delivery, leasedBy uuid.NullUUID
	var at, posted, until sql.NullInt64
	err = t.QueryRowContext(ctx, lockCorrelationSQL, target, key).Scan(&c.Target, &c.Key, &delivery, &c.MessageID, &c.Receipt, &c.Type, &at,
		&posted, &leasedBy, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Correlation{Target: target, Key: key}, fromMicros(t.now), nil
	}
	c.Delivery, c.LeasedBy = delivery.UUID, leasedBy.UUID
	c.Time, c.PostedAt, c.LeasedUntil = fromMicros(at.Int64), fromMicros(posted.Int64), fromMicros(until.Int64)
	return c, fromMicros(t.now), err
}

func (t *tx) SaveCorrelation(ctx context.Context, c *store.Correlation) error {
	return t.exec(ctx, saveCorrelationSQL, c.Target, c.Key, idOrNull(c.Delivery), c.MessageID, c.Receipt, string(c.Type), orNull(c.Time),
		orNull(c.PostedAt), idOrNull(c.LeasedBy), orNull(c.LeasedUntil), t.now)
}

func (t *tx) CorrelationEvents(ctx context.Context, target, key string) ([]uuid.UUID, error) {
	return collect(ctx, t.Tx, scanOne[uuid.UUID], correlationEventsSQL, target, key)
}

func (t *tx) AddCorrelationEvents(ctx context.Context, target, key string, events []uuid.UUID) error {
	for _, id := range events {
		if err := t.exec(ctx, addCorrelationEventSQL, target, key, id[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) ForgetCorrelationEvents(ctx context.Context, target, key string) error {
	return t.exec(ctx, forgetCorrelationEventsSQL, target, key)
}

func (t *tx) PurgeCorrelations(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	old, err := collect(ctx, t.Tx, func(row scanner) (k [2]string, err error) {
		err = row.Scan(&k[0], &k[1])
		return k, err
	}, oldCorrelationsSQL, t.now-olderThan.Microseconds(), limit)
	if err != nil {
		return 0, err
	}
	for _, k := range old {
		if err := t.ForgetCorrelationEvents(ctx, k[0], k[1]); err != nil {
			return 0, err
		}
		if err := t.exec(ctx, `DELETE FROM correlations WHERE target = ? AND key = ?`, k[0], k[1]); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// loadEventsSQL leaves out the normalised forms that come after the first ?2 bytes of them.
const loadEventsSQL = `
SELECT id, source, origin, type, title, summary, received_at, correlation_key, traceparent,
	iif(sum(coalesce(length(normalized), 0)) OVER (ORDER BY id) <= ?2, normalized, NULL)
FROM events WHERE id IN ` + idsOf + ` ORDER BY id`

// LoadMembers reads the events of a group.
func (e *Engine) LoadMembers(ctx context.Context, delivery uuid.UUID, most int) ([]event.Event, error) {
	ids, err := collect(ctx, e.read, scanOne[uuid.UUID], `SELECT event_id FROM delivery_events WHERE delivery_id = ?`, delivery[:])
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return e.LoadEvents(ctx, ids, most)
}

// LoadEvents reads events.
func (e *Engine) LoadEvents(ctx context.Context, ids []uuid.UUID, most int) ([]event.Event, error) {
	list, err := hexIDs(ids)
	if err != nil {
		return nil, err
	}
	return collect(ctx, e.read, func(row scanner) (x event.Event, err error) {
		var received int64
		err = row.Scan(&x.ID, &x.Source, &x.Origin, &x.Type, &x.Title, &x.Summary, &received, &x.CorrelationKey, &x.Traceparent, &x.Normalized)
		x.ReceivedAt = fromMicros(received)
		return x, err
	}, loadEventsSQL, list, most)
}

// ListMembers returns the ids of the events of a group, oldest first.
func (e *Engine) ListMembers(ctx context.Context, delivery uuid.UUID, limit int) ([]uuid.UUID, error) {
	ids, err := collect(ctx, e.read, scanOne[uuid.UUID], `SELECT event_id FROM delivery_events WHERE delivery_id = ? ORDER BY event_id LIMIT ?`, delivery[:], limit)
	if err != nil {
		return nil, fmt.Errorf("list events of delivery %s: %w", delivery, err)
	}
	return ids, nil
}
