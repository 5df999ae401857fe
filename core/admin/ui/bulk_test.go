package ui_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

// form returns what a page's form would send as it is.
func (a answer) form(t *testing.T) url.Values {
	t.Helper()
	values := url.Values{}
	_, main, _ := strings.Cut(a.body, "<main")
	for _, found := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(main, -1) {
		values.Add(html.UnescapeString(found[1]), html.UnescapeString(found[2]))
	}
	require.NotEmpty(t, values)
	return values
}

// finish works a bulk action as a server would.
func (r *rig) finish(t *testing.T, location string) {
	t.Helper()
	_, err := r.Operate.Run(t.Context(), uuid.MustParse(location[strings.LastIndex(location, "/")+1:]))
	require.NoError(t, err)
}

func TestBulkRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 5 {
		r.MakeDead(t, r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "ops")).Deliveries[0].ID)
	}
	waits := r.Accept(t, admintest.Imported("Pending", "ops"))
	ask := r.get(r.get("/deliveries?target=ops&since=2h").link(t, "Retry the dead letters among them"))
	require.Equal(t, http.StatusOK, ask.status)
	require.Contains(t, ask.text(), "This retries 5 deliveries.")
	require.Contains(t, ask.text(), "Target ops State dead Since")
	require.Contains(t, ask.text(), "Film 4 → ops")
	form := ask.form(t)
	require.Equal(t, "5", form.Get("expect_count"))
	require.NotEmpty(t, form.Get("until"), "what comes later is no part of it")

	// Another one has died meanwhile.
	r.MakeDead(t, waits.Deliveries[0].ID)
	again := r.post("/deliveries/retry", form)
	require.Equal(t, http.StatusConflict, again.status)
	require.Contains(t, again.body, "Nothing was done: 6 rows match now, and not 5.")
	require.Contains(t, again.text(), "This retries 6 deliveries.")
	require.Equal(t, "6", again.form(t).Get("expect_count"))
	require.Contains(t, r.get("/actions").body, "No operator has done anything yet.")

	done := r.post("/deliveries/retry", again.form(t))
	require.Equal(t, http.StatusSeeOther, done.status)
	location := strings.TrimPrefix(done.header.Get("Location"), "/x")
	running := r.get(location)
	require.Contains(t, running.body, `<progress id="progress" max="6" value="0" aria-label="Progress">`)
	require.Contains(t, running.body, `hx-get="/x`+location+`" hx-trigger="every 2s"`)
	require.Contains(t, running.body, `action="/x`+location+`/stop"`)
	require.Equal(t, "/x/actions", r.post("/deliveries/retry", again.form(t)).header.Get("Location"), "a form that is sent twice is obeyed once")
	r.finish(t, location)
	ended := r.get(location)
	require.Contains(t, ended.body, `max="6" value="6"`)
	require.Contains(t, ended.text(), "Changed 6 of 6")
	require.NotContains(t, ended.body, "every 2s")
	require.NotContains(t, ended.body, "/stop")
	require.Contains(t, ended.link(t, "See what matches it now"), "/deliveries?since=")
	require.Contains(t, r.get("/actions").text(), "ada token done 6 6 0")
	require.Contains(t, r.get("/dead").body, "There are no dead letters")

	none := r.get("/deliveries/retry?target=ops")
	require.Equal(t, http.StatusOK, none.status)
	require.Contains(t, none.body, "Nothing matches, so there is nothing to do.")
	require.NotContains(t, none.body, "expect_count")
	none = r.post("/deliveries/retry", url.Values{"target": {"ops"}, "expect_count": {"0"}})
	require.Equal(t, http.StatusConflict, none.status)
	require.Contains(t, none.body, "Nothing was done")
}

