package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// progressEvery is the time between two words about a large volume.
const progressEvery = 5 * time.Second

// HandOver gives everything in the volume to the user of the container that is another's. A
// link is given itself, never what it leads to. What is mounted below the volume stays as it
// is, such as a library of media, and so does a file with further names, which may be outside.
// What cannot be given is told, and for Check to judge.
// It does nothing where this process is not root.
func (c Container) HandOver(ctx context.Context, say func(string)) error {
	if c.UID == 0 || os.Geteuid() != 0 {
		return nil
	}
	root, err := os.OpenRoot(c.Volume)
	if err != nil {
		return fmt.Errorf("open the volume: %w: mount one at %s", err, c.Volume)
	}
	defer func() { _ = root.Close() }()
	others, err := c.others(ctx, root)
	if err != nil || len(others) == 0 {
		return err
	}
	say(fmt.Sprintf("giving %s in %s to user %d and group %d", counted(len(others)), c.Volume, c.UID, c.GID))
	var failed []string
	var first error
	told := time.Now()
	// The directories last: who may not look into a foreign one still has to reach what is in it.
	for i, name := range slices.Backward(others) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(told) >= progressEvery {
			told = now
			say(fmt.Sprintf("%d of %s are given", len(others)-1-i, counted(len(others))))
		}
		err := root.Lchown(name, c.UID, c.GID)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EROFS) {
			failed, first = append(failed, name), cmp.Or(first, err)
		}
	}
	if first != nil {
		say(c.notGiven(failed, first))
	}
	return nil
}

// others lists what is in the volume and not the user's, each directory before what is in it.
func (c Container) others(ctx context.Context, root *os.Root) (names []string, err error) {
	mounts, err := mountPoints()
	if err != nil {
		return nil, err
	}
	volume, err := filepath.EvalSymlinks(c.Volume)
	if err != nil {
		return nil, fmt.Errorf("find the volume: %w", err)
	}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return nil //nolint:nilerr // it is gone, or root may not look in, as without CAP_DAC_OVERRIDE
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it is gone
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return nil
		}
		if name != "." && mounts[filepath.Join(volume, name)] {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if (int(st.Uid) != c.UID || int(st.Gid) != c.GID) && (d.IsDir() || st.Nlink == 1) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// mountPoints are where something is mounted, from the same file system too.
func mountPoints() (map[string]bool, error) {
	list, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find what is mounted in the volume: %w", err)
	}
	points := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		// The fifth field, with spaces and such as octal numbers: proc_pid_mountinfo(5).
		if fields := strings.Fields(line); len(fields) > 4 {
			point, err := strconv.Unquote(`"` + strings.ReplaceAll(fields[4], `"`, `\"`) + `"`)
			if err != nil {
				return nil, fmt.Errorf("read the mount point %s: %w", fields[4], err)
			}
			points[point] = true
		}
	}
	return points, nil
}

func (c Container) notGiven(failed []string, err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	mend := "the file system of the volume does not let it"
	if !has(unix.CAP_CHOWN) {
		mend = "add cap_add: [CHOWN, SETGID, SETUID] to the container"
	}
	return fmt.Sprintf("%s could not be given, such as %s: %v: %s, or run on the host: %s",
		counted(len(failed)), filepath.Join(c.Volume, failed[0]), err, mend, c.chown(c.UID, c.GID))
}

func counted(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// chown is what mends the volume on the host, where its path is not known here.
func (Container) chown(uid, gid int) string {
	return fmt.Sprintf("sudo chown -R %d:%d /path/of/your/config/volume", uid, gid)
}

// Check says what this process may not do in the volume, and what mends it on the host: make
// files there, and read those that are named and what is in them. What else there is, such as
// the rubbish of a storage box, is no matter.
func (c Container) Check(names ...string) error {
	if c.Volume == "" {
		return nil
	}
	if err := c.writable(c.Volume); err != nil {
		return err
	}
	for _, name := range names {
		if err := c.readable(filepath.Join(c.Volume, name)); err != nil {
			return err
		}
	}
	return nil
}

func (c Container) readable(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return c.foreign(path, "look into")
		case err != nil || d.IsDir() || !d.Type().IsRegular():
			return nil //nolint:nilerr // what is gone is no trouble
		case errors.Is(access(path, unix.R_OK), unix.EACCES):
			return c.foreign(path, "read")
		}
		return nil
	})
}

// CheckDatabase is Check for a SQLite database, of which everything is written to.
func (c Container) CheckDatabase(path string) error {
	if c.Volume == "" {
		return nil
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // it is made
	}
	if err := c.writable(dir); err != nil {
		return err
	}
	files, _ := filepath.Glob(path + "*") // an error is of the pattern
	for _, file := range files {
		if errors.Is(access(file, unix.R_OK|unix.W_OK), unix.EACCES) {
			return c.foreign(file, "write to")
		}
	}
	return nil
}

// writable makes a file in a directory, and says why it cannot.
func (c Container) writable(dir string) error {
	f, err := os.CreateTemp(dir, ".hookarr-*")
	switch {
	case err == nil:
		return errors.Join(f.Close(), os.Remove(f.Name()))
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %s: mount a volume there", dir)
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%s is mounted read-only: take :ro from its line under volumes:, or mount a volume there: the configuration and the database are written", dir)
	case errors.Is(err, fs.ErrPermission):
		return c.foreign(dir, "write to")
	default:
		return fmt.Errorf("write to %s: %w", dir, err)
	}
}

// foreign says whose a file or directory is that this process may not use.
func (Container) foreign(path, what string) error {
	uid, gid := os.Geteuid(), os.Getegid()
	mend := Container{}.chown(uid, gid)
	info, err := os.Lstat(path)
	st, ok := owner(info)
	switch {
	case err != nil || !ok:
		return fmt.Errorf("user %d and group %d may not %s %s: run on the host: %s", uid, gid, what, path, mend)
	case int(st.Uid) == uid:
		return fmt.Errorf("user %d may not %s %s, which is its own (mode %04o): run on the host: sudo chmod -R u+rwX /path/of/your/config/volume; "+
			"with SELinux, add :Z to the volume's line", uid, what, path, info.Mode().Perm())
	default:
		return fmt.Errorf("user %d and group %d may not %s %s, which belongs to user %d and group %d (mode %04o): run on the host: %s",
			uid, gid, what, path, st.Uid, st.Gid, info.Mode().Perm(), mend)
	}
}

func owner(info fs.FileInfo) (*syscall.Stat_t, bool) {
	if info == nil {
		return nil, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return st, ok
}

// access asks the kernel, as modes do not say everything.
func access(path string, mode uint32) error {
	return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
}
