package pluginhost

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPluginListensInItsOwnDirectoryOnly: elsewhere, others could be listening.
func TestPluginListensInItsOwnDirectoryOnly(t *testing.T) {
	t.Parallel()
	p := &osProcess{socketDir: "/tmp/private"}
	network, addr, err := p.PluginToHost("unix", "/tmp/private/plugin1")
	require.NoError(t, err)
	require.Equal(t, "unix", network)
	require.Equal(t, "/tmp/private/plugin1", addr)
	for _, refused := range [][2]string{
		{"tcp", "127.0.0.1:10000"}, {"unix", "/tmp/other"}, {"unix", "/tmp/private/../other"}, {"unix", "/tmp/private-too/x"}, {"unix", ""},
	} {
		_, _, err := p.PluginToHost(refused[0], refused[1])
		require.ErrorContains(t, err, "PLUGIN_UNIX_SOCKET_DIR", refused)
	}
}

// TestStartDoesNotWaitForEver for the goroutine that forks, when a start holds that up.
func TestStartDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	start := func(requests chan startRequest, limit time.Duration) *osProcess {
		p := &osProcess{requests: requests, argv: []string{"/plugins/x"}, forkLimit: limit, over: make(chan struct{}), exited: make(chan struct{})}
		require.EqualError(t, p.Start(t.Context()), "execute /plugins/x: the process was not started in time")
		return p
	}
	start(make(chan startRequest), time.Millisecond) // that nobody takes

	taken := make(chan startRequest, 1)
	p := start(taken, 100*time.Millisecond)
	late, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{Sys: processAttr(true)})
	require.NoError(t, err)
	r := <-taken
	r.started <- startResult{process: late}
	<-p.exited
	require.False(t, p.state.Success(), "it is killed: %s", p.state)
}

func TestPrivateDirectoryThatCannotBeRemoved(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	removePrivate(log, t.TempDir())
	require.Empty(t, said.String())
	removePrivate(log, ".") // which RemoveAll refuses
	require.Contains(t, said.String(), `msg="plugin's private directory is left" dir=. error="invalid argument"`)
}
