package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/riverqueue/river/rivertype"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

const (
	makeTargetsSQL = `INSERT INTO targets (name) SELECT unnest($1::text[]) ON CONFLICT (name) DO NOTHING`
	lockTargetsSQL = `SELECT ` + targetCols + `, now() FROM targets t WHERE t.name = ANY($1) ORDER BY t.name FOR UPDATE`
	saveTargetSQL  = `
UPDATE targets SET hold = $2, reason = $3, since = $4, until = $5, accused = $6, witnessed = $7, probe = $8, probe_at = $9,
	probes = $10, next_at = $11, pace = $12, pause_us = $13, failures = $14, arrival_at = $15
WHERE name = $1`
	// makeQueueSQL is for a queue that no worker has opened yet: it is paused from its
	// first moment.
	makeQueueSQL = `
INSERT INTO river_queue (name, created_at, updated_at, metadata, paused_at) VALUES ($1, now(), now(), '{}', now())
ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at`
	retryDeliveriesSQL = `
UPDATE deliveries SET due_at = coalesce(retried_at, created_at) WHERE target = $1 AND state = 'pending' AND due_at > now() AND attempts > 0`
	// retryJobsSQL leaves it to the gate which of them are not due.
	retryJobsSQL = `
UPDATE river_job SET state = 'available', scheduled_at = created_at WHERE state IN ('scheduled', 'retryable') AND queue = $1`
	nextInTurn = `
SELECT id FROM deliveries WHERE target = $1 AND state = 'live' AND id <> $2
	AND NOT (group_key IN ('` + event.DigestKey + `', '` + event.FoldKey + `') AND closed_at IS NULL AND due_at > now())
	AND id <> ALL(ARRAY(SELECT (args->>'delivery_id')::uuid FROM river_job WHERE state = 'running' AND queue = $3))
ORDER BY due_at, id LIMIT 1`
)

// nextInTurnSQL leaves out what workers have, and what waits for a time of its own.
var nextInTurnSQL = store.ForLive(nextInTurn)

func (t *tx) LockTargets(ctx context.Context, names []string) (map[string]*store.Target, time.Time, error) {
	names = slices.Sorted(slices.Values(names))
	if _, err := t.Exec(ctx, makeTargetsSQL, names); err != nil {
		return nil, time.Time{}, err
	}
	targets := make(map[string]*store.Target, len(names))
	var now time.Time
	rows, err := t.Query(ctx, lockTargetsSQL, names)
	_, err = collect(rows, err, func(rows pgx.Rows) (string, error) {
		var r targetRow
		if err := rows.Scan(append(r.dest(), &now)...); err != nil {
			return "", err
		}
		target := r.target()
		targets[target.Name] = &target
		return target.Name, nil
	})
	return targets, now.UTC(), err
}

func (t *tx) SaveTarget(ctx context.Context, x *store.Target) error {
	_, err := t.Exec(ctx, saveTargetSQL, x.Name, string(x.Hold), x.Reason, orNull(x.Since), orNull(x.Until), idOrNull(x.Accused), x.Witnessed,
		idOrNull(x.Probe), orNull(x.ProbeAt), x.Probes, orNull(x.NextAt), x.Pace, x.Pause.Microseconds(), x.Failures, orNull(x.ArrivalAt))
	return err
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
		_, err = t.Exec(ctx, makeQueueSQL, queue)
		return err
	}
	return nil
}

func (t *tx) RetryNow(ctx context.Context, target string) error {
	if _, err := t.Exec(ctx, retryDeliveriesSQL, target); err != nil {
		return err
	}
	_, err := t.Exec(ctx, retryJobsSQL, store.TargetQueue(target))
	return err
}

func (t *tx) NextInTurn(ctx context.Context, target string, state event.DeliveryState, other uuid.UUID) (uuid.UUID, error) {
	var id pgtype.UUID
	err := t.QueryRow(ctx, nextInTurnSQL[state], target, other, store.TargetQueue(target)).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return toUUID(id), err
}

