package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const actionCols = `a.id, a.what, a.who, a.via, a.state, a.args, a.cursor, a.matched, a.done, a.skipped, a.error, a.created_at, a.updated_at`

// scanAction scans an action, and more columns behind it.
func scanAction(row pgx.Row, more ...any) (a store.Action, err error) {
	var args []byte
	dest := []any{
		(*[16]byte)(&a.ID), (*string)(&a.What), &a.Who, &a.Via, (*string)(&a.State), &args, (*[16]byte)(&a.Cursor),
		&a.Matched, &a.Done, &a.Skipped, &a.Error, &a.CreatedAt, &a.UpdatedAt,
	}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return a, err
	}
	a.CreatedAt, a.UpdatedAt = a.CreatedAt.UTC(), a.UpdatedAt.UTC()
	if err := json.Unmarshal(args, &a.Args); err != nil {
		return a, fmt.Errorf("decode arguments of action %s: %w", a.ID, err)
	}
	return a, nil
}

const (
	findActionSQL  = `SELECT ` + actionCols + ` FROM operator_actions a WHERE a.id = $1`
	listActionsSQL = `SELECT ` + actionCols + ` FROM operator_actions a WHERE a.id <= $1 ORDER BY a.id DESC LIMIT $2`
	listRunningSQL = `SELECT ` + actionCols + ` FROM operator_actions a WHERE a.id <= $1 AND a.state = 'running' ORDER BY a.id DESC LIMIT $2`
	actionsOfSQL   = `
SELECT ` + actionCols + `, c.delivery_id
FROM (SELECT action_id, delivery_id FROM operator_changes WHERE event_id = $1 ORDER BY action_id, delivery_id LIMIT $2) c
JOIN operator_actions a ON a.id = c.action_id
ORDER BY c.action_id, c.delivery_id`
	openActionsSQL  = `SELECT id FROM operator_actions WHERE state = 'running' ORDER BY id LIMIT $1`
	insertActionSQL = `
INSERT INTO operator_actions (id, what, who, via, state, args, cursor, matched, done, skipped, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING created_at`
	saveActionSQL = `
UPDATE operator_actions SET state = $2, cursor = $3, done = $4, skipped = $5, error = $6, updated_at = now() WHERE id = $1
RETURNING updated_at`
	insertChangesSQL = `
INSERT INTO operator_changes (event_id, action_id, delivery_id)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
ON CONFLICT DO NOTHING`
	purgeActionsSQL = `
DELETE FROM operator_actions WHERE id = ANY(ARRAY(
	SELECT id FROM operator_actions WHERE state <> 'running' AND updated_at < now() - $1::bigint * interval '1 microsecond'
	ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED))`
)

// FindAction returns an action.
func (e *Engine) FindAction(ctx context.Context, id uuid.UUID) (store.Action, error) {
	a, err := scanAction(e.pool.QueryRow(ctx, findActionSQL, id))
	if err != nil {
		return store.Action{}, fmt.Errorf("find action %s: %w", id, oneLine(notFound(err)))
	}
	return a, nil
}

// ListActions returns actions, newest first.
func (e *Engine) ListActions(ctx context.Context, f store.ActionFilter) ([]store.Action, error) {
	sql := listActionsSQL
	if f.Running {
		sql = listRunningSQL
	}
	rows, err := e.pool.Query(ctx, sql, store.UpTo(f.Before), store.Page(f.Limit))
	list, err := collect(rows, err, func(rows pgx.Rows) (store.Action, error) { return scanAction(rows) })
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", oneLine(err))
	}
	return list, nil
}

