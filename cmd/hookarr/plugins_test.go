package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPluginsListTellsRefusedSettings in place of ok, in the table and in JSON.
func TestPluginsListTellsRefusedSettings(t *testing.T) {
	t.Parallel()
	file := write(t, fmt.Sprintf(`
plugins: {dir: %s}
sources: {}
targets:
  ops: {plugin: webhook, config: {url: "http://127.0.0.1:8080/", uri: x}}
routes: []
`, pluginDir(t)))
	r := run(t, "plugins", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m)^webhook +target .* targets\.ops\.config\.uri is an unknown key`, r.out)
	require.NotRegexp(t, `(?m)^webhook .* ok`, r.out)
	require.Regexp(t, `(?m)^radarr .* ok$`, r.out)
	require.NotContains(t, r.out, "hookarr-plugins", "their file is nothing that is ignored")

	r = run(t, "plugins", "list", "--json", "--config", file)
	require.Zero(t, r.code, r.err)
	var views []pluginView
	require.NoError(t, json.Unmarshal([]byte(r.out), &views))
	for _, v := range views {
		if v.Name != "webhook" {
			require.Empty(t, v.Problems, v.Name)
			continue
		}
		require.Len(t, v.Problems, 1)
		require.Equal(t, "targets.ops.config.uri", v.Problems[0].Key)
		require.Contains(t, v.Problems[0].Message, "is an unknown key")
	}
}
