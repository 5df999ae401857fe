package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// tx is a store.Tx.
type tx struct {
	pgx.Tx
	jobs, missing *river.Client[pgx.Tx]
}

const (
	freeKeysSQL = `DELETE FROM dedup WHERE source = $1 AND story = $2`
	claimSQL    = `
INSERT INTO dedup (source, key, event_id, story, expires_at)
SELECT source, key, event_id, nullif(story, ''), now() + us * interval '1 microsecond'
FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[]) AS c (source, key, event_id, story, us)
ON CONFLICT (source, key) DO UPDATE
SET event_id = excluded.event_id, story = excluded.story, seen_at = now(), expires_at = excluded.expires_at
WHERE dedup.expires_at <= now()`
	ownersSQL = `
SELECT c.n, d.event_id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c (source, key, n)
JOIN dedup d ON d.source = c.source AND d.key = c.key`
	dropKeysSQL  = `DELETE FROM dedup WHERE source = $1 AND key = ANY($2)`
	dropBelowSQL = `DELETE FROM dedup WHERE source = $1 AND key = ANY($2) AND event_id < $3`
	shortenSQL   = `
UPDATE dedup SET expires_at = least(expires_at, now() + $1::bigint * interval '1 microsecond')
WHERE source = $2 AND key = $3 AND event_id = $4`
)

func (t *tx) FreeKeys(ctx context.Context, source, story string) error {
	_, err := t.Exec(ctx, freeKeysSQL, source, story)
	return err
}

func (t *tx) ClaimKeys(ctx context.Context, claims []store.Claim) ([]uuid.UUID, error) {
	n := len(claims)
	owners, sources, keys, stories, windows := make([]uuid.UUID, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, c := range claims {
		owners[i], sources[i], keys[i], stories[i], windows[i] = c.Owner, c.Source, c.Key, c.Story, c.Window.Microseconds()
	}
	tag, err := t.Exec(ctx, claimSQL, sources, keys, uuids(owners), stories, windows)
	if err != nil || int(tag.RowsAffected()) == n {
		return owners, err
	}
	rows, err := t.Query(ctx, ownersSQL, sources, keys)
	if err != nil {
		return nil, err
	}
	var i int
	var owner pgtype.UUID
	_, err = pgx.ForEachRow(rows, []any{&i, &owner}, func() error { owners[i-1] = owner.Bytes; return nil })
	return owners, err
}

func (t *tx) DropKeys(ctx context.Context, source string, keys []string) error {
	_, err := t.Exec(ctx, dropKeysSQL, source, keys)
	return err
}

func (t *tx) DropKeysBelow(ctx context.Context, source string, keys []string, id uuid.UUID) error {
	_, err := t.Exec(ctx, dropBelowSQL, source, keys, id)
	return err
}

func (t *tx) ShortenKey(ctx context.Context, source, key string, owner uuid.UUID, window time.Duration) error {
	_, err := t.Exec(ctx, shortenSQL, window.Microseconds(), source, key, owner)
	return err
}

const (
	insertEventsSQL = `
INSERT INTO events (id, received_at, purge_after, crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, traceparent, body, normalized)
SELECT id, coalesce(received_at, now()), coalesce(received_at, now()), crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, traceparent, body, normalized
FROM unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
	$9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::bytea[], $18::bytea[])
	AS e (id, received_at, crashes, source, state, origin, type, title, summary, fingerprint,
	correlation_key, reason, method, query, header, traceparent, body, normalized)
ON CONFLICT (id) DO NOTHING
RETURNING id`
	insertDeliveriesSQL = `
INSERT INTO deliveries (id, event_id, target, route, state, due_at, group_key, closed_at, note)
SELECT id, event_id, target, route, 'pending', now() + us * interval '1 microsecond', group_key, CASE WHEN group_key <> '' THEN now() END, note
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
	AS d (id, event_id, target, route, us, group_key, note)
ON CONFLICT (id) DO NOTHING
RETURNING id`
)

func (t *tx) InsertEvents(ctx context.Context, events []*event.Event, deliveries []store.NewDelivery) (map[uuid.UUID]bool, error) {
	inserted := make(map[uuid.UUID]bool, len(events)+len(deliveries))
	note := func(rows pgx.Rows) error {
		var id pgtype.UUID
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error { inserted[id.Bytes] = true; return nil })
		return err
	}
	var batch pgx.Batch
	if len(events) > 0 {
		var c eventColumns
		for _, e := range events {
			if err := c.add(e); err != nil {
				return nil, err
			}
		}
		batch.Queue(insertEventsSQL, c.args()...).Query(note)
	}
	if n := len(deliveries); n > 0 {
		ids, events := make([]uuid.UUID, n), make([]uuid.UUID, n)
		targets, routes, waits := make([]string, n), make([]string, n), make([]int64, n)
		groups, notes := make([]string, n), make([]string, n)
		for i, d := range deliveries {
			ids[i], events[i], targets[i], routes[i], waits[i] = d.ID, d.EventID, d.Target, d.Route, d.Wait.Microseconds()
			groups[i], notes[i] = d.GroupKey, store.CleanText(d.Note)
		}
		batch.Queue(insertDeliveriesSQL, uuids(ids), uuids(events), targets, routes, waits, groups, notes).Query(note)
	}
	if batch.Len() == 0 {
		return inserted, nil
	}
	return inserted, t.SendBatch(ctx, &batch).Close()
}

