package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/sdk"
)

// TestRestoreAndCatchUp goes back to a backup that was taken under load: what was owed then is
// sent, nothing is sent twice that was delivered before it, and what the application did
// since comes from its history, once.
func TestRestoreAndCatchUp(t *testing.T) {
	t.Parallel()
	a := newArrApp(t, fakearr.Radarr, "radarr", sqliteURL(t), "")
	a.server.start()
	out, err := a.server.cli("connect", "radarr")
	require.NoError(t, err, out)
	const before, since = 4, 3
	for n := range before {
		a.grabAndImport(t, a.add(t, n))
	}
	a.endpoint.await(t, 3*before)
	a.awaitReading(t)
	owed := a.add(t, before)
	a.endpoint.await(t, 3*before+1)
	out, err = a.server.cli("targets", "pause", "ops")
	require.NoError(t, err, out)
	a.grabAndImport(t, owed)
	require.Eventually(t, func() bool { return a.pending(t) == 2 }, waitTimeout, 50*time.Millisecond)

	file := filepath.Join(t.TempDir(), "hookarr.backup")
	out, err = a.server.cli("backup", file)
	require.NoError(t, err, out)
	require.Contains(t, out, "owed          2 deliveries")

	out, err = a.server.cli("targets", "resume", "ops")
	require.NoError(t, err, out)
	for n := range since {
		a.grabAndImport(t, a.add(t, before+1+n))
	}
	const all = 3 * (before + 1 + since)
	a.endpoint.await(t, all)
	out, err = a.server.cli("restore", file, "--force")
	require.Error(t, err)
	require.Contains(t, out, "stop it first")
	require.NoError(t, a.server.stop())

	out, err = a.server.cli("restore", file, "--force", "--hold")
	require.NoError(t, err, out)
	sent := a.sent()
	a.server.start()
	require.Eventually(t, func() bool { return a.pending(t) == 2+2*since }, waitTimeout, 100*time.Millisecond,
		"the history has what was grabbed and imported since")
	a.awaitReading(t)
	require.Len(t, a.endpoint.all(), all, "a restored database was sent before somebody has looked")
	out, err = a.server.cli("targets", "resume", "ops")
	require.NoError(t, err, out)
	a.endpoint.await(t, all+2+2*since)
	a.awaitReading(t)
	a.awaitReading(t)
	require.Eventually(t, func() bool { return a.pending(t) == 0 }, waitTimeout, 50*time.Millisecond)

	again, caught := 0, 0
	for _, d := range a.endpoint.all()[all:] {
		switch {
		case d.Event.Origin == sdk.OriginCatchup:
			caught++
			require.Zero(t, sent[d.ID])
		case sent[d.ID] > 0: // with the id that it had
			again++
			require.Equal(t, owed.Name+" (2020)", d.Event.Title)
		default:
			require.Fail(t, "nothing else is sent", d.Event.Title)
		}
	}
	require.Equal(t, 2, again)
	require.Equal(t, 2*since, caught)
	require.NoError(t, a.server.stop())
}

// pending counts the deliveries that wait.
func (a *arrApp) pending(t *testing.T) int {
	t.Helper()
	return len(readLedger(t, a.database).owed)
}

// sent counts what the endpoint took, by its id.
func (a *arrApp) sent() map[string]int {
	counts := map[string]int{}
	for _, d := range a.endpoint.all() {
		counts[d.ID]++
	}
	return counts
}

// TestNewerDatabase is refused by serve, migrate and whoever reads it.
func TestNewerDatabase(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, url string) {
		endpoint := newReceiver(t)
		srv := newServer(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
		srv.start()
		require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
		require.NoError(t, srv.stop())
		execSQL(t, url, `UPDATE hookarr_migrations SET version_id = 99999 WHERE version_id = (SELECT max(version_id) FROM hookarr_migrations)`)
		for _, command := range [][]string{{"serve"}, {"migrate"}, {"events", "list"}} {
			out, err := srv.cli(command...)
			require.Error(t, err, command)
			require.Contains(t, out, "database is newer than this hookarr", command)
		}
	})
}
