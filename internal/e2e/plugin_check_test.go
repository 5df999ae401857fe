package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// checked is what plugins check says of one binary.
type checked struct {
	Kind, Name string
	OK         bool
	Checks     []struct{ Check, Result, Detail string }
}

// TestEveryPluginPassesItsCheck: those that come with Hookarr, and the examples for authors.
func TestEveryPluginPassesItsCheck(t *testing.T) {
	t.Parallel()
	plugins, err := filepath.Glob(filepath.Join(binaries, "plugins", "hookarr-*"))
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
		buildIn(t, "../../examples/plugin-target-file", file, "go", "build", "-o", file, ".")
		requireChecked(t, file)
	})
	t.Run("example in Node.js", func(t *testing.T) {
		t.Parallel()
		const dir = "../../examples/plugin-target-node"
		if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
			t.Skip("no node_modules in examples/plugin-target-node: run npm ci there")
		}
		if _, err := exec.LookPath("node"); err != nil {
			t.Skip("no node in PATH")
		}
		built, err := filepath.Abs(filepath.Join(dir, "hookarr-target-text"))
		require.NoError(t, err)
		buildIn(t, dir, built, "node", "build.mjs")
		file := filepath.Join(t.TempDir(), filepath.Base(built))
		data, err := os.ReadFile(built)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, data, 0o600))
		require.NoError(t, os.Chmod(file, 0o755))
		requireChecked(t, file)
	})
}

func buildIn(t *testing.T, dir, file string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.Chmod(file, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(file), 0o755))
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