// eventColumns are events as the arrays of insertEventsSQL.
type eventColumns struct {
	ids        []uuid.UUID
	received   pgtype.FlatArray[pgtype.Timestamptz]
	crashes    []int32
	texts      [13][]string
	bodies     [][]byte
	normalized [][]byte
}

func (c *eventColumns) add(e *event.Event) error {
	texts, err := store.EventTexts(e)
	if err != nil {
		return err
	}
	for i, t := range texts {
		c.texts[i] = append(c.texts[i], t)
	}
	c.ids = append(c.ids, e.ID)
	c.received = append(c.received, pgtype.Timestamptz{Time: e.ReceivedAt, Valid: !e.ReceivedAt.IsZero()})
	c.crashes = append(c.crashes, int32(e.Crashes))
	body := e.Request.Body
	if body == nil {
		body = []byte{} // the column takes no null
	}
	c.bodies = append(c.bodies, body)
	c.normalized = append(c.normalized, e.Normalized)
	return nil
}

func (c *eventColumns) args() []any {
	args := []any{uuids(c.ids), c.received, c.crashes}
	for _, t := range c.texts {
		args = append(args, t)
	}
	return append(args, c.bodies, c.normalized)
}

const (
	decodeSQL = `
UPDATE events SET state = $2, type = $3, title = $4, summary = $5, fingerprint = $6, correlation_key = $7,
	reason = $8, normalized = $9, crashes = $10
WHERE id = $1`
	keepRequestsSQL = `
UPDATE events SET method = w.method, query = w.query, header = w.header, body = w.body
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS w (id, method, query, header, body)
WHERE events.id = w.id AND events.origin IN ('` + string(sdk.OriginCatchup) + `', '` + string(sdk.OriginSnapshot) + `') AND events.method = ''
RETURNING events.id`
	insertRepetitionsSQL = `
INSERT INTO repetitions (id, event_id, seen_at, origin)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[])
ON CONFLICT (id) DO NOTHING`
	enrichSQL      = `UPDATE events SET normalized = $2 WHERE id = $1`
	dueEnrichedSQL = `
UPDATE deliveries SET due_at = now() WHERE id = ANY(ARRAY(SELECT id FROM deliveries WHERE event_id = $1)) AND state = 'pending' AND attempts = 0
	AND group_key = ''
RETURNING id, target`
)

func (t *tx) LockDeferred(ctx context.Context, id uuid.UUID) (bool, error) {
	var state event.State
	err := t.QueryRow(ctx, `SELECT state FROM events WHERE id = $1 FOR UPDATE`, id).Scan(&state)
	return state == event.Deferred, notFound(err)
}

func (t *tx) DecodeEvent(ctx context.Context, e *event.Event) error {
	texts, err := store.EventTexts(e)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, decodeSQL, e.ID, texts[1], texts[3], texts[4], texts[5], texts[6], texts[7], texts[8], e.Normalized, e.Crashes)
	return err
}

func (t *tx) KeepRequests(ctx context.Context, twins []*event.Event) ([]uuid.UUID, error) {
	var c eventColumns
	for _, e := range twins {
		if err := c.add(e); err != nil {
			return nil, err
		}
	}
	rows, err := t.Query(ctx, keepRequestsSQL, uuids(c.ids), c.texts[9], c.texts[10], c.texts[11], c.bodies)
	return collect(rows, err, scanID)
}

