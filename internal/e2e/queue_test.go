package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testport"
)

// TestQueuePageFollowsTheConfiguration on and off, and below another path, while the server
// runs.
func TestQueuePageFollowsTheConfiguration(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		addr := testport.Addr(t)
		const view, operate = "view-0123456789abcdef", "operate-0123456789abcdef"
		srv, c := withSocket(t, settings{
			database: url, targets: webhookTarget(newReceiver(t)), routes: everything, top: "reload: {watch: false}",
		})
		const own, off = "admin: {socket: h.sock", ", base_path: /x, queue_ui: false, "
		srv.rewrite(func(old string) string {
			return strings.Replace(old, own, own+off+"listen: \""+addr+"\", tokens: [{name: eve, role: view, token: "+view+"}, {name: ada, role: operate, token: "+operate+"}]", 1)
		})
		srv.url = "http://" + addr // where its readiness is
		srv.start()
		ask := func(token, method, path string) (status int, body string) {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, strings.NewReader(`{"ids":["1"]}`))
			require.NoError(t, err)
			req.Header.Set("X-Api-Key", token)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			defer func() { require.NoError(t, res.Body.Close()) }()
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			return res.StatusCode, string(text)
		}
		reload := func(from, to string) {
			srv.rewrite(func(old string) string { return strings.Replace(old, from, to, 1) })
			r, err := c.Reload(t.Context(), false)
			require.NoError(t, err)
			require.True(t, r.Applied)
			require.Empty(t, r.NeedsRestart)
		}
		status, body := ask(view, http.MethodGet, "/x/queue/")
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, "admin.queue_ui: true")

		reload("queue_ui: false", "queue_ui: true")
		status, body = ask(view, http.MethodGet, "/x/queue/")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `src="/x/queue/assets/`)
		status, body = ask(view, http.MethodGet, "/x/queue/api/queues?limit=100")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "ops")
		status, _ = ask(view, http.MethodPost, "/x/queue/api/jobs/cancel")
		require.Equal(t, http.StatusForbidden, status)
		status, body = ask(operate, http.MethodPost, "/x/queue/api/jobs/cancel")
		require.NotEqual(t, http.StatusForbidden, status, body)

		reload("base_path: /x", "base_path: /y")
		status, body = ask(view, http.MethodGet, "/y/queue/")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `src="/y/queue/assets/`)
		reload("queue_ui: true", "queue_ui: false")
		status, _ = ask(view, http.MethodGet, "/y/queue/")
		require.Equal(t, http.StatusNotFound, status)
		require.NoError(t, srv.stop())
	})
}
