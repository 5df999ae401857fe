package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPoisonPill sends one event that kills the target's plugin among others: it alone
// becomes a dead letter.
func TestPoisonPill(t *testing.T) {
	t.Parallel()

	signs := t.TempDir()
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
		targets: fmt.Sprintf("ops:\n  plugin: chaos\n  retry: {initial: 200ms}\n  config: {dir: %q}", signs),
		plugins: ownPlugins(t, pluginFile("source-radarr"), filepath.Join(binaries, "hookarr-target-chaos")),
	})
	srv.start()
	const events = 30
	var poison string
	for n := range events {
		body := importBody(n + 1)
		if n == events/3 {
			body = bytes.ReplaceAll(body, []byte(`"title": "Movie`), []byte(`"title": "exit Movie`))
		}
		a := srv.post(body)
		require.Equal(t, http.StatusAccepted, a.status)
		if n == events/3 {
			poison = a.id
		}
	}
	list := func(state string) string {
		out, err := srv.cli("deliveries", "list", "--state", state, "--json", "--limit", "100")
		require.NoError(t, err, out)
		return out
	}
	require.Eventually(t, func() bool {
		return strings.Count(list("delivered"), `"delivered"`) == events-1 && strings.Count(list("dead"), `"dead"`) == 1
	}, waitTimeout, 200*time.Millisecond)
	out, err := srv.cli("events", "show", poison, "--json")
	require.NoError(t, err, out)
	require.Contains(t, out, "crashed the plugin 3 times while running alone")
	require.Contains(t, srv.log.String(), `"msg":"plugin crashed during a delivery","target":"ops"`)
	require.Equal(t, 1, strings.Count(srv.log.String(), `"msg":"dead letter","target":"ops"`))
	require.Equal(t, http.StatusAccepted, srv.post(importBody(events+1)).status)
	require.Eventually(t, func() bool { return strings.Count(list("delivered"), `"delivered"`) == events }, waitTimeout, 100*time.Millisecond)
}

// TestPinnedPluginThatChangedIsNotRun replaces a pinned binary: it is named with the
// fix, and the others run.
func TestPinnedPluginThatChangedIsNotRun(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: webhookTarget(endpoint), routes: everything, plugins: own,
	})
	out, err := srv.cli("plugins", "lock")
	require.NoError(t, err, out)
	replacePlugin(t, own, "source-radarr", 1)

	srv.start()
	log := srv.log.String()
	require.Contains(t, log, "hookarr-source-radarr has SHA-256")
	require.Contains(t, log, "run hookarr plugins lock")
	_, runs := srv.pluginPID("hookarr-source-radarr")
	require.False(t, runs)
	_, runs = srv.pluginPID("hookarr-target-webhook")
	require.True(t, runs)
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)

	out, err = srv.cli("plugins", "lock")
	require.NoError(t, err, out)
	require.Equal(t, titleOf(1), endpoint.await(t, 1)[0].Event.Title)
}
