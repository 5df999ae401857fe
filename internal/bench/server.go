package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	startTimeout = 30 * time.Second
	stopTimeout  = 45 * time.Second
)

// server is a running Hookarr, or the sketch of one.
type server struct {
	url string
	// desk is where operators and probes ask.
	desk    string
	startup time.Duration // from the start of the process until it was ready
	cmd     *exec.Cmd
	log     string
	cancel  context.CancelFunc
	ended   chan struct{}
	// alive keeps a sketch alive, which ends with this process.
	alive io.Closer
}

// starter starts one of the things that are compared.
type starter func(context.Context, settings) (*server, error)

// startHookarr returns when the server and all its plugins are ready.
func startHookarr(ctx context.Context, s settings) (*server, error) {
	binary := filepath.Join(s.bin, "hookarr")
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	desk := listen
	if s.desk {
		if desk, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	yaml, err := s.yaml(listen, desk)
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	config := filepath.Join(s.dir, "hookarr.yaml")
	if err := os.WriteFile(config, yaml, 0o600); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return launch(ctx, s.dir, listen, desk, binary, "serve", "--config", config)
}

// startSketch runs this program as the sketch.
func startSketch(ctx context.Context, s settings) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(sketchSettings{
		Listen: listen, Plugins: filepath.Join(s.bin, "plugins"), Database: s.database, Endpoint: s.endpoint, Workers: s.workers,
	})
	if err != nil {
		return nil, err
	}
	return launch(ctx, s.dir, listen, listen, self, sketchCommand, string(text))
}

// freeAddress is one on which nobody listens yet.
func freeAddress(ctx context.Context) (string, error) {
	var listen net.ListenConfig
	free, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return free.Addr().String(), free.Close()
}

// launch starts a program that will listen on two addresses, which may be one, and waits
// until it is ready.
func launch(ctx context.Context, dir, listen, desk, binary string, args ...string) (*server, error) {
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, fmt.Errorf("create log: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own handle

	ctx, cancel := context.WithCancel(ctx)
	srv := &server{url: "http://" + listen, desk: "http://" + desk, log: log.Name(), cancel: cancel, ended: make(chan struct{})}
	srv.cmd = exec.CommandContext(ctx, binary, args...)
	srv.cmd.Stdout, srv.cmd.Stderr = log, log
	srv.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the bench
	srv.cmd.Cancel = func() error { return srv.cmd.Process.Signal(syscall.SIGTERM) }
	srv.cmd.WaitDelay = stopTimeout // then SIGKILL
	if srv.alive, err = srv.cmd.StdinPipe(); err != nil {
		cancel()
		return nil, fmt.Errorf("start server: %w", err)
	}
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.desk+"/readyz", http.NoBody)
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
	_ = s.alive.Close() // the process is gone
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

// Names among the processes.
const (
	core = "core"
	// bench is this process: load and endpoint.
	bench = "bench"
	// total is the sum of all but the bench.
	total = "total"
)

// pid is the process of the server itself.
func (s *server) pid() int { return s.cmd.Process.Pid }

// processes returns core, the plugins and this process by name.
func (s *server) processes() map[string][]int {
	found := map[string][]int{core: {s.pid()}, bench: {os.Getpid()}}
	for _, pid := range descendants(s.pid()) {
		name := strings.TrimPrefix(program(pid), "hookarr-")
		found[name] = append(found[name], pid)
	}
	return found
}
