package pluginhost

import (
	"testing"

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
