// Package database keeps what applications hold in Postgres or in an SQLite file.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
	"github.com/hookarr/hookarr/sdk"
)

// Version is that of the tables and views, which [Engine] makes and needs.
const Version = 1

// Channel is what Postgres notifies of changes. The payload is the schema and the last
// sequence number: "hookarr_catalogue 1234".
const Channel = "catalogue"

const (
	// keepDeliveries is how long a delivery is known that was written. Hookarr gives one up
	// after 7 days unless told otherwise.
	keepDeliveries = 30 * 24 * time.Hour
	// purgeEvery is the time between deletions of what is kept no longer.
	purgeEvery = time.Hour
)

// Engine keeps libraries in a database. It is safe for concurrent use.
type Engine struct {
	db      *sql.DB
	dialect dialect
	log     *slog.Logger
	// keepChanges is how long changes are kept.
	keepChanges time.Duration
	now         func() time.Time
	// file is the one that the database is in; nil where it is in none.
	file *file

	mu sync.Mutex
	// ready is that the tables are there.
	ready  bool
	purged time.Time
}

// dialect is where the databases differ.
type dialect interface {
	// sql puts names and types into a statement.
	sql(statement string) string
	// version returns that of the tables, or 0 for none. The transaction holds others off
	// who would make them.
	version(ctx context.Context, tx *sql.Tx) (int, error)
	// prepare makes what tables are put into.
	prepare(ctx context.Context, tx *sql.Tx) error
	// changed holds the lock under which changes get their sequence numbers until the
	// transaction ends: whoever follows them never sees one before another that is not
	// visible yet.
	changed(ctx context.Context, tx *sql.Tx) error
	// tell tells those who listen, once the transaction is committed.
	tell(ctx context.Context, tx *sql.Tx, seq int64) error
	// explain gives an error its class, and words that say what to do.
	explain(err error) error
	// describe says what database it is, and what rights there are.
	describe(ctx context.Context, tx *sql.Tx) (string, error)
}

func newEngine(db *sql.DB, d dialect, keepChanges time.Duration, log *slog.Logger) *Engine {
	return &Engine{db: db, dialect: d, log: log, keepChanges: keepChanges, now: time.Now}
}

// Close closes the database.
func (e *Engine) Close() error { return e.db.Close() }

// Keep writes what the events of a delivery say, in one transaction, unless it was written
// before.
func (e *Engine) Keep(ctx context.Context, delivery string, events []sdk.Event) error {
	if err := e.ensure(ctx); err != nil {
		return err
	}
	err := e.write(ctx, func(tx *transaction) error {
		if err := tx.checkVersion(ctx); err != nil {
			return err
		}
		fresh, err := tx.changed(ctx, `INSERT INTO {}deliveries_seen (delivery_id, at) VALUES ($1, $2) ON CONFLICT (delivery_id) DO NOTHING`,
			delivery, tx.now)
		if err != nil || fresh == 0 {
			return err
		}
		if err := tx.lockSources(ctx, events); err != nil {
			return err
		}
		var changes []sourced
		for _, ev := range events {
			changed, err := library.Apply(ctx, &shelf{tx, ev.Source}, ev)
			if err != nil {
				return err
			}
			for _, c := range changed {
				changes = append(changes, sourced{ev.Source, c})
			}
		}
		return tx.saveChanges(ctx, changes)
	})
	if err != nil {
		e.doubt()
		return err
	}
	e.purge(ctx)
	return nil
}

// doubt has the next delivery look whether the tables are there: after an error they may
// have been dropped, to begin anew.
func (e *Engine) doubt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ready = false
}

// sourced is a change of a source's library.
type sourced struct {
	source string
	library.Change
}

// transaction is one with the statements of its database.
type transaction struct {
	*sql.Tx
	dialect dialect
	// now is in RFC 3339.
	now string
}

// write runs do in a transaction. Its error has a class.
func (e *Engine) write(ctx context.Context, do func(tx *transaction) error) error {
	begun, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return e.dialect.explain(fmt.Errorf("begin: %w", err))
	}
	defer begun.Rollback() //nolint:errcheck // it has ended, or nothing can be done
	if err := do(&transaction{begun, e.dialect, library.Stamp(e.now())}); err != nil {
		return e.dialect.explain(err)
	}
	if err := begun.Commit(); err != nil {
		return e.dialect.explain(fmt.Errorf("commit: %w", err))
	}
	return nil
}

