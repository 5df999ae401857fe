package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/sdk"
)

// What an application has and no webhook told comes with a snapshot, once, and what its
// webhooks told does not come again.
func TestSync(t *testing.T) {
	t.Parallel()
	eachArr(t, func(t *testing.T, app fakearr.App, plugin string) {
		a := newArrApp(t, app, plugin, sqliteURL(t), "snapshot: {every: 0s, lag: 0s}", "media.updated")
		a.Seed(30, title, true)
		a.server.start()
		out, err := a.server.cli("connect", "radarr")
		require.NoError(t, err, out)
		sync := func(args ...string) string {
			t.Helper()
			out, err := a.server.cli(append([]string{"sync", "radarr"}, args...)...)
			require.NoError(t, err, out)
			return out
		}
		require.Contains(t, sync(), "30 titles; nothing is told the first time")

		// By webhook.
		a.grabAndImport(t, a.add(t, 100))
		require.Contains(t, sync(), "31 titles; 0 events told")
		// Without one.
		before := a.types()
		quiet := fakearr.Quiet(t.Context())
		require.NoError(t, a.Edit(1, func(of *fakearr.Title) { of.Overview, of.Unmonitored = "Another.", true }))
		_, err = a.Add(quiet, title(200))
		require.NoError(t, err)
		require.NoError(t, a.Delete(quiet, 2, true))
		require.Contains(t, sync(), "31 titles; 3 events told")
		require.Contains(t, sync(), "31 titles; 0 events told")

		var told []sdk.Event
		require.Eventually(t, func() bool {
			told = told[:0]
			for _, d := range a.endpoint.all() {
				if d.Event.Origin == sdk.OriginSnapshot {
					told = append(told, d.Event)
				}
			}
			return len(told) >= 3
		}, waitTimeout, 50*time.Millisecond)
		require.Len(t, told, 3, "%v before, %v after", before, a.types())
		found := map[sdk.Type]sdk.Event{}
		for _, e := range told {
			found[e.Type] = e
		}
		require.Len(t, found, 3)
		require.Equal(t, []string{"monitored", "overview"}, found[sdk.TypeMediaUpdated].Fields)
		require.Equal(t, "Title 200", found[sdk.TypeMediaAdded].Media.Title)
		require.Equal(t, "Title 1", found[sdk.TypeMediaDeleted].Media.Title, "the second, from 0 on")

		out, err = a.server.cli("sources", "show", "radarr")
		require.NoError(t, err, out)
		require.Contains(t, out, "31 titles; 0 events told")
	})
}
