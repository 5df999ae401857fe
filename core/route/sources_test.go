package route_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/route"
)

func TestSourcesOfATarget(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{
		{Name: "a", From: []string{"radarr*"}, To: []string{"plex", "chat"}},
		{Name: "b", From: []string{"sonarr"}, Types: []string{"media.*"}, To: []string{"plex"}},
		{Name: "c", To: []string{"chat"}},
	})
	require.NoError(t, err)
	all := []string{"lidarr", "radarr", "radarr-4k", "sonarr"}
	require.Equal(t, []string{"radarr", "radarr-4k", "sonarr"}, table.SourcesOf("plex", all))
	require.Equal(t, all, table.SourcesOf("chat", all))
	require.Empty(t, table.SourcesOf("nobody", all))
}
