// Package sqlite keeps Hookarr's rows and River's jobs in one SQLite file, which one
// hookarr serve works at a time.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// busyTimeout is how long a write waits for another process, such as a migration
	// or a backup.
	busyTimeout = 5 * time.Second
	readers     = 4
)

// Store is a store.Store in an SQLite file.
type Store struct {
	path string
	log  *slog.Logger
	// write is one connection: SQLite has one writer at a time, and those who wait in
	// line wait shorter than those who poll a lock. Whoever holds its transaction
	// must use nothing else of the pool.
	write *sql.DB
	// read are connections that cannot write; they never wait for the writer.
	read   *sql.DB
	schema store.Schema
	bell   *bell
	// jobs inserts jobs; it works none.
	jobs    *river.Client[*sql.Tx]
	accepts store.Batcher[*store.Acceptance, store.Accepted]
	settles store.Batcher[*store.Settlement, struct{}]

	// opened is the file that was opened, to be compared with the one at path.
	opened os.FileInfo

	mu   sync.Mutex
	lock *os.File
	// trouble is what guard found last.
	trouble error
}

var _ store.Store = (*Store)(nil)

// Open opens the database file and creates it, and its directory, when missing.
func Open(ctx context.Context, path string, log *slog.Logger) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	schema, err := wantedSchema()
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, log: log, schema: schema, bell: newBell()}
	if s.write, err = open(dsn(path, "_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = open(dsn(path, "mode=ro")); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.write.Close())
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), s.write.Close(), s.read.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	// The first use sets the journal mode, and finds what is no database.
	if err := s.write.PingContext(ctx); err != nil {
		return err
	}
	var err error
	if s.opened, err = os.Stat(s.path); err != nil {
		return err
	}
	// Workers of this process are told of new jobs by the bell, so River's outbox
	// gets but an entry now and then.
	s.jobs, err = river.NewClient(newQueueDriver(s.write, s.bell), &river.Config{FetchCooldown: time.Hour, FetchPollInterval: time.Hour, Logger: s.log})
	if err != nil {
		return fmt.Errorf("prepare queue: %w", err)
	}
	s.accepts.Work = s.acceptGuarded
	s.accepts.Size = func(a *store.Acceptance) int { return len(a.Event.Request.Body) + len(a.Event.Normalized) }
	s.settles.Work = s.settleBatch
	return nil
}

// create makes the directory and the file with permissions for the owner alone: both
// hold what senders and endpoints said.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create directory of the database: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return f.Close()
}

// dsn is the driver's name of the file, with options for every connection.
func dsn(path, options string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = options + fmt.Sprintf("&_pragma=busy_timeout(%d)&_pragma=foreign_keys(1)", busyTimeout.Milliseconds())
	return u.String()
}

// OpenQueue builds the River client that works jobs.
func (s *Store) OpenQueue(config *river.Config) (store.Queue, error) {
	client, err := river.NewClient(newQueueDriver(s.write, s.bell), config)
	if err != nil {
		return nil, fmt.Errorf("prepare queue: %w", err)
	}
	return client, nil
}

// Close lets batches under way end and closes the file.
func (s *Store) Close() error {
	s.accepts.Close()
	s.settles.Close()
	return errors.Join(s.write.Close(), s.read.Close(), s.unlock())
}

// inTx runs do in a transaction on the one writing connection, and inserts the jobs
// that it returns.
func (s *Store) inTx(ctx context.Context, do func(tx *tx) error) error {
	begun, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer begun.Rollback() //nolint:errcheck // it has ended, or nothing can be done
	t := &tx{Tx: begun, ctx: ctx, now: micros(time.Now())}
	if err := do(t); err != nil {
		return err
	}
	if len(t.jobs) > 0 {
		if _, err := s.jobs.InsertManyFastTx(ctx, begun, t.jobs); err != nil {
			return fmt.Errorf("insert jobs: %w", err)
		}
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.bell.ring(t.jobs)
	return nil
}

// tx is a transaction with its time and the jobs to insert at its end.
type tx struct {
	*sql.Tx
	ctx  context.Context
	now  int64
	jobs []river.InsertManyParams
}

// exec runs a statement.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	return t.ExecContext(t.ctx, query, args...)
}

// row reads one row.
func (t *tx) row(query string, args []any, dest ...any) error {
	return t.QueryRowContext(t.ctx, query, args...).Scan(dest...)
}

// changed runs a statement and returns how many rows it changed.
func (t *tx) changed(query string, args ...any) (int, error) {
	result, err := t.exec(query, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// micros is a time as a column holds it.
func micros(t time.Time) int64 { return t.UnixMicro() }

// fromMicros is the time of a column; 0 is the zero time.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
