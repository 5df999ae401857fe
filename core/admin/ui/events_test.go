package ui_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// link returns where the link with a text leads, less the base path.
func (a answer) link(t *testing.T, text string) string {
	t.Helper()
	found := regexp.MustCompile(`<a [^>]*href="/x([^"]*)"[^>]*>` + regexp.QuoteMeta(text)).FindStringSubmatch(a.body)
	require.Len(t, found, 2, "no link %q in %s", text, a.body)
	return html.UnescapeString(found[1])
}

// text is what a person reads, on one line.
func (a answer) text() string {
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(a.body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

func (r *rig) many(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "ops"))
	}
}

func TestNoEventsYet(t *testing.T) {
	t.Parallel()
	a := newRig(t).get("/events")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "No event has come yet.")
	require.Equal(t, "/sources", a.link(t, "The page of sources"))
}

func TestEventsAreListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops", "news"))
	r.MakeDead(t, a.Deliveries[0].ID)
	unread := admintest.Imported("")
	unread.Event.State, unread.Event.Reason, unread.Event.Type, unread.Event.Title, unread.Event.Normalized = event.Undecodable, "not JSON", "", "", nil
	r.Accept(t, unread)
	r.Accept(t, admintest.Imported("Dune"))

	list := r.get("/events")
	require.Regexp(t, `(?s)Dune.*\(no title\).*Arrival`, list.body, "newest first")
	require.Regexp(t, `(?s)Dune.*goes nowhere.*<span class="badge bad">undecodable.*not JSON|not JSON.*undecodable`, list.body)
	require.Contains(t, list.body, `<span class="badge busy">1 pending</span> <span class="badge bad">1 dead</span>`)
	require.Equal(t, "/events/"+a.Event.ID.String(), list.link(t, "Arrival"))
	require.Contains(t, list.body, `<time class="ago"`)
	require.Contains(t, list.body, `hx-trigger="events from:#stream throttle:1s, deliveries from:#stream throttle:1s, resync`)
}

func TestEventFilters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, title := range []string{"Arrival", "Dune", "Dune: Part Two"} {
		a := admintest.Imported(title, "ops")
		a.Event.CorrelationKey = "download:" + title
		r.Accept(t, a)
	}
	other := admintest.Imported("Solaris")
	other.Event.Source, other.Event.Type, other.Event.State = "sonarr", sdk.TypeReleaseGrabbed, event.Duplicate
	r.Accept(t, other)
	hourAgo, soon := time.Now().Add(-time.Hour).UTC(), time.Now().Add(time.Hour).UTC()
	for query, want := range map[string][]string{
		"":                                  {"Arrival", "Dune", "Dune: Part Two", "Solaris"},
		"q=dune":                            {"Dune", "Dune: Part Two"},
		"q=+":                               {"Arrival", "Dune", "Dune: Part Two", "Solaris"},
		"source=sonarr":                     {"Solaris"},
		"type=release.grabbed":              {"Solaris"},
		"state=duplicate":                   {"Solaris"},
		"field=media.title%3Ddune":          {"Dune"},
		"field=media.title%3Ddune&field=":   {"Dune"},
		"field=media.year%3D2016&q=arrival": {"Arrival"},
		"correlation_key=download:Arrival":  {"Arrival"},
		"since=2h":                          {"Arrival", "Dune", "Dune: Part Two", "Solaris"},
		"since=7d&until=1h":                 {},
		"until=" + hourAgo.Format("2006-01-02+15:04"):                                   {},
		"since=" + hourAgo.Format(time.RFC3339) + "&until=" + soon.Format(time.RFC3339): {"Arrival", "Dune", "Dune: Part Two", "Solaris"},
	} {
		a := r.get("/events?" + query)
		require.Equal(t, http.StatusOK, a.status, query)
		titles := []string{}
		for _, found := range regexp.MustCompile(`href="/x/events/[0-9a-f-]{36}">([^<]*)</a>`).FindAllStringSubmatch(a.body, -1) {
			titles = append([]string{found[1]}, titles...)
		}
		require.Equal(t, want, titles, query)
		if len(want) == 0 {
			require.Contains(t, a.body, "No event matches.", query)
			require.Equal(t, "/events", a.link(t, "see every event"))
		}
	}
	require.Contains(t, r.get("/events?source=radar").text(), `Did you mean "radarr"?`)
	require.Contains(t, r.get("/events?type=media.import").text(), `Did you mean "media.imported"?`)
	require.NotContains(t, r.get("/events?source=radarr&type=media.imported").body, "Did you mean")
	require.Contains(t, r.get("/deliveries?target=opps").text(), `Did you mean "ops"?`)
	a := r.get("/events?source=radarr&since=2h&field=media.title%3DDune")
	require.Regexp(t, `name="source" value="radarr"`, a.body, "the form keeps what was asked for")
	require.Regexp(t, `name="since" value="2h"`, a.body)
	require.Regexp(t, `name="field" value="media.title=Dune"`, a.body)
	require.Equal(t, "/events", a.link(t, "Clear"))
}

