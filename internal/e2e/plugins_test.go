package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStopWhilePluginsStart tells the program to stop while it waits for a plugin that
// never says what it is.
func TestStopWhilePluginsStart(t *testing.T) {
	t.Parallel()

	own := ownPlugins(t, pluginFile("source-radarr"))
	mute := filepath.Join(own, "hookarr-target-mute")
	data, err := os.ReadFile(filepath.Join(binaries, "hookarr-target-chaos"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(mute, data, 0o755))
	require.NoError(t, os.Chmod(mute, 0o755))
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", routes: everything,
		targets: "ops:\n  plugin: mute", plugins: own,
	})
	srv.launch()
	var pids []int
	require.Eventually(t, func() bool {
		radarr, first := srv.pluginPID("hookarr-source-radarr")
		ops, second := srv.pluginPID("hookarr-target-mute")
		pids = []int{radarr, ops}
		return first && second
	}, waitTimeout, 10*time.Millisecond)
	require.NoError(t, srv.stop())
	for line := range strings.Lines(srv.log.String()) {
		require.NotContains(t, line, `"level":"WARN"`)
		require.NotContains(t, line, `"level":"ERROR"`)
		require.True(t, strings.HasPrefix(line, "{"), line)
	}
	for _, pid := range pids {
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "a plugin is left")
	}
}

// TestPluginThatIsAwayHoldsItsTarget takes a target's binary away while deliveries are
// on their way, and brings it back: they wait, the log tells it once, and
// everything arrives.
func TestPluginThatIsAwayHoldsItsTarget(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		endpoint := newReceiver(t)
		own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
		srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything, plugins: own})
		srv.start()
		const events = 60
		for n := range events / 2 {
			require.Equal(t, http.StatusAccepted, srv.post(importBody(n+1)).status)
		}
		endpoint.await(t, events/2)
		// One that arrived and is not recorded would be held and come again.
		delivered := `UPDATE deliveries SET state = state WHERE state = 'delivered'`
		require.Eventually(t, func() bool { return execSQL(t, url, delivered) == events/2 }, waitTimeout, 100*time.Millisecond)
		binary, away := filepath.Join(own, "hookarr-target-webhook"), filepath.Join(t.TempDir(), "away")
		require.NoError(t, os.Rename(binary, away))
		pid, ok := srv.pluginPID("hookarr-target-webhook")
		require.True(t, ok)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		for n := range events / 2 {
			require.Equal(t, http.StatusAccepted, srv.post(importBody(events/2+n+1)).status)
		}
		require.Eventually(t, func() bool {
			out, err := srv.cli("targets", "list")
			return err == nil && strings.Contains(out, "quarantined")
		}, waitTimeout, 100*time.Millisecond)
		out, err := srv.cli("targets", "list")
		require.NoError(t, err, out)
		require.Contains(t, out, "plugin webhook is refused")
		loud := 0
		for line := range strings.Lines(srv.log.String()) {
			if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
				loud++
			}
		}
		require.LessOrEqual(t, loud, 3, "killed, refused, on hold")

		require.NoError(t, os.Rename(away, binary))
		endpoint.await(t, events)
	})
}
