package ui_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
)

func TestSources(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.see(t, "/sources")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "nothing came yet")
	event := r.Accept(t, admintest.Imported("Arrival", "ops")).Event.ID.String()
	a = r.see(t, "/sources")
	require.Contains(t, a.body, `href="/x/sources/radarr"`)
	require.Contains(t, a.body, "media.imported")
	require.Contains(t, a.body, "hmac github")

	a = r.see(t, "/sources/radarr")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "The last event came")
	require.Contains(t, a.body, `href="/x/events/`+event+`"`)
	require.Contains(t, a.body, "Arr applications cannot sign")
	require.Contains(t, a.body, r.Config.File+":9</code>", "where the secret is")
	require.Equal(t, http.StatusNotFound, r.see(t, "/sources/sonarr").status)
	a = r.do(config.RoleView, http.MethodGet, "/sources/radarr", nil, "HX-Request", "true")
	require.NotContains(t, a.body, "<html")
	require.Contains(t, a.body, "Last seen")
	require.NotContains(t, a.body, "Set the application up", "a part that is copied from does not change")
}

func TestSourceThatLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Accept(t, admintest.Imported("Arrival"))
	r.configure(t, "sources: {}\n")
	require.Contains(t, r.see(t, "/sources").body, "not configured any more")
	a := r.see(t, "/sources/radarr")
	require.Contains(t, a.body, "The configuration has no source of this name any more.")
	require.NotContains(t, a.body, "<form method=\"post\" action=\"/x/sources")
	r = newRig(t)
	r.configure(t, "sources: {}\n")
	require.Contains(t, r.see(t, "/sources").body, "No source is configured")
}

func TestSetUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.application(t)
	a := r.see(t, "/sources/radarr")
	for _, want := range []string{
		`<code id="setup-url">https://hooks.example/hooks/radarr</code>`, `data-copy="setup-url"`, "<dd>POST</dd>",
		`<code id="setup-name-0">arr</code>`, "<code>sources.radarr.auth[0].basic.password</code>", r.Dir + "/other.yaml:6</code>",
		`<code id="setup-name-1">X-Key</code>`, `<code id="setup-name-2">https://hooks.example/hooks/radarr/TOKEN</code>`,
		`<code id="setup-command">hookarr connect radarr --config ` + r.Dir + "/other.yaml</code>",
	} {
		require.Contains(t, a.body, want)
	}
	require.Contains(t, r.see(t, "/sources/old").body, "The source lets everybody in")
}

func TestCheckConnection(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	arr := r.application(t)
	const path = "/sources/radarr"
	require.Contains(t, r.see(t, path).body, "is not known")
	require.Empty(t, arr.Requests(), "no page asks the application")

	a := r.send(t, path+"/check", nil)
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/x/sources/radarr#connection", a.header.Get("Location"))
	require.NotEmpty(t, arr.Requests())
	asked := len(arr.Requests())
	a = r.see(t, path)
	require.Contains(t, a.body, "not connected")
	require.Contains(t, a.body, "Radarr")
	require.Contains(t, a.body, "The command below mends it.")
	require.Contains(t, r.see(t, "/sources").body, "not connected")
	require.Len(t, arr.Requests(), asked)

	r.configure(t, "sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}\n")
	require.Contains(t, r.see(t, path).body, "is not known", "the settings are others")

	a = r.safe(t, config.RoleView, http.MethodPost, path+"/check", url.Values{})
	require.Equal(t, http.StatusForbidden, a.status)
	require.NotContains(t, r.safe(t, config.RoleView, http.MethodGet, path, nil).body, "Ask the application")
}

func TestCheckConnectionThatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.send(t, "/sources/radarr/check", nil)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, "This needs a running server")
	r.plugins(t, "{}")
	a = r.send(t, "/sources/radarr/check", nil)
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "Arr applications cannot sign")
	r.configure(t, "sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}\n")
	a = r.send(t, "/sources/radarr/check", nil)
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "give base_url and api_key")
	require.Equal(t, http.StatusNotFound, r.send(t, "/sources/none/check", nil).status)
}

func TestSync(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, http.StatusServiceUnavailable, r.send(t, "/sources/radarr/sync", nil).status)
	r.plugins(t, "{}")
	require.Contains(t, r.see(t, "/sources/radarr").body, "Sync now")
	a := r.send(t, "/sources/radarr/sync", url.Values{"tell": {"to:ops"}, "allow_deletions": {"1"}})
	require.Equal(t, http.StatusSeeOther, a.status)
	require.Equal(t, "/x/sources/radarr", a.header.Get("Location"))
	actions, err := r.Store.ListActions(t.Context(), store.ActionFilter{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, store.ActionSync, actions[0].What)
	require.Equal(t, "ada", actions[0].Who)
	require.Equal(t, &store.SnapshotWish{Full: true, To: "ops", AllowDeletions: true}, actions[0].Args.Sync)
	require.Contains(t, r.see(t, "/sources/radarr").body, "asked for")

	a = r.send(t, "/sources/radarr/sync", url.Values{"tell": {"to:" + foreign}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, http.StatusForbidden, r.safe(t, config.RoleView, http.MethodPost, "/sources/radarr/sync", url.Values{}).status)
	require.NotContains(t, r.safe(t, config.RoleView, http.MethodGet, "/sources/radarr", nil).body, "Sync now")
}

type troubled string

func (t troubled) Trouble(string) (string, time.Time) { return string(t), time.Now() }

func TestCatchup(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Contains(t, r.see(t, "/sources/radarr").body, "It is not read")
	require.NoError(t, r.Store.SaveCursor(t.Context(), "radarr", store.Cursor{From: time.Now().Add(-time.Hour), ReadTo: time.Now()}))
	r.Service.Histories = troubled("dial: " + foreign)
	a := r.see(t, "/sources/radarr")
	require.Contains(t, a.body, "Read to")
	require.Contains(t, a.body, "Catch-up waits since")
	require.Contains(t, a.body, "dial: &lt;script&gt;")
}

func TestSourceThatIsSetUpByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Plugins = plain{said("quiet")}
	r.configure(t, "sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}\n")
	require.Contains(t, r.see(t, "/sources").body, "set up by hand")
	a := r.see(t, "/sources/radarr")
	require.Contains(t, a.body, "Add a webhook with these values")
	require.NotContains(t, a.body, "hookarr connect")
	require.NotContains(t, a.body, "Sync now")
	require.Equal(t, http.StatusConflict, r.send(t, "/sources/radarr/sync", nil).status)
}

type plain struct{ said }

func (p plain) Status() []pluginhost.Status {
	all := p.said.Status()
	all[0].Description.Features = nil
	return all
}