func TestEventFiltersThatDoNotParse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 1)
	for query, sentence := range map[string]string{
		"since=yesterday":                  "Want how long ago, such as 90m, 2h or 7d, or a time such as 2026-11-28 14:00.",
		"until=1e9d":                       "Want how long ago",
		"since=1h&until=2h":                "This is no later than since.",
		"state=delivered":                  "Want one of routed, deferred, undecodable, duplicate.",
		"field=media.title":                "Want PATH=VALUE, such as media.title=Dune.",
		"field=%3Dx":                       "Want PATH=VALUE",
		"type=media.*":                     "Want one type as a whole, such as media.imported.",
		"q=" + strings.Repeat("x", 501):    "This is longer than 500 characters.",
		"source=%00":                       "This has characters that are no text.",
		"q=%ff":                            "This has characters that are no text.",
		strings.Repeat("field=a%3Db&", 11): "Want at most 10 fields.",
	} {
		a := r.get("/events?" + query)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, query)
		require.Regexp(t, `(?s)<label>.*aria-invalid="true" aria-describedby="(problem-\d+)".*id="problem-\d+">`+regexp.QuoteMeta(sentence), a.body, query)
		require.NotContains(t, a.body, "Film 0", "nothing is listed")
		require.NotContains(t, a.body, "No event matches")
	}
}

func TestEventsGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 52)
	first := r.get("/events?since=2h")
	require.NotContains(t, first.body, ">Film 1</a>")
	next := first.link(t, "Next page")
	require.Contains(t, next, "since=20", "the time stays the same on each page")
	second := r.get(next)
	require.Equal(t, http.StatusOK, second.status)
	require.Contains(t, second.body, ">Film 1</a>")
	require.Contains(t, second.body, ">Film 0</a>")
	require.NotContains(t, second.body, ">Film 2</a>")
	require.NotContains(t, second.body, "Next page")
	require.NotContains(t, second.body, "hx-trigger", "only the first page follows what happens")
	require.Contains(t, r.get(second.link(t, "First page")).body, ">Film 51</a>")

	cursor, err := url.Parse(next)
	require.NoError(t, err)
	for query, sentence := range map[string]string{
		"cursor=x": "The cursor is not one of this API: begin the list anew without it.",
		"q=a&cursor=" + url.QueryEscape(cursor.Query().Get("cursor")): "The cursor is of a list with another filter",
	} {
		a := r.get("/events?" + query)
		require.Equal(t, http.StatusUnprocessableEntity, a.status)
		require.Contains(t, a.body, sentence)
		require.NotContains(t, a.link(t, "First page"), "cursor")
	}
}

func TestSearchStopsEarly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	needle := r.Accept(t, admintest.Imported("Needle"))
	require.NoError(t, acceptMany(t, r, 5001))
	a := r.get("/events?q=needle")
	require.Equal(t, http.StatusOK, a.status)
	require.Contains(t, a.body, "The search looked at 5,000 rows")
	require.NotContains(t, a.body, "No event matches")
	a = r.get(a.link(t, "Go on"))
	require.Equal(t, "/events/"+needle.Event.ID.String(), a.link(t, "Needle"))
}

