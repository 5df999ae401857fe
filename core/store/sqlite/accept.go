package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// Without numbers of what the tables hold, the planner may take an index of fewer of the
	// columns; where it does, the index is named.
	freeKeysSQL = `DELETE FROM dedup INDEXED BY dedup_story_idx WHERE source = ? AND story = ?`
	claimSQL    = `
INSERT INTO dedup (source, key, event_id, story, seen_at, expires_at) VALUES (?1, ?2, ?3, nullif(?4, ''), ?5, ?6)
ON CONFLICT (source, key) DO UPDATE
SET event_id = excluded.event_id, story = excluded.story, seen_at = excluded.seen_at, expires_at = excluded.expires_at
WHERE dedup.expires_at <= excluded.seen_at`
	ownerSQL     = `SELECT event_id FROM dedup WHERE source = ? AND key = ?`
	dropKeySQL   = `DELETE FROM dedup WHERE source = ? AND key = ?`
	dropBelowSQL = `DELETE FROM dedup WHERE source = ? AND key = ? AND event_id < ?`
	shortenSQL   = `UPDATE dedup SET expires_at = min(expires_at, ?) WHERE source = ? AND key = ? AND event_id = ?`
)

func (t *tx) FreeKeys(ctx context.Context, source, story string) error {
	return t.exec(ctx, freeKeysSQL, source, story)
}

func (t *tx) ClaimKeys(ctx context.Context, claims []store.Claim) ([]uuid.UUID, error) {
	owners := make([]uuid.UUID, len(claims))
	for i, c := range claims {
		n, err := t.changed(ctx, claimSQL, c.Source, c.Key, c.Owner[:], c.Story, t.now, t.now+c.Window.Microseconds())
		if err != nil {
			return nil, err
		}
		owners[i] = c.Owner
		if n == 0 {
			if err := t.QueryRowContext(ctx, ownerSQL, c.Source, c.Key).Scan(&owners[i]); err != nil {
				return nil, err
			}
		}
	}
	return owners, nil
}

