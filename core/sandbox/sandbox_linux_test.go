//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/sandbox/sandboxtest"
)

const (
	// refused is the exit status of an attempt that did not succeed.
	refused = 3
	nobody  = 65534
	// waitTimeout is for what must happen and takes the time it takes.
	waitTimeout = time.Minute
)

// exit386 is a program of 32 bits for Linux on x86 that does nothing but exit(0) by the
// calls of that architecture: an ELF header, one segment, and the code.
const exit386 = "\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x02\x00\x03\x00\x01\x00\x00\x00\x54\x80\x04\x08\x34\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x34\x00\x20\x00\x01\x00\x00\x00\x00\x00\x00\x00" +
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x04\x08\x00\x80\x04\x08\x60\x00\x00\x00\x60\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00" +
	"\xb8\x01\x00\x00\x00" + // mov eax, 1 (exit)
	"\x31\xdb" + // xor ebx, ebx
	"\xcd\x80" + // int 0x80
	"\x90\x90\x90"

// testBundle is what programs have around them.
type testBundle struct {
	dir   string
	world sandboxtest.World
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	if s := Probe(); !s.Supported() {
		t.Skip("no sandbox here: " + s.Missing)
	}
	dir, err := os.MkdirTemp("", "hookarr-sandbox-") //nolint:usetesting // other users cannot look into that
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	b := &testBundle{dir: dir}
	b.world.Self, err = install(dir)
	require.NoError(t, err)
	b.listen(t)
	if runtime.GOARCH == "amd64" {
		foreign := filepath.Join(dir, "foreign")
		writeProgram(t, foreign, exit386)
		if exec.CommandContext(t.Context(), foreign).Run() == nil {
			b.world.Foreign = foreign
		}
	}
	return b
}

// writeProgram writes a file that can be executed. A process that another test forks meanwhile
// would inherit it open for writing, which cannot be.
func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
}

// listen opens the addresses that must not be reached.
func (b *testBundle) listen(t *testing.T) {
	t.Helper()
	for _, l := range []struct{ network, address string }{
		{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(b.dir, "socket")}, {"unix", "@hookarr-sandbox-" + filepath.Base(b.dir)},
	} {
		listener, err := new(net.ListenConfig).Listen(t.Context(), l.network, l.address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		if l.network == "tcp" {
			b.world.TCP = listener.Addr().String()
		}
	}
	b.world.Unix, b.world.Abstract = filepath.Join(b.dir, "socket"), "@hookarr-sandbox-"+filepath.Base(b.dir)
	b.world.Datagram = filepath.Join(b.dir, "datagrams")
	datagrams, err := new(net.ListenConfig).ListenPacket(t.Context(), "unixgram", b.world.Datagram)
	require.NoError(t, err)
	t.Cleanup(func() { _ = datagrams.Close() })
	for _, path := range []string{b.world.Unix, b.world.Datagram} {
		require.NoError(t, os.Chmod(path, 0o777))
	}
}

// files makes a directory out of reach and one of the program's own.
func (b *testBundle) files(t *testing.T, uid int) sandboxtest.World {
	t.Helper()
	dir, err := os.MkdirTemp(b.dir, "w") //nolint:usetesting // the same
	require.NoError(t, err)
	w := b.world
	w.Dir, w.Own = filepath.Join(dir, "host"), filepath.Join(dir, "own", "p1")
	for _, d := range []string{dir, w.Dir, filepath.Dir(w.Own), w.Own, filepath.Join(w.Dir, "doomed.d")} {
		require.NoError(t, os.MkdirAll(d, 0o700))
		require.NoError(t, os.Chown(d, uid, uid))
	}
	for _, name := range []string{"secret", "doomed", "movable"} {
		require.NoError(t, os.WriteFile(filepath.Join(w.Dir, name), []byte("secret"), 0o600))
		require.NoError(t, os.Chown(filepath.Join(w.Dir, name), uid, uid))
	}
	return w
}

// host returns the command of a host that runs as a user.
func (b *testBundle) host(t *testing.T, w sandboxtest.World, uid int, inside bool) *exec.Cmd {
	t.Helper()
	mode := map[bool]string{true: "inside", false: "outside"}[inside]
	cmd := exec.CommandContext(t.Context(), b.world.Self)
	cmd.Env = []string{hostEnv + "=" + mode, worldEnv + "=" + w.String()}
	if uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	return cmd
}

// attempt has a host's program try something, and returns the program's exit status.
func (b *testBundle) attempt(t *testing.T, name string, uid int, inside bool) (code int, said string) {
	t.Helper()
	cmd := b.host(t, b.files(t, uid), uid, inside)
	cmd.Env = append(cmd.Env, attemptEnv+"="+name)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// users are those that the tests run programs as.
func users() map[string]int {
	all := map[string]int{"this user": os.Geteuid()}
	if os.Geteuid() == 0 {
		all = map[string]int{"root": 0, "nobody": nobody}
	}
	return all
}

// TestNothingBreaksOut has a hostile program try each way twice: outside, where it must
// succeed, so that the attempt is one, and inside, where it must not.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for user, uid := range users() {
		for _, a := range sandboxtest.Attempts() {
			t.Run(user+"/"+a.Name, func(t *testing.T) {
				t.Parallel()
				code, said := b.attempt(t, a.Name, uid, true)
				require.Equal(t, refused, code, "inside: %s", said)
				t.Log("inside:", strings.TrimSpace(said))
				if a.Root && uid != 0 {
					return
				}
				code, said = b.attempt(t, a.Name, uid, false)
				if lacksWhatItUses(said) {
					t.Skip("this machine lacks what the attempt uses: " + said)
				}
				require.Equal(t, 0, code, "outside: %s", said)
			})
		}
	}
}

