package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// others are the permissions of everybody but the owner.
const others = 0o077

// narrow takes from a database what others may do with it: a file that was copied or
// restored has the permissions of its copy. Each file that is there counts: the log next
// to it holds the latest rows. SQLite must not have it open yet: closing a file gives up the
// locks that the process has on it.
func narrow(ctx context.Context, path string, log *slog.Logger) {
	file, err := filepath.EvalSymlinks(path) // what SQLite has beside it is where the file is
	if err != nil {
		return // SQLite says so
	}
	linkedFrom := ""
	if file != filepath.Clean(path) {
		linkedFrom = filepath.Dir(path)
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		was, err := narrowFile(name, linkedFrom)
		switch {
		case errors.Is(err, errForeignFile):
			log.WarnContext(ctx, "others can read what may be no file of the database: look whose it is", slog.String("file", name), slog.Any("error", err))
		case err != nil:
			log.WarnContext(ctx, "others can read the database: run chmod go= on it", slog.String("file", name), slog.Any("error", err))
		case was&others != 0:
			log.InfoContext(ctx, "others could read the database", slog.String("file", name), slog.String("mode", was.String()))
		}
	}
}

// narrowFile takes from a file of a database what others may do with it, and returns what
// everybody could. It leaves alone what is missing or no file. LinkedFrom is the directory with
// the link to it, if there is one.
func narrowFile(name, linkedFrom string) (was fs.FileMode, err error) {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&others == 0 {
		return 0, nil // SQLite says what it cannot open
	}
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	if info, err = f.Stat(); err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() || links(info) > 1 || linkedFrom != "" && foreign(info, linkedFrom) {
		return 0, fmt.Errorf("%s: %w", name, errForeignFile)
	}
	return info.Mode().Perm(), f.Chmod(info.Mode().Perm() &^ others)
}

var errForeignFile = errors.New("it has another name, too, or another owner than the directory of the link to it")

// foreign reports whether root would change, by a link in a directory, a file of somebody else
// than whom the directory belongs to.
func foreign(info fs.FileInfo, dir string) bool {
	if os.Geteuid() != 0 {
		return false
	}
	there, err := os.Stat(dir)
	if err != nil {
		return true
	}
	by, _, ok := ownerOf(there)
	has, _, _ := ownerOf(info)
	return ok && by != 0 && by != has
}
