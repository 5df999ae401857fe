package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/rows"
)

// FindState reads the state of the database.
func (e *Engine) FindState(ctx context.Context) (store.State, error) { return findState(ctx, e.read) }

func findState(ctx context.Context, db querier) (s store.State, err error) {
	found, err := collect(ctx, db, func(row scanner) (s store.State, err error) {
		var move uuid.NullUUID
		var since sql.NullInt64
		err = row.Scan(&s.ID, (*string)(&s.Move), &move, &since, &s.Peer, &s.Progress)
		s.MoveID, s.Since = move.UUID, fromMicros(since.Int64)
		return s, err
	}, `SELECT id, state, move, since, peer, progress FROM database_state`)
	if err = ignoreMissing(err); err != nil || len(found) == 0 {
		return store.State{}, err
	}
	return found[0], nil
}

// ignoreMissing passes over a table that is not there: SQLite has one code for every error in
// a statement.
func ignoreMissing(err error) error {
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return nil
	}
	return err
}

// SaveState changes the state, if it is as it was, and with it whether the tables can be
// changed.
func (e *Engine) SaveState(ctx context.Context, was, s store.State, tables []string) error {
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has ended, or nothing can be done
	if err := saveState(ctx, tx, was, s, tables); err != nil {
		return err
	}
	return tx.Commit()
}

func saveState(ctx context.Context, tx *sql.Tx, was, s store.State, tables []string) error {
	r, err := tx.ExecContext(ctx, `UPDATE database_state SET state = ?, move = ?, since = ?, peer = ?, progress = ? WHERE state = ? AND move IS ?`,
		string(s.Move), idOrNull(s.MoveID), orNull(s.Since), s.Peer, s.Progress, string(was.Move), idOrNull(was.MoveID))
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, store.ErrStateChanged)
	}
	if s.Move == store.MoveStateMoving || s.Move == store.MoveStateMoved {
		return refuseChanges(ctx, tx, tables)
	}
	return allowChanges(ctx, tx)
}

// triggerPrefix begins the names of the triggers that refuse changes.
const triggerPrefix = "hookarr_moved_"

// refuseChanges has every change of tables refused.
func refuseChanges(ctx context.Context, tx *sql.Tx, tables []string) error {
	for _, table := range tables {
		for _, change := range []string{"insert", "update", "delete"} {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf(
				"CREATE TRIGGER IF NOT EXISTS %s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'the database is moved: see hookarr move'); END",
				rows.Quote(triggerPrefix+table+"_"+change), change, rows.Quote(table))); err != nil {
				return fmt.Errorf("guard table %s: %w", table, err)
			}
		}
	}
	return nil
}

// allowChanges is the end of refuseChanges.
func allowChanges(ctx context.Context, tx *sql.Tx) error {
	triggers, err := collect(ctx, tx, scanOne[string], `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, ?) = ?`,
		len(triggerPrefix), triggerPrefix)
	if err != nil {
		return err
	}
	for _, name := range triggers {
		if _, err := tx.ExecContext(ctx, "DROP TRIGGER "+rows.Quote(name)); err != nil {
			return fmt.Errorf("release a table: %w", err)
		}
	}
	return nil
}

// giveUpMove has the writer of rows refused, or gives up the move that has not ended.
func (e *Engine) giveUpMove(ctx context.Context) error {
	e.mu.Lock()
	reserved := e.lock != nil
	e.mu.Unlock()
	if !reserved {
		if err := e.Reserve(); err != nil {
			return err
		}
		defer e.unlock() //nolint:errcheck // it ends with the process
	}
	tx, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has ended, or nothing can be done
	s, err := findState(ctx, tx)
	if err != nil {
		return err
	}
	givesUp, err := s.MayChange()
	if err != nil || !givesUp {
		return err
	}
	was := s
	s.Move, s.Progress = store.MoveStateNone, ""
	if err := saveState(ctx, tx, was, s, nil); err != nil {
		return err
	}
	return tx.Commit()
}

// Exclude takes the lock file.
func (e *Engine) Exclude(context.Context, time.Duration, func(string)) (release func(context.Context) error, err error) {
	if err := e.Reserve(); err != nil {
		return nil, sayStop(err)
	}
	return func(ctx context.Context) error { return e.Leave(ctx, "") }, nil
}
