package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	executeFile = ll.AccessFSExecute | ll.AccessFSReadFile
	readDir     = ll.AccessFSReadFile | ll.AccessFSReadDir
	writeDir    = readDir | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir |
		ll.AccessFSMakeReg | ll.AccessFSMakeDir | ll.AccessFSMakeSock | ll.AccessFSMakeFifo
	// signalsABI is the version of Landlock that keeps signals inside.
	signalsABI = 6
)

// Probe asks the kernel for a sandbox, by making one, and says what it has.
func Probe() Support {
	var err error
	done := make(chan struct{})
	go onOwnThread(func() {
		defer close(done)
		err = restrictThread(Policy{})
	})
	<-done
	if err != nil {
		return Support{Missing: err.Error()}
	}
	if abi, err := ll.LandlockGetABIVersion(); err != nil || abi < signalsABI {
		return Support{Gaps: []string{"signals to other processes of the same user get through (Linux 6.12 and later stop them)"}}
	}
	return Support{}
}

// Start starts a program like os.StartProcess, in a sandbox. A thread of this process is
// its parent, and goes on until ended is closed, which must come after the program's end:
// with the thread ends the program that has a Pdeathsig.
//
// That thread is in the program's Landlock domain and has its user, for which the kernel
// lets the program look into it, and so into this whole process: memory, environment and
// descriptors, by way of /proc. So Start makes this process one that cannot be dumped
// (PR_SET_DUMPABLE), for good: nobody without CAP_SYS_PTRACE looks into it, which no
// sandboxed program has. It also leaves no core dump, and what /proc has of it belongs to
// root: an ordinary user reads neither its descriptors nor its environment from another
// process, and it itself cannot open what only the owner may, such as /proc/self/environ.
// Programs that it starts, in a sandbox or not, are dumpable again.
func Start(p Policy, name string, argv []string, attr *os.ProcAttr, ended <-chan struct{}) (*os.Process, error) {
	// Package os finds out once what the kernel can do with processes. In the sandbox it
	// would find out wrong things.
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Release()
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("close this process to the sandbox: %w", err)
	}
	type result struct {
		process *os.Process
		err     error
	}
	started := make(chan result, 1)
	go onOwnThread(func() {
		err := restrictThread(p)
		if err != nil {
			started <- result{err: fmt.Errorf("make sandbox: %w", err)}
			return
		}
		process, err := os.StartProcess(name, argv, attr) //nolint:gosec // what to start is the caller's to judge
		started <- result{process, err}
		if err == nil {
			<-ended
		}
	})
	r := <-started
	return r.process, r.err
}

// onOwnThread calls f on an operating system thread that nothing else uses, before or
// after. It is not the first of the process, which never ends and stands for the whole
// process in /proc.
func onOwnThread(f func()) {
	runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	go func() {
		defer close(done)
		onOwnThread(f)
	}()
	<-done
}

// restrictThread puts the calling thread into a sandbox for ever, and all that it starts.
// Go starts none of its own threads from one that a goroutine holds.
func restrictThread(p Policy) error {
	calls, err := assemble(filter())
	if err != nil {
		return err
	}
	if _, err := ll.LandlockGetABIVersion(); err != nil {
		return explainLandlock(err)
	}
	// Whatever the library knows and the kernel has is denied where no rule allows it.
	ruleset, flags, err := landlock.V11.BestEffort().NewRulesetFD(rules(p)...)
	if err != nil {
		return fmt.Errorf("make Landlock rules: %w", err)
	}
	if ruleset < 0 {
		return explainLandlock(unix.EOPNOTSUPP)
	}
	defer func() { _ = unix.Close(ruleset) }()
	if err := dropCapabilities(); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	if err := ll.LandlockRestrictSelf(ruleset, flags); err != nil {
		return fmt.Errorf("enter Landlock domain: %w", err)
	}
	return loadFilter(calls, 0)
}

// dropCapabilities takes all that the thread has. Root keeps none either: with no_new_privs a
// program gets no more than its parent has. Where there are none the kernel is not asked: the
// filter of a service manager or a container may forbid the call.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err == nil && has == [2]unix.CapUserData{} {
		return nil
	}
	return unix.Capset(&header, &make([]unix.CapUserData, 2)[0])
}

// assemble returns a seccomp filter as the kernel takes it.
func assemble(program []bpf.Instruction) ([]unix.SockFilter, error) {
	if len(program) == 0 {
		return nil, fmt.Errorf("the system calls of %s were not judged yet", runtime.GOARCH)
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return nil, fmt.Errorf("assemble seccomp filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return filter, nil
}

// loadFilter makes a seccomp filter the calling thread's. Flags are those of seccomp(2).
func loadFilter(filter []unix.SockFilter, flags uintptr) error {
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	//nolint:gosec // the kernel reads the filter while the call lasts
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	switch {
	case errors.Is(errno, unix.ENOSYS), errors.Is(errno, unix.EINVAL):
		return errors.New("this kernel is built without seccomp filters")
	case errno != 0:
		return fmt.Errorf("load seccomp filter: %w", errno)
	}
	return nil
}

// explainLandlock says in people's words why the kernel has no Landlock.
func explainLandlock(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return errors.New("this kernel is built without Landlock, which came with Linux 5.13")
	case errors.Is(err, unix.EOPNOTSUPP):
		return errors.New("Landlock is not enabled on this kernel: add landlock to the boot parameter lsm=") //nolint:staticcheck // a name
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return errors.New("the container does not allow Landlock: allow the landlock_* system calls in its seccomp profile")
	}
	return fmt.Errorf("ask for Landlock: %w", err)
}

// rules are Landlock's for a policy.
func rules(p Policy) []landlock.Rule {
	all := []landlock.Rule{
		landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSWriteFile, "/dev/null").IgnoreIfMissing(),
		landlock.PathAccess(ll.AccessFSReadFile, "/dev/urandom").IgnoreIfMissing(),
		landlock.PathAccess(executeFile, p.Execute...).IgnoreIfMissing(),
		landlock.PathAccess(writeDir, p.Write...).IgnoreIfMissing(),
	}
	for _, path := range p.Read {
		access := landlock.AccessFSSet(readDir)
		// Landlock takes rights of directories for directories alone.
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			access = ll.AccessFSReadFile
		}
		all = append(all, landlock.PathAccess(access, path).IgnoreIfMissing())
	}
	return all
}
