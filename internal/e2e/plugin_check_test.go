package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testbuild"
)

// checked is what plugins check says of one binary.
type checked struct {
	Kind, Name string
	OK         bool
	Checks     []struct{ Check, Result, Detail string }
}

// TestEveryPluginPassesItsCheck: those that come with Hookarr, and the example in Go. Package
// compat has that in Node.js.
func TestEveryPluginPassesItsCheck(t *testing.T) {
	t.Parallel()
	plugins, err := filepath.Glob(filepath.Join(binaries, "plugins", "hookarr-*-*"))
	require.NoError(t, err)
	require.NotEmpty(t, plugins)
	for _, plugin := range plugins {
		t.Run(filepath.Base(plugin), func(t *testing.T) {
			t.Parallel()
			requireChecked(t, plugin)
		})
	}
	t.Run("example in Go", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "hookarr-target-file")
		require.NoError(t, testbuild.Program(t.Context(), "../../examples/plugin-target-file", ".", file))
		require.NoError(t, os.Chmod(filepath.Dir(file), 0o755))
		requireChecked(t, file)
	})
}

// requireChecked wants every row of a plugin to be ok or skipped, and a configuration to have
// been taken, without which most are skipped.
func requireChecked(t *testing.T, plugin string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, "hookarr"), "plugins", "check", "--json",
		"--config", "../../core/plugincheck/testdata/config", plugin)
	out, err := cmd.Output()
	var reports []checked
	require.NoError(t, json.Unmarshal(out, &reports), "%v", err)
	require.Len(t, reports, 1)
	for _, row := range reports[0].Checks {
		require.NotEqual(t, "FAILED", row.Result, "%s: %s", row.Check, row.Detail)
		if row.Check == "configure" {
			require.Equal(t, "ok", row.Result, row.Detail)
		}
	}
	require.NoError(t, err)
	require.True(t, reports[0].OK)
}
