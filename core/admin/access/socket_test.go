package access_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/access"
)

// dir is a short directory for sockets; that of a test may be too long.
func dir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "hookarr-socket") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(d)) })
	return d
}

func overSocket(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
}

func serveSocket(t *testing.T, path string) {
	t.Helper()
	l, err := access.ListenSocket(t.Context(), path)
	require.NoError(t, err)
	server := &http.Server{
		Handler:           access.Socket(http.HandlerFunc(public), http.HandlerFunc(who)),
		ConnContext:       access.ConnContext,
		ReadHeaderTimeout: time.Minute,
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
}

func TestSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(dir(t), "run", "hookarr.sock")
	serveSocket(t, path)
	for _, name := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, name)
	}
	client := overSocket(path)
	// What a browser would say means nothing here: none reaches a socket.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://evil.example/x", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "http://evil.example")
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Regexp(t, `^\S+ socket operate /x$`, string(text))
	client.CloseIdleConnections()
}

// The bits of the file let only root and its owner in; whoever else gets there is told.
func TestSocketOfAnotherUser(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil || os.Getuid() != 0 {
		// Only root can be another user, and needs a program to be it with.
		require.NotEqual(t, 0, os.Getuid(), "install curl")
		return
	}
	d := dir(t)
	path := filepath.Join(d, "hookarr.sock")
	serveSocket(t, path)
	require.NoError(t, os.Chmod(d, 0o755))
	require.NoError(t, os.Chmod(path, 0o666))
	cmd := exec.CommandContext(t.Context(), curl, "-s", "--unix-socket", path, "http://localhost/healthz")
	cmd.SysProcAttr = asNobody()
	cmd.Dir = "/"
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "may not use the socket of")
}

func TestSocketRefusals(t *testing.T) {
	t.Parallel()
	d := dir(t)
	file := filepath.Join(d, "file")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	taken := filepath.Join(d, "taken.sock")
	serveSocket(t, taken)
	shared := filepath.Join(d, "shared")
	require.NoError(t, os.Mkdir(shared, 0o700))
	require.NoError(t, os.Chmod(shared, 0o770))
	for _, tt := range []struct{ name, path, want string }{
		{"too long", filepath.Join(d, strings.Repeat("x", 120)), "the path of a socket has at most 107 bytes"},
		{"a file", file, "is there and is no socket: remove it, or set admin.socket to another path"},
		{"taken", taken, "another hookarr serve answers at " + taken + ": stop it, or set admin.socket to another path"},
		{"a directory that others write to", filepath.Join(shared, "s"), "run chmod go-w " + shared},
		{"no directory", filepath.Join(file, "s"), "set admin.socket to a path whose directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := access.ListenSocket(t.Context(), tt.path)
			require.ErrorContains(t, err, "admin.socket: ")
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// leaveSocket leaves at path what a killed process does.
func leaveSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	_, err = os.Lstat(path)
	require.NoError(t, err)
	// A process that another test begins has all files of this one, until it is another program.
	require.Eventually(t, func() bool {
		conn, err := net.Dial("unix", path)
		return err != nil || conn.Close() != nil
	}, time.Minute, time.Millisecond)
}

// A killed process leaves its socket.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(dir(t), "hookarr.sock")
	leaveSocket(t, path)
	serveSocket(t, path)
	resp, err := overSocket(path).Get("http://localhost/healthz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// Of many that find the same stale socket, one gets it.
func TestStaleSocketIsTakenOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(dir(t), "hookarr.sock")
	leaveSocket(t, path)
	won := make(chan net.Listener, 8)
	for range cap(won) {
		go func() {
			l, err := access.ListenSocket(context.Background(), path)
			if err != nil {
				l = nil
			}
			won <- l
		}()
	}
	var listeners []net.Listener
	for range cap(won) {
		if l := <-won; l != nil {
			listeners = append(listeners, l)
		}
	}
	require.Len(t, listeners, 1)
	require.NoError(t, listeners[0].Close())
}
