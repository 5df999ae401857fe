package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river/rivertype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	lockTargetSQL = `SELECT ` + targetCols + ` FROM targets t WHERE t.name = ?`
	saveTargetSQL = `
INSERT INTO targets (name, hold, reason, since, until, accused, witnessed, probe, probe_at, probes, next_at, pace, pause_us, failures,
	arrival_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
ON CONFLICT (name) DO UPDATE SET hold = ?2, reason = ?3, since = ?4, until = ?5, accused = ?6, witnessed = ?7, probe = ?8,
	probe_at = ?9, probes = ?10, next_at = ?11, pace = ?12, pause_us = ?13, failures = ?14, arrival_at = ?15`
	// makeQueueSQL is for a queue that no worker has opened yet: it is paused from its
	// first moment.
	makeQueueSQL = `
INSERT INTO river_queue (name, created_at, updated_at, metadata, paused_at)
VALUES (?, datetime('now', 'subsec'), datetime('now', 'subsec'), jsonb('{}'), datetime('now', 'subsec'))
ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at`
	retryDeliveriesSQL = `
UPDATE deliveries SET due_at = coalesce(retried_at, created_at) WHERE target = ?1 AND state = 'pending' AND due_at > ?2 AND attempts > 0`
	// retryJobsSQL leaves it to the gate which of them are not due.
	retryJobsSQL = `
UPDATE river_job SET state = 'available', scheduled_at = created_at WHERE state IN ('scheduled', 'retryable') AND queue = ?`
	nextInTurn = `
SELECT id FROM deliveries WHERE target = ?1 AND state = 'live' AND id <> ?2
	AND NOT (group_key IN ('` + event.DigestKey + `', '` + event.FoldKey + `') AND closed_at IS NULL AND due_at > ?4) AND lower(hex(id)) NOT IN (
	SELECT replace(args->>'delivery_id', '-', '') FROM river_job WHERE state = 'running' AND queue = ?3)
ORDER BY due_at, id LIMIT 1`
)

// nextInTurnSQL leaves out what workers have, and what waits for a time of its own.
var nextInTurnSQL = store.ForLive(nextInTurn)

// LockTargets reads the rows: whoever is in a transaction here is the only one.
func (t *tx) LockTargets(ctx context.Context, names []string) (map[string]*store.Target, time.Time, error) {
	targets := make(map[string]*store.Target, len(names))
	for _, name := range names {
		var r targetRow
		err := t.QueryRowContext(ctx, lockTargetSQL, name).Scan(r.dest()...)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, time.Time{}, err
		}
		target := r.target()
		target.Name = name
		targets[name] = &target
	}
	return targets, fromMicros(t.now), nil
}

func (t *tx) SaveTarget(ctx context.Context, x *store.Target) error {
	return t.exec(ctx, saveTargetSQL, x.Name, string(x.Hold), x.Reason, orNull(x.Since), orNull(x.Until), idOrNull(x.Accused), x.Witnessed,
		idOrNull(x.Probe), orNull(x.ProbeAt), x.Probes, orNull(x.NextAt), x.Pace, x.Pause.Microseconds(), x.Failures, orNull(x.ArrivalAt))
}

func (t *tx) PauseQueue(ctx context.Context, queue string, paused bool) error {
	change := t.jobs.QueueResumeTx
	if paused {
		change = t.jobs.QueuePauseTx
	}
	err := change(ctx, t.Tx, queue, nil)
	if !errors.Is(err, rivertype.ErrNotFound) {
		return err
	}
	if paused {
		return t.exec(ctx, makeQueueSQL, queue)
	}
	return nil
}

func (t *tx) RetryNow(ctx context.Context, target string) error {
	if err := t.exec(ctx, retryDeliveriesSQL, target, t.now); err != nil {
		return err
	}
	return t.exec(ctx, retryJobsSQL, store.TargetQueue(target))
}

func (t *tx) NextInTurn(ctx context.Context, target string, state event.DeliveryState, other uuid.UUID) (id uuid.UUID, err error) {
	err = t.QueryRowContext(ctx, nextInTurnSQL[state], target, other[:], store.TargetQueue(target), t.now).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	return id, err
}

