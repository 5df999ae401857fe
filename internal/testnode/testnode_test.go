package testnode

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissingNodeSkips(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := build(t.Context(), t.TempDir())
	require.ErrorIs(t, err, errNoNode)
	require.ErrorContains(t, err, "install node and npm")
}

func TestMissingRegistrySkips(t *testing.T) {
	if err := checkNode(t.Context()); err != nil {
		t.Skip(err)
	}
	// Nothing listens on port 1, and an empty cache has nothing.
	t.Setenv("npm_config_registry", "http://127.0.0.1:1/")
	t.Setenv("npm_config_cache", t.TempDir())
	t.Setenv("npm_config_fetch_retries", "0")
	_, err := build(t.Context(), t.TempDir())
	require.ErrorIs(t, err, errNoNode)
	require.ErrorContains(t, err, "npm did not reach its registry: ECONNREFUSED")
}
