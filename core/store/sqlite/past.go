package sqlite

import (
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
	twinSQL = `
SELECT id FROM events WHERE received_at BETWEEN ?1 AND ?2 AND source = ?3 AND fingerprint = ?4
ORDER BY received_at LIMIT 1`
	enrichTwinSQL = `
UPDATE events SET method = ?, query = ?, header = ?, body = ?
WHERE id = ? AND origin = '` + string(sdk.OriginCatchup) + `' AND method = ''`
	saveCursorSQL = `
INSERT INTO cursors (source, from_at, read_to) VALUES (?, ?, ?)
ON CONFLICT (source) DO UPDATE SET read_to = max(cursors.read_to, excluded.read_to)`
)

// AcceptPast commits what history tells, unless it is known.
func (s *Store) AcceptPast(ctx context.Context, a *store.Acceptance, at time.Time, span time.Duration) (store.Accepted, error) {
	var accepted store.Accepted
	err := s.inTx(ctx, func(t *tx) error {
		var twin uuid.UUID
		err := t.row(twinSQL, []any{micros(at.Add(-span)), micros(at.Add(span)), a.Event.Source, a.Event.Fingerprint}, &twin)
		switch {
		case err == nil:
			accepted = store.Accepted{EventID: twin, Duplicate: true}
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("look for its webhook: %w", err)
		}
		accepted, err = t.accept(a)
		return err
	})
	if err != nil {
		return store.Accepted{}, fmt.Errorf("accept past event: %w", err)
	}
	return accepted, nil
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
	if _, err := t.exec(enrichTwinSQL, texts[9], texts[10], texts[11], a.Event.Request.Body, owner[:]); err != nil {
		return fmt.Errorf("keep the webhook of a past event: %w", err)
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

// AskCatchup inserts the source's catch-up job, unless there is one.
func (s *Store) AskCatchup(ctx context.Context, source string) error {
	if _, err := s.jobs.Insert(ctx, store.CatchupArgs{Source: source}, nil); err != nil {
		return fmt.Errorf("ask for catch-up of %s: %w", source, err)
	}
	return nil
}
