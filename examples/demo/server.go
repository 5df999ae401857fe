package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// configuration sends everything to one endpoint. The retries are quicker than
// anybody would want them; the two event types that "*" leaves out are named.
const configuration = `listen: %s
database: {url: %q}
plugins: {dir: %q, lock: %q}
sources:
  radarr:
    plugin: radarr
    auth: [{hmac: {preset: github, secrets: [%q]}}]
targets:
  receiver:
    plugin: webhook
    concurrency: 8
    retry: {initial: 300ms, multiplier: 2, max_interval: 2s}
    config: {url: %q, secrets: [%q], format: standard}
routes:
  - {name: everything, types: ["*", test, unknown], to: [receiver]}
`

// server is a running Hookarr.
type server struct {
	url   string
	cmd   *exec.Cmd
	log   bytes.Buffer // complete when it has ended
	end   context.CancelCauseFunc
	ended chan struct{}
}

// startServer writes a configuration into dir and runs the server on it. The server is
// asked to end when ctx ends, and the returned context ends when the server does.
func startServer(ctx context.Context, bin, dir, endpoint, sourceSecret, targetSecret string) (context.Context, *server, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range []string{"hookarr", "plugins/hookarr-source-radarr", "plugins/hookarr-target-webhook"} {
		if _, err := os.Stat(filepath.Join(bin, file)); err != nil {
			return nil, nil, fmt.Errorf("%w: run make build", err)
		}
	}
	var listen net.ListenConfig
	free, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	_ = free.Close() // the server listens there next
	config := filepath.Join(dir, "hookarr.yaml")
	yaml := fmt.Appendf(nil, configuration, free.Addr(), "sqlite://"+filepath.Join(dir, "hookarr.db"),
		filepath.Join(bin, "plugins"), filepath.Join(dir, "plugins.lock"), sourceSecret, endpoint, targetSecret)
	if err := os.WriteFile(config, yaml, 0o600); err != nil {
		return nil, nil, err
	}

	ctx, end := context.WithCancelCause(ctx)
	srv := &server{url: "http://" + free.Addr().String(), end: end, ended: make(chan struct{})}
	srv.cmd = exec.CommandContext(ctx, filepath.Join(bin, "hookarr"), "serve", "--config", config)
	srv.cmd.Stdout, srv.cmd.Stderr = &srv.log, &srv.log
	// A terminal's Ctrl-C reaches the demo only, which then ends the server in order.
	srv.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	srv.cmd.Cancel = func() error { return srv.cmd.Process.Signal(syscall.SIGTERM) }
	srv.cmd.WaitDelay = 20 * time.Second // then SIGKILL
	if err := srv.cmd.Start(); err != nil {
		end(err)
		return nil, nil, err
	}
	go func() {
		defer close(srv.ended)
		_ = srv.cmd.Wait() // ProcessState says how it ended
		end(errors.New("the server ended by itself"))
	}()
	return ctx, srv, nil
}

func (s *server) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// stop ends the server and adds to err what went wrong with it.
func (s *server) stop(err error) error {
	s.end(nil)
	<-s.ended
	if !s.cmd.ProcessState.Success() {
		err = errors.Join(err, fmt.Errorf("the server did not end cleanly: %s", s.cmd.ProcessState))
	}
	if err == nil {
		return nil
	}
	lines := bytes.Split(bytes.TrimSpace(s.log.Bytes()), []byte("\n"))
	return fmt.Errorf("%w\nThe server's last words:\n%s", err, bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}
