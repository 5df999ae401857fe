package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestServiceManagerIsTold of the start, of reloads that are taken and refused, of holds, that
// the process lives, and of the end.
func TestServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "hookarr.yaml")
	write := func(level string) {
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `
listen: 127.0.0.1:0
plugins: {dir: %s}
database: {url: "sqlite://./hookarr.db"}
log: {level: %s}
reload: {watch: false}
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [0123456789abcdef]}}]}}
targets: {idle: {plugin: webhook, config: {url: "http://127.0.0.1:1/"}}}
routes: [{name: nothing, types: [test], to: [idle]}]
`, pluginDir(t), level), 0o600))
	}
	write("error")
	manager := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: manager, Net: "unixgram"})
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	// await returns the next message with a line, and those before it.
	await := func(line string) string {
		t.Helper()
		var told strings.Builder
		buffer := make([]byte, 4096)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		for {
			n, err := conn.Read(buffer)
			require.NoError(t, err, "%s was not told; %s", line, told.String())
			fmt.Fprintf(&told, "%s\n", buffer[:n])
			if bytes.Contains(append(buffer[:n:n], '\n'), []byte(line+"\n")) {
				return told.String()
			}
		}
	}
	c := &cli{err: t.Output(), out: t.Output(), environ: func() []string {
		return []string{"NOTIFY_SOCKET=" + manager, "WATCHDOG_USEC=300000"}
	}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan int, 1)
	go func() { done <- c.run(ctx, []string{"serve", "--config", file}) }()

	require.Equal(t, "STATUS=starting the plugins\nREADY=1\nSTATUS=ready\n", await("READY=1"))
	await("WATCHDOG=1")
	await("WATCHDOG=1")

	write("warn")
	require.Zero(t, run(t, "reload", "--config", file).code)
	require.Regexp(t, `(?s)RELOADING=1\nSTATUS=[^\n]+\nMONOTONIC_USEC=\d+\n.*READY=1\nSTATUS=ready\n$`, await("READY=1"))

	write("loud")
	r := run(t, "reload", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "log.level: want debug, info, warn or error")
	require.Regexp(t, `(?s)RELOADING=1\n.*READY=1\nSTATUS=ready, last reload refused\n$`, await("READY=1"))

	write("warn")
	require.Zero(t, run(t, "reload", "--config", file, "--dry-run").code)
	require.Zero(t, run(t, "targets", "pause", "idle", "--config", file).code)
	require.NotContains(t, await("STATUS=ready, 1 target held, last reload refused"), "RELOADING", "nothing was reloaded")

	stop()
	require.Regexp(t, `(?s)STOPPING=1\nSTATUS=[^\n]+\nEXTEND_TIMEOUT_USEC=50000000\n$`, await("STOPPING=1"))
	require.Zero(t, <-done)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	rest := make([]byte, 4096)
	for n, err := conn.Read(rest); err == nil; n, err = conn.Read(rest) {
		require.NotContains(t, string(rest[:n]), "READY=1")
	}
}
