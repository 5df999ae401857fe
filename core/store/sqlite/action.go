package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const actionCols = `a.id, a.what, a.who, a.via, a.state, a.args, a.cursor, a.matched, a.done, a.skipped, a.error, a.created_at, a.updated_at`

// scanAction scans an action, and more columns behind it.
func scanAction(row scanner, more ...any) (a store.Action, err error) {
	var args []byte
	var created, updated int64
	dest := []any{
		&a.ID, &a.What, &a.Who, &a.Via, &a.State, &args, &a.Cursor, &a.Matched, &a.Done, &a.Skipped, &a.Error, &created, &updated,
	}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return a, err
	}
	a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
	if err := json.Unmarshal(args, &a.Args); err != nil {
		return a, fmt.Errorf("decode arguments of action %s: %w", a.ID, err)
	}
	return a, nil
}

const (
	findActionSQL  = `SELECT ` + actionCols + ` FROM operator_actions a WHERE a.id = ?`
	listActionsSQL = `SELECT ` + actionCols + ` FROM operator_actions a WHERE a.id <= ? ORDER BY a.id DESC LIMIT ?`
	listRunningSQL = `SELECT ` + actionCols + ` FROM operator_actions a WHERE a.id <= ? AND a.state = 'running' ORDER BY a.id DESC LIMIT ?`
	actionsOfSQL   = `
SELECT ` + actionCols + `, c.delivery_id
FROM (SELECT action_id, delivery_id FROM operator_changes WHERE event_id = ? ORDER BY action_id, delivery_id LIMIT ?) c
JOIN operator_actions a ON a.id = c.action_id
ORDER BY c.action_id, c.delivery_id`
	openActionsSQL  = `SELECT id FROM operator_actions WHERE state = 'running' ORDER BY id LIMIT ?`
	insertActionSQL = `
INSERT INTO operator_actions (id, what, who, via, state, args, cursor, matched, done, skipped, error, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)`
	saveActionSQL = `
UPDATE operator_actions SET state = ?2, cursor = ?3, done = ?4, skipped = ?5, error = ?6, updated_at = ?7 WHERE id = ?1`
	insertChangeSQL = `
INSERT INTO operator_changes (event_id, action_id, delivery_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	purgeActionsSQL = `
DELETE FROM operator_actions WHERE id IN (
	SELECT id FROM operator_actions INDEXED BY operator_actions_ended_idx WHERE state <> 'running' AND updated_at < ? ORDER BY updated_at LIMIT ?)`
)

// FindAction returns an action.
func (e *Engine) FindAction(ctx context.Context, id uuid.UUID) (store.Action, error) {
	a, err := scanAction(e.read.QueryRowContext(ctx, findActionSQL, id[:]))
	if err != nil {
		return store.Action{}, fmt.Errorf("find action %s: %w", id, notFound(err))
	}
	return a, nil
}

// ListActions returns actions, newest first.
func (e *Engine) ListActions(ctx context.Context, f store.ActionFilter) ([]store.Action, error) {
	query, before := listActionsSQL, store.UpTo(f.Before)
	if f.Running {
		query = listRunningSQL
	}
	list, err := collect(ctx, e.read, func(row scanner) (store.Action, error) { return scanAction(row) }, query, before[:], store.Page(f.Limit))
	if err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	return list, nil
}

// ActionsOf returns what operators did to an event and its deliveries, oldest first.
func (e *Engine) ActionsOf(ctx context.Context, eventID uuid.UUID, limit int) ([]store.EventAction, error) {
	list, err := collect(ctx, e.read, func(row scanner) (a store.EventAction, err error) {
		a.Action, err = scanAction(row, &a.DeliveryID)
		return a, err
	}, actionsOfSQL, eventID[:], limit)
	if err != nil {
		return nil, fmt.Errorf("list actions of event %s: %w", eventID, err)
	}
	return list, nil
}

func (t *tx) InsertAction(ctx context.Context, a *store.Action) error {
	args, err := json.Marshal(a.Args)
	if err != nil {
		return fmt.Errorf("encode arguments: %w", err)
	}
	a.CreatedAt = fromMicros(t.now)
	a.UpdatedAt = a.CreatedAt
	return t.exec(ctx, insertActionSQL, a.ID[:], string(a.What), store.CleanText(a.Who), store.CleanText(a.Via), string(a.State),
		store.CleanText(string(args)), a.Cursor[:], a.Matched, a.Done, a.Skipped, store.CleanText(a.Error), t.now)
}

func (t *tx) LockAction(ctx context.Context, id uuid.UUID) (store.Action, error) {
	a, err := scanAction(t.QueryRowContext(ctx, findActionSQL, id[:]))
	return a, notFound(err)
}

func (t *tx) SaveAction(ctx context.Context, a *store.Action) error {
	a.UpdatedAt = fromMicros(t.now)
	return t.exec(ctx, saveActionSQL, a.ID[:], string(a.State), a.Cursor[:], a.Done, a.Skipped, store.CleanText(a.Error), t.now)
}

func (t *tx) InsertChanges(ctx context.Context, list []store.ActionChange) error {
	for _, c := range list {
		if err := t.exec(ctx, insertChangeSQL, c.EventID[:], c.ActionID[:], c.DeliveryID[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) OpenActions(ctx context.Context, limit int) ([]uuid.UUID, error) {
	return collect(ctx, t.Tx, scanOne[uuid.UUID], openActionsSQL, limit)
}

func (t *tx) PurgeActions(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	return t.changed(ctx, purgeActionsSQL, t.now-olderThan.Microseconds(), limit)
}

const (
	lockDeliverySQL = `SELECT id, event_id, target, state, reason, attempts, asks FROM deliveries WHERE id = ?`
	keepEventSQL    = `UPDATE events SET purge_after = max(purge_after, ?) WHERE id = ? RETURNING state`
	keepEventOfSQL  = `
UPDATE events SET purge_after = max(purge_after, ?1) WHERE id IN (
	SELECT coalesce(m.event_id, d.event_id) FROM deliveries d LEFT JOIN delivery_events m ON m.delivery_id = d.id
	WHERE d.id = ?2 AND d.state = ?3)`
	retryDeliverySQL = `
UPDATE deliveries SET state = 'pending', due_at = ?1, updated_at = ?1, retried_at = ?1, retried_after = attempts,
	suspect = crashes > 0, crashes = 0, accepted_at = NULL, prove_within_us = NULL, prove_by = NULL, asks = 0,
	closed_at = iif(group_key <> '', coalesce(closed_at, ?1), NULL)
WHERE id = ?2`
	cancelSQL       = `UPDATE deliveries SET state = 'cancelled', updated_at = ?, reason = ?, suspect = false WHERE id = ?`
	moveDeliverySQL = `
UPDATE deliveries SET target = ?1, updated_at = ?2, closed_at = iif(group_key <> '', coalesce(closed_at, ?2), NULL) WHERE id = ?3`

	// hurryJobsSQL: a plus keeps the planner from an index.
	hurryJobsSQL = `
UPDATE river_job SET state = 'available', scheduled_at = ?1
WHERE id IN (SELECT value FROM json_each(?2)) AND +state IN ('available', 'scheduled', 'retryable') AND scheduled_at > ?1`
	dropJobsSQL = `DELETE FROM river_job WHERE id IN (SELECT value FROM json_each(?)) AND state <> 'running'`
	moveJobsSQL = `UPDATE river_job SET queue = ? WHERE id IN (SELECT value FROM json_each(?)) AND state <> 'running'`
)

func (t *tx) LockDeliveries(ctx context.Context, ids []uuid.UUID) ([]event.Delivery, error) {
	var found []event.Delivery
	for _, id := range ids {
		list, err := collect(ctx, t.Tx, func(row scanner) (d event.Delivery, err error) {
			err = row.Scan(&d.ID, &d.EventID, &d.Target, &d.State, &d.Reason, &d.Attempts, &d.Proof.Asks)
			return d, err
		}, lockDeliverySQL, id[:])
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

func (t *tx) KeepEvents(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]event.State, error) {
	states := make(map[uuid.UUID]event.State, len(ids))
	for _, id := range ids {
		found, err := collect(ctx, t.Tx, scanOne[event.State], keepEventSQL, t.now, id[:])
		if err != nil {
			return nil, err
		}
		for _, state := range found {
			states[id] = state
		}
	}
	return states, nil
}

func (t *tx) KeepEventsOf(ctx context.Context, deliveries []uuid.UUID, state event.DeliveryState) error {
	return each(deliveries, func(id uuid.UUID) error {
		return t.exec(ctx, keepEventOfSQL, t.now, id[:], string(state))
	})
}

func (t *tx) RetryDeliveries(ctx context.Context, ids []uuid.UUID) error {
	return each(ids, func(id uuid.UUID) error { return t.exec(ctx, retryDeliverySQL, t.now, id[:]) })
}

func (t *tx) CancelDeliveries(ctx context.Context, list []event.Delivery) error {
	for _, d := range list {
		if err := t.exec(ctx, cancelSQL, t.now, d.Reason, d.ID[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) MoveDeliveries(ctx context.Context, ids []uuid.UUID, target string) error {
	return each(ids, func(id uuid.UUID) error { return t.exec(ctx, moveDeliverySQL, target, t.now, id[:]) })
}

func (t *tx) LiveJobs(ctx context.Context, jobs []river.InsertManyParams) ([]int64, error) {
	t.tell(jobs)
	results, err := t.jobs.InsertManyTx(ctx, t.Tx, jobs)
	ids := make([]int64, len(results))
	for i, r := range results {
		ids[i] = r.Job.ID
	}
	return ids, err
}

func (t *tx) HurryJobs(ctx context.Context, ids []int64) error {
	return byID(ids, func(list string) error {
		return t.exec(ctx, hurryJobsSQL, fromMicros(t.now).Format(riverTime), list)
	})
}

func (t *tx) DropJobs(ctx context.Context, ids []int64) error {
	return byID(ids, func(list string) error { return t.exec(ctx, dropJobsSQL, list) })
}

func (t *tx) MoveJobs(ctx context.Context, ids []int64, queue string) error {
	t.queues = append(t.queues, queue)
	return byID(ids, func(list string) error { return t.exec(ctx, moveJobsSQL, queue, list) })
}

// byID runs do with the ids as a JSON array.
func byID(ids []int64, do func(list string) error) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("encode jobs: %w", err)
	}
	return do(string(list))
}

// each runs do for every id.
func each(ids []uuid.UUID, do func(id uuid.UUID) error) error {
	for _, id := range ids {
		if err := do(id); err != nil {
			return err
		}
	}
	return nil
}
