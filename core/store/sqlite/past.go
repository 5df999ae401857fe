package sqlite

import (
	"context"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

const (
	renamesSQL = `
SELECT normalized FROM events
WHERE source = ? AND type = '` + string(sdk.TypeFileRenamed) + `' AND id >= ? AND normalized IS NOT NULL ORDER BY id`
	saveCursorSQL = `
INSERT INTO cursors (source, from_at, read_to) VALUES (?, ?, ?)
ON CONFLICT (source) DO UPDATE SET read_to = max(cursors.read_to, excluded.read_to)`
)

// FindCursor returns how far a source's history was read.
func (e *Engine) FindCursor(ctx context.Context, source string) (store.Cursor, error) {
	var from, to int64
	err := e.read.QueryRowContext(ctx, `SELECT from_at, read_to FROM cursors WHERE source = ?`, source).Scan(&from, &to)
	return store.Cursor{From: fromMicros(from), ReadTo: fromMicros(to)}, notFound(err)
}

// SaveCursor keeps how far a source's history was read.
func (e *Engine) SaveCursor(ctx context.Context, source string, c store.Cursor) error {
	_, err := e.write.ExecContext(ctx, saveCursorSQL, source, micros(c.From), micros(c.ReadTo))
	return err
}

// ForgetCursor deletes it.
func (e *Engine) ForgetCursor(ctx context.Context, source string) error {
	_, err := e.write.ExecContext(ctx, `DELETE FROM cursors WHERE source = ?`, source)
	return err
}

// RenamesSince returns the normalised renames of a source.
func (e *Engine) RenamesSince(ctx context.Context, source string, since uuid.UUID) ([][]byte, error) {
	return collect(ctx, e.read, scanOne[[]byte], renamesSQL, source, since[:])
}

// AskCatchup has the source's history read now.
func (e *Engine) AskCatchup(ctx context.Context, source string) error {
	if _, err := store.Hurry(ctx, e.jobs, store.CatchupArgs{Source: source}); err != nil {
		return err
	}
	e.notifier.NotifyInsert(store.CatchupQueue)
	return nil
}
