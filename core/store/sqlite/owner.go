package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// An operator may be root where the server is not. What root makes of a database belongs to
// whom the database does, or its directory: the server could not open it otherwise. Whoever
// that is may put links there, so that a change of owner follows none.

// makeDir makes a directory, and those above it, for the owner of the one that is there.
func makeDir(dir string) error {
	if os.Geteuid() != 0 {
		return os.MkdirAll(dir, 0o700)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	top := dir
	for {
		_, err := os.Stat(top)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || top == filepath.Dir(top) {
			return err
		}
		top = filepath.Dir(top)
	}
	if top == dir {
		return os.MkdirAll(dir, 0o700) // an error where it is none
	}
	return makeBelow(top, strings.TrimPrefix(dir[len(top):], string(filepath.Separator)))
}

// makeBelow makes directories below one that nothing leads out of.
func makeBelow(top, below string) (err error) {
	root, err := os.OpenRoot(top)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	if err := root.MkdirAll(below, 0o700); err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			pe.Path = filepath.Join(top, pe.Path)
		}
		return err
	}
	uid, gid, ok := ownerOf(info)
	if !ok || uid == 0 {
		return nil
	}
	// The innermost first: those around it are root's until then, and stay what they are.
	for ; below != "."; below = filepath.Dir(below) {
		if err := root.Lchown(below, uid, gid); err != nil && !unchangeable(err) {
			return err
		}
	}
	return nil
}

// openOrMake opens a file of the database at path, which it makes where it is missing.
func openOrMake(name, path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(name, os.O_RDWR|os.O_CREATE|flags, 0o600)
	}
	if err != nil {
		return nil, err
	}
	if err := give(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// give has an open file of root's, which is one of the database at path, belong to whom the
// database does, or to whom its directory does where it is missing or the file itself.
func give(f *os.File, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	own, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at %s: %w", f.Name(), err)
	}
	owner, err := os.Stat(path)
	if err != nil || os.SameFile(own, owner) {
		owner, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("look at the directory of the database: %w", err)
	}
	uid, gid, ok := ownerOf(owner)
	has, _, _ := ownerOf(own)
	// What has another name, too, may be a file of the system.
	if !ok || has != 0 || uid == 0 || !own.Mode().IsRegular() || links(own) > 1 {
		return nil
	}
	if err := f.Chown(uid, gid); err != nil && !unchangeable(err) {
		return fmt.Errorf("give %s to the owner of the database: %w", f.Name(), err)
	}
	return nil
}

// giveFile is give for a file that is closed.
func giveFile(name, path string) error {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	return errors.Join(give(f, path), f.Close())
}

// unchangeable reports whether the system knows no owners there, as on a share, or lets this
// root change none, as in a container: then files are made as they always were.
func unchangeable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}

func ownerOf(info fs.FileInfo) (uid, gid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}

func links(info fs.FileInfo) uint64 {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 1
	}
	return uint64(s.Nlink) //nolint:unconvert // it is smaller on other systems
}
