//go:build linux

package sandboxtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// onProcesses are attempts to start others, to look into them and to change them.
func onProcesses() []Attempt {
	return []Attempt{
		{Name: "run a shell", Try: func(World) error { return exec.Command("/bin/sh", "-c", "exit 0").Run() }}, //nolint:noctx // a test's
		{Name: "be outside in a process of its own", Try: func(w World) error { return Command(w.Self, "read a file of the host", w).Run() }},
		{Name: "be without the filter in a process of its own", Try: func(w World) error { return Command(w.Self, "make a netlink socket", w).Run() }},
		{Name: "run a program that it wrote", Try: func(w World) error {
			path := w.Own + "/program"
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil { //nolint:gosec // it is to be run
				return nil //nolint:nilerr // this must be possible: it fails the test
			}
			return exec.Command(path).Run() //nolint:noctx // a test's
		}},
		{Name: "use the calls of another architecture", Try: func(w World) error {
			if w.Foreign == "" {
				return errors.ErrUnsupported
			}
			return exec.Command(w.Foreign).Run() //nolint:noctx // a test's
		}},
		{Name: "signal the host", Try: func(w World) error { return unix.Kill(w.PID, 0) }},
		{Name: "signal everything", Try: func(World) error { return unix.Kill(-1, 0) }},
		{Name: "signal a thread of the host", Try: func(w World) error { return unix.Tgkill(w.PID, w.PID, 0) }},
		{Name: "signal any thread of the host", Try: func(w World) error {
			return onThreadsOf(w.PID, func(tid int, _ string) error { return unix.Tgkill(w.PID, tid, 0) })
		}},
		{Name: "have the host signalled for a file", Try: func(w World) error {
			return withPair(func(fd int) error {
				_, err := unix.FcntlInt(uintptr(fd), unix.F_SETOWN, w.PID)
				return err
			})
		}},
		{Name: "have a thread of the host signalled for a file", Try: func(w World) error {
			return withPair(func(fd int) error {
				owner := [2]int32{0, int32(w.PID)}                                                                          // struct f_owner_ex, with F_OWNER_TID
				_, _, errno := unix.Syscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETOWN_EX, uintptr(unsafe.Pointer(&owner))) //nolint:gosec // as the kernel wants it
				return orNil(errno)
			})
		}},
		{Name: "have the host signalled for a socket", Try: func(w World) error {
			return withPair(func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.SIOCSPGRP, w.PID) })
		}},
		{Name: "choose the signal for a file", Try: func(World) error {
			return withPair(func(fd int) error {
				_, err := unix.FcntlInt(uintptr(fd), unix.F_SETSIG, int(unix.SIGKILL))
				return err
			})
		}},
		{Name: "show another environment", Try: func(World) error {
			var size uint32
			err := unix.Prctl(unix.PR_SET_MM, unix.PR_SET_MM_MAP_SIZE, uintptr(unsafe.Pointer(&size)), 0, 0) //nolint:gosec // as the kernel wants it
			if errors.Is(err, unix.EINVAL) {
				return errors.ErrUnsupported // without CONFIG_CHECKPOINT_RESTORE
			}
			return err
		}},
		{Name: "hide from /proc", Try: func(World) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }},
		{Name: "signal the host by a descriptor", Try: func(w World) error {
			return withPidfd(w.PID, func(fd int) error { return unix.PidfdSendSignal(fd, 0, nil, 0) })
		}},
		{Name: "take a descriptor of the host", Try: func(w World) error {
			return withPidfd(w.PID, func(fd int) error {
				taken, err := unix.PidfdGetfd(fd, 0, 0)
				if err == nil {
					_ = unix.Close(taken)
				}
				return err
			})
		}},
		{Name: "trace the host", Try: func(w World) error {
			return onThread(func() error {
				_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(w.PID), 0, 0, 0, 0)
				return orNil(errno)
			})
		}},
		{Name: "read the host's memory", Try: func(w World) error {
			there := make([]byte, 1)
			local := []unix.Iovec{{Base: &there[0], Len: 1}}
			_, err := unix.ProcessVMReadv(w.PID, local, []unix.RemoteIovec{{Base: 1, Len: 1}}, 0)
			if errors.Is(err, unix.EFAULT) {
				return nil // it may, and nothing is at that address
			}
			return err
		}},
		{Name: "read the host's limits", Try: func(w World) error {
			var limit unix.Rlimit
			return unix.Prlimit(w.PID, unix.RLIMIT_NOFILE, nil, &limit)
		}},
		{Name: "slow the host down", Try: func(w World) error { return unix.Setpriority(unix.PRIO_PROCESS, w.PID, 19) }},
		{Name: "move the host to a processor", Try: func(w World) error {
			var set unix.CPUSet
			if err := unix.SchedGetaffinity(w.PID, &set); err != nil {
				return nil //nolint:nilerr // it fails the test
			}
			return unix.SchedSetaffinity(w.PID, &set)
		}},
		{Name: "share memory", Try: func(World) error {
			id, err := unix.SysvShmGet(unix.IPC_PRIVATE, os.Getpagesize(), 0o600)
			if err != nil {
				return err
			}
			_, err = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
			return err
		}},
		{Name: "open a message queue", Try: func(World) error {
			name := []byte("hookarr-attempt\x00")
			fd, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(&name[0])), unix.O_CREAT|unix.O_RDWR, 0o600, 0, 0, 0) //nolint:gosec // as the kernel wants it
			if errno != 0 {
				return errno
			}
			_ = unix.Close(int(fd))
			_, _, errno = unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(&name[0])), 0, 0) //nolint:gosec // the same
			return orNil(errno)
		}},
		{Name: "make a user namespace", Try: func(w World) error {
			cmd := Command(w.Self, "do nothing", w)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
			return cmd.Run()
		}},
		{Name: "make a network namespace by clone3", Root: true, Try: func(World) error {
			args := [11]uint64{unix.CLONE_NEWNET | unix.CLONE_VFORK, 0, 0, 0, uint64(unix.SIGCHLD)}
			return onThread(func() error {
				// The size is wrong, which is seen after the call was let through.
				_, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), 1, 0) //nolint:gosec // as the kernel wants it
				if errno == unix.EINVAL {
					return nil
				}
				return errno
			})
		}},
	}
}

// onThreadsOf does something with each thread of a process, and its directory in /proc,
// until that succeeds. Nothing lists them inside; those that matter are older than this
// process.
func onThreadsOf(pid int, do func(tid int, dir string) error) error {
	err := errors.New("there is no thread")
	for tid := pid; tid < os.Getpid(); tid++ {
		dir := fmt.Sprintf("/proc/%d/task/%d/", pid, tid)
		if _, missing := os.Stat(dir); missing != nil {
			continue
		}
		if err = do(tid, dir); err == nil {
			return nil
		}
	}
	return err
}

// withPair does something with one of a pair of sockets.
func withPair(do func(fd int) error) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil // this must be possible: it fails the test
	}
	defer func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) }()
	return do(pair[0])
}

func withPidfd(pid int, do func(fd int) error) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // this must be possible: it fails the test
	}
	defer func() { _ = unix.Close(fd) }()
	return do(fd)
}

// onThread does something on a thread that ends with it, and what belongs to the thread.
func onThread(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- do()
	}()
	return <-done
}

func orNil(errno syscall.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}
