//go:build linux

package sandboxtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ownDescriptor is the program's own binary, open for reading.
const ownDescriptor = 3

// onFiles are attempts to read and write.
func onFiles() []Attempt {
	return []Attempt{
		{Name: "read the users of the machine", Try: func(World) error { return read("/etc/passwd") }},
		{Name: "read a file of the host", Try: func(w World) error { return read(w.secret()) }},
		{Name: "read a file by a path out of the own directory", Try: func(w World) error {
			rel, err := filepath.Rel(w.Own, w.secret())
			if err != nil {
				return err
			}
			return read(w.Own + "/" + rel)
		}},
		{Name: "list a directory of the host", Try: func(w World) error {
			_, err := os.ReadDir(w.Dir)
			return err
		}},
		{Name: "list the directory of all own directories", Try: func(w World) error {
			_, err := os.ReadDir(filepath.Dir(w.Own))
			return err
		}},
		{Name: "list the processes", Try: func(World) error {
			_, err := os.ReadDir("/proc")
			return err
		}},
		{Name: "write a new file", Try: func(w World) error { return os.WriteFile(filepath.Join(w.Dir, "new"), nil, 0o600) }},
		{Name: "write to /tmp", Try: func(World) error {
			f, err := os.CreateTemp("/tmp", "hookarr-attempt-")
			if err != nil {
				return err
			}
			_ = f.Close()
			return os.Remove(f.Name())
		}},
		{Name: "append to a file", Try: func(w World) error {
			f, err := os.OpenFile(w.secret(), os.O_WRONLY|os.O_APPEND, 0) //nolint:gosec // its purpose
			if err != nil {
				return err
			}
			return f.Close()
		}},
		{Name: "truncate a file", Try: func(w World) error { return os.Truncate(w.secret(), 1) }},
		{Name: "truncate a file that is opened", Try: func(w World) error {
			f, err := os.OpenFile(w.secret(), os.O_RDONLY|os.O_TRUNC, 0) //nolint:gosec // its purpose
			if err != nil {
				return err
			}
			return f.Close()
		}},
		{Name: "make a directory", Try: func(w World) error { return os.Mkdir(filepath.Join(w.Dir, "directory"), 0o700) }},
		{Name: "make a pipe", Try: func(w World) error { return unix.Mkfifo(filepath.Join(w.Dir, "pipe"), 0o600) }},
		{Name: "remove a file", Try: func(w World) error { return os.Remove(filepath.Join(w.Dir, "doomed")) }},
		{Name: "remove a directory", Try: func(w World) error { return os.Remove(filepath.Join(w.Dir, "doomed.d")) }},
		{Name: "move a file out", Try: func(w World) error {
			return os.Rename(filepath.Join(w.Dir, "movable"), filepath.Join(w.Own, "movable"))
		}},
		{Name: "move a file in", Try: func(w World) error {
			own := filepath.Join(w.Own, "mine")
			if err := os.WriteFile(own, nil, 0o600); err != nil {
				return nil //nolint:nilerr // this must be possible: it fails the test
			}
			return os.Rename(own, filepath.Join(w.Dir, "mine"))
		}},
	}
}

