package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/migrations"
)

// Migrate brings the schema, ours and then River's, to this version.
func (e *Engine) Migrate(ctx context.Context) error {
	// A lock on the directory needs no file that somebody has to clean up.
	unlock, err := lockDir(ctx, e.path)
	if err != nil {
		return fmt.Errorf("lock migrations: %w", err)
	}
	defer unlock()
	if err := e.Guard(ctx); err != nil {
		return err
	}
	have, want, err := e.Schema(ctx)
	if err != nil {
		return err
	}
	behind := have.Check(want)
	if errors.Is(behind, store.ErrNewer) {
		return behind
	}
	state, err := e.FindState(ctx)
	if err != nil {
		return err
	}
	givesUp, err := state.MayChange()
	if err != nil || behind == nil {
		return err
	}
	if givesUp {
		if err := e.giveUpMove(ctx); err != nil {
			return err
		}
	}
	// First, so that a migration that ends in between does it again.
	if have.Tables > 0 && have.Tables < store.UniqueJobs {
		if _, err := e.write.ExecContext(ctx, store.DropJobsSQL); err != nil {
			return fmt.Errorf("drop former jobs: %w", err)
		}
	}
	if err := migrate(ctx, e.write, want, store.Background(e.log)); err != nil {
		return err
	}
	e.log.InfoContext(ctx, "database migrated", slog.String("from", have.String()), slog.String("to", want.String()))
	return nil
}

// migrate makes the tables of a schema, ours and then River's.
func migrate(ctx context.Context, db *sql.DB, schema store.Schema, log *slog.Logger) error {
	fsys, err := migrations.SQLite()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, fsys,
		goose.WithTableName(migrations.Table), goose.WithDisableGlobalRegistry(true), goose.WithSlog(log))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.UpTo(ctx, schema.Tables); err != nil {
		return fmt.Errorf("migrate tables: %w", err)
	}
	queue, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: log})
	if err != nil {
		return fmt.Errorf("read queue migrations: %w", err)
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: int(schema.Queue)}); err != nil {
		return fmt.Errorf("migrate queue: %w", err)
	}
	return nil
}

// LatestSchema is the schema of this version, which Migrate brings a database to.
func LatestSchema() (store.Schema, error) {
	fsys, err := migrations.SQLite()
	if err != nil {
		return store.Schema{}, fmt.Errorf("read migrations: %w", err)
	}
	tables, err := migrations.Latest(fsys)
	if err != nil {
		return store.Schema{}, err
	}
	queue, err := rivermigrate.New(riversqlite.New(nil), nil)
	if err != nil {
		return store.Schema{}, fmt.Errorf("read queue migrations: %w", err)
	}
	return store.Schema{Tables: tables, Queue: int64(len(queue.AllVersions()))}, nil
}

// Schema reads the version of the file.
func (e *Engine) Schema(ctx context.Context) (have, want store.Schema, err error) {
	err = e.read.QueryRowContext(ctx, `SELECT
		coalesce((SELECT max(version_id) FROM `+migrations.Table+` WHERE is_applied), 0),
		coalesce((SELECT max(version) FROM river_migration WHERE line = 'main'), 0)`).Scan(&have.Tables, &have.Queue)
	// SQLite has one code for every error in a statement.
	if err != nil && !strings.Contains(err.Error(), "no such ") {
		return have, want, fmt.Errorf("read schema version: %w", err)
	}
	return have, e.schema, nil
}
