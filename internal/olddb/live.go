package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// The secrets are those of internal/e2e.
const (
	sourceSecret = "a-source-secret-for-tests-only"
	targetSecret = "whsec_dGFyZ2V0LXNlY3JldC1mb3ItdGVzdHMtb25seQ=="
)

// configuration is understood by every version. Its targets are named for their endpoints.
const configuration = `listen: %[1]s
database: {url: %[2]q}
plugins: {dir: %[3]s/plugins}
sources:
  radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [%[4]s]}}]}
targets:
%[5]s
routes:
  - {name: everything, types: ["*", test, unknown], to: [ok, retrying, down, gone, refusing, slow, later]}
%[6]s`

// target is its YAML. Nothing is tried again while the server lives, but what was held.
func target(name, url, more string) string {
	return fmt.Sprintf(`  %s:
    plugin: webhook
    timeout: 1m
    concurrency: 2
    retry: {initial: 20s, multiplier: 3, max_interval: 6h, max_attempts: 12, max_age: 48h}
    config: {url: %q, secrets: [%q]}
%s`, name, url+"/"+name, targetSecret, more)
}

// live lets a server take webhooks and get into trouble, and kills it.
func live(ctx context.Context, dir, database string) error {
	var first atomic.Int64
	end := make(chan struct{})
	endpoints := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		switch r.URL.Path {
		case "/retrying":
			if first.Add(1) <= 2 {
				status = http.StatusServiceUnavailable
			}
		case "/down":
			status = http.StatusInternalServerError
		case "/gone":
			status = http.StatusNotFound
		case "/refusing":
			status = http.StatusUnprocessableEntity
		case "/slow":
			select {
			case <-end:
			case <-r.Context().Done():
			}
		}
		w.WriteHeader(status)
	}))
	defer endpoints.Close()
	defer close(end)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	var targets strings.Builder
	for _, name := range []string{"ok", "retrying", "down", "gone", "refusing", "slow", "later"} {
		targets.WriteString(target(name, endpoints.URL, ""))
	}
	newer, routes := "", ""
	config := filepath.Join(dir, "hookarr.yaml")
	write := func() error {
		text := fmt.Sprintf(configuration, address, database, dir, sourceSecret, targets.String()+newer, routes)
		return os.WriteFile(config, []byte(text), 0o600)
	}
	// What came later than version 4.
	newer = target("grouped", endpoints.URL, "    group: {by: download, wait: 30s, max_wait: 30s}\n") +
		target("quiet", endpoints.URL, "    quiet: {zone: UTC, hours: [\"00:00-23:59\"]}\n") +
		"  proving: {plugin: chaos, config: {prove: 1000000}}\n"
	routes = "  - {name: newer, types: [\"*\"], to: [grouped, quiet, proving]}\n"
	if err := write(); err != nil {
		return err
	}
	if err := hookarr(ctx, dir, "check").Run(); err != nil {
		newer, routes = "", ""
		if err := write(); err != nil {
			return err
		}
	}

	server := hookarr(ctx, dir, "serve")
	server.Stdout, server.Stderr = os.Stderr, os.Stderr
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := server.Start(); err != nil {
		return err
	}
	killed := false
	kill := func() {
		if !killed {
			_ = server.Process.Kill()
			_ = server.Wait()
			killed = true
		}
	}
	defer kill()
	if err := ready(ctx, address); err != nil {
		return err
	}
	// Only some versions know these.
	_ = hookarr(ctx, dir, "targets", "pause", "later", "--reason", "moving").Run()
	_ = hookarr(ctx, dir, "silences", "add", `event.type=="health.issue"`, "--target", "ok", "--for", "8760h", "--comment", "known").Run()
	if err := postAll(ctx, address); err != nil {
		return err
	}
	if err := sleep(ctx, settle); err != nil {
		return err
	}
	// What comes while the decoder hangs is deferred.
	if pid, ok := child(server.Process.Pid, "hookarr-source-radarr"); ok {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return err
		}
	}
	if err := post(ctx, address, []byte(`{"eventType":"Grab","movie":{"id":77,"title":"Deferred","year":2021,"tmdbId":77,"folderPath":"/movies/Deferred"},
"release":{"releaseTitle":"Deferred.2021"},"downloadId":"D77","instanceName":"Radarr"}`)); err != nil {
		return err
	}
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	kill()
	return nil
}

func hookarr(ctx context.Context, dir string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, filepath.Join(dir, "hookarr"), append(args, "--config", filepath.Join(dir, "hookarr.yaml"))...)
}

func ready(ctx context.Context, address string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the server is not ready")
}

// postAll posts the samples, one of them twice, and what no decoder understands.
func postAll(ctx context.Context, address string) error {
	for _, name := range []string{"grab", "import", "rename", "health", "upgrade", "import"} {
		body, err := os.ReadFile(filepath.Join("examples", "payloads", "radarr", name+".json"))
		if err != nil {
			return err
		}
		if err := post(ctx, address, body); err != nil {
			return err
		}
	}
	return post(ctx, address, []byte("no JSON"))
}

func post(ctx context.Context, address string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/hooks/radarr", bytes.NewReader(body))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(sourceSecret))
	mac.Write(body)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Radarr/6.0.4.10291 (alpine 3.22.1)")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		return errors.New("a webhook was answered " + resp.Status)
	}
	return nil
}

// child finds a process among those that a process has started.
func child(parent int, name string) (pid int, ok bool) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, task := range tasks {
		children, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		for text := range strings.FieldsSeq(string(children)) {
			line, err := os.ReadFile("/proc/" + text + "/cmdline")
			if err != nil || !strings.Contains(string(line), name) {
				continue
			}
			pid, err := strconv.Atoi(text)
			return pid, err == nil
		}
	}
	return 0, false
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