const (
	settleSQL = `
UPDATE deliveries d
SET state = s.state, reason = s.reason, suspect = s.suspect, crashes = s.crashes, message_id = s.message_id,
	receipt = s.receipt, attempts = greatest(d.attempts, s.number), updated_at = now(),
	due_at = CASE WHEN s.state IN ('pending', 'verifying') THEN now() + s.delay_us * interval '1 microsecond' ELSE d.due_at END,
	sent_at = s.sent_at, elapsed_us = s.elapsed_us, status = s.status, excerpt = s.excerpt, request = s.request,
	superseded_by = s.superseded_by, note = CASE WHEN s.note = '' THEN d.note ELSE s.note END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::integer[], $6::text[], $7::bytea[], $8::integer[], $9::bigint[],
	$10::timestamptz[], $11::bigint[], $12::integer[], $13::text[], $14::text[], $15::uuid[], $16::text[])
	AS s (id, state, reason, suspect, crashes, message_id, receipt, number, delay_us, sent_at, elapsed_us, status, excerpt, request,
	superseded_by, note)
WHERE d.id = s.id AND d.state IN ('pending', 'verifying')
RETURNING d.id`
	saveProofsSQL = `
UPDATE deliveries d SET accepted_at = s.accepted_at, prove_within_us = s.within_us, prove_by = s.prove_by, asks = s.asks
FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::timestamptz[], $5::integer[]) AS s (id, accepted_at, within_us, prove_by, asks)
WHERE d.id = s.id`
	insertAttemptsSQL = `
INSERT INTO attempts (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt, request, ask)
SELECT a.*
FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::integer[], $5::integer[], $6::boolean[], $7::text[], $8::text[], $9::text[],
	$10::text[], $11::integer[]) AS a (delivery_id, started_at, elapsed_us, number, status, counted, class, message, excerpt, request, ask)
JOIN deliveries d ON d.id = a.delivery_id`
	forgetAsksSQL = `
DELETE FROM attempts a USING unnest($1::uuid[], $2::integer[], $3::text[]) AS s (id, number, class)
WHERE a.delivery_id = s.id AND a.number = s.number AND a.class = s.class AND a.ask > 0`
	expire = `
UPDATE deliveries SET state = 'dead', reason = $3, updated_at = now()
WHERE id = ANY(ARRAY(
	SELECT id FROM deliveries
	WHERE target = $1 AND state = 'live' AND due_at < now() - $2::bigint * interval '1 microsecond'
		AND (group_key = '' OR closed_at IS NOT NULL OR updated_at < now() - $2::bigint * interval '1 microsecond')
	ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED))`
)

var expireSQL = store.ForLive(expire)

func (t *tx) SettleDeliveries(ctx context.Context, list []*store.Settlement) (map[uuid.UUID]bool, error) {
	// In the order in which operators' actions lock them.
	list = slices.SortedFunc(slices.Values(list), func(a, b *store.Settlement) int { return bytes.Compare(a.DeliveryID[:], b.DeliveryID[:]) })
	n := len(list)
	ids, receipts := make([]uuid.UUID, n), make([][]byte, n)
	states, reasons, messages, excerpts := make([]string, n), make([]string, n), make([]string, n), make([]pgtype.Text, n)
	requests, superseding, notes := make([]pgtype.Text, n), make(pgtype.FlatArray[pgtype.UUID], n), make([]string, n)
	suspects, crashes, numbers, delays := make([]bool, n), make([]int32, n), make([]int32, n), make([]int64, n)
	sent, elapsed, statuses := make(pgtype.FlatArray[pgtype.Timestamptz], n), make([]pgtype.Int8, n), make([]pgtype.Int4, n)
	for i, s := range list {
		ids[i], receipts[i], states[i], reasons[i] = s.DeliveryID, s.Receipt, string(s.State), store.CleanText(s.Reason)
		messages[i], suspects[i], crashes[i], delays[i] = store.CleanText(s.MessageID), s.Suspect, int32(s.Crashes), s.Delay.Microseconds()
		superseding[i], notes[i] = idOrNull(s.SupersededBy), store.CleanText(s.Note)
		a := s.Attempt
		if a == nil {
			continue
		}
		if a.Counted {
			numbers[i] = int32(a.Number)
		}
		if s.State == event.Delivered {
			sent[i] = pgtype.Timestamptz{Time: a.StartedAt, Valid: true}
			elapsed[i] = pgtype.Int8{Int64: a.Elapsed.Microseconds(), Valid: true}
			statuses[i] = pgtype.Int4{Int32: int32(a.Status), Valid: true}
			excerpts[i] = pgtype.Text{String: store.CleanText(a.Excerpt), Valid: true}
			requests[i] = textOrNull(store.CutRequest(a.Request))
		}
	}
	rows, err := t.Query(ctx, settleSQL, uuids(ids), states, reasons, suspects, crashes, messages, receipts, numbers, delays,
		sent, elapsed, statuses, excerpts, requests, superseding, notes)
	changed, err := collect(rows, err, scanID)
	settled := make(map[uuid.UUID]bool, len(changed))
	for _, id := range changed {
		settled[id] = true
	}
	return settled, err
}

