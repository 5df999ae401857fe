package unit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// stageVariable has this program be the manager that runs a program in the unit.
const stageVariable = "HOOKARR_UNIT_STAGE"

// stage is what a program is run in.
type stage struct {
	// Inside: the view of the file system is made.
	Inside   bool
	Root     string
	Unit     settings
	Calls    []uint32
	UID, GID int
	// Command is what is run; with the name probe, what the unit denies is tried.
	Command, Env []string
}

func runStage(spec string) int {
	var s stage
	err := json.Unmarshal([]byte(spec), &s)
	if err == nil && !s.Inside {
		code, err := s.enter()
		if err == nil {
			return code
		}
		fmt.Fprintln(os.Stderr, "stage:", err)
		return 99
	}
	if err == nil {
		err = s.become()
	}
	fmt.Fprintln(os.Stderr, "stage:", err)
	return 99
}

// enter makes the view of the file system that the unit asks for, in the mount namespace that
// this process has to itself, and runs the second stage with the users that there are in it.
func (s stage) enter() (int, error) {
	if err := s.mounts(); err != nil {
		return 0, err
	}
	// Who has changed its root by chroot makes no namespace of users. The former root is left
	// below the new one, and then taken away.
	if err := errors.Join(unix.Chdir(s.Root), unix.PivotRoot(".", "."), unix.Unmount(".", unix.MNT_DETACH)); err != nil {
		return 0, fmt.Errorf("enter the root: %w", err)
	}
	s.Inside = true
	spec, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(slices.Clone(s.Env), stageVariable+"="+string(spec))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	maps := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: id, HostID: id, Size: 1}}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER, UidMappings: maps(s.UID), GidMappings: maps(s.GID), GidMappingsEnableSetgroups: true,
	}
	runtime.LockOSThread() // with which the other ends
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start second stage: %w", err)
	}
	go func() {
		for range signals {
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}()
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// mounts are ProtectSystem=strict, PrivateTmp, PrivateDevices, ProtectProc=invisible,
// NoExecPaths, ExecPaths, ReadOnlyPaths, and the unit's directories.
func (s stage) mounts() error {
	in := func(path string) string { return filepath.Join(s.Root, path) }
	errs := []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(s.Root, s.Root, "", unix.MS_BIND, ""),
		unix.Mount("proc", in("proc"), "proc", 0, "hidepid=invisible"),
		unix.Mount("tmpfs", in("dev"), "tmpfs", 0, ""),
		unix.Mount("tmpfs", in("tmp"), "tmpfs", 0, "mode=1777"),
	}
	for _, device := range []string{"null", "zero", "random", "urandom"} {
		errs = append(errs, os.WriteFile(in("dev/"+device), nil, 0o666), unix.Mount("/dev/"+device, in("dev/"+device), "", unix.MS_BIND, ""))
	}
	set := func(path string, flags int, attr unix.MountAttr) {
		if err := unix.MountSetattr(-1, in(path), uint(flags), &attr); err != nil {
			errs = append(errs, fmt.Errorf("change mount %s: %w", path, err))
		}
	}
	change := func(path string, attr unix.MountAttr) {
		errs = append(errs, unix.Mount(in(path), in(path), "", unix.MS_BIND|unix.MS_REC, ""))
		set(path, unix.AT_RECURSIVE, attr)
	}
	set("/", unix.AT_RECURSIVE, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NOSUID})
	for _, path := range []string{"/proc", "/tmp", "/dev"} {
		set(path, 0, unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
	}
	for _, name := range s.Unit["StateDirectory"] {
		change("/var/lib/"+name, unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
	}
	for _, name := range s.Unit["RuntimeDirectory"] {
		change("/run/"+name, unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
	}
	for _, path := range s.paths("ReadOnlyPaths") {
		change(path, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	}
	for _, path := range s.paths("ExecPaths") {
		change(path, unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_NOEXEC})
	}
	return errors.Join(errs...)
}

// paths are those of a key that there are.
func (s stage) paths(key string) []string {
	var paths []string
	for _, value := range s.Unit[key] {
		for path := range strings.FieldsSeq(value) {
			path = strings.TrimPrefix(path, "-")
			if _, err := os.Stat(filepath.Join(s.Root, path)); err == nil {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// become takes the unit's user, gives everything else up, and becomes the command.
func (s stage) become() error {
	runtime.LockOSThread()
	for capability := range uintptr(64) {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("drop capability %d: %w", capability, err)
		}
	}
	unix.Umask(0o077)
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setresgid(s.GID, s.GID, s.GID), syscall.Setresuid(s.UID, s.UID, s.UID)); err != nil {
		return fmt.Errorf("take the user: %w", err)
	}
	if err := unix.Chdir(s.Unit["WorkingDirectory"][0]); err != nil {
		return err
	}
	const noExecGain = 1 // PR_MDWE_REFUSE_EXEC_GAIN
	err := errors.Join(
		unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0), // which another user has taken away
		unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), unix.Prctl(unix.PR_SET_MDWE, noExecGain, 0, 0, 0), s.loadFilter())
	if err != nil {
		return fmt.Errorf("give privileges up: %w", err)
	}
	if s.Command[0] == "probe" {
		return probe()
	}
	environ := slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, stageVariable) })
	return fmt.Errorf("run %s: %w", s.Command[0], unix.Exec(s.Command[0], s.Command, environ))
}

