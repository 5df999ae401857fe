package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hookarr/hookarr/core/store"
)

// scarce is what a few of the largest webhooks take, in the file and in its log: with less,
// only a write tells whether there is another one.
const scarce = 128 << 20

// errReadOnly is found before anything is written.
var errReadOnly = errors.New("its file system is read-only")

// Space returns what is free on the file system of the database, which has its log too.
func (e *Engine) Space(context.Context) (store.Space, error) {
	s, err := space(filepath.Dir(e.path))
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return s, fmt.Errorf("look at the file system of %s: %w", e.path, err)
	}
	return s, err
}

// Writable looks at the file system, which wakes no disk.
func (e *Engine) Writable(context.Context) (sure bool, err error) {
	s, err := space(filepath.Dir(e.path))
	switch {
	case err != nil:
		return true, nil //nolint:nilerr // nothing is known, and Guard looks whether the file is there
	case s.ReadOnly:
		return true, errReadOnly
	}
	return s.Free >= scarce, nil
}

// Unwritable explains an error that says that nothing can be written, and returns nil for any
// other.
func (e *Engine) Unwritable(err error) error {
	s, unknown := space(filepath.Dir(e.path))
	failed, ok := errors.AsType[*sqlite.Error](err)
	readOnly := errors.Is(err, errReadOnly) || unknown == nil && s.ReadOnly
	switch {
	case !ok && !errors.Is(err, errReadOnly), ok && !refuses(failed.Code()):
		return nil
	case readOnly:
		return fmt.Errorf("%s: %w: the kernel's log says why (journalctl -k); mend the disk, then mount -o remount,rw", e.path, errReadOnly)
	case failed.Code()&0xff == sqlite3.SQLITE_FULL && unknown == nil:
		return fmt.Errorf("%s: %w: %s are free on its file system, or a quota is used up: make room there (df -h %s)",
			e.path, err, humanize.IBytes(uint64(s.Free)), filepath.Dir(e.path))
	case failed.Code()&0xff == sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%s: %w: let this user write to it and to its directory (ls -la %s), and start hookarr again", e.path, err, filepath.Dir(e.path))
	}
	return fmt.Errorf("%s: %w: the kernel's log may say why (journalctl -k)", e.path, err)
}

// refuses reports whether SQLite's code is of a write that was not done. What cannot be read
// is another matter.
func refuses(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY:
		return true
	case sqlite3.SQLITE_IOERR:
		return code != sqlite3.SQLITE_IOERR_READ && code != sqlite3.SQLITE_IOERR_SHORT_READ
	}
	return false
}
