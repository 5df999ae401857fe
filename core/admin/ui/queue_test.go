package ui_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/ui"
	"github.com/hookarr/hookarr/core/config"
)

func TestQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusNotFound, r.see(t, "/queue/").status, "there is none")
	var err error
	r.ui, err = ui.New(ui.Options{Service: r.Service, Log: r.Log, Queue: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Method + " " + r.URL.Path))
	})})
	require.NoError(t, err)
	a := r.see(t, "/queue/")
	require.Equal(t, http.StatusNotFound, a.status)
	require.Contains(t, a.body, "Set admin.queue_ui: true")
	require.NotContains(t, a.body, ">Queue</a>")

	r.configure(t, "admin: {queue_ui: true}\n")
	require.Contains(t, r.see(t, "/plugins/x").body, `<a href="/x/queue/">Queue</a>`)
	require.Equal(t, "/x/queue/", r.see(t, "/queue").header.Get("Location"))
	a = r.see(t, "/queue/jobs/7")
	require.Equal(t, "GET /queue/jobs/7", a.body)
	require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';")
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "private, max-age=3600", r.see(t, "/queue/assets/x.js").header.Get("Cache-Control"))
	require.Contains(t, r.see(t, "/plugins/x").header.Get("Content-Security-Policy"), "style-src 'self';", "no other page")
	require.Equal(t, "POST /queue/api/jobs/delete", r.send(t, "/queue/api/jobs/delete", nil).body)
	require.Equal(t, "PUT /queue/api/queues/x", r.do(config.RoleOperate, http.MethodPut, "/queue/api/queues/x", nil).body)

	require.Equal(t, http.StatusOK, r.do(config.RoleView, http.MethodGet, "/queue/", nil).status)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		a = r.do(config.RoleView, method, "/queue/api/jobs/delete", url.Values{})
		require.Equal(t, http.StatusForbidden, a.status, method)
		require.JSONEq(t, `{"message":"Only the role operate changes jobs."}`, a.body)
	}
	require.Equal(t, http.StatusForbidden, r.do("", http.MethodGet, "/queue/", nil).status)
}
