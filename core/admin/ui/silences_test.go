package ui_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/operate"
)

func TestSilences(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.get("/silences")
	require.Contains(t, a.body, "No silence is active.")
	require.Contains(t, a.body, `action="/x/silences"`)
	require.Contains(t, a.body, "<option>news</option><option>ops</option>")

	a = r.post("/silences", url.Values{"expression": {`event.source == "radarr"`}, "target": {"ops"}, "for": {"2h"}, "comment": {"tonight"}})
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Equal(t, "/x/silences", a.header.Get("Location"))
	require.Contains(t, a.header.Get("Set-Cookie"), "hookarr-notice=")
	a = r.get("/silences")
	require.Contains(t, a.body, "event.source == &#34;radarr&#34;")
	require.Contains(t, a.body, `<a href="/x/targets/ops">ops</a>`)
	require.Contains(t, a.body, "tonight")
	require.NotContains(t, a.body, "Ended in the last week")
	expire := regexp.MustCompile(`action="/x(/silences/[0-9a-f-]+/expire)"`).FindStringSubmatch(a.body)
	require.Len(t, expire, 2)

	a = r.do(config.RoleView, http.MethodGet, "/silences", nil)
	require.Contains(t, a.body, "tonight")
	require.NotContains(t, a.body, `action="/x/silences`)
	for _, path := range []string{"/silences", expire[1]} {
		a = r.do(config.RoleView, http.MethodPost, path, url.Values{"expression": {"true"}, "for": {"2h"}})
		require.Equal(t, http.StatusForbidden, a.status)
	}

	require.Equal(t, http.StatusSeeOther, r.post(expire[1], nil).status)
	a = r.get("/silences")
	require.Contains(t, a.body, "No silence is active.")
	require.Contains(t, a.body, "Ended in the last week")
	a = r.post(expire[1], nil)
	require.Equal(t, http.StatusConflict, a.status)
	require.Contains(t, a.body, "is over already")
	a = r.post("/silences/00000000-0000-7000-8000-000000000000/expire", nil)
	require.Equal(t, http.StatusNotFound, a.status)
	require.NotEqual(t, http.StatusSeeOther, r.post("/silences/zz/expire", nil).status)
}

func TestSilenceUntil(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	end := time.Now().UTC().Add(3 * time.Hour)
	for _, until := range []string{end.Format("2006-01-02T15:04"), end.Format("2006-01-02 15:04"), end.Format(time.RFC3339)} {
		a := r.post("/silences", url.Values{"expression": {"true"}, "for": {""}, "until": {until}})
		require.Equal(t, http.StatusSeeOther, a.status, a.body)
	}
	require.Contains(t, r.get("/silences").body, end.Format("2006-01-02 15:04"))
}

func TestSilencesThatAreWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := url.Values{"expression": {"true"}, "target": {"ops"}, "for": {"2h"}, "comment": {`"why"`}}
	for what, c := range map[string]struct{ field, value, problem, id string }{
		"no expression": {"expression", " ", "Give an expression over the event", "expression-says"},
		"a bad one":     {"expression", "event.sourc ==", "Column 14", "expression-says"},
		"not a length":  {"for", "soon", "Want how long it lasts", "for-says"},
		"neither":       {"for", "", "Say how long it lasts, or until when", "for-says"},
		"both":          {"until", "2099-01-01T00:00", "leave one of them empty", "until-says"},
		"not a time":    {"until", "tomorrow", "Want a date and a time", "until-says"},
		"a year":        {"for", "500d", "more than a year", ""},
		"no target":     {"target", "elsewhere", "elsewhere", ""},
	} {
		form := maps.Clone(good)
		form.Set(c.field, c.value)
		a := r.post("/silences", form)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, what)
		require.Contains(t, a.body, c.problem, what)
		if c.id != "" {
			require.Regexp(t, `id="`+c.id+`" class="wrong" role="alert">[^<]*`+regexp.QuoteMeta(c.problem), a.body, what)
		}
		require.Contains(t, a.body, `value="&#34;why&#34;"`, "what was written is kept: %s", what)
		require.NotContains(t, a.body, "hx-get", "there is nothing to fetch anew from a form's answer")
	}
	list, err := r.Service.ListSilences(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)
	a := r.post("/silences", url.Values{"expression": {"true"}, "until": {"2020-01-01T00:00"}})
	require.Contains(t, a.body, "Its end has passed already.")
}

func TestSilencesAreTried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	try := func(expression string) answer {
		return r.get("/silences?" + url.Values{"expression": {expression}, "for": {""}}.Encode())
	}
	require.Contains(t, try("true").body, "There is no event to try it with.")
	r.Accept(t, admintest.Imported("Sintel", "ops"))
	r.Accept(t, admintest.Imported(foreign, "ops"))
	a := try(`event.title == "Sintel"`)
	require.Contains(t, a.body, "It holds for 1 of the last 2 events.")
	require.NotContains(t, a.body, `class="wrong"`)
	shown(t, try("true"))
	require.Contains(t, try("event.titel").body, `class="wrong" role="alert">`)
	a = r.do(config.RoleView, http.MethodGet, "/silences?expression=true", nil)
	require.NotContains(t, a.body, "It holds for")
}

func TestSilencesShowForeignText(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.Operate.AddSilence(t.Context(), operate.Actor{Who: foreign[:60], Via: "token"}, operate.Silence{Expression: "event.title == " + strconv.Quote(foreign[:300]), For: time.Hour, Comment: foreign})
	require.NoError(t, err)
	shown(t, r.get("/silences"))
	shown(t, r.part(config.RoleOperate, "/silences"))
	require.NotContains(t, r.part(config.RoleOperate, "/silences").body, `name="expression"`, "a form that is filled in is not fetched anew")
}