func TestBulkCancelIsStopped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 3)
	ask := r.get("/deliveries/cancel?target=ops")
	require.Contains(t, ask.text(), "This cancels 3 deliveries.")
	require.Contains(t, ask.text(), "State pending")
	location := strings.TrimPrefix(r.post("/deliveries/cancel", ask.form(t)).header.Get("Location"), "/x")
	stopped := r.post(location+"/stop", url.Values{})
	require.Equal(t, http.StatusSeeOther, stopped.status)
	require.Equal(t, "/x"+location, stopped.header.Get("Location"))
	r.finish(t, location)
	require.Contains(t, r.get(location).text(), "Stopped by ada.")
	require.Contains(t, r.get(location).text(), "Changed 0 of 3")
	again := r.post(location+"/stop", url.Values{})
	require.Equal(t, http.StatusConflict, again.status)
	require.Contains(t, again.body, "is stopped already")
}

func TestBulkReplay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 3)
	ask := r.get(r.get("/events?q=film&field=media.year%3D2016").link(t, "Replay what matches"))
	require.Contains(t, ask.text(), "This replays 3 events.")
	form := ask.form(t)
	require.Equal(t, "media.year=2016", form.Get("field"))
	r.many(t, 1) // comes later
	form["to"] = []string{"nobody"}
	refused := r.post("/events/replay", form)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	require.Contains(t, refused.text(), "This replays 3 events.")
	form = refused.form(t)
	form["to"] = []string{"news"}
	done := r.post("/events/replay", form)
	require.Equal(t, http.StatusSeeOther, done.status, done.body)
	location := strings.TrimPrefix(done.header.Get("Location"), "/x")
	r.finish(t, location)
	require.Contains(t, r.get(location).text(), "Changed 3 of 3")
	require.Contains(t, r.get("/actions").text(), "replay to news")
	require.Equal(t, 3, strings.Count(r.get("/deliveries?target=news").body, `<tr id="delivery-`))
	require.Contains(t, r.get("/events/replay?q=nothing").body, "Nothing matches, so there is nothing to do.")
}

func TestBulkOfWhatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 1)
	for _, path := range []string{"/deliveries/retry?state=delivered", "/deliveries/cancel?state=cancelled", "/deliveries/retry?since=x", "/events/replay?field=x"} {
		a := r.get(path)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, path)
		require.NotContains(t, a.body, "expect_count", path)
		a.link(t, "Back to the list")
		path, query, _ := strings.Cut(path, "?")
		form, err := url.ParseQuery(query)
		require.NoError(t, err)
		form.Set("expect_count", "1")
		a = r.post(path, form)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, path)
	}
	for _, count := range []string{"", "x", "-1", "99999999999999999999"} {
		a := r.post("/events/replay", url.Values{"expect_count": {count}})
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, `name="expect_count" value="1"`)
	}
	require.Empty(t, r.get("/deliveries?state=delivered").linkless("Retry what matches"))
	require.Contains(t, r.get("/actions").body, "No operator has done anything yet.")
}

// linkless returns a text that is to be no link of the page.
func (a answer) linkless(text string) string {
	return regexp.MustCompile(`<a [^>]*>` + regexp.QuoteMeta(text)).FindString(a.body)
}

func TestActionsGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	for range 51 {
		require.Equal(t, http.StatusSeeOther, r.post("/deliveries/"+a.Deliveries[0].ID.String()+"/retry", url.Values{}).status)
	}
	first := r.get("/actions")
	require.Equal(t, 50, strings.Count(first.body, `<tr id="action-`))
	second := r.do(config.RoleView, http.MethodGet, first.link(t, "Next page"), nil)
	require.Equal(t, 1, strings.Count(second.body, `<tr id="action-`))
	require.Equal(t, "/actions", second.link(t, "First page"))
	bad := r.get("/actions?cursor=x")
	require.Equal(t, http.StatusUnprocessableEntity, bad.status)
	require.Contains(t, bad.body, "The cursor is not one of this API")

	actions, err := r.Store.ListActions(t.Context(), store.ActionFilter{Limit: 1})
	require.NoError(t, err)
	one := r.get("/actions/" + actions[0].ID.String())
	require.Contains(t, one.text(), "Retry by ada")
	require.Equal(t, "/deliveries/"+a.Deliveries[0].ID.String(), one.link(t, a.Deliveries[0].ID.String()[:13]))
}
