package sdnotify

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listen returns what a service manager gets at an address.
func listen(t *testing.T, name string) func() []string {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return func() []string {
		t.Helper()
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
		message := make([]byte, 4096)
		n, err := conn.Read(message)
		require.NoError(t, err)
		return strings.Split(string(message[:n]), "\n")
	}
}

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestManagerIsTold(t *testing.T) {
	t.Parallel()
	for kind, name := range map[string]string{
		"file":     filepath.Join(t.TempDir(), "notify"),
		"abstract": fmt.Sprintf("@hookarr-test-%d", os.Getpid()),
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			next := listen(t, name)
			m := New(environment(map[string]string{"NOTIFY_SOCKET": name}))
			m.Status("starting")
			m.Status("starting") // no news
			require.Equal(t, []string{"STATUS=starting"}, next())
			m.Extend(30 * time.Second)
			require.Equal(t, []string{"EXTEND_TIMEOUT_USEC=30000000"}, next())
			m.Ready("ready,\n2 targets on hold")
			require.Equal(t, []string{"READY=1", "STATUS=ready, 2 targets on hold"}, next())
			m.Reloading()
			told := next()
			require.Equal(t, []string{"RELOADING=1", "STATUS=reading the configuration again"}, told[:2])
			require.Regexp(t, `^MONOTONIC_USEC=[1-9][0-9]*$`, told[2])
			m.Alive()
			require.Equal(t, []string{"WATCHDOG=1"}, next())
			m.Stopping(time.Minute, "ending")
			require.Equal(t, []string{"STOPPING=1", "STATUS=ending", "EXTEND_TIMEOUT_USEC=60000000"}, next())
			m.Ready("ready")
			m.Status("ready")
			m.Alive()
			require.Equal(t, []string{"WATCHDOG=1"}, next(), "what stops is not ready again")
		})
	}
}

func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	m := New(environment(nil))
	require.Nil(t, m)
	m.Ready("ready")
	m.Status("ready")
	m.Reloading()
	m.Extend(time.Second)
	m.Alive()
	m.Stopping(time.Second, "ending")
	require.Zero(t, m.Watchdog())
	m = New(environment(map[string]string{"NOTIFY_SOCKET": filepath.Join(t.TempDir(), "none")}))
	m.Ready("ready")
}

func TestWatchdogIsOfThisProcess(t *testing.T) {
	t.Parallel()
	own := strconv.Itoa(os.Getpid())
	for name, tt := range map[string]struct {
		usec, pid string
		want      time.Duration
	}{
		"own":       {"60000000", own, time.Minute},
		"any":       {"60000000", "", time.Minute},
		"another's": {"60000000", own + "0", 0},
		"none":      {"", own, 0},
		"no number": {"soon", own, 0},
		"too large": {"99999999999999999999", own, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := New(environment(map[string]string{"NOTIFY_SOCKET": "@none", "WATCHDOG_USEC": tt.usec, "WATCHDOG_PID": tt.pid}))
			require.Equal(t, tt.want, m.Watchdog())
		})
	}
}
