package e2e

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// TestPreviews of stories and of edits have the requests that the plugin would make.
func TestPreviews(t *testing.T) {
	t.Parallel()
	slack := newSlackBot(t)
	srv, c := withSocket(t, settings{
		database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), routes: everything,
		targets: "ops:\n  plugin: slack\n  config: " + slack.config + "\nraw:\n  plugin: webhook\n  config: {url: \"http://127.0.0.1:1/\", format: raw}",
	})
	srv.start()
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	awaitNone(t, c, event.Pending)
	require.Len(t, slack.messages(t), 1)
	list, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{Target: "ops"}, admin.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)

	posted, err := c.Preview(t.Context(), "ops", admin.PreviewOf{Story: admin.StorySeason})
	require.NoError(t, err)
	require.Equal(t, "slack", posted.Plugin)
	require.Contains(t, posted.URL, "/chat.postMessage")
	require.Contains(t, posted.Body, "12 episodes imported")
	require.Equal(t, 14, posted.Events)
	for _, of := range []admin.PreviewOf{{Story: admin.StorySeason, Edit: true}, {Delivery: list.Items[0].ID, Edit: true}} {
		edited, err := c.Preview(t.Context(), "ops", of)
		require.NoError(t, err)
		require.Contains(t, edited.URL, "/chat.update")
		require.Contains(t, edited.Body, `"ts":"`+list.Items[0].MessageID+`"`)
		require.Empty(t, edited.Fallback)
	}

	_, err = c.Preview(t.Context(), "raw", admin.PreviewOf{Story: admin.StorySeason})
	require.ErrorContains(t, err, "target raw takes one event a delivery")
	_, err = c.Preview(t.Context(), "raw", admin.PreviewOf{Subject: admin.Subject{Sample: sdk.TypeMediaImported}, Edit: true})
	require.ErrorContains(t, err, "target raw does not edit what it has sent")
	require.Len(t, slack.messages(t), 1, "nothing was sent")
}