func (t *tx) SaveProofs(ctx context.Context, list []*store.Settlement) error {
	n := len(list)
	ids, accepted, by := make([]uuid.UUID, n), make(pgtype.FlatArray[pgtype.Timestamptz], n), make(pgtype.FlatArray[pgtype.Timestamptz], n)
	within, asks := make([]int64, n), make([]int32, n)
	for i, s := range list {
		p := s.Proof
		ids[i], accepted[i], by[i] = s.DeliveryID, orNull(p.AcceptedAt), orNull(p.By)
		within[i], asks[i] = p.Within.Microseconds(), int32(p.Asks)
	}
	_, err := t.Exec(ctx, saveProofsSQL, uuids(ids), accepted, within, by, asks)
	return err
}

func (t *tx) InsertAttempts(ctx context.Context, list []*event.Attempt) error {
	if err := t.forgetAsks(ctx, list); err != nil {
		return err
	}
	n := len(list)
	ids, started, elapsed := make([]uuid.UUID, n), make(pgtype.FlatArray[pgtype.Timestamptz], n), make([]int64, n)
	numbers, statuses, counted := make([]int32, n), make([]int32, n), make([]bool, n)
	classes, messages, excerpts, requests := make([]string, n), make([]string, n), make([]string, n), make([]pgtype.Text, n)
	asks := make([]int32, n)
	for i, a := range list {
		ids[i], started[i], elapsed[i] = a.DeliveryID, pgtype.Timestamptz{Time: a.StartedAt, Valid: true}, a.Elapsed.Microseconds()
		numbers[i], statuses[i], counted[i] = int32(a.Number), int32(a.Status), a.Counted
		classes[i], messages[i], excerpts[i] = store.CleanText(string(a.Class)), store.CleanText(a.Message), store.CleanText(a.Excerpt)
		requests[i], asks[i] = textOrNull(store.CutRequest(a.Request)), int32(a.Ask)
	}
	_, err := t.Exec(ctx, insertAttemptsSQL, uuids(ids), started, elapsed, numbers, statuses, counted, classes, messages, excerpts, requests, asks)
	return err
}

// forgetAsks deletes the questions for proof that others take the places of.
func (t *tx) forgetAsks(ctx context.Context, list []*event.Attempt) error {
	var ids []uuid.UUID
	var numbers []int32
	var classes []string
	for _, a := range list {
		if a.Ask > 1 {
			ids, numbers, classes = append(ids, a.DeliveryID), append(numbers, int32(a.Number)), append(classes, store.CleanText(string(a.Class)))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := t.Exec(ctx, forgetAsksSQL, uuids(ids), numbers, classes)
	return err
}

func (t *tx) ExpireDeliveries(ctx context.Context, target string, state event.DeliveryState, maxAge time.Duration, reason string, limit int) (int, error) {
	return affected(t.Exec(ctx, expireSQL[state], target, maxAge.Microseconds(), reason, limit))
}

// orNull is a time for a nullable column; the zero time is null.
func orNull(at time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: at, Valid: !at.IsZero()}
}

// idOrNull is an id for a nullable column; uuid.Nil is null.
func idOrNull(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }

// textOrNull is a text for a nullable column; the empty text is null.
func textOrNull(s string) pgtype.Text { return pgtype.Text{String: s, Valid: s != ""} }