func (tx *transaction) exec(ctx context.Context, statement string, args ...any) error {
	_, err := tx.changed(ctx, statement, args...)
	return err
}

// changed returns how many rows a statement changed.
func (tx *transaction) changed(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, tx.dialect.sql(statement), args...)
	if err != nil {
		return 0, fmt.Errorf("write catalogue: %w", err)
	}
	return result.RowsAffected()
}

// row scans one row, or reports that there is none.
func (tx *transaction) row(ctx context.Context, statement string, args []any, to ...any) (bool, error) {
	err := tx.QueryRowContext(ctx, tx.dialect.sql(statement), args...).Scan(to...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read catalogue: %w", err)
	}
	return true, nil
}

// each calls scan for each row.
func (tx *transaction) each(ctx context.Context, statement string, args []any, scan func(rows *sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, tx.dialect.sql(statement), args...)
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read catalogue: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	return nil
}

// lockSources holds the libraries that events are of, until the transaction ends. All take
// them in one order, so that nobody waits in a circle.
func (tx *transaction) lockSources(ctx context.Context, events []sdk.Event) error {
	last := map[string]sdk.Event{}
	for _, e := range events {
		if old, ok := last[e.Source]; library.Concerns(e) && (!ok || library.VersionOf(e) > library.VersionOf(old)) {
			last[e.Source] = e
		}
	}
	for _, source := range slices.Sorted(maps.Keys(last)) {
		e := last[source]
		const statement = `INSERT INTO {}sources (source, app, instance, event_time, said) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source) DO UPDATE SET
  app = CASE WHEN excluded.said > sources.said THEN excluded.app ELSE sources.app END,
  instance = CASE WHEN excluded.said > sources.said AND excluded.instance <> '' THEN excluded.instance ELSE sources.instance END,
  event_time = CASE WHEN excluded.said > sources.said THEN excluded.event_time ELSE sources.event_time END,
  said = CASE WHEN excluded.said > sources.said THEN excluded.said ELSE sources.said END`
		version := library.VersionOf(e)
		if err := tx.exec(ctx, statement, source, e.App, e.Instance, version.Time(), string(version)); err != nil {
			return err
		}
	}
	return nil
}

// saveChanges appends to what others follow.
func (tx *transaction) saveChanges(ctx context.Context, changes []sourced) error {
	if len(changes) == 0 {
		return nil
	}
	if err := tx.dialect.changed(ctx, tx.Tx); err != nil {
		return fmt.Errorf("lock changes: %w", err)
	}
	var seq int64
	for _, c := range changes {
		fields := c.Fields
		if fields == nil {
			fields = []string{}
		}
		_, err := tx.row(ctx, `INSERT INTO {}changes (at, source, kind, app_id, op, fields, file_id, path, old_path, event_id, event_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING seq`, []any{
			tx.now, c.source, c.Title.Kind, c.Title.ID, c.Op, asJSON(fields), orNull(c.File), orNull(c.Path), orNull(c.OldPath), c.Event, c.Time,
		}, &seq)
		if err != nil {
			return err
		}
	}
	return tx.dialect.tell(ctx, tx.Tx, seq)
}

// purge deletes what is kept no longer, now and then. What fails is tried the next time.
func (e *Engine) purge(ctx context.Context) {
	now := e.now()
	e.mu.Lock()
	due := now.Sub(e.purged) >= purgeEvery
	if due {
		e.purged = now
	}
	e.mu.Unlock()
	if !due {
		return
	}
	err := e.write(ctx, func(tx *transaction) error {
		if err := tx.exec(ctx, `DELETE FROM {}deliveries_seen WHERE at < $1`, library.Stamp(now.Add(-keepDeliveries))); err != nil {
			return err
		}
		return tx.exec(ctx, `DELETE FROM {}changes WHERE at < $1`, library.Stamp(now.Add(-e.keepChanges)))
	})
	if err != nil {
		e.log.WarnContext(ctx, "delete old changes", "error", err)
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
