package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// partialSuffix ends the name of a backup that is being written.
const partialSuffix = ".partial"

// partial is a file that is not whole yet. What a process that was killed has left of it is
// written over by the next.
type partial struct {
	name string
	lock *os.File
}

// openPartial makes the file beside where it is to be.
func openPartial(file string) (*partial, error) {
	p := &partial{name: file + partialSuffix}
	var err error
	p.lock, err = os.OpenFile(p.name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write backup: %w", err)
	}
	if err := p.begin(); err != nil {
		return nil, errors.Join(err, p.lock.Close())
	}
	return p, nil
}

func (p *partial) begin() error {
	info, err := p.lock.Stat()
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("write backup: %s is %s and no file: remove it", p.name, kindOf(info))
	}
	err = unix.Flock(int(p.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("write backup: another hookarr backup writes %s: wait for it", p.name)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", p.name, err)
	}
	for _, side := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Remove(p.name + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write backup: %w", err)
		}
	}
	if err := errors.Join(p.lock.Chmod(0o600), p.lock.Truncate(0)); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// publish has the file on disk, and gives it its name.
func (p *partial) publish(file string) error {
	if err := p.lock.Sync(); err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	if err := os.Rename(p.name, file); err != nil {
		return fmt.Errorf("name backup: %w", err)
	}
	p.name = ""
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync the directory of the backup: %w", err)
	}
	return nil
}

// close removes a file that was not published.
func (p *partial) close() error {
	var err error
	if p.name != "" {
		err = os.Remove(p.name)
	}
	return errors.Join(err, p.lock.Close())
}

// kindOf says what is no file.
func kindOf(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}