// The fields of struct seccomp_data of linux/seccomp.h.
const numberOffset, archOffset, argumentOffset, word = 0, 4, 16, 4

// loadFilter is SystemCallFilter with SystemCallErrorNumber=EPERM, RestrictNamespaces and
// RestrictAddressFamilies. What the calls of another architecture are is not looked at.
func (s stage) loadFilter() error {
	answer := func(errno unix.Errno) bpf.Instruction {
		return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
	}
	allow := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	argument := bpf.LoadAbsolute{Off: argumentOffset, Size: word}
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: numberOffset, Size: word}}
	on := func(call uint32, decide ...bpf.Instruction) {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: uint8(len(decide))})
		program = append(program, decide...)
	}
	on(unix.SYS_CLONE3, answer(unix.ENOSYS)) // systemd too lets C libraries go back to clone
	on(unix.SYS_CLONE, argument, bpf.JumpIf{
		Cond: bpf.JumpBitsNotSet, SkipTrue: 1,
		Val: unix.CLONE_NEWCGROUP | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUSER | unix.CLONE_NEWUTS,
	}, answer(unix.EPERM), allow)
	on(unix.SYS_UNSHARE, answer(unix.EPERM))
	on(unix.SYS_SETNS, answer(unix.EPERM))
	families := map[string]uint32{"AF_UNIX": unix.AF_UNIX, "AF_INET": unix.AF_INET, "AF_INET6": unix.AF_INET6}
	decide := []bpf.Instruction{argument}
	for name := range strings.FieldsSeq(s.Unit["RestrictAddressFamilies"][0]) {
		decide = append(decide, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: families[name], SkipTrue: 1}, allow)
	}
	on(unix.SYS_SOCKET, append(decide, answer(unix.EAFNOSUPPORT))...)
	for _, call := range s.Calls {
		on(call, allow)
	}
	raw, err := bpf.Assemble(append(program, answer(unix.EPERM)))
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	loaded := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&loaded))); errno != 0 {
		return fmt.Errorf("load filter: %w", errno)
	}
	return nil
}

// probe tries what the unit denies, and prints what comes of it.
func probe() error {
	attempt := func(what string, err error) { _, _ = fmt.Fprintf(os.Stdout, "%s: %v\n", what, err) }
	attempt("write configuration", os.WriteFile("/etc/hookarr/new", nil, 0o600))
	attempt("write plugin", os.WriteFile("/var/lib/hookarr/plugins/new", nil, 0o600))
	attempt("write data", os.WriteFile("/var/lib/hookarr/new", []byte("#!/usr/bin/hookarr\n"), 0o700))
	attempt("run data", unix.Exec("/var/lib/hookarr/new", []string{"new"}, nil))
	_, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	attempt("write and execute memory", err)
	_, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, 0)
	attempt("open netlink", err)
	attempt("mount", unix.Mount("tmpfs", "/tmp", "tmpfs", 0, ""))
	attempt("make namespace", unix.Unshare(unix.CLONE_NEWUSER))
	attempt("change owner", unix.Chown("/var/lib/hookarr/new", 0, 0))
	attempt("raise limit", unix.Setpriority(unix.PRIO_PROCESS, 0, -1))
	_, err = os.Stat(fmt.Sprintf("/proc/%d", 1))
	attempt("see process 1", err)
	os.Exit(0)
	return nil
}
