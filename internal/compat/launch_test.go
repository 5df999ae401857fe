package compat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk/host"
)

// tellingScript tells how it was launched, to standard error: standard output is for the
// handshake.
const tellingScript = `#!/bin/sh
{
echo "script $0"
echo "directory $PWD"
echo "files $(/bin/readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/3 | /usr/bin/tr '\n' ' ')"
echo "arguments $#"
/usr/bin/tr '\0\n' '\n ' < /proc/$$/environ
} >&2
`

func TestLaunchIsAsTheProtocolSays(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/etc/ssl/cert.pem")
	t.Setenv("https_proxy", "http://127.0.0.1:1")
	t.Setenv("DATABASE_URL", "postgres://secret")
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	file := filepath.Join(dir, "hookarr-target-teller")
	require.NoError(t, os.WriteFile(file, []byte(tellingScript), 0o600))
	require.NoError(t, os.Chmod(file, 0o755))

	h := newHost(t, dir)
	_, err := h.Inspect(t.Context(), pluginhost.Binary{Kind: host.KindTarget, Name: "teller", Path: file})
	require.ErrorContains(t, err, "start plugin hookarr-target-teller: it ended: exit status 0")

	told, names := map[string]string{}, []string{}
	for line := range strings.Lines(h.log.String()) {
		var record struct{ Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if word, rest, ok := strings.Cut(record.Msg, " "); ok && !strings.Contains(word, "=") {
			told[word] = rest
		} else if name, _, ok := strings.Cut(record.Msg, "="); ok {
			names = append(names, name)
		}
	}
	require.Equal(t, "0", told["arguments"])
	require.Equal(t, "hookarr-target-teller", filepath.Base(told["script"]))
	require.NotEqual(t, file, told["script"], "the private link")
	require.Regexp(t, `/hookarr-\d+/p\d+/plugin-dir\d+$`, told["directory"])
	require.Regexp(t, `^pipe:\S+ pipe:\S+ `+regexp.QuoteMeta(file)+`$`, told["files"])

	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugin-protocol.md"))
	require.NoError(t, err)
	for _, name := range names {
		require.True(t, strings.Contains(string(page), "`"+name+"`") || strings.Contains(string(page), "`"+strings.ToUpper(name)+"`"), "the page has %s", name)
	}
	require.Subset(t, names, []string{"HOOKARR_PLUGIN", "HOOKARR_LOG_LEVEL", "PLUGIN_CLIENT_CERT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR", "SSL_CERT_FILE", "TMPDIR", "https_proxy"})
	for _, name := range []string{"PATH", "HOME", "LANG", "DATABASE_URL"} {
		require.False(t, slices.Contains(names, name), name)
	}
}