func (t *tx) InsertRepetitions(ctx context.Context, list []store.Repetition) error {
	n := len(list)
	ids, events, origins := make([]uuid.UUID, n), make([]uuid.UUID, n), make([]string, n)
	seen := make(pgtype.FlatArray[pgtype.Timestamptz], n)
	for i, r := range list {
		ids[i], events[i], origins[i], seen[i] = r.ID, r.EventID, string(r.Origin), pgtype.Timestamptz{Time: r.SeenAt, Valid: true}
	}
	_, err := t.Exec(ctx, insertRepetitionsSQL, uuids(ids), uuids(events), seen, origins)
	return err
}

func (t *tx) EnrichEvent(ctx context.Context, id uuid.UUID, normalized []byte) ([]event.Delivery, error) {
	if normalized != nil {
		if _, err := t.Exec(ctx, enrichSQL, id, normalized); err != nil {
			return nil, err
		}
	}
	rows, err := t.Query(ctx, dueEnrichedSQL, id)
	return collect(rows, err, func(rows pgx.Rows) (d event.Delivery, err error) {
		err = rows.Scan((*[16]byte)(&d.ID), &d.Target)
		return d, err
	})
}

const (
	// unaccounted is of an event that accounts for no record yet.
	unaccounted = `NOT EXISTS (
	SELECT FROM dedup a WHERE a.source = $1 AND a.key = '` + store.AccountPrefix + `' || replace(id::text, '-', ''))`
	readTwinSQL        = `SELECT event_id FROM dedup WHERE source = $1 AND key = $2 AND expires_at > now()`
	fingerprintTwinSQL = `
SELECT id FROM events
WHERE source = $1 AND fingerprint = $2 AND fingerprint <> '' AND received_at BETWEEN $3 AND $4 AND ` + unaccounted + `
ORDER BY received_at LIMIT 1`
	keyTwinSQL = `
SELECT id FROM (SELECT event_id AS id FROM dedup WHERE source = $1 AND key = ANY($2) AND expires_at > now()) k
WHERE ` + unaccounted + ` LIMIT 1`
)

func (t *tx) FindTwin(ctx context.Context, q store.TwinQuery) (id uuid.UUID, err error) {
	for _, look := range []struct {
		sql  string
		args []any
	}{
		{readTwinSQL, []any{q.Source, q.ReadKey}},
		{fingerprintTwinSQL, []any{q.Source, q.Fingerprint, q.From, q.To}},
		{keyTwinSQL, []any{q.Source, q.Keys}},
	} {
		err := t.QueryRow(ctx, look.sql, look.args...).Scan((*[16]byte)(&id))
		if !errors.Is(err, pgx.ErrNoRows) {
			return id, err
		}
	}
	return uuid.Nil, nil
}

func (t *tx) InsertJobs(ctx context.Context, jobs []river.InsertManyParams) error {
	_, err := t.jobs.InsertManyFastTx(ctx, t.Tx, jobs)
	return err
}

func (t *tx) AddJobs(ctx context.Context, jobs []river.InsertManyParams) (int, error) {
	return t.missing.InsertManyFastTx(ctx, t.Tx, jobs)
}

func (t *tx) DeleteJobs(ctx context.Context, ids []int64) error {
	_, err := t.Exec(ctx, deleteJobsSQL, ids)
	return err
}

// delayJobsSQL schedules as River's snooze does, whose scheduler looks each five seconds.
const delayJobsSQL = `
UPDATE river_job j
SET state = CASE WHEN r.delay_us > 5000000 THEN 'scheduled' ELSE 'available' END::river_job_state,
	scheduled_at = now() + r.delay_us * interval '1 microsecond', attempt = greatest(attempt - 1, 0)
FROM unnest($1::bigint[], $2::bigint[]) AS r (id, delay_us)
WHERE j.id = r.id AND j.state = 'running'`

func (t *tx) DelayJobs(ctx context.Context, list []store.JobDelay) error {
	ids, delays := make([]int64, len(list)), make([]int64, len(list))
	for i, d := range list {
		ids[i], delays[i] = d.JobID, d.Delay.Microseconds()
	}
	_, err := t.Exec(ctx, delayJobsSQL, ids, delays)
	return err
}

// affected is the number of rows that a statement changed.
func affected(tag pgconn.CommandTag, err error) (int, error) { return int(tag.RowsAffected()), err }
