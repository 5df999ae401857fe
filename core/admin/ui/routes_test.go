package ui_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.configure(t, `
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}
targets: {ops: {plugin: webhook}, news: {plugin: discord}}
routes:
  - {name: imports, from: ["radarr*"], types: ["media.*"], when: "event.media.year < 2020", to: [ops], group: {by: season, wait: 20s, max: 50}}
  - {name: weekly, to: [ops, news], digest: {at: "18:00", every: weekly, on: fri}}
  - {name: apart, to: [news], group: off}
`)
	a := r.see(t, "/routes")
	require.Equal(t, http.StatusOK, a.status)
	for _, want := range []string{"imports", "radarr*", "media.*", "event.media.year &lt; 2020", "by season, wait 20s, up to 50 events", "digest weekly on fri at 18:00", `href="/x/targets/news"`} {
		require.Contains(t, a.body, want)
	}
	a = r.see(t, "/routes?sample=media.imported&source=radarr")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "Sintel (2010)")
	require.Contains(t, a.body, "takes it")
	require.Contains(t, a.body, "an earlier route leads there already")
	preview := "/targets/ops/preview?of=sample%3Amedia.imported"
	require.Contains(t, a.body, `href="/x`+preview+`&amp;source=radarr"`)
	require.Equal(t, http.StatusServiceUnavailable, r.get(preview).status, "the page asks for the preview, which needs a server")
	a = r.see(t, "/routes?sample=test&source=radarr")
	require.Contains(t, a.body, "nowhere: no route takes it")

	id := r.Accept(t, admintest.Imported(foreign)).Event.ID.String()
	a = r.see(t, "/routes?event="+id)
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "&lt;script&gt;")
	require.Contains(t, a.body, `href="/x/targets/ops/preview?event=`+id+`"`)

	a = r.safe(t, config.RoleView, http.MethodGet, "/routes?event="+id, nil)
	require.Equal(t, http.StatusOK, a.status)
	require.NotContains(t, a.body, "<textarea")
}

func TestWhereThatCannotBeSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, want := range map[string]int{
		"/routes?event=0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f":     http.StatusNotFound,
		"/routes?event=" + url.QueryEscape(foreign):              http.StatusUnprocessableEntity,
		"/routes?sample=" + url.QueryEscape(foreign):             http.StatusUnprocessableEntity,
		"/routes?sample=test&source=" + url.QueryEscape(foreign): http.StatusUnprocessableEntity,
		"/routes?sample=test&event=0197":                         http.StatusUnprocessableEntity,
	} {
		a := r.see(t, path)
		require.Equal(t, want, a.status, path)
		require.Contains(t, a.body, "Where would this go?")
	}
	a := r.see(t, "/routes?event=0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f")
	require.Contains(t, a.body, `class="problem" role="alert"`)
	require.Contains(t, a.body, `value="0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f"`, "what was typed stays")
}

func TestTryABody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body, err := os.ReadFile("../../../examples/payloads/radarr/import.json")
	require.NoError(t, err)
	form := url.Values{"source": {"radarr"}, "body": {string(body)}}
	a := r.send(t, "/routes/test", form)
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Contains(t, a.body, "This needs a running server")
	require.Contains(t, a.body, "&#34;eventType&#34;", "the body stays in the form")

	r.plugins(t, "{}")
	a = r.send(t, "/routes/test", form)
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "took it")
	require.Contains(t, a.body, "preview of a sample of this type")
	a = r.send(t, "/routes/test", url.Values{"source": {"radarr"}, "body": {foreign}, "content_type": {"text/plain"}})
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "failed")
	require.Contains(t, a.body, "&lt;script&gt;alert(1)")
	a = r.send(t, "/routes/test", url.Values{"source": {"none"}, "body": {"{}"}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "There is no source &#34;none&#34;; there are: radarr.")
	require.Contains(t, r.send(t, "/routes/test", url.Values{"source": {"radarr"}}).body, "Paste the body")
	seen, err := r.Store.LastSeen(t.Context())
	require.NoError(t, err)
	require.Empty(t, seen, "nothing is stored")

	large := strings.Repeat("%", 1<<20)
	require.Equal(t, http.StatusOK, r.send(t, "/routes/test", url.Values{"source": {"radarr"}, "body": {large}}).status)
	a = r.send(t, "/routes/test", url.Values{"source": {"radarr"}, "body": {large + "1"}})
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.Contains(t, a.body, "at most 1.0 MiB are tried here")
	a = r.send(t, "/routes/test", url.Values{"source": {"radarr"}, "body": {strings.Repeat("%", 3<<20)}})
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.Contains(t, a.body, "The form is too large")

	require.Equal(t, http.StatusForbidden, r.safe(t, config.RoleView, http.MethodPost, "/routes/test", form).status)
}
