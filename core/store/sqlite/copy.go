package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// OneFile puts everything of a database that no process has open into the one file at
// path, which need not be written to be read then.
func OneFile(ctx context.Context, path string) error {
	db, err := open(dsn(path, "mode=rw"), true)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return errors.Join(oneFile(ctx, db, path), db.Close())
}

// errOpen is what leaving the log meets while another process has the database open.
var errOpen = errors.New("another program has the database open: end it, such as a hookarr command or sqlite3")

func oneFile(ctx context.Context, db *sql.DB, path string) error {
	var mode string
	err := db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode)
	if failed, ok := errors.AsType[*sqlite.Error](err); ok && failed.Code()&0xff == sqlite3.SQLITE_BUSY || err == nil && mode != "delete" {
		return fmt.Errorf("%s: %w", path, errOpen)
	}
	if err != nil {
		return fmt.Errorf("put the log of %s into it: %w", path, err)
	}
	return nil
}

// Replace puts the database in the one file fresh, which is on disk, in the place of the one
// at path, if there is one. Whoever is killed meanwhile leaves the one or the other. The
// caller has Lock. Fresh gets the owner of the one at path, or of its directory. A former database is kept under another name unless that is empty; what
// is damaged in it keeps nobody from replacing it. Pass is called at each step.
func Replace(ctx context.Context, path, fresh, kept string, pass func(step string)) (err error) {
	if err := giveFile(fresh, path); err != nil {
		return err
	}
	_, err = os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// What a database that was removed has left would meet the new one.
		if err := removeSides(path); err != nil {
			return err
		}
		return moveInto(path, fresh, pass)
	case err != nil:
		return fmt.Errorf("look at %s: %w", path, err)
	}
	if _, err := narrowFile(path, ""); err != nil {
		return fmt.Errorf("keep others from reading the former database: %w", err)
	}
	db, err := open(dsn(path, "mode=rw"), true)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	pass("log")
	err = oneFile(ctx, db, path)
	switch failed, ok := errors.AsType[*sqlite.Error](err); {
	case ok && (failed.Code()&0xff == sqlite3.SQLITE_CORRUPT || failed.Code()&0xff == sqlite3.SQLITE_NOTADB):
		return replaceDamaged(path, fresh, kept, pass)
	case err != nil:
		return err
	}
	// Nobody opens it from here on.
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	pass("keep")
	if err := keep(path, kept, ""); err != nil {
		return err
	}
	return moveInto(path, fresh, pass)
}

// replaceDamaged is Replace for a database that cannot be opened. Killed in the middle, it
// leaves a copy of everything.
func replaceDamaged(path, fresh, kept string, pass func(step string)) error {
	pass("keep")
	for _, side := range append([]string{""}, sideFiles[:]...) {
		if err := keep(path, kept, side); err != nil {
			return err
		}
	}
	pass("sides")
	if err := removeSides(path); err != nil {
		return err
	}
	return moveInto(path, fresh, pass)
}

// keep gives a file of a database another name besides its own, in the same directory, or
// copies it where the file system knows no second names.
func keep(path, kept, side string) error {
	if kept == "" {
		return nil
	}
	err := os.Link(path+side, kept+side)
	if errors.Is(err, fs.ErrNotExist) && side != "" {
		return nil
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	from, err := os.Open(path + side)
	if err != nil {
		return fmt.Errorf("keep the former database: %w", err)
	}
	defer func() { _ = from.Close() }() // it was read
	to, err := os.OpenFile(kept+side, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keep the former database: %w", err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, give(to, path), to.Sync(), to.Close()); err != nil {
		return fmt.Errorf("keep the former database as %s: %w", kept+side, err)
	}
	return nil
}

func moveInto(path, fresh string, pass func(step string)) error {
	if err := syncDir(path); err != nil {
		return err
	}
	pass("rename")
	if err := os.Rename(fresh, path); err != nil {
		return fmt.Errorf("put the database in its place: %w", err)
	}
	pass("renamed")
	return syncDir(path)
}

// syncDir has names in the directory of path on disk.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("open the directory of the database: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync the directory of %s: %w", path, err)
	}
	return nil
}

// IsEmpty reports whether the database at path has no events. It does not look at what else is
// there.
func IsEmpty(ctx context.Context, path string) (empty bool, err error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return err == nil, err
	}
	db, err := open(dsn(path, "mode=rw"), true)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	var tables, events int
	if err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table'`).Scan(&tables); err == nil && tables > 0 {
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT id FROM events LIMIT 1)`).Scan(&events)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return false, fmt.Errorf("look into %s: %w", path, err)
	}
	return events == 0, nil
}