// onOthersFiles are attempts to change files by what is no reading and no writing.
func onOthersFiles() []Attempt {
	now := []unix.Timespec{{Sec: 1}, {Sec: 1}}
	return []Attempt{
		{Name: "link a file in", Try: func(w World) error { return os.Link(w.secret(), filepath.Join(w.Own, "hard")) }},
		{Name: "lead the host astray by a symbolic link", Try: func(w World) error {
			return os.Symlink(w.secret(), filepath.Join(w.Own, "soft"))
		}},
		{Name: "make a symbolic link elsewhere", Try: func(w World) error { return os.Symlink("/", filepath.Join(w.Dir, "soft")) }},
		{Name: "change a file's mode", Try: func(w World) error {
			return os.Chmod(w.secret(), 0o400) //nolint:gosec // its purpose
		}},
		{Name: "change a file's mode by another call", Try: func(w World) error {
			return unix.Fchmodat(unix.AT_FDCWD, w.secret(), 0o644, unix.AT_SYMLINK_NOFOLLOW)
		}},
		{Name: "change the mode of the own binary", Root: true, Try: func(World) error { return unix.Fchmod(ownDescriptor, 0o755) }},
		{Name: "change a file's owner", Try: func(w World) error {
			return os.Chown(w.secret(), os.Getuid(), os.Getgid()) //nolint:gosec // its purpose
		}},
		{Name: "change a file's times", Try: func(w World) error { return unix.UtimesNanoAt(unix.AT_FDCWD, w.secret(), now, 0) }},
		{Name: "change a file's attributes", Try: func(w World) error { return unix.Setxattr(w.secret(), "user.hookarr", []byte("x"), 0) }},
		{Name: "change an attribute of the own binary", Root: true, Try: func(World) error {
			if err := unix.Fsetxattr(ownDescriptor, "user.hookarr", []byte("x"), 0); err != nil {
				return err
			}
			return unix.Fremovexattr(ownDescriptor, "user.hookarr")
		}},
		{Name: "list a file's attributes", Try: func(w World) error {
			_, err := unix.Listxattr(w.secret(), nil)
			return err
		}},
		{Name: "read an attribute of a file", Try: func(w World) error {
			_, err := unix.Getxattr(w.secret(), "user.hookarr", nil)
			if errors.Is(err, unix.ENODATA) {
				return nil // it may, and there is none
			}
			return err
		}},
		{Name: "take a lease of a file", Try: func(w World) error {
			path := filepath.Join(w.Own, "leased")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return nil // this must be possible: it fails the test
			}
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
			return err
		}},
		{Name: "watch a directory", Try: func(w World) error {
			fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
			if err != nil {
				return err
			}
			defer func() { _ = unix.Close(fd) }()
			_, err = unix.InotifyAddWatch(fd, w.Dir, unix.IN_ALL_EVENTS)
			return err
		}},
		{Name: "open a file by its handle", Root: true, Try: func(w World) error {
			handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, w.secret(), 0)
			if err != nil {
				return err
			}
			fd, err := unix.OpenByHandleAt(unix.AT_FDCWD, handle, unix.O_RDONLY)
			if err == nil {
				_ = unix.Close(fd)
			}
			return err
		}},
		{Name: "read the host's environment", Try: func(w World) error { return read(w.proc("environ")) }},
		{Name: "read the host's command line", Try: func(w World) error { return read(w.proc("cmdline")) }},
		{Name: "open the host's memory", Try: func(w World) error {
			f, err := os.OpenFile(w.proc("mem"), os.O_RDWR, 0) //nolint:gosec // its purpose
			if err != nil {
				return err
			}
			return f.Close()
		}},
		{Name: "list the host's descriptors", Try: func(w World) error {
			_, err := os.ReadDir(w.proc("fd"))
			return err
		}},
		{Name: "see where the host's descriptors lead", Try: func(w World) error {
			_, err := os.Readlink(w.proc("fd/0"))
			return err
		}},
		{Name: "read through the host's root", Try: func(w World) error { return read(w.proc("root/etc/passwd")) }},
		{Name: "write to a device", Root: true, Try: func(World) error {
			f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			return f.Close()
		}},
	}
}

// onHostsThreads are attempts to look into the host by way of those of its threads that are
// as restricted as the program.
func onHostsThreads() []Attempt {
	through := func(try func(dir string) error) func(World) error {
		return func(w World) error {
			return onThreadsOf(w.PID, func(_ int, dir string) error { return try(dir) })
		}
	}
	return []Attempt{
		{Name: "read the host's environment through a thread", Try: through(func(dir string) error { return read(dir + "environ") })},
		{Name: "read the host's addresses through a thread", Try: through(func(dir string) error { return read(dir + "maps") })},
		{Name: "read through a thread's root", Try: through(func(dir string) error { return read(dir + "root/etc/passwd") })},
		{Name: "open the host's memory through a thread", Try: through(func(dir string) error {
			f, err := os.Open(dir + "mem")
			if err != nil {
				return err
			}
			return f.Close()
		})},
		{Name: "see where a thread's descriptors lead", Try: through(func(dir string) error {
			_, err := os.Readlink(dir + "fd/1")
			return err
		})},
		{Name: "write to a pipe of the host through a thread", Try: through(func(dir string) error {
			err := errors.New("there is no pipe")
			for i := range 64 {
				path := fmt.Sprintf("%sfd/%d", dir, i)
				to, linkErr := os.Readlink(path)
				if errors.Is(linkErr, fs.ErrNotExist) || linkErr == nil && !strings.HasPrefix(to, "pipe:") {
					continue
				}
				var fd int
				if fd, err = unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err == nil {
					return unix.Close(fd)
				}
			}
			return err
		})},
	}
}

// read reads some of a file.
func read(path string) error {
	f, err := os.Open(path) //nolint:gosec // its purpose
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = f.Read(make([]byte, 1))
	return err
}
