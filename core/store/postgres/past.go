package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// renamesSQL compares the id with the source for the reason of pageOf.
	renamesSQL = `
SELECT normalized FROM events
WHERE type = '` + string(sdk.TypeFileRenamed) + `' AND (source, id) >= ($1, $2) AND source <= $1 AND normalized IS NOT NULL
ORDER BY source, id`
	saveCursorSQL = `
INSERT INTO cursors (source, from_at, read_to) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET read_to = greatest(cursors.read_to, excluded.read_to)`
)

// FindCursor returns how far a source's history was read.
func (e *Engine) FindCursor(ctx context.Context, source string) (store.Cursor, error) {
	var c store.Cursor
	err := e.pool.QueryRow(ctx, `SELECT from_at, read_to FROM cursors WHERE source = $1`, source).Scan(&c.From, &c.ReadTo)
	return store.Cursor{From: c.From.UTC(), ReadTo: c.ReadTo.UTC()}, notFound(err)
}

// SaveCursor keeps how far a source's history was read.
func (e *Engine) SaveCursor(ctx context.Context, source string, c store.Cursor) error {
	_, err := e.pool.Exec(ctx, saveCursorSQL, source, c.From, c.ReadTo)
	return err
}

// ForgetCursor deletes it.
func (e *Engine) ForgetCursor(ctx context.Context, source string) error {
	_, err := e.pool.Exec(ctx, `DELETE FROM cursors WHERE source = $1`, source)
	return err
}

// RenamesSince returns the normalised renames of a source.
func (e *Engine) RenamesSince(ctx context.Context, source string, since uuid.UUID) ([][]byte, error) {
	rows, err := e.pool.Query(ctx, renamesSQL, source, since)
	return collect(rows, err, func(rows pgx.Rows) (data []byte, err error) {
		err = rows.Scan(&data)
		return data, err
	})
}

// AskCatchup has the source's history read now.
func (e *Engine) AskCatchup(ctx context.Context, source string) error {
	_, err := store.Hurry(ctx, e.jobs, store.CatchupArgs{Source: source})
	return err
}
