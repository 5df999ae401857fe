package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/migrations"
)

// migrateLock is the advisory lock that makes migrations wait for each other:
// "hookarr" in ASCII.
const migrateLock int64 = 0x686f6f6b617272

// needlessIndexes are River's for searches by arguments and metadata, which nothing here
// makes. Keeping them costs about a sixth of the server's time.
var needlessIndexes = []string{"river_job_args_index", "river_job_metadata_index"}

// The error codes of what a database lacks whose first migration has not ended: a table, or the
// column line, which comes with the fifth migration of River.
const (
	undefinedTable  = "42P01"
	undefinedColumn = "42703"
)

// Migrate brings the schema, ours and then River's, to this version.
func (e *Engine) Migrate(ctx context.Context) error {
	lock, err := e.pool.Acquire(ctx)
	if err != nil {
		return oneLine(err)
	}
	defer lock.Release()
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_lock($1)", migrateLock); err != nil {
		return fmt.Errorf("lock migrations: %w", err)
	}
	defer unlock(context.WithoutCancel(ctx), lock)
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
		if err := e.inTablesTx(ctx, func(t pgx.Tx) error { return e.prepareChange(ctx, t) }); err != nil {
			return err
		}
	}
	// First, so that a migration that ends in between does it again.
	if have.Tables > 0 && have.Tables < store.UniqueJobs {
		if _, err := lock.Exec(ctx, store.DropJobsSQL); err != nil {
			return fmt.Errorf("drop former jobs: %w", err)
		}
	}
	if err := e.migrateTables(ctx); err != nil {
		return err
	}
	queue, err := rivermigrate.New(riverpgxv5.New(e.pool), &rivermigrate.Config{Logger: store.Background(e.log)})
	if err != nil {
		return fmt.Errorf("read queue migrations: %w", err)
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate queue: %w", err)
	}
	for _, index := range needlessIndexes {
		if _, err := lock.Exec(ctx, "DROP INDEX IF EXISTS "+index); err != nil {
			return fmt.Errorf("drop index %s: %w", index, err)
		}
	}
	e.log.InfoContext(ctx, "database migrated", slog.String("from", have.String()), slog.String("to", want.String()))
	return nil
}

// unlock gives the migration lock back. A connection that cannot is closed, which
// does.
func unlock(ctx context.Context, lock *pgxpool.Conn) {
	if _, err := lock.Exec(ctx, "SELECT pg_advisory_unlock($1)", migrateLock); err != nil {
		_ = lock.Conn().Close(ctx)
	}
}

func (e *Engine) migrateTables(ctx context.Context) error {
	fsys, err := migrations.Postgres()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	db := stdlib.OpenDBFromPool(e.pool)
	defer db.Close() //nolint:errcheck // it gives connections back to the pool and cannot fail
	provider, err := goose.NewProvider(goose.DialectPostgres, db, fsys,
		goose.WithTableName(migrations.Table), goose.WithDisableGlobalRegistry(true), goose.WithSlog(store.Background(e.log)))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate tables: %w", err)
	}
	return nil
}

// wantedSchema is the schema of this version.
func wantedSchema() (store.Schema, error) {
	fsys, err := migrations.Postgres()
	if err != nil {
		return store.Schema{}, fmt.Errorf("read migrations: %w", err)
	}
	tables, err := migrations.Latest(fsys)
	if err != nil {
		return store.Schema{}, err
	}
	queue, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return store.Schema{}, fmt.Errorf("read queue migrations: %w", err)
	}
	return store.Schema{Tables: tables, Queue: int64(len(queue.AllVersions()))}, nil
}

// Schema reads the version of the database.
func (e *Engine) Schema(ctx context.Context) (have, want store.Schema, err error) {
	err = e.pool.QueryRow(ctx, `SELECT
		coalesce((SELECT max(version_id) FROM `+migrations.Table+` WHERE is_applied), 0),
		coalesce((SELECT max(version) FROM river_migration WHERE line = 'main'), 0)`).Scan(&have.Tables, &have.Queue)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && (pgErr.Code == undefinedTable || pgErr.Code == undefinedColumn) {
		return have, e.schema, nil
	}
	if err != nil {
		return have, want, fmt.Errorf("read schema version: %w", oneLine(err))
	}
	return have, e.schema, nil
}
