package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testbuild"
)

// firstPlugins builds plugins of the contract as it was first published, by the names of
// their programs.
func firstPlugins(t *testing.T, plugins map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	for program, file := range plugins {
		require.NoError(t, testbuild.Program(t.Context(), filepath.Join("..", "compat", "v1"), "./"+program, filepath.Join(dir, file)))
	}
	return dir
}

// TestFirstPluginsCarryAnEvent: a webhook comes in by the first source and goes out by the
// first target.
func TestFirstPluginsCarryAnEvent(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: sqliteURL(t), plugin: "old", routes: everything,
		targets: "ops:\n  plugin: old\n  config: {url: '" + endpoint.URL + "'}",
		plugins: firstPlugins(t, map[string]string{"source": "hookarr-source-old", "target": "hookarr-target-old"}),
	})
	out, err := srv.cli("check")
	require.NoError(t, err, out)
	srv.start()
	require.Equal(t, http.StatusAccepted, srv.post([]byte(`{"title": "Film"}`)).status)
	var titles []string
	for _, d := range endpoint.await(t, 2) {
		var event struct{ Title, Source string }
		require.NoError(t, json.Unmarshal(d.Raw, &event))
		require.Equal(t, "radarr", event.Source)
		titles = append(titles, event.Title)
	}
	require.ElementsMatch(t, []string{"Film", "past"}, titles, "the webhook, and what the history tells")
	require.NoError(t, srv.stop())
}

// TestLaterFeatureIsTold: who installs a plugin that can more than this Hookarr is told what
// to update.
func TestLaterFeatureIsTold(t *testing.T) {
	t.Parallel()
	dir := firstPlugins(t, map[string]string{"newer": "hookarr-target-newer", "source": "hookarr-source-old"})
	srv := newServer(t, settings{
		database: sqliteURL(t), plugin: "old", routes: everything, plugins: dir,
		targets: "ops:\n  plugin: newer\n  config: {url: 'http://127.0.0.1:1'}",
	})
	const told = "uses feature 3700, which this Hookarr does not know: it works without it; update Hookarr to have it"
	out, err := srv.cli("check", "--json")
	require.NoError(t, err, out)
	var found struct {
		Warnings []struct{ Key, Message string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Contains(t, found.Warnings, struct{ Key, Message string }{"targets.ops.plugin", "plugin newer " + told})
	out, err = srv.cli("plugins", "list")
	require.NoError(t, err, out)
	require.Contains(t, out, "ok; "+told)
	out, err = srv.cli("plugins", "list", "--json")
	require.NoError(t, err, out)
	var views []struct {
		Name     string
		Unused   []string `json:"features_unused"`
		Warnings []struct{ Key, Message string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &views))
	require.Len(t, views, 2) // the source comes first
	require.Equal(t, "newer", views[1].Name)
	require.Equal(t, []string{"3700"}, views[1].Unused)
	require.Equal(t, []struct{ Key, Message string }{{"", told}}, views[1].Warnings)
}
