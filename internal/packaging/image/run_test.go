package image

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

// waitTimeout is what a loaded machine may take for what takes a second.
const waitTimeout = time.Minute

// box is a container that people could have started.
type box struct {
	t *testing.T
	// volume is what is mounted at /config.
	volume  string
	user    string
	env     []string
	address string
	got     *receiver
	// start is the command that runs a program in it, until enter has another.
	start func(b *box, program ...string) *exec.Cmd
	// enter runs a program in one that runs, as a user.
	enter func(b *box, pid int, user string, program ...string) *exec.Cmd
}

// receiver is an endpoint that keeps what it is sent.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
	}))
	t.Cleanup(r.Close)
	return r
}

// has reports whether something with these words was sent.
func (r *receiver) has(words string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(strings.Join(r.bodies, "\n"), words)
}

func newBox(t *testing.T, user string, env ...string) *box {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	b := &box{
		t: t, volume: t.TempDir(), user: user, address: address, got: newReceiver(t), start: chroot,
		// The network is that of this machine, where nothing is to be reached by others.
		env: append([]string{"HOOKARR_LISTEN=" + address, "HOOKARR_ADMIN_LISTEN=" + address, "TZ=Europe/Berlin"}, env...),
		enter: func(b *box, _ int, user string, program ...string) *exec.Cmd {
			other := *b
			other.user = user
			return chroot(&other, program...)
		},
	}
	require.NoError(t, os.Chmod(b.volume, 0o755))
	return b
}

// chroot runs a program by buildah.
func chroot(b *box, program ...string) *exec.Cmd {
	args := []string{"run", "--isolation", "chroot", "--user", b.user, "--volume", b.volume + ":/config"}
	for _, pair := range b.env {
		args = append(args, "--env", pair)
	}
	return buildah("buildah", append(append(args, boxName, "--"), program...)...)
}

// hookarr runs a command, as before the server is started.
func (b *box) hookarr(args ...string) (string, error) {
	out, err := b.start(b, append([]string{"/usr/bin/hookarr"}, args...)...).CombinedOutput()
	return string(out), err
}

// serving is a server of a box.
type serving struct {
	*box
	cmd *exec.Cmd
	log *output1
	pid int
	// ended has how it did.
	ended chan error
}

// output1 is what a process says while a test reads it.
type output1 struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output1) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output1) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serve starts the image's command and waits until the health check has it ready.
func (b *box) serve() *serving {
	b.t.Helper()
	s := &serving{box: b, cmd: b.start(b, "/usr/bin/hookarr", "serve", "--init"), log: &output1{}, ended: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(b.t, s.cmd.Start())
	go func() { s.ended <- s.cmd.Wait() }()
	b.t.Cleanup(func() {
		if s.pid != 0 {
			_ = syscall.Kill(s.pid, syscall.SIGKILL)
		}
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		if b.t.Failed() {
			b.t.Logf("it said:\n%s", s.log)
		}
	})
	require.Eventually(b.t, func() bool {
		s.pid = find(s.cmd.Process.Pid)
		return s.pid != 0
	}, waitTimeout, 20*time.Millisecond, "no server: %s", s.log)
	require.Eventually(b.t, func() bool {
		out, err := s.health(b.user)
		return err == nil && out == "ready\n"
	}, waitTimeout, 100*time.Millisecond, "not ready: %s", s.log)
	return s
}

// find returns the server among a process and its descendants.
func find(pid int) int {
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && strings.HasPrefix(string(line), "/usr/bin/hookarr\x00serve\x00") {
		return pid
	}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				if found := find(n); found != 0 {
					return found
				}
			}
		}
	}
	return 0
}

// health runs the image's health check.
func (s *serving) health(user string) (string, error) {
	return s.exec(user, "healthcheck")
}

// exec runs a command in the container, as docker exec does.
func (s *serving) exec(user string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	cmd := s.enter(s.box, s.pid, user, append([]string{"/usr/bin/hookarr"}, args...)...)
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	out, err := cmd.Output()
	return string(out), err
}

// stop ends the server as Docker does, and wants it to end well.
func (s *serving) stop() {
	s.t.Helper()
	require.NoError(s.t, syscall.Kill(s.pid, syscall.SIGTERM))
	select {
	case err := <-s.ended:
		require.NoError(s.t, err, s.log)
	case <-time.After(waitTimeout):
		require.Fail(s.t, "it does not end", s.log)
	}
	require.Contains(s.t, s.log.String(), "msg=stopped")
}