// lacksWhatItUses reports whether the kernel is built without what an attempt uses.
func lacksWhatItUses(said string) bool {
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EOPNOTSUPP, unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT} {
		if strings.Contains(said, errno.Error()) {
			return true
		}
	}
	return strings.Contains(said, "unsupported operation")
}

// TestProgramEndsWithItsHost kills a host, whose program has no other reason to end.
func TestProgramEndsWithItsHost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for user, uid := range users() {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			cmd := b.host(t, b.files(t, uid), uid, true)
			cmd.Env = append(cmd.Env, commandEnv+"="+b.world.Self)
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			defer func() { _ = in.Close() }()
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err)
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			require.Eventually(t, func() bool {
				stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
				return err != nil || bytes.Contains(stat, []byte(") Z "))
			}, waitTimeout, time.Millisecond)
		})
	}
}

// TestThreadEndsWithItsProgram: what is restricted is not used for anything else. It runs in
// a process of its own, for other tests have such threads too.
func TestThreadEndsWithItsProgram(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if os.Getenv(aloneEnv) == "" {
		cmd := exec.CommandContext(t.Context(), b.world.Self, "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), aloneEnv+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	noThreads := func() bool { return restrictedThreads() == 0 }
	require.Eventually(t, noThreads, waitTimeout, time.Millisecond, "that of the probe")
	ended := make(chan struct{})
	w := b.files(t, os.Geteuid())
	file, err := os.Open(b.world.Self)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	process, err := Start(ProgramPolicy(b.world.Self, file), b.world.Self, []string{"p"},
		&os.ProcAttr{Env: sandboxtest.Command(b.world.Self, "read a file of the host", w).Env}, ended)
	require.NoError(t, err)
	require.Equal(t, 1, restrictedThreads())
	state, err := process.Wait()
	require.NoError(t, err)
	require.Equal(t, refused, state.ExitCode())
	require.Equal(t, 1, restrictedThreads(), "the thread is the program's parent, and knows nothing of its end")
	close(ended)
	require.Eventually(t, noThreads, waitTimeout, time.Millisecond)
}

// restrictedThreads returns how many threads of this process cannot gain privileges; -1 when
// the system does not tell.
func restrictedThreads() int {
	all, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(all) == 0 {
		return -1
	}
	restricted := 0
	for _, path := range all {
		status, err := os.ReadFile(path)
		if err == nil && bytes.Contains(status, []byte("NoNewPrivs:\t1")) {
			restricted++
		}
	}
	return restricted
}

// TestProgramsOfOtherLanguagesStart runs what the usual runtimes do, with a script that
// has its interpreter looked for.
func TestProgramsOfOtherLanguagesStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, script := range map[string]string{
		"sh":      "echo works >file; read -r line <file; echo $line",
		"node":    "const fs = require('fs'); fs.writeFileSync('file', 'works'); require('net').createServer().listen('socket', () => { console.log(fs.readFileSync('file', 'utf8')); process.exit(0) })",
		"python3": "import socket; open('file', 'w').write('works'); socket.socket(socket.AF_UNIX).bind('socket'); print(open('file').read())",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !anyExists("/usr/bin/"+name, "/bin/"+name) {
				t.Skip("there is no " + name + " in /usr/bin")
			}
			path := filepath.Join(b.dir, name+"-script")
			writeProgram(t, path, "#!/usr/bin/env "+name+"\n"+script+"\n")
			file, err := os.Open(path)
			require.NoError(t, err)
			defer func() { _ = file.Close() }()
			w := b.files(t, os.Geteuid())
			p := ProgramPolicy(path, file)
			p.Write = []string{w.Own}
			r, out, err := os.Pipe()
			require.NoError(t, err)
			ended := make(chan struct{})
			defer close(ended)
			process, err := Start(p, path, []string{path}, &os.ProcAttr{Dir: w.Own, Env: []string{}, Files: []*os.File{nil, out, out}}, ended)
			require.NoError(t, err)
			require.NoError(t, out.Close())
			said, err := bufio.NewReader(r).ReadString('\n')
			_, _ = process.Wait()
			require.NoError(t, err, said)
			require.Equal(t, "works\n", said)
		})
	}
}

// TestPipeIsNoInterpreter, and nobody waits for its other end.
func TestPipeIsNoInterpreter(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o700))
	require.Equal(t, []string{"/plugin"}, ProgramPolicy("/plugin", strings.NewReader("#!"+pipe+"\n")).Execute)
}

func anyExists(paths ...string) bool {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

// TestKernelWithoutLandlock: a line says what is missing, and where it is to be had.
func TestKernelWithoutLandlock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for errno, want := range map[string]string{
		"ENOSYS":     "this kernel is built without Landlock, which came with Linux 5.13",
		"EOPNOTSUPP": "Landlock is not enabled on this kernel: add landlock to the boot parameter lsm=",
		"EPERM":      "the container does not allow Landlock: allow the landlock_* system calls in its seccomp profile",
	} {
		cmd := exec.CommandContext(t.Context(), b.world.Self)
		cmd.Env = []string{hostEnv + "=probe", lacksEnv + "=" + errno}
		said, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", said)
		require.Equal(t, want, string(said))
		cmd = b.host(t, b.files(t, os.Geteuid()), os.Geteuid(), true)
		cmd.Env = append(cmd.Env, attemptEnv+"=read a file of the host", lacksEnv+"="+errno)
		said, err = cmd.CombinedOutput()
		require.Error(t, err, "the program is not started without its sandbox")
		require.Equal(t, "make sandbox: "+want+"\n", string(said))
	}
}
