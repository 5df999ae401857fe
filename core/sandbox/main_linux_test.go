//go:build linux && (amd64 || arm64)

package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/sandbox/sandboxtest"
)

const (
	// hostEnv makes the test binary a host that starts itself, with the rest of the
	// environment, inside or outside of a sandbox, and ends as it did.
	hostEnv = "HOOKARR_TEST_HOST"
	// worldEnv is the host's world, of which it is a part.
	worldEnv = "HOOKARR_TEST_HOST_WORLD"
	// attemptEnv is what the host's program is to try, or a command that it is in place
	// of the test binary.
	attemptEnv, commandEnv = "HOOKARR_TEST_HOST_ATTEMPT", "HOOKARR_TEST_HOST_COMMAND"
	// aloneEnv has a test run in the process that it is in.
	aloneEnv = "HOOKARR_TEST_ALONE"
	// lacksEnv is the error with which the kernel answers a host's calls of Landlock.
	lacksEnv = "HOOKARR_TEST_LACKS"
)

func TestMain(m *testing.M) {
	sandboxtest.Main(os.Stderr)
	if errno := os.Getenv(lacksEnv); errno != "" {
		lack(errno)
	}
	switch mode := os.Getenv(hostEnv); mode {
	case "":
		os.Exit(m.Run())
	case "probe":
		s := Probe()
		_, _ = fmt.Fprintf(os.Stdout, "%s%s", s.Missing, strings.Join(s.Gaps, ", "))
	case "survivor":
		signal.Ignore(unix.SIGTERM, unix.SIGINT)
		_, _ = fmt.Fprintln(os.Stdout, os.Getpid())
		_, _ = io.Copy(io.Discard, os.Stdin)
		select {}
	default:
		code, err := hostProgram(mode == "inside")
		if err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}
}

// hostProgram starts a program and returns its exit status.
func hostProgram(inside bool) (int, error) {
	w, err := sandboxtest.ReadWorld(os.Getenv(worldEnv))
	if err != nil {
		return 0, err
	}
	w.PID = os.Getpid()
	cmd := sandboxtest.Command(w.Self, os.Getenv(attemptEnv), w)
	if command := os.Getenv(commandEnv); command != "" {
		cmd = exec.Command(command)
		cmd.Env = []string{hostEnv + "=survivor"}
	}
	binary, err := os.Open(cmd.Path)
	if err != nil {
		return 0, err
	}
	p := ProgramPolicy(cmd.Path, binary)
	p.Write = append(p.Write, w.Own)
	if w.Foreign != "" {
		p.Execute = append(p.Execute, w.Foreign)
	}
	attr := &os.ProcAttr{
		Dir: w.Own, Env: cmd.Env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, binary},
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	r, out, err := os.Pipe() // another program's, perhaps
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = r.Close(), out.Close() }()
	ended := make(chan struct{})
	defer close(ended)
	start := os.StartProcess
	if inside {
		start = func(name string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
			return Start(p, name, argv, attr, ended)
		}
	}
	process, err := start(cmd.Path, cmd.Args, attr)
	if err != nil {
		return 0, err
	}
	state, err := process.Wait()
	if err == nil && !state.Exited() {
		err = errors.New(state.String())
	}
	if err != nil {
		return 0, err
	}
	return state.ExitCode(), nil
}

// lack has the kernel answer Landlock's calls like one that does not have it.
func lack(errno string) {
	number := map[string]unix.Errno{"ENOSYS": unix.ENOSYS, "EOPNOTSUPP": unix.EOPNOTSUPP, "EPERM": unix.EPERM}[errno]
	calls, err := assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: numberOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_LANDLOCK_CREATE_RULESET, SkipFalse: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(number)},
		answer(allowed),
	})
	if err == nil {
		runtime.LockOSThread()
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if err == nil {
		err = loadFilter(calls, unix.SECCOMP_FILTER_FLAG_TSYNC)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// install links the test binary into a directory that everybody can look into.
func install(dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "program")
	return program, os.Link(self, program)
}
