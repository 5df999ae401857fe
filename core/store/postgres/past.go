package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// unaccounted is of an event that accounts for no record yet.
	unaccounted = `NOT EXISTS (
	SELECT FROM dedup a WHERE a.source = $1 AND a.key = '` + store.AccountPrefix + `' || replace(id::text, '-', ''))`
	readSQL = `SELECT event_id FROM dedup WHERE source = $1 AND key = $2 AND expires_at > now()`
	twinSQL = `
SELECT id FROM events WHERE source = $1 AND fingerprint = $2 AND received_at BETWEEN $3 AND $4 AND ` + unaccounted + `
ORDER BY received_at LIMIT 1`
	keyTwinSQL = `
SELECT id FROM (SELECT event_id AS id FROM dedup WHERE source = $1 AND key = ANY($2) AND expires_at > now()) k WHERE ` + unaccounted + `
LIMIT 1`
	enrichTwinsSQL = `
UPDATE events SET method = w.method, query = w.query, header = w.header, body = w.body
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS w (id, method, query, header, body)
WHERE events.id = w.id AND events.origin = '` + string(sdk.OriginCatchup) + `' AND events.method = ''
RETURNING events.id`
	shortenSQL = `
UPDATE dedup SET expires_at = least(expires_at, now() + $1::bigint * interval '1 microsecond')
WHERE source = $2 AND key = $3 AND event_id = $4`
	renamesSQL = `
SELECT normalized FROM events
WHERE received_at >= $1 AND source = $2 AND type = '` + string(sdk.TypeFileRenamed) + `' AND normalized IS NOT NULL ORDER BY received_at`
	saveCursorSQL = `
INSERT INTO cursors (source, from_at, read_to) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET read_to = greatest(cursors.read_to, excluded.read_to)`
)

// AcceptPast commits what a record tells, unless an event accounts for it.
func (s *Store) AcceptPast(ctx context.Context, a *store.Acceptance, r store.PastRecord) (store.Accepted, error) {
	var accepted store.Accepted
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		source := store.CleanText(a.Event.Source)
		keys := make([]string, len(a.Keys))
		for i, k := range a.Keys {
			keys[i] = store.ShortKey(k.Key)
		}
		owner, err := twin(ctx, tx, source, keys, a, r)
		if err != nil {
			return fmt.Errorf("look for its webhook: %w", err)
		}
		past := *a
		past.Keys = r.AccountKeys(cmp.Or(owner, a.Event.ID))
		if owner != uuid.Nil {
			accepted = store.Accepted{EventID: owner, Duplicate: true}
			past.Event.ID, past.Clears, past.Deliveries = owner, "", nil
			_, err := take(ctx, tx, foldBatch([]*store.Acceptance{&past}))
			return err
		}
		// What had these keys accounts for another record.
		if _, err := tx.Exec(ctx, `DELETE FROM dedup WHERE source = $1 AND key = ANY($2)`, source, keys); err != nil {
			return fmt.Errorf("take dedup keys over: %w", err)
		}
		past.Keys = append(past.Keys, a.Keys...)
		all, err := s.accept(ctx, tx, []*store.Acceptance{&past})
		if err == nil {
			accepted = all[0]
		}
		return err
	})
	if err != nil {
		return store.Accepted{}, fmt.Errorf("accept past event: %w", err)
	}
	return accepted, nil
}

// twin returns the event that accounts for the record or is to: one that was read from
// it, or that came by webhook. Without any it is uuid.Nil.
func twin(ctx context.Context, tx pgx.Tx, source string, keys []string, a *store.Acceptance, r store.PastRecord) (id uuid.UUID, err error) {
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{readSQL, []any{source, r.ReadKey()}},
		{twinSQL, []any{source, store.CleanText(a.Event.Fingerprint), r.From, r.To}},
		{keyTwinSQL, []any{source, keys}},
	} {
		err := tx.QueryRow(ctx, q.sql, q.args...).Scan((*[16]byte)(&id))
		if !errors.Is(err, pgx.ErrNoRows) {
			return id, err
		}
	}
	return uuid.Nil, nil
}

// enrichTwins gives events that came by catch-up the requests of their webhooks, which
// say more.
func enrichTwins(ctx context.Context, tx pgx.Tx, f *fold) error {
	var ids []uuid.UUID
	var methods, queries, headers []string
	var bodies [][]byte
	for i, a := range f.items {
		if f.fresh(i) || a.Event.Origin != sdk.OriginWebhook {
			continue
		}
		texts, err := store.EventTexts(&a.Event)
		if err != nil {
			return err
		}
		ids, bodies = append(ids, f.accepted(i).EventID), append(bodies, a.Event.Request.Body)
		methods, queries, headers = append(methods, texts[9]), append(queries, texts[10]), append(headers, texts[11])
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, enrichTwinsSQL, uuids(ids), methods, queries, headers, bodies)
	kept, err := collect(rows, err, func(rows pgx.Rows) (id uuid.UUID, err error) {
		err = rows.Scan((*[16]byte)(&id))
		return id, err
	})
	if err != nil {
		return fmt.Errorf("keep the webhooks of past events: %w", err)
	}
	if len(kept) == 0 {
		return nil
	}
	// The next ones like them are no longer the records'.
	var batch pgx.Batch
	for i, a := range f.items {
		if owner := f.accepted(i).EventID; slices.Contains(kept, owner) {
			for _, k := range a.Keys {
				batch.Queue(shortenSQL, k.Window.Microseconds(), store.CleanText(a.Event.Source), store.ShortKey(k.Key), owner)
			}
		}
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("shorten dedup keys: %w", err)
	}
	return nil
}

// FindCursor returns how far a source's history was read.
func (s *Store) FindCursor(ctx context.Context, source string) (store.Cursor, error) {
	var c store.Cursor
	err := s.pool.QueryRow(ctx, `SELECT from_at, read_to FROM cursors WHERE source = $1`, source).Scan(&c.From, &c.ReadTo)
	if err != nil {
		return store.Cursor{}, fmt.Errorf("find cursor of %s: %w", source, notFound(err))
	}
	return store.Cursor{From: c.From.UTC(), ReadTo: c.ReadTo.UTC()}, nil
}

// SaveCursor keeps how far a source's history was read.
func (s *Store) SaveCursor(ctx context.Context, source string, c store.Cursor) error {
	if _, err := s.pool.Exec(ctx, saveCursorSQL, source, c.From, c.ReadTo); err != nil {
		return fmt.Errorf("save cursor of %s: %w", source, err)
	}
	return nil
}

// ForgetCursor makes the next reading of a source's history its first.
func (s *Store) ForgetCursor(ctx context.Context, source string) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM cursors WHERE source = $1`, source); err != nil {
		return fmt.Errorf("forget cursor of %s: %w", source, err)
	}
	return nil
}

// ListRenames returns the renames of a source's events that were received since a time.
func (s *Store) ListRenames(ctx context.Context, source string, since time.Time) ([]sdk.Rename, error) {
	rows, err := s.pool.Query(ctx, renamesSQL, since, source)
	normalized, err := collect(rows, err, func(rows pgx.Rows) (data []byte, err error) {
		err = rows.Scan(&data)
		return data, err
	})
	if err != nil {
		return nil, fmt.Errorf("list renames of %s: %w", source, err)
	}
	return store.Renames(normalized)
}

// AskCatchup has the source's history read now.
func (s *Store) AskCatchup(ctx context.Context, source string) error {
	return store.AskCatchup(ctx, s.jobs, source)
}
