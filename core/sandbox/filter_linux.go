//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// What a filter decides.
	allowed = uint32(unix.SECCOMP_RET_ALLOW)
	denied  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	// unknown is what a kernel answers that does not have a call.
	unknown = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	killed  = uint32(unix.SECCOMP_RET_KILL_PROCESS)
	// newestCall is the last call that was judged. Numbers are given in order.
	newestCall = unix.SYS_RSEQ_SLICE_YIELD
	// newNamespaces are the flags of clone(2) that make a namespace.
	newNamespaces = unix.CLONE_NEWCGROUP | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWNS |
		unix.CLONE_NEWPID | unix.CLONE_NEWUSER | unix.CLONE_NEWUTS
	// Where struct seccomp_data of linux/seccomp.h has what. An argument is two words, the
	// lower first, and the kernel looks at that alone where it wants an int.
	numberOffset, archOffset, argumentOffset, argumentSize, word = 0, 4, 16, 8, 4
)

// deniedCalls are the system calls that a sandboxed program has no use for, by what they
// would let it do. Landlock alone keeps it from none of them, or not with every kernel.
func deniedCalls() []uint32 {
	return slices.Concat(legacyCalls(),
		// Reach others over sockets: it is others who connect.
		[]uint32{unix.SYS_CONNECT},
		// Change files that can be named, or are open for reading.
		[]uint32{
			unix.SYS_FCHMOD, unix.SYS_FCHMODAT, unix.SYS_FCHMODAT2, unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, unix.SYS_UTIMENSAT, unix.SYS_TRUNCATE,
			unix.SYS_SETXATTR, unix.SYS_LSETXATTR, unix.SYS_FSETXATTR, unix.SYS_SETXATTRAT,
			unix.SYS_REMOVEXATTR, unix.SYS_LREMOVEXATTR, unix.SYS_FREMOVEXATTR, unix.SYS_REMOVEXATTRAT, unix.SYS_FILE_SETATTR,
		},
		// Read what is attached to files, for which Landlock has no right.
		[]uint32{
			unix.SYS_GETXATTR, unix.SYS_LGETXATTR, unix.SYS_FGETXATTR, unix.SYS_GETXATTRAT,
			unix.SYS_LISTXATTR, unix.SYS_LLISTXATTR, unix.SYS_FLISTXATTR, unix.SYS_LISTXATTRAT,
		},
		// Watch files, or open them by other ways than their names.
		[]uint32{
			unix.SYS_INOTIFY_ADD_WATCH, unix.SYS_FANOTIFY_INIT, unix.SYS_FANOTIFY_MARK,
			unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_LOOKUP_DCOOKIE,
		},
		// Look into other processes, or change them.
		[]uint32{
			unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PROCESS_MADVISE, unix.SYS_PROCESS_MRELEASE,
			unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
			unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_PIDFD_SEND_SIGNAL,
			unix.SYS_SETPRIORITY, unix.SYS_IOPRIO_SET, unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES,
		},
		// Talk to them without files: System V IPC and POSIX message queues.
		[]uint32{
			unix.SYS_SHMGET, unix.SYS_SHMAT, unix.SYS_SHMCTL, unix.SYS_MSGGET, unix.SYS_MSGSND, unix.SYS_MSGRCV, unix.SYS_MSGCTL,
			unix.SYS_SEMGET, unix.SYS_SEMOP, unix.SYS_SEMTIMEDOP, unix.SYS_SEMCTL, unix.SYS_MQ_OPEN, unix.SYS_MQ_UNLINK,
		},
		// Use what has a history of faults in the kernel.
		[]uint32{
			unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN,
			unix.SYS_USERFAULTFD, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
		},
		// Change the view of the file system, or leave a namespace.
		[]uint32{
			unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR, unix.SYS_FSOPEN,
			unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_STATMOUNT, unix.SYS_LISTMOUNT,
			unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_LISTNS,
		},
		// Rule the machine, where the program runs as root.
		[]uint32{
			unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_REBOOT,
			unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_NFSSERVCTL,
			unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME,
			unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SYSLOG, unix.SYS_VHANGUP,
		},
	)
}