// acceptMany stores events of which no text is in another test.
func acceptMany(t *testing.T, r *rig, n int) error {
	t.Helper()
	failed := make(chan error, 50)
	for part := range cap(failed) {
		go func() {
			var err error
			for i := part; i < n && err == nil; i += cap(failed) {
				_, err = r.Store.Accept(t.Context(), admintest.Imported(fmt.Sprintf("Straw %d", i)))
			}
			failed <- err
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}

func TestEventsAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 3)
	a := r.get("/events?q=film")
	require.NotContains(t, a.body, "3 events match.")
	path := a.link(t, "Count what matches")
	require.Contains(t, r.get(path).body, "3 events match.")
	live := r.do(config.RoleView, http.MethodGet, path, nil, "HX-Request", "true")
	require.NotContains(t, live.body, "3 events match.", "what follows does not count again")
}

func TestEventsLive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 1)
	for _, path := range []string{"/events", "/deliveries", "/dead", "/actions"} {
		a := r.do(config.RoleView, http.MethodGet, path, nil, "HX-Request", "true")
		require.Equal(t, http.StatusOK, a.status)
		require.NotContains(t, a.body, "<html", path)
		require.NotContains(t, a.body, "<form", "forms that people fill in stay as they are")
		require.NotContains(t, a.body, "<h1", path)
	}
}

func TestStory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := admintest.Imported("Arrival", "ops")
	in.Event.CorrelationKey = "download:A B"
	in.Keys = []store.DedupKey{{Key: "body:1", Window: time.Hour}}
	a := r.Accept(t, in)
	again := admintest.Imported("Arrival", "ops")
	again.Keys = in.Keys
	r.Accept(t, again)
	r.MakeDead(t, a.Deliveries[0].ID)
	page := r.post("/deliveries/"+a.Deliveries[0].ID.String()+"/retry", url.Values{})
	require.Equal(t, http.StatusSeeOther, page.status)
	require.NoError(t, r.Store.Hold(t.Context(), "ops", store.HoldBreaker, "five failures in a row"))

	story := r.get("/events/" + a.Event.ID.String())
	require.Equal(t, http.StatusOK, story.status)
	text := story.text()
	for _, sentence := range []string{
		"1 delivery: 1 pending.", "Its request was let in; the source takes hmac github.", "Type media.imported", "Title Arrival",
		"imports yes ops", "old no when : event.media.year < 2000: is false", "To ops by route imports pending",
		"takes nothing now: breaker: five failures in a row", "400 1ms bad request What was answered no",
		"retry by ada (token)", "It came again once, and was dropped.", "POST, 17 B, query q=private",
	} {
		require.Contains(t, text, sentence)
	}
	require.Equal(t, "/events?correlation_key=download%3AA+B", story.link(t, "Events of the same story"))
	require.Contains(t, r.get(story.link(t, "Events of the same story")).body, ">Arrival</a>")
	require.Equal(t, "/events/"+a.Event.ID.String()+"/replay", story.link(t, "Replay"))
	require.Equal(t, "/targets/ops/preview?delivery="+a.Deliveries[0].ID.String(), story.link(t, "Preview"))
	require.Contains(t, story.body, `hx-trigger="events from:#stream`)
}

