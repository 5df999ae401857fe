package ui_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/pluginhost"
)

func TestBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("<b>Arrival</b>"))
	path := "/events/" + a.Event.ID.String() + "/body"
	page := r.get(path)
	require.Contains(t, page.body, "  &#34;title&#34;: &#34;\\u003cb\\u003eArrival", "the normalised form is in lines")
	require.Contains(t, page.body, "{&#34;raw&#34;:&#34;&lt;b&gt;Arrival&lt;/b&gt;&#34;}")
	for form, want := range map[string]string{"raw": string(a.Event.Request.Body), "normalized": string(a.Event.Normalized)} {
		file := r.get(path + "/" + form)
		require.Equal(t, want, file.body)
		require.Equal(t, "application/octet-stream", file.header.Get("Content-Type"))
		require.Contains(t, file.header.Get("Content-Disposition"), `attachment; filename="event-`)
		require.Contains(t, file.header.Get("Content-Security-Policy"), "default-src 'none'")
	}

	big := admintest.Imported("Big")
	big.Event.Request.Body = []byte(strings.Repeat("é", 40<<10))
	r.Accept(t, big)
	page = r.get("/events/" + big.Event.ID.String() + "/body")
	require.Contains(t, page.body, "its beginning is shown")
	require.NotContains(t, page.body, "\ufffd")
	require.Less(t, len(page.body), 90<<10)

	binary := admintest.Imported("Binary")
	binary.Event.Request.Body = []byte{0x89, 'P', 'N', 'G', 0, 0xff, '<', 's', '>'}
	r.Accept(t, binary)
	page = r.get("/events/" + binary.Event.ID.String() + "/body")
	require.Contains(t, page.body, "it is no text, so its bytes are shown")
	require.Contains(t, page.body, "00000000  89 50 4e 47 00 ff 3c 73  3e ")

	empty := admintest.Imported("Empty")
	empty.Event.Request.Body, empty.Event.Normalized = nil, nil
	r.Accept(t, empty)
	page = r.get("/events/" + empty.Event.ID.String() + "/body")
	require.Contains(t, page.body, "there is no normalised form")
	require.Contains(t, page.body, "The event came without a body.")
}

func TestReplayOfAnEvent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	path := "/events/" + a.Event.ID.String() + "/replay"
	form := r.get(path)
	require.Contains(t, form.text(), "The routes in use lead it to ops.")
	require.NotContains(t, form.body, "redecode", "no plugin runs")
	key := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(form.body)[1]

	done := r.post(path, url.Values{"to": {"news"}, "key": {key}})
	require.Equal(t, http.StatusSeeOther, done.status)
	require.Equal(t, "/x/events/"+a.Event.ID.String(), done.header.Get("Location"))
	notice, _, _ := strings.Cut(done.header.Get("Set-Cookie"), ";")
	page := r.do(config.RoleOperate, http.MethodGet, "/events/"+a.Event.ID.String(), nil, "Cookie", notice)
	require.Contains(t, page.body, `<p class="notice" role="status">The event was replayed.</p>`)
	require.Contains(t, page.text(), "2 deliveries: 2 pending.")
	require.Contains(t, page.text(), "replay by ada (token) of "+a.Event.ID.String()[:13]+" to news")

	twice := r.post(path, url.Values{"to": {"news"}, "key": {key}})
	require.Equal(t, http.StatusSeeOther, twice.status)
	require.Contains(t, r.get("/events/"+a.Event.ID.String()).text(), "2 deliveries: 2 pending.", "a form that is sent twice replays once")

	done = r.post(path, url.Values{})
	require.Equal(t, http.StatusSeeOther, done.status)
	require.Contains(t, r.get("/events/"+a.Event.ID.String()).text(), "3 deliveries: 3 pending.", "routed anew")
}

func TestReplayThatIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	waits := admintest.Imported("Waits")
	waits.Event.State, waits.Event.Normalized = event.Deferred, nil
	r.Accept(t, waits)
	path := "/events/" + waits.Event.ID.String() + "/replay"
	a := r.post(path, url.Values{"to": {"ops"}})
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "The event was not replayed: it is not decoded yet, and goes out once it is.")
	require.Regexp(t, `value="ops" checked`, a.body, "the form keeps what was chosen")
	a = r.post(path, url.Values{"to": {"nobody"}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "<form")
	a = r.post(path, url.Values{"redecode": {"1"}})
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Contains(t, a.body, "hookarr serve")

	// With plugins, what nobody has understood is decoded anew unless it is said.
	r.Service.Decoder = pluginhost.New(pluginhost.Options{Log: r.Log})
	require.Regexp(t, `name="redecode" value="1">`, r.get(path).body)
	unread := admintest.Imported("Unread")
	unread.Event.State, unread.Event.Normalized = event.Undecodable, nil
	r.Accept(t, unread)
	require.Regexp(t, `name="redecode" value="1" checked>`, r.get("/events/"+unread.Event.ID.String()+"/replay").body)
	require.Contains(t, r.get("/events/replay").body, `name="redecode"`)
}
