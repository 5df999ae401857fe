package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// partialSuffix is what the name of a backup that is being written goes on with, and then
	// with what no other has: file systems of other machines have no locks to rely on.
	partialSuffix = ".partial-"
	// leftAfter is how long such a file has not been written to that a process has left which
	// was killed.
	leftAfter = 12 * time.Hour
)

// createPartial makes the file beside where it is to be, and removes what killed processes
// have left.
func createPartial(file string) (*os.File, error) {
	dir, name := filepath.Split(file)
	dir = filepath.Clean(dir)
	there, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("write backup: %w", err)
	}
	for _, entry := range there {
		if !strings.HasPrefix(entry.Name(), name+partialSuffix) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftAfter {
			_ = os.Remove(filepath.Join(dir, entry.Name())) // who may not remove it can write beside it
		}
	}
	f, err := os.CreateTemp(dir, name+partialSuffix+"*")
	if err != nil {
		return nil, fmt.Errorf("write backup: %w", err)
	}
	return f, nil
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove unfinished backup: %w", err)
	}
	return nil
}

// publish has the file on disk, and gives it its name.
func publish(f *os.File, file string) error {
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("name backup: %w", err)
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("sync backup: %w", err)
	}
	err = dir.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a share, which has its directories on disk when it chooses
	}
	if err = errors.Join(err, dir.Close()); err != nil {
		return fmt.Errorf("sync the directory of the backup: %w", err)
	}
	return nil
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
