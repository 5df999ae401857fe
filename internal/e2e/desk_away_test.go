package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/internal/testport"
)

// TestPagesWithoutDatabase takes the database away: pages say so in a sentence, and the
// same addresses work once it is back.
func TestPagesWithoutDatabase(t *testing.T) {
	t.Parallel()
	const token = "operate-0123456789abcdef"
	cluster, address := testpg.Cluster(t), testport.Addr(t)
	srv := newServer(t, settings{
		database: cluster.URL(), targets: webhookTarget(newReceiver(t)), routes: everything,
		top: "admin: {listen: \"" + address + "\", tokens: [{name: ada, role: operate, token: " + token + "}]}",
	})
	page := func(path, header, value string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		require.NoError(t, err)
		req.Header.Set("Accept", "text/html")
		req.Header.Set(header, value)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer func() { require.NoError(t, resp.Body.Close()) }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	ready := func() bool { status, _ := page("/readyz", "X-Api-Key", token); return status == http.StatusOK }
	srv.launch(inTime)
	require.Eventually(t, ready, waitTimeout, 20*time.Millisecond)
	// Plugins, routes and the configuration are this process's own.
	asks := []string{"/", "/events", "/events/0197", "/deliveries", "/dead", "/targets", "/targets/ops", "/sources", "/silences", "/actions"}
	cluster.StopImmediate()
	for _, path := range asks {
		status, body := page(path, "X-Api-Key", token)
		require.Equal(t, http.StatusServiceUnavailable, status, "%s: %s", path, body)
		require.Contains(t, body, "The database does not answer", path)
		require.Contains(t, body, "<h1>", path)
	}
	status, body := page("/events", "Cookie", "hookarr-session="+strings.Repeat("A", 43))
	require.Equal(t, http.StatusServiceUnavailable, status, body)
	require.Contains(t, body, "nobody can tell who you are")
	cluster.Start()
	require.Eventually(t, ready, waitTimeout, 20*time.Millisecond)
	for _, path := range []string{"/", "/events", "/targets/ops"} {
		require.Eventually(t, func() bool { status, _ := page(path, "X-Api-Key", token); return status == http.StatusOK }, waitTimeout, 50*time.Millisecond, path)
	}
}
