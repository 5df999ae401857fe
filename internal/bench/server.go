package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	sourceSecret = "a-source-secret-for-the-bench"
	targetSecret = "whsec_YS10YXJnZXQtc2VjcmV0LWZvci10aGUtYmVuY2g="
	startTimeout = 30 * time.Second
	stopTimeout  = 45 * time.Second
)

// settings are what the configuration of a server is made of.
type settings struct {
	bin, dir, database, endpoint string
	concurrency                  int
	// everyPlugin configures all that are built; nothing is routed to the additional
	// ones.
	everyPlugin bool
}

const configuration = `listen: %s
database: {url: %q}
plugins: {dir: %q, lock: %q}
sources:
  radarr:
    plugin: radarr
    auth: [{hmac: {preset: github, secrets: [%q]}}]
routes:
  - {name: everything, to: [ops]}
targets:
  ops:
    plugin: webhook
    concurrency: %d
    config: {url: %q, secrets: [%q], format: standard}
`

const otherTargets = `  discord:
    plugin: discord
    config: {webhook_url: %[1]q}
  slack:
    plugin: slack
    config: {webhook_url: %[1]q}
`

func (s settings) yaml(listen, plugins string) []byte {
	yaml := fmt.Appendf(nil, configuration, listen, s.database, plugins, filepath.Join(s.dir, "plugins.lock"),
		sourceSecret, s.concurrency, s.endpoint, targetSecret)
	if s.everyPlugin {
		yaml = fmt.Appendf(yaml, otherTargets, s.endpoint)
	}
	return yaml
}

// server is a running Hookarr.
type server struct {
	url     string
	startup time.Duration // from the start of the process until it was ready
	cmd     *exec.Cmd
	log     string
	cancel  context.CancelFunc
	ended   chan struct{}
}

// startServer returns when the server and all its plugins are ready.
func startServer(ctx context.Context, s settings) (*server, error) {
	plugins, err := filepath.Abs(filepath.Join(s.bin, "plugins"))
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(s.bin, "hookarr")
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	var listen net.ListenConfig
	free, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	_ = free.Close() // the server listens there next
	config := filepath.Join(s.dir, "hookarr.yaml")
	if err := os.WriteFile(config, s.yaml(free.Addr().String(), plugins), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	log, err := os.Create(filepath.Join(s.dir, "hookarr.log"))
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own handle

	ctx, cancel := context.WithCancel(ctx)
	srv := &server{url: "http://" + free.Addr().String(), log: log.Name(), cancel: cancel, ended: make(chan struct{})}
	srv.cmd = exec.CommandContext(ctx, binary, "serve", "--config", config)
	srv.cmd.Stdout, srv.cmd.Stderr = log, log
	srv.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the bench
	srv.cmd.Cancel = func() error { return srv.cmd.Process.Signal(syscall.SIGTERM) }
	srv.cmd.WaitDelay = stopTimeout // then SIGKILL
	start := time.Now()
	if err := srv.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start server: %w", err)
	}
	go func() {
		_ = srv.cmd.Wait() // ProcessState says how it ended
		close(srv.ended)
	}()
	if err := srv.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, srv.stop(), srv.lastWords())
	}
	srv.startup = time.Since(start)
	return srv, nil
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("server not ready within %s", startTimeout))
	defer cancel()
	for !s.ready(ctx) {
		select {
		case <-s.ended:
			return errors.New("server ended before it was ready")
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}

// ready reports whether the server is ready and no plugin is missing.
func (s *server) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Status string `json:"status"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return err == nil && resp.StatusCode == http.StatusOK && answer.Status != "degraded"
}

// stop ends the server in order.
func (s *server) stop() error {
	s.cancel()
	<-s.ended
	if !s.cmd.ProcessState.Success() {
		return errors.Join(fmt.Errorf("server ended with %s", s.cmd.ProcessState), s.lastWords())
	}
	return nil
}

// lastWords is the end of the log.
func (s *server) lastWords() error {
	log, err := os.ReadFile(s.log)
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	return fmt.Errorf("its last words:\n%s", bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

// bench is this process among the others.
const bench = "bench"

// processes returns core, the plugins and this process by name.
func (s *server) processes() map[string][]int {
	found := map[string][]int{"core": {s.cmd.Process.Pid}, bench: {os.Getpid()}}
	for _, pid := range descendants(s.cmd.Process.Pid) {
		name := strings.TrimPrefix(executable(pid), "hookarr-")
		found[name] = append(found[name], pid)
	}
	return found
}
