// Package e2e runs the built program, with its plugins as processes, over HTTP.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testbuild"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/internal/testport"
)

// binaries holds hookarr, built with failpoints, and plugins/.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hookarr-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	defer chromium.Close()
	binaries = dir
	// Short time-outs of the program are for machines that have time for it.
	if err := os.Setenv(timeoutEnv, "2m"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes what the tests run.
func build(ctx context.Context, dir string) error {
	plugins := filepath.Join(dir, "plugins")
	return errors.Join(
		os.MkdirAll(plugins, 0o755),
		testbuild.Plugins(ctx, plugins),
		testbuild.Program(ctx, ".", "../../cmd/hookarr", filepath.Join(dir, "hookarr"), "-tags", "failpoint"),
		testbuild.Program(ctx, ".", "../../core/pluginhost/internal/chaos", filepath.Join(dir, "hookarr-target-chaos")),
		testbuild.Program(ctx, ".", "../../core/pluginhost/internal/hostile", filepath.Join(dir, "hookarr-target-hostile")),
	)
}

const (
	// waitTimeout is how long a machine that does much else may take for anything.
	waitTimeout = 5 * time.Minute
	// timeoutEnv lengthens time-outs of the program, and inTime leaves them as they are.
	timeoutEnv = "TEST_TIMEOUT"
	inTime     = timeoutEnv + "="
)

const (
	sourceSecret = "a-source-secret-for-tests-only"
	targetSecret = "whsec_dGFyZ2V0LXNlY3JldC1mb3ItdGVzdHMtb25seQ=="
)

// databases runs a test on each database.
func databases(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite://"+filepath.Join(t.TempDir(), "hookarr.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, testpg.New(t))
	})
}

// server is a hookarr process that can be killed and started again.
type server struct {
	t      *testing.T
	config string
	url    string
	log    *syncBuffer

	cmd  *exec.Cmd
	done chan error
}

// settings are what a test's configuration differs in.
type settings struct {
	database string
	// plugin is the source's, radarr by default; the source is always called radarr.
	plugin string
	// targets and routes are YAML.
	targets string
	routes  string
	// auth is how the source lets in; by default, who signs with sourceSecret.
	auth string
	// source is added to the source's YAML.
	source string
	// plugins is the directory of plugins; by default, the one that is shared.
	plugins string
	// top is added at the top level.
	top string
}

// newServer writes a configuration and starts nothing.
func newServer(t *testing.T, s settings) *server {
	t.Helper()
	dir := t.TempDir()
	addr := testport.Addr(t)
	if s.auth == "" {
		s.auth = fmt.Sprintf("[{hmac: {preset: github, secrets: [%s]}}]", sourceSecret)
	}
	if s.plugins == "" {
		s.plugins = filepath.Join(binaries, "plugins")
	}
	config := filepath.Join(dir, "hookarr.yaml")
	yaml := fmt.Sprintf(`listen: %s
database: {url: %q}
plugins: {dir: %s, lock: %s}
log: {level: debug, format: json}
sources:
  radarr:
    plugin: %s
    auth: %s
%s
targets:
%s
routes:
%s
%s`, addr, s.database, s.plugins, filepath.Join(dir, "plugins.lock"),
		cmp.Or(s.plugin, "radarr"), s.auth, indent(s.source, 4), indent(s.targets, 2), indent(s.routes, 2), s.top)
	require.NoError(t, os.WriteFile(config, []byte(yaml), 0o600))
	return serverOn(t, config, addr)
}

// serverOn is a server on a configuration that listens on addr.
func serverOn(t *testing.T, config, addr string) *server {
	t.Helper()
	srv := &server{t: t, config: config, url: "http://" + addr, log: &syncBuffer{}}
	t.Cleanup(func() {
		srv.kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", srv.log.tail(200))
		}
	})
	return srv
}