func TestStoriesWithoutDeliveries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for state, sentence := range map[event.State]string{
		event.Deferred:    "It waits for its decoder, and goes out once that runs.",
		event.Undecodable: "no decoder understands it. Once one does, replay it and have it decoded anew.",
		event.Duplicate:   "another event had told the same.",
		event.Routed:      "its decoder skipped it.",
	} {
		a := admintest.Imported(string(state))
		a.Event.State, a.Event.Reason, a.Event.Type, a.Event.Title, a.Event.Normalized = state, "why", "", "", nil
		r.Accept(t, a)
		page := r.get("/events/" + a.Event.ID.String())
		require.Equal(t, http.StatusOK, page.status)
		require.Contains(t, page.body, sentence)
		require.Contains(t, page.body, "why")
	}
	taken := r.Accept(t, admintest.Imported("Arrival"))
	twin := admintest.Imported("Twin")
	twin.Event.State, twin.Event.Reason, twin.Event.Normalized = event.Duplicate, "repeats "+taken.Event.ID.String(), nil
	r.Accept(t, twin)
	require.Equal(t, "/events/"+taken.Event.ID.String(), r.get("/events/"+twin.Event.ID.String()).link(t, taken.Event.ID.String()[:13]))
	require.Contains(t, r.get("/events/"+taken.Event.ID.String()).body, "though routes take it now: replay it to send it.")
	back := admintest.Imported("Handed back")
	back.Event.Origin, back.Event.Type = sdk.OriginTarget, sdk.TypeLibraryAvailable
	back.Event.Normalized = []byte(`{"type":"library.available","library":{"target":"plex"}}`)
	r.Accept(t, back)
	page := r.get("/events/" + back.Event.ID.String())
	require.Contains(t, page.body, "Told by a target, plex.")
	require.Contains(t, page.body, "no route takes it.")
}

func TestShortIDsOfPages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 2 {
		a := admintest.Imported(fmt.Sprintf("Film %d", i), "ops")
		a.Event.ID = uuid.MustParse(fmt.Sprintf("0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6%d", i))
		a.Deliveries[0].EventID = a.Event.ID
		a.Deliveries[0].ID = uuid.MustParse(fmt.Sprintf("0197a2c4-6b1e-7c3a-9d2f-1a2b3c4d5e6%d", i))
		r.Accept(t, a)
	}
	require.Contains(t, r.get("/events/0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e61").body, "Film 1")
	require.Contains(t, r.get("/deliveries/0197A2C46b1e7c3a9d2f1a2b3c4d5e60").body, "Film 0")
	for _, section := range []string{"/events/0197a2c4-5b1e", "/deliveries/0197a2c4-6b1e"} {
		a := r.get(section)
		require.Equal(t, http.StatusConflict, a.status)
		require.Contains(t, a.body, "begin so: give more digits")
		require.Equal(t, section+"-7c3a-9d2f-1a2b3c4d5e61", a.link(t, "<code>"+strings.TrimPrefix(section[strings.LastIndex(section, "/"):], "/")+"-7c3a-9d2f-1a2b3c4d5e61"))
	}
}

func TestIDsThatAreGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := event.NewID().String()
	for path, sentence := range map[string]string{
		"/events/" + id:               "Events are kept for 30 days, and longer while a delivery needs them.",
		"/events/ffff":                "There is no event whose id begins so. Events are kept for 30 days",
		"/events/" + id + "/body":     "Events are kept for 30 days",
		"/events/" + id + "/body/raw": "Events are kept for 30 days",
		"/events/" + id + "/replay":   "Events are kept for 30 days",
		"/deliveries/" + id:           "Deliveries are kept as long as their event, which is 30 days; dead letters 90 days.",
		"/actions/" + id:              "There is no action " + id,
	} {
		a := r.get(path)
		require.Equal(t, http.StatusNotFound, a.status, path)
		require.Contains(t, a.body, sentence, path)
		section := "/" + strings.Split(path, "/")[1]
		require.Contains(t, a.body, `<a class="button" href="/x`+section+`">`, "the way on")
	}
	for _, path := range []string{"/events/" + id + "/replay", "/deliveries/" + id + "/retry", "/deliveries/" + id + "/cancel", "/actions/" + id + "/stop"} {
		a := r.post(path, url.Values{})
		require.NotEqual(t, http.StatusSeeOther, a.status, path)
		require.GreaterOrEqual(t, a.status, 400, path)
		require.Less(t, a.status, 500, path)
	}
	require.Equal(t, http.StatusUnprocessableEntity, r.get("/events/zzzz").status)
	require.Equal(t, http.StatusNotFound, r.get("/events/"+id+"/body/other").status)
}