// deniedValue is an argument of a call that sandboxed programs do use with others.
type deniedValue struct {
	call, argument uint32
	values         []uint32
}

func deniedValues() []deniedValue {
	// FIOSETOWN of asm-generic/sockios.h, FS_IOC_FSSETXATTR and FS_IOC_SETVERSION of
	// linux/fs.h, which package unix does not have.
	const setOwner, setFlags, setVersion = 0x8901, 0x401c5820, 0x40087602
	return []deniedValue{
		// Landlock lets signals through to this process: the thread that is the program's
		// parent is in the program's domain. One to any thread can end them all.
		{unix.SYS_TGKILL, 0, []uint32{uint32(os.Getpid())}},
		// Whoever owns a file is signalled when something happens to it: the kernel sends what
		// the program may not. A lease holds up others that open a file.
		{unix.SYS_FCNTL, 1, []uint32{unix.F_SETOWN, unix.F_SETOWN_EX, unix.F_SETSIG, unix.F_SETLEASE, unix.F_NOTIFY}},
		// The same, and attributes of files that are open for reading.
		{unix.SYS_IOCTL, 1, []uint32{setOwner, unix.SIOCSPGRP, unix.FS_IOC_SETFLAGS, setFlags, setVersion}},
		// Change or hide what /proc shows of the program, by which its processes are found.
		{unix.SYS_PRCTL, 0, []uint32{unix.PR_SET_MM, unix.PR_SET_DUMPABLE}},
	}
}

// filter is the seccomp filter. It ends a program that uses the calls of another
// architecture, such as those of 32 bits, whose numbers mean something else, and answers
// for calls that came later, and those of x32, as a kernel does that does not have them.
func filter() []bpf.Instruction {
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		answer(killed),
		bpf.LoadAbsolute{Off: numberOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: newestCall, SkipTrue: 1},
		answer(unknown),
	}
	on := func(call uint32, decide ...bpf.Instruction) {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: uint8(len(decide))})
		program = append(program, decide...)
	}
	for _, call := range deniedCalls() {
		on(call, answer(denied))
	}
	// A datagram socket, even one of a pair, can send to any other.
	for _, call := range []uint32{unix.SYS_SOCKET, unix.SYS_SOCKETPAIR} {
		on(call,
			argument(0),
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.AF_UNIX, SkipTrue: 3},
			argument(1),
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: ^uint32(unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK)},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_STREAM, SkipTrue: 1},
			answer(denied),
			answer(allowed))
	}
	for _, d := range deniedValues() {
		decide := []bpf.Instruction{argument(d.argument)}
		for i, value := range d.values {
			decide = append(decide, bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipTrue: uint8(len(d.values) - i)})
		}
		on(d.call, append(decide, answer(allowed), answer(denied))...)
	}
	// Process 0 is the caller's own.
	for _, call := range []uint32{
		unix.SYS_PRLIMIT64, unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_SETATTR, unix.SYS_SCHED_SETPARAM, unix.SYS_SCHED_SETSCHEDULER,
	} {
		on(call, argument(0), bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1}, answer(denied), answer(allowed))
	}
	on(unix.SYS_CLONE, argument(0), bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: newNamespaces, SkipTrue: 1}, answer(denied), answer(allowed))
	// Its flags are in memory, where no filter sees them. C libraries go back to clone.
	on(unix.SYS_CLONE3, answer(unknown))
	return append(program, answer(allowed))
}

// answer ends the filter with a decision.
func answer(action uint32) bpf.Instruction { return bpf.RetConstant{Val: action} }

// argument loads the lower word of a call's argument.
func argument(i uint32) bpf.Instruction {
	return bpf.LoadAbsolute{Off: argumentOffset + i*argumentSize, Size: word}
}
