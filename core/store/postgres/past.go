package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	twinSQL = `
SELECT id FROM events WHERE received_at BETWEEN $1 AND $2 AND source = $3 AND fingerprint = $4
ORDER BY received_at LIMIT 1`
	enrichTwinsSQL = `
UPDATE events SET method = w.method, query = w.query, header = w.header, body = w.body
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[]) AS w (id, method, query, header, body)
WHERE events.id = w.id AND events.origin = '` + string(sdk.OriginCatchup) + `' AND events.method = ''`
	saveCursorSQL = `
INSERT INTO cursors (source, from_at, read_to) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET read_to = greatest(cursors.read_to, excluded.read_to)`
)

// AcceptPast commits what history tells, unless it is known.
func (s *Store) AcceptPast(ctx context.Context, a *store.Acceptance, at time.Time, span time.Duration) (store.Accepted, error) {
	var accepted store.Accepted
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var twin uuid.UUID
		err := tx.QueryRow(ctx, twinSQL, at.Add(-span), at.Add(span), a.Event.Source, a.Event.Fingerprint).Scan(&twin)
		switch {
		case err == nil:
			accepted = store.Accepted{EventID: twin, Duplicate: true}
			return nil
		case !errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("look for its webhook: %w", err)
		}
		var all []store.Accepted
		if all, err = s.accept(ctx, tx, []*store.Acceptance{a}); err == nil {
			accepted = all[0]
		}
		return err
	})
	if err != nil {
		return store.Accepted{}, fmt.Errorf("accept past event: %w", err)
	}
	return accepted, nil
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
	if _, err := tx.Exec(ctx, enrichTwinsSQL, uuids(ids), methods, queries, headers, bodies); err != nil {
		return fmt.Errorf("keep the webhooks of past events: %w", err)
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

// AskCatchup inserts the source's catch-up job, unless there is one.
func (s *Store) AskCatchup(ctx context.Context, source string) error {
	if _, err := s.jobs.Insert(ctx, store.CatchupArgs{Source: source}, nil); err != nil {
		return fmt.Errorf("ask for catch-up of %s: %w", source, err)
	}
	return nil
}
