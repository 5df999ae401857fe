package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// lockedBuffer is a buffer that a server writes to while the test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func TestServe(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	database := filepath.Join(t.TempDir(), "hookarr.db")
	file := write(t, fmt.Sprintf(`
listen: 127.0.0.1:1
plugins: {dir: %s}
database: {url: "sqlite://%s"}
log: {level: error}
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [0123456789abcdef]}}]}}
targets: {idle: {plugin: webhook, config: {url: "http://127.0.0.1:1/"}}}
routes: [{name: nothing, types: [test], to: [idle]}]
`, pluginDir(t), database))
	var log lockedBuffer
	environ := func() []string { return []string{"HOOKARR_LOG_FORMAT=json", "HOOKARR_LOG_LEVELS=x"} }
	c := &cli{err: &log, out: t.Output(), environ: environ}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan int, 1)
	go func() {
		done <- c.run(ctx, []string{"serve", "--config", file, "--listen", address, "--log-level", "info"})
	}()
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			return false
		}
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode == http.StatusOK
	}, time.Minute, 20*time.Millisecond)

	r := runWith(t, "", []string{"HOOKARR_LISTEN=" + address}, "send", "radarr", "--sample", "import", "--config", file)
	require.Zero(t, r.code, r.out+r.err)
	decoded := regexp.MustCompile(`(?m) radarr +media\.imported +routed +- +Sintel \(2010\)$`)
	require.Eventually(t, func() bool { // a decoder that is slow is asked again later
		return decoded.MatchString(run(t, "events", "list", "--config", file).out)
	}, time.Minute, 50*time.Millisecond)

	require.NoError(t, os.Remove(database))
	r = runWith(t, "", []string{"HOOKARR_LISTEN=" + address}, "send", "radarr", "--sample", "grab", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.out+r.err, "503")
	resp, err := http.Get("http://" + address + "/readyz")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.JSONEq(t, `{"status":"unavailable","reason":"database unavailable"}`, string(body))

	stop()
	require.Zero(t, <-done, log.String())
	require.Contains(t, log.String(), `"level":"WARN","msg":"configuration","problem":"$HOOKARR_LOG_LEVELS: sets nothing`)
	require.Contains(t, log.String(), `"msg":"ready"`, "a flag overrules the file's level")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Regexp(t, `"level":"INFO","msg":"stopped","drained_in":\d+}$`, lines[len(lines)-1])
}

// TestServeThatIsOneTooMany fails at once and leaves no trace.
func TestServeThatIsOneTooMany(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	taken := l.Addr().String()
	none := filepath.Join(t.TempDir(), "none")
	const rest = "log: {level: error}\nsources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [0123456789abcdef]}}]}}\n"

	file := write(t, fmt.Sprintf("%slisten: %s\nplugins: {dir: %s}\ndatabase: {url: sqlite://%s/hookarr.db}\n", rest, taken, pluginDir(t), none))
	r := run(t, "serve", "--config", file)
	require.Equal(t, result{code: exitError, err: "hookarr: " + file + ":3: listen: listen tcp " + taken + ": bind: address already in use: another program listens there, maybe another hookarr serve: stop it, or set another port\n"}, r)
	require.NoDirExists(t, none)
	r = run(t, "serve", "--config", file, "--listen", "127.0.0.1:0", "--admin-listen", taken)
	require.Equal(t, result{code: exitError, err: "hookarr: --admin-listen: admin.listen: listen tcp " + taken + ": bind: address already in use: another program listens there, maybe another hookarr serve: stop it, or set another port\n"}, r)
	require.NoDirExists(t, none)

	path := filepath.Join(t.TempDir(), "hookarr.db")
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Reserve())
	file = write(t, fmt.Sprintf("%slisten: 127.0.0.1:0\nplugins: {dir: %s}\ndatabase: {url: sqlite://%s}\n", rest, pluginDir(t), path))
	r = run(t, "serve", "--config", file)
	require.Equal(t, result{code: exitError, err: fmt.Sprintf(
		"hookarr: %s:5: database.url: %s, process %d: database is in use by another hookarr serve\n", file, path, os.Getpid())}, r)
	require.ErrorIs(t, s.Ready(t.Context()), store.ErrNotMigrated, "left as it was")
}

func TestLogTellsErrorsInOneLine(t *testing.T) {
	t.Parallel()
	err := errors.New("failed to connect:\n\tone: refused\n\ttwo: refused")
	var b bytes.Buffer
	log := newLog(&b, config.Log{Level: "info", Format: "text"}, new(slog.LevelVar))
	log.Info("a", "error", err)
	log.Info("b", "err", err.Error())
	log.Info("c", "output", "two\nlines")
	require.Equal(t, 2, strings.Count(b.String(), `="failed to connect: one: refused; two: refused"`), b.String())
	require.Contains(t, b.String(), `output="two\nlines"`)
}

func TestServeStartsNothingHalf(t *testing.T) {
	t.Parallel()
	r := run(t, "serve", "--config", write(t, "listen: nowhere\nlog: {level: loud}\n"))
	require.Equal(t, exitConfig, r.code)
	require.Empty(t, r.out)
	require.Equal(t, 2, strings.Count(r.err, "\n"), r.err)

	r = run(t, "serve", "--config", write(t, "{}"), "--log-level", "loud")
	require.Equal(t, result{code: exitConfig, err: "--log-level: log.level: want debug, info, warn or error\n"}, r)
}

func TestNewLog(t *testing.T) {
	t.Parallel()
	for level, lines := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		for format, want := range map[string]string{"text": "level=ERROR msg=said", "json": `"level":"ERROR","msg":"said"`} {
			var b bytes.Buffer
			log := newLog(&b, config.Log{Level: level, Format: format}, new(slog.LevelVar))
			log.Debug("said")
			log.Info("said")
			log.Warn("said")
			log.Error("said")
			require.Equal(t, lines, strings.Count(b.String(), "\n"))
			require.Contains(t, b.String(), want)
		}
	}
}
