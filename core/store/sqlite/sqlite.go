// Package sqlite keeps Hookarr's rows and River's jobs in one SQLite file, which one
// hookarr serve works at a time.
package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hookarr/hookarr/core/store"
)

const (
	// busyTimeout is how long a write waits for another process, such as a migration
	// or a backup.
	busyTimeout = 5 * time.Second
	readers     = 4
	// logSize is what the log keeps of the size that it had while something read for long.
	logSize = 64 << 20
)

// Engine is a store.Engine in an SQLite file.
type Engine struct {
	path string
	log  *slog.Logger
	// write is one connection: SQLite has one writer at a time, and those who wait in
	// line wait shorter than those who poll a lock. Whoever holds its transaction
	// must use nothing else of the pool.
	write *sql.DB
	// read are connections that cannot write; they never wait for the writer.
	read     *sql.DB
	schema   store.Schema
	notifier store.Notifier
	// jobs inserts jobs; it works none.
	jobs *river.Client[*sql.Tx]

	// opened is the file that was opened, to be compared with the one at path.
	opened os.FileInfo

	mu   sync.Mutex
	lock *os.File
	// trouble is what Guard found last.
	trouble error
}

var (
	_ store.Engine = (*Engine)(nil)
	_ store.Tx     = (*tx)(nil)
)

// Open opens the database file and creates it, and its directory, when missing.
func Open(ctx context.Context, path string, log *slog.Logger) (*store.Store, error) {
	e, err := openEngine(ctx, path, log)
	if err != nil {
		return nil, err
	}
	return store.New(e), nil
}

func openEngine(ctx context.Context, path string, log *slog.Logger) (*Engine, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	narrow(ctx, path, log)
	schema, err := LatestSchema()
	if err != nil {
		return nil, err
	}
	e := &Engine{path: path, log: log, schema: schema}
	if e.write, err = open(dsn(path, fmt.Sprintf(
		"_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(%d)&_pragma=synchronous(FULL)", logSize)), false); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	e.write.SetMaxOpenConns(1)
	if e.read, err = open(dsn(path, "mode=ro"), true); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), e.write.Close())
	}
	e.read.SetMaxOpenConns(readers)
	e.read.SetMaxIdleConns(readers)
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), e.write.Close(), e.read.Close())
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	// The first use sets the journal mode, and finds what is no database.
	if err := e.write.PingContext(ctx); err != nil {
		return err
	}
	var err error
	if e.opened, err = os.Stat(e.path); err != nil {
		return err
	}
	// Workers are told of new jobs by the notifier once these are committed.
	e.jobs, err = river.NewClient(e.driver(), &river.Config{FetchCooldown: time.Hour, FetchPollInterval: time.Hour, Logger: e.log})
	if err != nil {
		return fmt.Errorf("prepare queue: %w", err)
	}
	return nil
}

// driver is River's with the notifier. One process works the jobs of a file, so that it need
// not listen to others.
func (e *Engine) driver() *store.QueueDriver[*sql.Tx] {
	return &store.QueueDriver[*sql.Tx]{Driver: riversqlite.New(e.write), Notifier: &e.notifier, Delete: deleteJobs, LocalOnly: true}
}

const deleteJobsSQL = `DELETE FROM river_job WHERE state = 'running' AND id IN (SELECT value FROM json_each(?))`

func deleteJobs(ctx context.Context, exec riverdriver.Executor, ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("encode jobs: %w", err)
	}
	return exec.Exec(ctx, deleteJobsSQL, string(list))
}

// create makes the directory and the file with permissions for the owner alone: both
// hold what senders and endpoints said. SQLite gives what it has beside a file the owner of
// that file.
func create(path string) error {
	if err := createDir(path); err != nil {
		return err
	}
	f, err := openOrMake(path, path, 0)
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	return f.Close()
}

func createDir(path string) error {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("create directory of the database: %w", err)
	}
	return nil
}

// dsn is the driver's name of the file, with options for every connection.
func dsn(path, options string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = options + fmt.Sprintf("&_pragma=busy_timeout(%d)&_pragma=foreign_keys(1)", busyTimeout.Milliseconds())
	return u.String()
}

// OpenQueue builds the River client that works jobs.
func (e *Engine) OpenQueue(config *river.Config) (store.Queue, error) {
	return river.NewClient(e.driver(), config)
}

// Wake has the workers of a queue look for jobs after a while.
func (e *Engine) Wake(queue string, after time.Duration) { e.notifier.NotifyInsertAfter(queue, after) }

// TellPaused tells the workers of a queue that it is paused or resumed.
func (e *Engine) TellPaused(queue string, paused bool) { e.notifier.NotifyPaused(queue, paused) }

// Close closes the file.
func (e *Engine) Close() error {
	e.notifier.Stop()
	return errors.Join(e.write.Close(), e.read.Close(), e.unlock())
}

// Outage reports whether err is the file's, and not that of the rows at hand: it is
// locked by another process, full, or cannot be read.
func (*Engine) Outage(err error) bool {
	if failed, ok := errors.AsType[*sqlite.Error](err); ok {
		switch failed.Code() & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return true
		}
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errReplaced) || errors.Is(err, store.ErrInUse)
}

// Write runs do in a transaction on the one writing connection, and tells the workers of
// the jobs that it inserted.
func (e *Engine) Write(ctx context.Context, do func(ctx context.Context, tx store.Tx) error) error {
	begun, err := e.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer begun.Rollback() //nolint:errcheck // it has ended, or nothing can be done
	t := &tx{Tx: begun, jobs: e.jobs, now: micros(time.Now())}
	if err := do(ctx, t); err != nil {
		return err
	}
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	e.notifier.NotifyInsert(t.queues...)
	return nil
}

// tx is a store.Tx.
type tx struct {
	*sql.Tx
	jobs *river.Client[*sql.Tx]
	now  int64
	// queues are those that were given jobs.
	queues []string
}

// changed runs a statement and returns how many rows it changed.
func (t *tx) changed(ctx context.Context, query string, args ...any) (int, error) {
	result, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// exec runs a statement.
func (t *tx) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.ExecContext(ctx, query, args...)
	return err
}

// micros is a time as a column holds it.
func micros(t time.Time) int64 { return t.UnixMicro() }

// orNull is a time for a nullable column; the zero time is null.
func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}

// idOrNull is an id for a nullable column; uuid.Nil is null.
func idOrNull(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

// fromMicros is the time of a column; 0 is the zero time.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
