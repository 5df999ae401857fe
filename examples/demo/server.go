package main

import (
	"bytes"
	"context"
	"crypto/rand"
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

// configuration sends everything to one endpoint, and what Sonarr tells to media servers and a
// chat. The retries are quicker than
// anybody would want them; the two event types that "*" leaves out are named.
const configuration = `listen: %s
database: {url: %q}
plugins: {dir: %q, lock: %q}
reload: {watch: false}
sources:
  radarr:
    plugin: radarr
    auth: [{hmac: {preset: github, secrets: [%q]}}]
  sonarr:
    plugin: sonarr
    auth: [{basic: {username: arr, password: %q}}]
    catchup: {lag: 0s}
    config: {base_url: %q, api_key: %q}
targets:
  receiver:
    plugin: webhook
    concurrency: 4
    retry: {initial: 300ms, multiplier: 2, max_interval: 2s}
    config: {url: %q, secrets: [%q], format: standard}
  plex:
    plugin: plex
    group: {wait: 1s}
    config: {url: %q, token: %q, map: [{from: /tv, to: /media/tv}]}
  jellyfin:
    plugin: jellyfin
    group: {wait: 1s}
    config: {url: %q, api_key: %q, map: [{from: /tv, to: /media/tv}]}
  chat:
    plugin: discord
    group: {by: download, wait: 500ms}
    config: {webhook_url: %q}
routes:
  - {name: everything, types: ["*", test, unknown], to: [receiver]}
  - {name: shelves, from: [sonarr], types: ["media.*", import.completed, "file.*"], to: [plex, jellyfin]}
  - {name: people, from: [sonarr], types: [media.imported, media.upgraded, import.completed, "library.*"], to: [chat]}
`

// server is a Hookarr.
type server struct {
	url, program, config string

	cmd   *exec.Cmd
	log   bytes.Buffer // complete when it has ended
	end   context.CancelCauseFunc
	ended chan struct{}
}

// newServer writes a configuration into dir: for an endpoint and its secret, and an
// installation of Sonarr. It starts nothing.
func newServer(ctx context.Context, bin, dir, endpoint, sourceSecret, targetSecret string, s sonarr) (*server, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	for _, file := range []string{
		"hookarr", "plugins/hookarr-source-radarr", "plugins/hookarr-source-sonarr", "plugins/hookarr-target-webhook",
		"plugins/hookarr-target-plex", "plugins/hookarr-target-jellyfin", "plugins/hookarr-target-discord",
	} {
		if _, err := os.Stat(filepath.Join(bin, file)); err != nil {
			return nil, fmt.Errorf("%w: run make build", err)
		}
	}
	var listen net.ListenConfig
	free, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_ = free.Close() // the server listens there next
	srv := &server{url: "http://" + free.Addr().String(), program: filepath.Join(bin, "hookarr"), config: filepath.Join(dir, "hookarr.yaml")}
	yaml := fmt.Appendf(nil, configuration, free.Addr(), "sqlite://"+filepath.Join(dir, "hookarr.db"),
		filepath.Join(bin, "plugins"), filepath.Join(dir, "plugins.lock"), sourceSecret, rand.Text(), s.url, s.APIKey(), endpoint, targetSecret,
		s.home.plexURL, s.home.plexToken, s.home.jellyfinURL, s.home.jellyfinKey, s.home.discordURL)
	return srv, os.WriteFile(srv.config, yaml, 0o600)
}

// start runs the server until ctx ends, when it is asked to end too, and waits until it
// is ready. The returned context ends when the server does.
func (s *server) start(ctx context.Context) (context.Context, error) {
	ctx, s.end = context.WithCancelCause(ctx)
	s.ended = make(chan struct{})
	s.cmd = exec.CommandContext(ctx, s.program, "serve", "--config", s.config)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	// A terminal's Ctrl-C reaches the demo only, which then ends the server in order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 20 * time.Second // then SIGKILL
	if err := s.cmd.Start(); err != nil {
		s.end(err)
		close(s.ended)
		return ctx, err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // ProcessState says how it ended
		s.end(errors.New("the server ended by itself"))
	}()
	return ctx, await(ctx, 30*time.Second, "ready", s.ready)
}

// pullThePlug ends the server as a power cut does.
func (s *server) pullThePlug() {
	_ = s.cmd.Process.Kill() // what has ended already is as dead
	<-s.ended
}

// run runs one of hookarr's commands and returns what it prints.
func (s *server) run(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, s.program, append(args, "--config", s.config)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("hookarr %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
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
	if s.cmd == nil {
		return err
	}
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
