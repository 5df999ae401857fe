package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hookarr/hookarr/sdk"
)

// busyTimeout is how long a write waits for another process, such as a backup.
const busyTimeout = 5 * time.Second

// inFile is the dialect of SQLite.
type inFile struct {
	replacer *strings.Replacer
	path     string
}

// OpenSQLite keeps libraries in a file, which is made with the first delivery. The mode is
// the file's: who may read it. Changes are kept for keepChanges.
func OpenSQLite(path string, mode fs.FileMode, keepChanges time.Duration, log *slog.Logger) (*Engine, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = fmt.Sprintf("_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(%d)", busyTimeout.Milliseconds())
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	// SQLite has one writer at a time, and those who wait in line wait shorter than those
	// who poll a lock.
	db.SetMaxOpenConns(1)
	e := newEngine(db, inFile{path: path, replacer: strings.NewReplacer(
		"{}", "", "{time}", "text", "{json}", "text", "{bool}", "integer", "{int}", "integer", "{seq}", "integer PRIMARY KEY AUTOINCREMENT",
		"{array}", "json_group_array",
	)}, keepChanges, log)
	e.file = &file{path: path, mode: mode}
	return e, nil
}

// file is the one that a database is in.
type file struct {
	path string
	mode fs.FileMode
	// opened is the one that was at the path when it was looked for last.
	opened os.FileInfo
}

// ensure makes the file and its directory unless they are there. It reports whether there
// is another file than before.
func (f *file) ensure() (replaced bool, err error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.create(); err != nil {
			return false, fmt.Errorf("make the file: %w", err)
		}
		info, err = os.Stat(f.path)
	}
	if err != nil {
		return false, fmt.Errorf("look for the file: %w", err)
	}
	replaced = f.opened != nil && !os.SameFile(f.opened, info)
	f.opened = info
	return replaced, nil
}

// create makes the file for nobody but those who may read it, whatever the umask.
func (f *file) create() error {
	if err := os.MkdirAll(filepath.Dir(f.path), f.mode|(f.mode&0o444)>>2); err != nil {
		return err
	}
	made, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, f.mode)
	if err != nil {
		return err
	}
	return errors.Join(made.Chmod(f.mode), made.Close())
}

func (d inFile) sql(statement string) string { return d.replacer.Replace(statement) }

func (d inFile) version(ctx context.Context, tx *sql.Tx) (version int, err error) {
	var there int
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'`).Scan(&there)
	if err != nil || there == 0 {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM schema_version`).Scan(&version)
	return version, err
}

// prepare refuses the file of another program.
func (d inFile) prepare(ctx context.Context, tx *sql.Tx) error {
	var there int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&there); err != nil {
		return err
	}
	if there > 0 {
		return sdk.Misconfigured(fmt.Errorf("%s has the tables of another program: name a file of its own for the catalogue", d.path))
	}
	return nil
}

// changed has nothing to lock: a transaction that writes is alone.
func (inFile) changed(context.Context, *sql.Tx) error { return nil }

// tell has nobody to tell: those who follow ask.
func (inFile) tell(context.Context, *sql.Tx, int64) error { return nil }

func (d inFile) describe(ctx context.Context, tx *sql.Tx) (string, error) {
	var version string
	err := tx.QueryRowContext(ctx, `SELECT sqlite_version()`).Scan(&version)
	return fmt.Sprintf("SQLite %s at %s", version, d.path), err
}

func (d inFile) explain(err error) error {
	if err == nil || classed(err) {
		return err
	}
	failed, ok := errors.AsType[*sqlite.Error](err)
	switch {
	case ok:
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk of %s is full: make room: %w", d.path, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return sdk.Misconfigured(fmt.Errorf("%s cannot be made by the user that Hookarr runs as: check the path and who owns its directory: %w", d.path, err))
	default:
		return err
	}
	switch failed.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk of %s is full; nothing of the delivery was written, and it is tried again: make room: %w", d.path, err)
	case sqlite3.SQLITE_READONLY:
		return sdk.Misconfigured(fmt.Errorf("%s, or its directory, is read-only for the user that Hookarr runs as: let it write both: %w", d.path, err))
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return sdk.Misconfigured(fmt.Errorf("%s cannot be opened by the user that Hookarr runs as: check the path and who owns it: %w", d.path, err))
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return sdk.Misconfigured(fmt.Errorf("%s is no SQLite database, or a damaged one: restore it, or name another file: %w", d.path, err))
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return sdk.Permanent(err)
	case sqlite3.SQLITE_ERROR:
		// The statements are ours: the tables are not.
		return sdk.Misconfigured(fmt.Errorf("the tables in %s are not those of version %d: restore the file, or name another: %w", d.path, Version, err))
	default:
		return err
	}
}

// classed reports whether an error has a class other than retryable.
func classed(err error) bool {
	class, _ := sdk.ClassOf(err)
	return class != sdk.ClassRetryable
}
