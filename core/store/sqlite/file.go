package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"

	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/store"
)

// sideFiles are the endings of the files that SQLite has beside a database. Those of one
// database must not meet another.
var sideFiles = [...]string{"-wal", "-shm", "-journal"}

// Options of a file that this process alone uses. It is not locked: a file system of another
// machine may know no locks, or take those of SQLite for those of this process. What a file
// says of itself is not believed: functions in its schema do nothing.
const (
	untrusted = "_pragma=trusted_schema(0)&_pragma=cell_size_check(1)"
	readOnly  = "mode=ro&immutable=1&" + untrusted
	// Whoever fails or is killed meanwhile leaves a file that is never read.
	unshared = "mode=rw&vfs=unix-none&_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-65536)&" + untrusted
)

// OpenReadOnly opens a file that nobody changes, such as a backup.
func OpenReadOnly(path string) (*sql.DB, error) { return openFile(path, readOnly) }

// OpenUnshared opens a file that this process alone uses, and makes it when missing. What is
// written is not synced.
func OpenUnshared(path string) (*sql.DB, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	return openFile(path, unshared)
}

func openFile(path, options string) (*sql.DB, error) {
	db, err := open((&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options}).String(), true)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // without locks, others would not see what it writes
	return db, nil
}

// MakeTables makes the tables of a schema in an empty database.
func MakeTables(ctx context.Context, db *sql.DB, schema store.Schema) error {
	return migrate(ctx, db, schema, slog.New(slog.DiscardHandler))
}

// RemoveFile removes a database with what is beside it, if it is there.
func RemoveFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return removeSides(path)
}

func removeSides(path string) error {
	for _, side := range sideFiles {
		if err := os.Remove(path + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", path+side, err)
		}
	}
	return nil
}
