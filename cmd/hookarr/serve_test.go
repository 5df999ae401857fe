package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
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
	file := write(t, fmt.Sprintf(`
listen: 127.0.0.1:1
plugins: {dir: %s}
database: {url: "sqlite://%s"}
log: {level: error}
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [0123456789abcdef]}}]}}
targets: {idle: {plugin: webhook, config: {url: "http://127.0.0.1:1/"}}}
routes: [{name: nothing, types: [test], to: [idle]}]
`, pluginDir(t), filepath.Join(t.TempDir(), "hookarr.db")))
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
	r = run(t, "events", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m) radarr +media\.imported +routed +- +Sintel \(2010\)$`, r.out)

	stop()
	require.Zero(t, <-done, log.String())
	require.Contains(t, log.String(), `"level":"WARN","msg":"configuration","problem":"$HOOKARR_LOG_LEVELS: sets nothing`)
	require.Contains(t, log.String(), `"msg":"ready"`, "a flag overrules the file's level")
}

func TestServeStartsNothingHalf(t *testing.T) {
	t.Parallel()
	r := run(t, "serve", "--config", write(t, "listen: nowhere\nlog: {level: loud}\n"))
	require.Equal(t, exitUsage, r.code)
	require.Empty(t, r.out)
	require.Equal(t, 2, strings.Count(r.err, "\n"), r.err)

	r = run(t, "serve", "--config", write(t, "{}"), "--log-level", "loud")
	require.Equal(t, result{code: exitUsage, err: "--log-level: log.level: want debug, info, warn or error\n"}, r)
}

func TestNewLog(t *testing.T) {
	t.Parallel()
	for level, lines := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		for format, want := range map[string]string{"text": "level=ERROR msg=said", "json": `"level":"ERROR","msg":"said"`} {
			var b bytes.Buffer
			log := newLog(&b, config.Log{Level: level, Format: format})
			log.Debug("said")
			log.Info("said")
			log.Warn("said")
			log.Error("said")
			require.Equal(t, lines, strings.Count(b.String(), "\n"))
			require.Contains(t, b.String(), want)
		}
	}
}
