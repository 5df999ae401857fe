package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
)

// TestSilence is seen at once by the server that was asked for it.
func TestSilence(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		endpoint := newReceiver(t)
		srv, c := withSocket(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
		srv.start()
		require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
		endpoint.await(t, 1)

		n, err := c.AddSilence(t.Context(), admin.NewSilence{Expression: `event.source == "radarr"`, For: "1h", Comment: "we move"}, "")
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, srv.post(importBody(2)).status)
		awaitNone(t, c, event.Pending)
		silenced := srv.newest(t, c)
		e, err := c.Event(t.Context(), silenced)
		require.NoError(t, err)
		require.Equal(t, event.Cancelled, e.Deliveries[0].State)
		require.Contains(t, e.Deliveries[0].Reason, ": we move (silence "+n.ID+")")
		list, err := c.ListSilences(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, list[0].Silenced)
		srv.awaitMetrics(t, `hookarr_deliveries_silenced_total{target="ops"} 1`)

		_, err = c.ExpireSilence(t.Context(), n.ID)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, srv.post(importBody(3)).status)
		endpoint.await(t, 2)
		_, err = c.ReplayEvent(t.Context(), silenced, admin.Replay{}, "")
		require.NoError(t, err)
		endpoint.await(t, 3)
		require.Len(t, endpoint.counts(), 3)
		require.NoError(t, srv.stop())
	})
}
