package pluginhost

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// startProcesses serves starts until requests is closed, and sets the limits of what it has
// started. It must have an operating
// system thread to itself for as long as any child lives: Linux sends Pdeathsig
// when the thread that forked ends, not when the process does, and Go ends threads
// as it likes. It is the last defence against orphans; plugins also exit at the
// end of their standard input.
func startProcesses(requests <-chan startRequest, setLimits func(pid int) error) {
	// Never unlocked: the thread ends with the goroutine.
	runtime.LockOSThread()
	for r := range requests {
		p, err := r.start()
		if err == nil {
			err = restrict(p, setLimits)
		}
		r.started <- startResult{p, err}
	}
}

// processAttr gives the child a session and a process group of its own, by which its own
// children are found and killed with it, and kills it when this process dies, unless it
// outlives that.
func processAttr(outlives bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if outlives {
		attr.Pdeathsig = 0
	}
	return attr
}

// groupLives reports whether a process group has a member that is no zombie.
func groupLives(pgid int) bool {
	all, _ := filepath.Glob("/proc/[0-9]*")
	return slices.ContainsFunc(all, func(dir string) bool {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		p, err := readStat(pid)
		return err == nil && p.group == pgid && p.state != 'Z' && p.state != 'X'
	})
}

// killGroup ends all processes of a group.
func killGroup(pgid int) { _ = unix.Kill(-pgid, unix.SIGKILL) }

// execPath returns a path that executes the file open in the child as execFile,
// whatever has become of its name: what was checked is what runs. The path is a
// link in dir, because the kernel names the process after the last element.
func execPath(dir string, f *os.File) (string, error) {
	link := filepath.Join(dir, filepath.Base(f.Name()))
	return link, os.Symlink("/proc/self/fd/"+strconv.Itoa(execFile), link)
}

// reap waits for a child's end, then ends what the child has left running in its
// process group. The group is signalled before the child is reaped, while its id
// cannot have become another's.
func reap(p *os.Process) (*os.ProcessState, error) {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	_ = unix.Kill(-p.Pid, unix.SIGKILL)
	return p.Wait()
}

// lockFile locks a file for this process until it is closed, if it is free.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// noExec reports whether a file is on a file system that is mounted so that nothing on it
// can be executed.
func noExec(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && st.Flags&unix.ST_NOEXEC != 0
}

// owner returns the user that owns a file.
func owner(info fs.FileInfo) (uid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

// foreign reports whether a process was ended by a signal that comes from outside:
// from an operator, a service manager or the kernel short of memory.
func foreign(state *os.ProcessState) bool {
	ws, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !ws.Signaled() {
		return false
	}
	switch ws.Signal() {
	case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP:
		return true
	default:
		return false
	}
}