// status is a line of what the kernel says of the server.
func (s *serving) status(key string) string {
	s.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	require.NoError(s.t, err)
	_, rest, _ := strings.Cut(string(data), "\n"+key+":")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Join(strings.Fields(line), " ")
}

// post sends a webhook as Radarr does, and waits until it is delivered.
func (s *serving) post(payload, delivered string) {
	s.t.Helper()
	c, err := config.Loader{Environ: func() []string { return nil }}.Load(filepath.Join(s.volume, "hookarr.yaml"))
	require.NoError(s.t, err)
	body, err := os.ReadFile("../../../examples/payloads/radarr/" + payload)
	require.NoError(s.t, err)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.address+"/hooks/radarr", bytes.NewReader(body))
	require.NoError(s.t, err)
	way := c.Sources["radarr"].Auth[1].Basic
	req.SetBasicAuth(way.Username, way.Password.Reveal())
	resp, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	require.NoError(s.t, resp.Body.Close())
	require.Equal(s.t, http.StatusAccepted, resp.StatusCode)
	require.Eventually(s.t, func() bool { return s.got.has(delivered) }, waitTimeout, 20*time.Millisecond, "%s is not delivered: %s", payload, s.log)
}

// way is what everybody goes through: a configuration, a webhook, a restart.
func (b *box) way(is string) {
	b.t.Helper()
	out, err := b.hookarr("init", "--webhook", b.got.URL+"/hook", "--app", "radarr")
	require.NoError(b.t, err, out)
	s := b.serve()
	for _, key := range []string{"Uid", "Gid"} {
		want := strings.Split(is, ":")[map[string]int{"Uid": 0, "Gid": 1}[key]]
		require.Equal(b.t, strings.Join([]string{want, want, want, want}, " "), s.status(key), key)
	}
	if b.user == "0:0" {
		require.Empty(b.t, s.status("Groups"))
	}
	require.Equal(b.t, "0000000000000000", s.status("CapEff"))
	s.post("import.json", `"media.imported"`)
	out, err = s.exec(b.user, "open")
	require.NoError(b.t, err)
	require.True(b.t, strings.HasPrefix(out, "http://"+b.address+"/login#"), out)
	for _, name := range []string{"", "hookarr.yaml", "plugins", "data", "data/hookarr.db"} {
		info, err := os.Lstat(filepath.Join(b.volume, name))
		require.NoError(b.t, err)
		st, ok := info.Sys().(*syscall.Stat_t)
		require.True(b.t, ok)
		require.Equal(b.t, is, fmt.Sprintf("%d:%d", st.Uid, st.Gid), name)
	}
	require.Contains(b.t, s.log.String(), "+0", "TZ is known")
	s.stop()
	_, err = s.box.enter(b, 0, b.user, "/usr/bin/hookarr", "healthcheck").Output()
	require.Error(b.t, err)

	again := b.serve()
	out, err = again.exec(b.user, "events", "list")
	require.NoError(b.t, err)
	require.Contains(b.t, out, "media.imported")
	again.post("grab.json", `"release.grabbed"`)
	again.stop()
}

func chown(t *testing.T, path string, uid, gid int) {
	t.Helper()
	require.NoError(t, os.Chown(path, uid, gid))
}

// TestUser runs the image with user: on a volume of that user.
func TestUser(t *testing.T) {
	t.Parallel()
	need(t, "buildah", "make")
	_, err := image()
	require.NoError(t, err)
	b := newBox(t, "99:100")
	chown(t, b.volume, 99, 100)
	b.way("99:100")
}

// TestPUID runs the image as it is, on a volume of somebody else.
func TestPUID(t *testing.T) {
	t.Parallel()
	need(t, "buildah", "make")
	_, err := image()
	require.NoError(t, err)
	b := newBox(t, "0:0", "PUID=1234", "PGID=1235", "UMASK=027")
	chown(t, b.volume, 5, 5)
	b.way("1234:1235")
}

// TestForeignVolume: who may not write to it is told what to do on the host.
func TestForeignVolume(t *testing.T) {
	t.Parallel()
	need(t, "buildah", "make")
	_, err := image()
	require.NoError(t, err)
	b := newBox(t, "99:100")
	out, err := b.hookarr("serve", "--init")
	require.Error(t, err)
	require.Contains(t, out, "hookarr: user 99 and group 100 may not write to /config, which belongs to user 0 and group 0 (mode 0755): "+
		"run on the host: sudo chown -R 99:100 /path/of/your/config/volume\n")
	b.env = append(b.env, "PUID=abc")
	out, err = b.hookarr("serve", "--init")
	require.Error(t, err)
	require.Contains(t, out, `hookarr: PUID="abc" is no number of a user`)
}
