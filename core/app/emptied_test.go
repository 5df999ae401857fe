package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

func TestEmptied(t *testing.T) {
	t.Parallel()
	whole := &config.Config{Sources: map[string]config.Source{"radarr": {}}, Routes: []config.Route{{Name: "all"}}}
	cut := &config.Config{Sources: whole.Sources}
	require.NoError(t, emptied(whole, whole))
	require.NoError(t, emptied(&config.Config{}, &config.Config{}))
	require.NoError(t, emptied(cut, cut))
	require.ErrorContains(t, emptied(whole, cut), "routes: there is none, though")
	require.ErrorContains(t, emptied(cut, &config.Config{}), "sources: there is none, though")
}