func (t *tx) DropKeys(ctx context.Context, source string, keys []string) error {
	for _, key := range keys {
		if err := t.exec(ctx, dropKeySQL, source, key); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) DropKeysBelow(ctx context.Context, source string, keys []string, id uuid.UUID) error {
	for _, key := range keys {
		if err := t.exec(ctx, dropBelowSQL, source, key, id[:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) ShortenKey(ctx context.Context, source, key string, owner uuid.UUID, window time.Duration) error {
	return t.exec(ctx, shortenSQL, t.now+window.Microseconds(), source, key, owner[:])
}

const (
	insertEventSQL = `
INSERT INTO events (id, received_at, purge_after, crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, traceparent, body, normalized)
VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
ON CONFLICT (id) DO NOTHING`
	insertDeliverySQL = `
INSERT INTO deliveries (id, event_id, target, route, state, created_at, updated_at, due_at, group_key, closed_at, note)
VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?5, ?6, ?7, iif(?7 <> '', ?5, NULL), ?8)
ON CONFLICT (id) DO NOTHING`
)

func (t *tx) InsertEvents(ctx context.Context, events []*event.Event, deliveries []store.NewDelivery) (map[uuid.UUID]bool, error) {
	inserted := make(map[uuid.UUID]bool, len(events)+len(deliveries))
	for _, e := range events {
		texts, err := store.EventTexts(e)
		if err != nil {
			return nil, err
		}
		received := t.now
		if !e.ReceivedAt.IsZero() {
			received = micros(e.ReceivedAt)
		}
		args := []any{e.ID[:], received, e.Crashes}
		for _, text := range texts {
			args = append(args, text)
		}
		n, err := t.changed(ctx, insertEventSQL, append(args, notNull(e.Request.Body), e.Normalized)...)
		if err != nil {
			return nil, err
		}
		inserted[e.ID] = n > 0
	}
	for _, d := range deliveries {
		n, err := t.changed(ctx, insertDeliverySQL, d.ID[:], d.EventID[:], d.Target, d.Route, t.now, t.now+d.Wait.Microseconds(), d.GroupKey,
			store.CleanText(d.Note))
		if err != nil {
			return nil, err
		}
		inserted[d.ID] = n > 0
	}
	return inserted, nil
}

// notNull is a body for a column that takes no null.
func notNull(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

const (
	decodeSQL = `
UPDATE events SET state = ?, type = ?, title = ?, summary = ?, fingerprint = ?, correlation_key = ?, reason = ?,
	normalized = ?, crashes = ?
WHERE id = ?`
	keepRequestSQL = `
UPDATE events SET method = ?, query = ?, header = ?, body = ?
WHERE id = ? AND origin IN ('` + string(sdk.OriginCatchup) + `', '` + string(sdk.OriginSnapshot) + `') AND method = ''`
	insertRepetitionSQL = `
INSERT INTO repetitions (id, event_id, seen_at, origin) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
	enrichSQL      = `UPDATE events SET normalized = ? WHERE id = ?`
	dueEnrichedSQL = `
UPDATE deliveries INDEXED BY deliveries_event_idx SET due_at = ? WHERE event_id = ? AND state = 'pending' AND attempts = 0
	AND group_key = '' RETURNING id, target`
)

func (t *tx) LockDeferred(ctx context.Context, id uuid.UUID) (bool, error) {
	var state event.State
	err := t.QueryRowContext(ctx, `SELECT state FROM events WHERE id = ?`, id[:]).Scan(&state)
	return state == event.Deferred, notFound(err)
}

func (t *tx) DecodeEvent(ctx context.Context, e *event.Event) error {
	texts, err := store.EventTexts(e)
	if err != nil {
		return err
	}
	return t.exec(ctx, decodeSQL, texts[1], texts[3], texts[4], texts[5], texts[6], texts[7], texts[8], e.Normalized, e.Crashes, e.ID[:])
}

func (t *tx) KeepRequests(ctx context.Context, twins []*event.Event) ([]uuid.UUID, error) {
	var kept []uuid.UUID
	for _, e := range twins {
		texts, err := store.EventTexts(e)
		if err != nil {
			return nil, err
		}
		n, err := t.changed(ctx, keepRequestSQL, texts[9], texts[10], texts[11], notNull(e.Request.Body), e.ID[:])
		if err != nil {
			return nil, err
		}
		if n > 0 {
			kept = append(kept, e.ID)
		}
	}
	return kept, nil
}

func (t *tx) InsertRepetitions(ctx context.Context, list []store.Repetition) error {
	for _, r := range list {
		if err := t.exec(ctx, insertRepetitionSQL, r.ID[:], r.EventID[:], micros(r.SeenAt), string(r.Origin)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) EnrichEvent(ctx context.Context, id uuid.UUID, normalized []byte) ([]event.Delivery, error) {
	if normalized != nil {
		if err := t.exec(ctx, enrichSQL, normalized, id[:]); err != nil {
			return nil, err
		}
	}
	return collect(ctx, t.Tx, func(row scanner) (d event.Delivery, err error) {
		err = row.Scan(&d.ID, &d.Target)
		return d, err
	}, dueEnrichedSQL, t.now, id[:])
}

const (
	// unaccounted is of an event that accounts for no record yet.
	unaccounted = `NOT EXISTS (SELECT 1 FROM dedup a WHERE a.source = ?1 AND a.key = '` + store.AccountPrefix + `' || lower(hex(id)))`
	readTwinSQL = `SELECT event_id FROM dedup WHERE source = ?1 AND key = ?2 AND expires_at > ?3`

	fingerprintTwinSQL = `
SELECT id FROM events
WHERE source = ?1 AND fingerprint = ?2 AND fingerprint <> '' AND received_at BETWEEN ?3 AND ?4 AND ` + unaccounted + `
ORDER BY received_at LIMIT 1`
	keyTwinSQL = `
SELECT id FROM (SELECT event_id AS id FROM dedup WHERE source = ?1 AND key = ?2 AND expires_at > ?3) WHERE ` + unaccounted + `
LIMIT 1`
)

func (t *tx) FindTwin(ctx context.Context, q store.TwinQuery) (id uuid.UUID, err error) {
	type look struct {
		sql  string
		args []any
	}
	looks := []look{
		{readTwinSQL, []any{q.Source, q.ReadKey, t.now}},
		{fingerprintTwinSQL, []any{q.Source, q.Fingerprint, micros(q.From), micros(q.To)}},
	}
	for _, key := range q.Keys {
		looks = append(looks, look{keyTwinSQL, []any{q.Source, key, t.now}})
	}
	for _, l := range looks {
		err := t.QueryRowContext(ctx, l.sql, l.args...).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, err
		}
	}
	return uuid.Nil, nil
}

func (t *tx) InsertJobs(ctx context.Context, jobs []river.InsertManyParams) error {
	t.tell(jobs)
	_, err := t.jobs.InsertManyFastTx(ctx, t.Tx, jobs)
	return err
}

func (t *tx) AddJobs(ctx context.Context, jobs []river.InsertManyParams) (int, error) {
	t.tell(jobs)
	results, err := t.jobs.InsertManyTx(ctx, t.Tx, jobs)
	return store.Added(results), err
}

func (t *tx) DeleteJobs(ctx context.Context, ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("encode jobs: %w", err)
	}
	return t.exec(ctx, deleteJobsSQL, string(list))
}

// delayJobSQL schedules as River's snooze does, whose scheduler looks each five seconds.
const delayJobSQL = `
UPDATE river_job SET state = iif(?2 > 5000000, 'scheduled', 'available'), scheduled_at = ?3, attempt = max(attempt - 1, 0)
WHERE id = ?1 AND state = 'running'`

func (t *tx) DelayJobs(ctx context.Context, list []store.JobDelay) error {
	for _, d := range list {
		// Rounded up: an early job would be put back.
		at := fromMicros(t.now).Add(d.Delay + time.Millisecond).Format(riverTime)
		if err := t.exec(ctx, delayJobSQL, d.JobID, d.Delay.Microseconds(), at); err != nil {
			return err
		}
	}
	return nil
}

// tell has the workers of the jobs' queues told once the jobs are committed.
func (t *tx) tell(jobs []river.InsertManyParams) {
	for _, j := range jobs {
		t.queues = append(t.queues, j.InsertOpts.Queue)
	}
}