// ownPlugins is a directory with a file for each of the plugins, for a test that replaces them.
// None may be written to or get another mode: all tests share them.
func ownPlugins(t *testing.T, files ...string) string {
	t.Helper()
	own := t.TempDir()
	require.NoError(t, os.Chmod(own, 0o755))
	for _, file := range files {
		shared, err := filepath.EvalSymlinks(file)
		require.NoError(t, err)
		require.NoError(t, os.Link(shared, filepath.Join(own, filepath.Base(file))))
	}
	return own
}

func pluginFile(name string) string { return filepath.Join(binaries, "plugins", "hookarr-"+name) }

func indent(s string, n int) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n"+pad)
}

// start runs serve and waits until it is ready.
func (s *server) start(env ...string) {
	s.t.Helper()
	s.launch(env...)
	s.awaitReady()
}

func (s *server) launch(env ...string) {
	s.t.Helper()
	s.cmd = exec.Command(filepath.Join(binaries, "hookarr"), "serve", "--config", s.config)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(s.t, s.cmd.Start())
	s.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(s.cmd, s.done)
}

func (s *server) awaitReady() {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.get("/readyz") == http.StatusOK }, waitTimeout, 20*time.Millisecond,
		"server is not ready")
}

func (s *server) get(path string) int {
	resp, err := http.Get(s.url + path)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// running reports whether the process still runs.
func (s *server) running() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case err := <-s.done:
		s.done <- err
		return false
	default:
		return true
	}
}

// kill pulls the plug.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	err := <-s.done
	s.done <- err
}

// stop asks the process to end and returns how it did.
func (s *server) stop() error {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-s.done:
		s.done <- err
		return err
	case <-time.After(waitTimeout):
		require.Fail(s.t, "server did not stop")
		return nil
	}
}

// pluginPID finds the process of a plugin among the server's children.
func (s *server) pluginPID(name string) (int, bool) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, task := range tasks {
		children, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for child := range strings.FieldsSeq(string(children)) {
			cmdline, err := os.ReadFile("/proc/" + child + "/cmdline")
			if err == nil && strings.Contains(string(cmdline), name) {
				var pid int
				_, err := fmt.Sscan(child, &pid)
				return pid, err == nil
			}
		}
	}
	return 0, false
}

// cli runs a hookarr command on the server's configuration.
func (s *server) cli(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "hookarr"), append(args, "--config", s.config)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String() + said.String(), err
	}
	return out.String(), nil // notes are beside it
}

// answer is what the server said.
type answer struct {
	status int
	body   string
	id     string
}

// post sends a body as Radarr's relay would, signed. A refused connection is status 0.
func (s *server) post(body []byte) answer { return postTo(s.url+"/hooks/radarr", body) }

func postTo(url string, body []byte) answer {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{body: err.Error()}
	}
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, body))
	return do(req)
}

// sign is GitHub's way of signing.
func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// do sends a request as Radarr, unless it says that it is from another.
func do(req *http.Request) answer {
	req.Header.Set("Content-Type", "application/json")
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "Radarr/6.0.4.10291 (alpine 3.22.1)")
	}
	client := http.Client{Timeout: waitTimeout}
	resp, err := client.Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{body: err.Error()}
	}
	a := answer{status: resp.StatusCode, body: string(out)}
	var accepted struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(out, &accepted) == nil {
		a.id = accepted.ID
	}
	return a
}

// syncBuffer collects a process's output.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// count is how often it has a text.
func (b *syncBuffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Count(b.buf.Bytes(), []byte(text))
}

func (b *syncBuffer) tail(lines int) string {
	all := strings.Split(b.String(), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// suspend stops a process and waits until all of its threads have stopped: the signal
// reaches one of them, and the others may work on until that one runs.
func suspend(t *testing.T, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		return err == nil && !slices.ContainsFunc(threads, func(stat string) bool {
			data, err := os.ReadFile(stat)
			_, state, _ := strings.Cut(string(data), ") ")
			return err == nil && !strings.HasPrefix(state, "T")
		})
	}, waitTimeout, 5*time.Millisecond)
}