// ActionsOf returns what operators did to an event and its deliveries, oldest first.
func (e *Engine) ActionsOf(ctx context.Context, eventID uuid.UUID, limit int) ([]store.EventAction, error) {
	rows, err := e.pool.Query(ctx, actionsOfSQL, eventID, limit)
	list, err := collect(rows, err, func(rows pgx.Rows) (a store.EventAction, err error) {
		a.Action, err = scanAction(rows, (*[16]byte)(&a.DeliveryID))
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list actions of event %s: %w", eventID, oneLine(err))
	}
	return list, nil
}

func (t *tx) InsertAction(ctx context.Context, a *store.Action) error {
	args, err := json.Marshal(a.Args)
	if err != nil {
		return fmt.Errorf("encode arguments: %w", err)
	}
	err = t.QueryRow(ctx, insertActionSQL, a.ID, string(a.What), store.CleanText(a.Who), store.CleanText(a.Via), string(a.State),
		store.CleanText(string(args)), a.Cursor, a.Matched, a.Done, a.Skipped, store.CleanText(a.Error)).Scan(&a.CreatedAt)
	a.CreatedAt = a.CreatedAt.UTC()
	a.UpdatedAt = a.CreatedAt
	return err
}

func (t *tx) LockAction(ctx context.Context, id uuid.UUID) (store.Action, error) {
	a, err := scanAction(t.QueryRow(ctx, findActionSQL+` FOR UPDATE`, id))
	return a, notFound(err)
}

func (t *tx) SaveAction(ctx context.Context, a *store.Action) error {
	err := t.QueryRow(ctx, saveActionSQL, a.ID, string(a.State), a.Cursor, a.Done, a.Skipped, store.CleanText(a.Error)).Scan(&a.UpdatedAt)
	a.UpdatedAt = a.UpdatedAt.UTC()
	return err
}

func (t *tx) InsertChanges(ctx context.Context, list []store.ActionChange) error {
	n := len(list)
	events, actions, deliveries := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
	for i, c := range list {
		events[i], actions[i], deliveries[i] = c.EventID, c.ActionID, c.DeliveryID
	}
	_, err := t.Exec(ctx, insertChangesSQL, uuids(events), uuids(actions), uuids(deliveries))
	return err
}

func (t *tx) OpenActions(ctx context.Context, limit int) ([]uuid.UUID, error) {
	rows, err := t.Query(ctx, openActionsSQL, limit)
	return collect(rows, err, scanID)
}

func (t *tx) PurgeActions(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	return affected(t.Exec(ctx, purgeActionsSQL, olderThan.Microseconds(), limit))
}

const (
	lockDeliveriesSQL = `
SELECT id, event_id, target, state, reason, attempts, asks FROM deliveries WHERE id = ANY($1) ORDER BY id FOR UPDATE`
	// keepEventsSQL changes the rows, so that a purge which looks at one meanwhile sees
	// that it is not old.
	keepEventsSQL = `
UPDATE events SET purge_after = greatest(purge_after, now())
WHERE id = ANY(ARRAY(SELECT id FROM events WHERE id = ANY($1) ORDER BY id FOR UPDATE))
RETURNING id, state`
	eventsOfSQL = `
SELECT DISTINCT coalesce(m.event_id, d.event_id)
FROM deliveries d LEFT JOIN LATERAL (SELECT event_id FROM delivery_events WHERE delivery_id = d.id OFFSET 0) m ON true
WHERE d.id = ANY($1) AND d.state = $2`
	retryDeliveriesNow = `
UPDATE deliveries SET state = 'pending', due_at = now(), updated_at = now(), retried_at = now(), retried_after = attempts,
	suspect = crashes > 0, crashes = 0, accepted_at = NULL, prove_within_us = NULL, prove_by = NULL, asks = 0,
	closed_at = CASE WHEN group_key <> '' THEN coalesce(closed_at, now()) END
WHERE id = ANY($1)`
	cancelSQL = `
UPDATE deliveries d SET state = 'cancelled', updated_at = now(), reason = c.reason, suspect = false
FROM unnest($1::uuid[], $2::text[]) AS c (id, reason)
WHERE d.id = c.id`
	moveDeliveriesSQL = `
UPDATE deliveries SET target = $2, updated_at = now(), closed_at = CASE WHEN group_key <> '' THEN coalesce(closed_at, now()) END
WHERE id = ANY($1)`

	hurryJobsSQL = `
UPDATE river_job SET state = 'available', scheduled_at = now()
WHERE id = ANY($1) AND state IN ('available', 'scheduled', 'retryable') AND scheduled_at > now()`
	dropJobsSQL = `DELETE FROM river_job WHERE id = ANY($1) AND state <> 'running'`
	moveJobsSQL = `UPDATE river_job SET queue = $2 WHERE id = ANY($1) AND state <> 'running'`
)

func (t *tx) LockDeliveries(ctx context.Context, ids []uuid.UUID) ([]event.Delivery, error) {
	rows, err := t.Query(ctx, lockDeliveriesSQL, uuids(ids))
	return collect(rows, err, func(rows pgx.Rows) (d event.Delivery, err error) {
		err = rows.Scan((*[16]byte)(&d.ID), (*[16]byte)(&d.EventID), &d.Target, (*string)(&d.State), &d.Reason, &d.Attempts, &d.Proof.Asks)
		return d, err
	})
}

func (t *tx) KeepEvents(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]event.State, error) {
	states := make(map[uuid.UUID]event.State, len(ids))
	rows, err := t.Query(ctx, keepEventsSQL, uuids(ids))
	_, err = collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
		var state event.State
		err = rows.Scan((*[16]byte)(&id), (*string)(&state))
		states[id] = state
		return id, err
	})
	return states, err
}

func (t *tx) KeepEventsOf(ctx context.Context, deliveries []uuid.UUID, state event.DeliveryState) error {
	rows, err := t.Query(ctx, eventsOfSQL, uuids(deliveries), string(state))
	ids, err := collect(rows, err, scanID)
	if err != nil || len(ids) == 0 {
		return err
	}
	_, err = t.KeepEvents(ctx, ids)
	return err
}

func (t *tx) RetryDeliveries(ctx context.Context, ids []uuid.UUID) error {
	_, err := t.Exec(ctx, retryDeliveriesNow, uuids(ids))
	return err
}

func (t *tx) CancelDeliveries(ctx context.Context, list []event.Delivery) error {
	ids, reasons := make([]uuid.UUID, len(list)), make([]string, len(list))
	for i, d := range list {
		ids[i], reasons[i] = d.ID, d.Reason
	}
	_, err := t.Exec(ctx, cancelSQL, uuids(ids), reasons)
	return err
}

func (t *tx) MoveDeliveries(ctx context.Context, ids []uuid.UUID, target string) error {
	_, err := t.Exec(ctx, moveDeliveriesSQL, uuids(ids), target)
	return err
}

func (t *tx) LiveJobs(ctx context.Context, jobs []river.InsertManyParams) ([]int64, error) {
	results, err := t.jobs.InsertManyTx(ctx, t.Tx, jobs)
	ids := make([]int64, len(results))
	for i, r := range results {
		ids[i] = r.Job.ID
	}
	slices.Sort(ids)
	return ids, err
}

func (t *tx) HurryJobs(ctx context.Context, ids []int64) error {
	_, err := t.Exec(ctx, hurryJobsSQL, ids)
	return err
}

func (t *tx) DropJobs(ctx context.Context, ids []int64) error {
	_, err := t.Exec(ctx, dropJobsSQL, ids)
	return err
}

func (t *tx) MoveJobs(ctx context.Context, ids []int64, queue string) error {
	_, err := t.Exec(ctx, moveJobsSQL, ids, queue)
	return err
}
