package pluginhost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// lockName is the file in a private directory that is locked while its host lives.
const lockName = "lock"

// privatePattern is what os.MkdirTemp makes of the private directories' prefix.
var privatePattern = regexp.MustCompile(`^hookarr-[0-9]+$`)

// makePrivate makes a directory for the plugins of one host. The lock is to be closed
// when the directory has been removed; it is nil where the system has no such locks.
func makePrivate(parent string) (dir string, lock *os.File, err error) {
	if dir, err = os.MkdirTemp(parent, "hookarr-"); err != nil {
		return "", nil, fmt.Errorf("make private directory for plugins: %w (set TMPDIR to a writable directory, or give a container with a read-only root tmpfs: [/tmp])", err)
	}
	if lock, err = lockPrivate(dir); err != nil {
		return "", nil, fmt.Errorf("lock private directory for plugins: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	return dir, lock, nil
}

// lockPrivate locks the file before it has its name: a directory with a lock that is
// free is nobody's.
func lockPrivate(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, lockName)
	if err != nil {
		return nil, err
	}
	if err = lockFile(f); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, lockName))
	}
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil //nolint:nilnil // without locks nothing is ever taken for a leftover
	}
	return nil, err
}

// RemoveLeftovers removes the private directories of hosts that were killed, and
// returns how many. What is not surely one is left alone.
func RemoveLeftovers(parent string) int {
	root, err := os.OpenRoot(parent)
	if err != nil {
		return 0
	}
	defer func() { _ = root.Close() }()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0
	}
	removed := 0
	for _, e := range entries {
		if privatePattern.MatchString(e.Name()) && abandoned(root, e.Name()) && root.RemoveAll(e.Name()) == nil {
			removed++
		}
	}
	return removed
}

// abandoned reports whether a directory is a private one of this user, whose host is
// dead.
func abandoned(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	if err != nil || info.Mode() != fs.ModeDir|0o700 {
		return false
	}
	if uid, known := owner(info); !known || uid != os.Geteuid() {
		return false
	}
	f, err := root.OpenFile(filepath.Join(name, lockName), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return lockFile(f) == nil
}