const (
	settleSQL = `
UPDATE deliveries
SET state = ?1, reason = ?2, suspect = ?3, crashes = ?4, message_id = ?5, receipt = ?6, attempts = max(attempts, ?7),
	updated_at = ?8, due_at = iif(?1 IN ('pending', 'verifying'), ?9, due_at), sent_at = ?10, elapsed_us = ?11, status = ?12, excerpt = ?13, request = ?14,
	superseded_by = ?16, note = iif(?17 = '', note, ?17)
WHERE id = ?15 AND state IN ('pending', 'verifying')`
	saveProofSQL     = `UPDATE deliveries SET accepted_at = ?, prove_within_us = ?, prove_by = ?, asks = ? WHERE id = ?`
	insertAttemptSQL = `
INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt, request, ask)
SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''), ? FROM deliveries WHERE id = ?`
	forgetAskSQL = `DELETE FROM attempts WHERE delivery_id = ? AND number = ? AND class = ? AND ask > 0`
	expire       = `
UPDATE deliveries SET state = 'dead', reason = ?1, updated_at = ?2
WHERE id IN (SELECT id FROM deliveries WHERE target = ?3 AND state = 'live' AND due_at < ?4
	AND (group_key = '' OR closed_at IS NOT NULL OR updated_at < ?4) ORDER BY due_at LIMIT ?5)`
)

var expireSQL = store.ForLive(expire)

func (t *tx) SettleDeliveries(ctx context.Context, list []*store.Settlement) (map[uuid.UUID]bool, error) {
	changed := make(map[uuid.UUID]bool, len(list))
	for _, s := range list {
		number := 0
		var sent, elapsed, status, excerpt, request any
		if a := s.Attempt; a != nil {
			if a.Counted {
				number = a.Number
			}
			if s.State == event.Delivered {
				sent, elapsed, status, excerpt = micros(a.StartedAt), a.Elapsed.Microseconds(), a.Status, store.CleanText(a.Excerpt)
				if a.Request != "" {
					request = store.CutRequest(a.Request)
				}
			}
		}
		n, err := t.changed(ctx, settleSQL, string(s.State), store.CleanText(s.Reason), s.Suspect, s.Crashes, store.CleanText(s.MessageID),
			s.Receipt, number, t.now, t.now+s.Delay.Microseconds(), sent, elapsed, status, excerpt, request, s.DeliveryID[:], idOrNull(s.SupersededBy), store.CleanText(s.Note))
		if err != nil {
			return nil, fmt.Errorf("update delivery %s: %w", s.DeliveryID, err)
		}
		if n > 0 {
			changed[s.DeliveryID] = true
		}
	}
	return changed, nil
}

func (t *tx) SaveProofs(ctx context.Context, list []*store.Settlement) error {
	for _, s := range list {
		p := s.Proof
		if err := t.exec(ctx, saveProofSQL, orNull(p.AcceptedAt), p.Within.Microseconds(), orNull(p.By), p.Asks, s.DeliveryID[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) InsertAttempts(ctx context.Context, list []*event.Attempt) error {
	for _, a := range list {
		if a.Ask > 1 {
			if err := t.exec(ctx, forgetAskSQL, a.DeliveryID[:], a.Number, store.CleanText(string(a.Class))); err != nil {
				return err
			}
		}
		err := t.exec(ctx, insertAttemptSQL, micros(a.StartedAt), a.Elapsed.Microseconds(), a.Number, a.Status, a.Counted,
			store.CleanText(string(a.Class)), store.CleanText(a.Message), store.CleanText(a.Excerpt), store.CutRequest(a.Request),
			a.Ask, a.DeliveryID[:])
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) ExpireDeliveries(ctx context.Context, target string, state event.DeliveryState, maxAge time.Duration, reason string, limit int) (int, error) {
	return t.changed(ctx, expireSQL[state], reason, t.now, target, t.now-maxAge.Microseconds(), limit)
}
