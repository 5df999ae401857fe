package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/store"
)

// lockPoll is the time between looks at a lock that another process has.
const lockPoll = 50 * time.Millisecond

// Reserve takes the lock file for this process until unlock. It is the system's lock
// and ends with the process, however that ends; the file stays.
func (e *Engine) Reserve() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.takeLock()
}

// takeLock takes the lock on the file that is at the lock's path, unless this process
// has it.
func (e *Engine) takeLock() error {
	name := e.path + ".lock"
	if e.lock != nil && isAt(e.lock, name) {
		return nil
	}
	f, err := lockFile(name, e.path)
	if err != nil {
		return err
	}
	if e.lock != nil {
		_ = e.lock.Close()
	}
	e.lock = f
	return nil
}

// lockFile opens and locks the lock file of the database at path, and writes into it
// whose it is.
func lockFile(name, path string) (*os.File, error) {
	// It is written over: a link would have another file be that.
	f, err := openOrMake(name, path, unix.O_NOFOLLOW)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 32)) // for the message alone
		_ = f.Close()
		return nil, fmt.Errorf("%s, process %s: %w", path, strings.TrimSpace(string(holder)), store.ErrInUse)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), f.Close())
	}
	if _, err := fmt.Fprintln(f, os.Getpid()); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", name, err), f.Close())
	}
	// Also one that is there, which root may have left.
	if err := give(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Lock keeps every hookarr serve from the database at path, which need not be there, until
// unlock. It makes the directory when missing, and returns store.ErrInUse where one runs.
func Lock(path string) (unlock func() error, err error) {
	if err := createDir(path); err != nil {
		return nil, err
	}
	f, err := lockFile(path+".lock", path)
	if err != nil {
		return nil, sayStop(err)
	}
	return f.Close, nil
}

// sayStop says of a database that is served what to do.
func sayStop(err error) error {
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("%w: stop it first (systemctl stop hookarr, or docker compose stop hookarr)", err)
	}
	return err
}

// isAt reports whether name leads to the open file.
func isAt(f *os.File, name string) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(name)
	return err == nil && os.SameFile(own, there)
}

// unlock gives the lock file back.
func (e *Engine) unlock() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lock == nil {
		return nil
	}
	f := e.lock
	e.lock = nil
	return f.Close()
}

// lockDir waits for the lock on the directory of path and returns what ends it.
func lockDir(ctx context.Context, path string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = dir.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(err, dir.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), dir.Close())
		case <-time.After(lockPoll):
		}
	}
}

// Holder reports whether a process serves the database at path, and its process id.
func Holder(path string) (pid string, serving bool) {
	f, err := os.Open(path + ".lock")
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }()
	// Shared, so that those who look do not see each other.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		return "", false
	}
	holder, _ := io.ReadAll(io.LimitReader(f, 32))
	return strings.TrimSpace(string(holder)), true
}
