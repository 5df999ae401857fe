//go:build linux

package sandboxtest

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// onKernel are attempts to use what has a history of faults in the kernel, and what rules
// the machine.
func onKernel() []Attempt {
	return []Attempt{
		{Name: "do nothing", Try: func(World) error {
			if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set == 1 {
				return errors.New("there are no new privileges")
			}
			return nil
		}},
		{Name: "keep a capability", Root: true, Try: func(World) error {
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var data [2]unix.CapUserData
			if err := unix.Capget(&header, &data[0]); err != nil {
				return nil //nolint:nilerr // it fails the test
			}
			if data == ([2]unix.CapUserData{}) {
				return errors.New("there is none")
			}
			return nil
		}},
		{Name: "make a ring of requests", Try: func(World) error {
			var params [120]byte                                                                         // struct io_uring_params
			return opened(unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params)), 0)) //nolint:gosec // as the kernel wants it
		}},
		{Name: "handle page faults", Try: func(World) error {
			const userModeOnly = 1
			return opened(unix.Syscall(unix.SYS_USERFAULTFD, userModeOnly|unix.O_CLOEXEC, 0, 0))
		}},
		{Name: "load a program into the kernel", Root: true, Try: func(World) error {
			array := [4]uint32{unix.BPF_MAP_TYPE_ARRAY, 4, 4, 1}                                                                  // type, sizes of key and value, entries
			return opened(unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&array)), unsafe.Sizeof(array))) //nolint:gosec // as the kernel wants it
		}},
		{Name: "measure the kernel", Root: true, Try: func(World) error {
			attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK}
			attr.Size = uint32(unsafe.Sizeof(attr))
			fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{Name: "look for keys", Try: func(World) error {
			_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_PROCESS_KEYRING, true)
			return err
		}},
		{Name: "read the clock's discipline", Try: func(World) error {
			_, err := unix.Adjtimex(&unix.Timex{})
			return err
		}},
		{Name: "leave the namespaces", Root: true, Try: func(World) error {
			return onThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
		}},
		{Name: "enter the host's namespaces", Root: true, Try: func(w World) error {
			return withPidfd(w.PID, func(fd int) error { return onThread(func() error { return unix.Setns(fd, unix.CLONE_NEWNET) }) })
		}},
		{Name: "make a file system", Root: true, Try: func(World) error {
			fd, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{Name: "copy a mount", Root: true, Try: func(World) error {
			fd, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}},
		{Name: "mount a file system", Root: true, Try: func(w World) error {
			return onThread(func() error {
				if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
					return err
				}
				if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
					return err
				}
				return unix.Mount("tmpfs", w.Dir, "tmpfs", 0, "")
			})
		}},
		{Name: "change the root", Root: true, Try: func(World) error { return unix.Chroot("/") }},
		{Name: "name the machine", Root: true, Try: func(World) error {
			name, err := os.Hostname()
			if err != nil {
				return err
			}
			return unix.Sethostname([]byte(name))
		}},
		{Name: "read the kernel's log", Root: true, Try: func(World) error {
			const sizeOfBuffer = 10 // SYSLOG_ACTION_SIZE_BUFFER
			_, err := unix.Klogctl(sizeOfBuffer, nil)
			return err
		}},
	}
}

// opened closes the descriptor that a call returned.
func opened(fd, _ uintptr, errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}
