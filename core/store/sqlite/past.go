package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	readSQL = `SELECT event_id FROM dedup WHERE source = ?1 AND key = ?2 AND expires_at > ?3`
	// unaccounted is of an event that accounts for no record yet.
	unaccounted = `NOT EXISTS (SELECT 1 FROM dedup a WHERE a.source = ?1 AND a.key = '` + store.AccountPrefix + `' || lower(hex(id)))`
	twinSQL     = `
SELECT id FROM events WHERE source = ?1 AND fingerprint = ?2 AND received_at BETWEEN ?3 AND ?4 AND ` + unaccounted + `
ORDER BY received_at LIMIT 1`
	keyTwinSQL = `
SELECT id FROM (SELECT event_id AS id FROM dedup WHERE source = ?1 AND key = ?2 AND expires_at > ?3) WHERE ` + unaccounted + `
LIMIT 1`
	enrichTwinSQL = `
UPDATE events SET method = ?, query = ?, header = ?, body = ?
WHERE id = ? AND origin = '` + string(sdk.OriginCatchup) + `' AND method = ''`
	shortenSQL = `UPDATE dedup SET expires_at = min(expires_at, ?) WHERE source = ? AND key = ? AND event_id = ?`
	renamesSQL = `
SELECT normalized FROM events
WHERE received_at >= ? AND source = ? AND type = '` + string(sdk.TypeFileRenamed) + `' AND normalized IS NOT NULL ORDER BY received_at`
	saveCursorSQL = `
INSERT INTO cursors (source, from_at, read_to) VALUES (?, ?, ?)
ON CONFLICT (source) DO UPDATE SET read_to = max(cursors.read_to, excluded.read_to)`
)

// AcceptPast commits what a record tells, unless an event accounts for it.
func (s *Store) AcceptPast(ctx context.Context, a *store.Acceptance, r store.PastRecord) (store.Accepted, error) {
	var accepted store.Accepted
	err := s.inTx(ctx, func(t *tx) error {
		source := store.CleanText(a.Event.Source)
		owner, err := t.twin(source, a, r)
		if err != nil {
			return fmt.Errorf("look for its webhook: %w", err)
		}
		past := *a
		past.Keys = r.AccountKeys(cmp.Or(owner, a.Event.ID))
		if owner != uuid.Nil {
			accepted = store.Accepted{EventID: owner, Duplicate: true}
			past.Event.ID, past.Clears = owner, ""
			_, err := t.take(&past)
			return err
		}
		// What had these keys accounts for another record.
		for _, k := range a.Keys {
			if _, err := t.exec(unclaimSQL, source, store.ShortKey(k.Key)); err != nil {
				return fmt.Errorf("take dedup key over: %w", err)
			}
		}
		past.Keys = append(past.Keys, a.Keys...)
		accepted, err = t.accept(&past)
		return err
	})
	if err != nil {
		return store.Accepted{}, fmt.Errorf("accept past event: %w", err)
	}
	return accepted, nil
}

// twin returns the event that accounts for the record or is to: one that was read from
// it, or that came by webhook. Without any it is uuid.Nil.
func (t *tx) twin(source string, a *store.Acceptance, r store.PastRecord) (id uuid.UUID, err error) {
	type query struct {
		sql  string
		args []any
	}
	queries := []query{
		{readSQL, []any{source, r.ReadKey(), t.now}},
		{twinSQL, []any{source, store.CleanText(a.Event.Fingerprint), micros(r.From), micros(r.To)}},
	}
	for _, k := range a.Keys {
		queries = append(queries, query{keyTwinSQL, []any{source, store.ShortKey(k.Key), t.now}})
	}
	for _, q := range queries {
		err := t.row(q.sql, q.args, &id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, err
		}
	}
	return uuid.Nil, nil
}

// enrichTwin gives an event that came by catch-up the request of its webhook, which
// says more.
func (t *tx) enrichTwin(owner uuid.UUID, a *store.Acceptance) error {
	if a.Event.Origin != sdk.OriginWebhook {
		return nil
	}
	texts, err := store.EventTexts(&a.Event)
	if err != nil {
		return err
	}
	n, err := t.changed(enrichTwinSQL, texts[9], texts[10], texts[11], a.Event.Request.Body, owner[:])
	if err != nil {
		return fmt.Errorf("keep the webhook of a past event: %w", err)
	}
	if n == 0 {
		return nil
	}
	// The next one like it is no longer the record's.
	for _, k := range a.Keys {
		if _, err := t.exec(shortenSQL, t.now+k.Window.Microseconds(), texts[0], store.ShortKey(k.Key), owner[:]); err != nil {
			return fmt.Errorf("shorten dedup key: %w", err)
		}
	}
	return nil
}

// FindCursor returns how far a source's history was read.
func (s *Store) FindCursor(ctx context.Context, source string) (store.Cursor, error) {
	var from, to int64
	err := s.read.QueryRowContext(ctx, `SELECT from_at, read_to FROM cursors WHERE source = ?`, source).Scan(&from, &to)
	if err != nil {
		return store.Cursor{}, fmt.Errorf("find cursor of %s: %w", source, notFound(err))
	}
	return store.Cursor{From: fromMicros(from), ReadTo: fromMicros(to)}, nil
}

// SaveCursor keeps how far a source's history was read.
func (s *Store) SaveCursor(ctx context.Context, source string, c store.Cursor) error {
	if _, err := s.write.ExecContext(ctx, saveCursorSQL, source, micros(c.From), micros(c.ReadTo)); err != nil {
		return fmt.Errorf("save cursor of %s: %w", source, err)
	}
	return nil
}

// ForgetCursor makes the next reading of a source's history its first.
func (s *Store) ForgetCursor(ctx context.Context, source string) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM cursors WHERE source = ?`, source); err != nil {
		return fmt.Errorf("forget cursor of %s: %w", source, err)
	}
	return nil
}

// ListRenames returns the renames of a source's events that were received since a time.
func (s *Store) ListRenames(ctx context.Context, source string, since time.Time) ([]sdk.Rename, error) {
	normalized, err := collect(ctx, s.read, scanOne[[]byte], renamesSQL, micros(since), source)
	if err != nil {
		return nil, fmt.Errorf("list renames of %s: %w", source, err)
	}
	return store.Renames(normalized)
}

// AskCatchup has the source's history read now.
func (s *Store) AskCatchup(ctx context.Context, source string) error {
	return store.AskCatchup(ctx, s.jobs, source)
}
