package ui_test

import (
	"fmt"
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
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// bury makes a delivery a dead letter for a reason.
func (r *rig) bury(t *testing.T, id uuid.UUID, reason string) {
	t.Helper()
	_, err := r.Store.Settle(t.Context(), &store.Settlement{DeliveryID: id, State: event.Dead, Reason: reason})
	require.NoError(t, err)
}

func TestDeliveriesAreListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.get("/deliveries")
	require.Contains(t, a.body, "There are no deliveries yet.")
	require.Equal(t, "/routes", a.link(t, "The routes"))
	require.Contains(t, r.get("/dead").body, "There are no dead letters: everything went out, or is still tried.")

	arrival := r.Accept(t, admintest.Imported("Arrival", "ops", "news"))
	r.bury(t, arrival.Deliveries[0].ID, "gave up on it")
	other := admintest.Imported("Solaris", "ops")
	other.Event.Source, other.Event.Type, other.Deliveries[0].Route = "sonarr", sdk.TypeReleaseGrabbed, "grabs"
	r.Accept(t, other)
	for query, want := range map[string]int{
		"": 3, "target=news": 1, "state=dead": 1, "state=pending": 2, "source=sonarr": 1, "type=release.grabbed": 1, "route=grabs": 1,
		"q=gave+up": 1, "q=solaris": 1, "event=" + arrival.Event.ID.String()[:30]: 2, "since=2h": 3, "until=1h": 0, "target=nobody": 0,
	} {
		a := r.get("/deliveries?" + query)
		require.Equal(t, http.StatusOK, a.status, query)
		require.Equal(t, want, strings.Count(a.body, `<tr id="delivery-`), query)
		require.Equal(t, want == 0, strings.Contains(a.body, "No delivery matches."), query)
	}
	for query, sentence := range map[string]string{
		"state=routed": "Want one of delivered, pending, verifying, dead, superseded, cancelled.", "event=zz": "Want the id of the event",
		"event=0000000": "There is no event whose id begins so.", "since=x": "Want how long ago",
	} {
		a := r.get("/deliveries?" + query)
		require.Equal(t, http.StatusUnprocessableEntity, a.status, query)
		require.Regexp(t, `class="wrong" id="problem-\d+">`+regexp.QuoteMeta(sentence), a.body, query)
	}
	a = r.get("/deliveries?cursor=x")
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, "/deliveries", a.link(t, "First page"))
	require.Contains(t, r.get(r.get("/deliveries?q=a").link(t, "Count what matches")).body, "3 deliveries match.")
}

func TestDeliveriesGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(t, 51)
	for range 51 {
		r.MakeDead(t, r.Accept(t, admintest.Imported("Dead", "news")).Deliveries[0].ID)
	}
	for _, path := range []string{"/deliveries?target=ops", "/dead?since=1h"} {
		first := r.get(path)
		require.Contains(t, first.body, "hx-trigger")
		second := r.get(first.link(t, "Next page"))
		require.Equal(t, http.StatusOK, second.status)
		require.Equal(t, 1, strings.Count(second.body, `<tr id="delivery-`), path)
		require.NotContains(t, second.body, "hx-trigger")
		require.NotContains(t, second.link(t, "First page"), "cursor")
		require.NotContains(t, second.link(t, "First page"), "state", "the page has but one state")
	}
}

func TestDeadLettersAreGrouped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 4 {
		a := r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "ops", "news"))
		r.bury(t, a.Deliveries[0].ID, []string{"no answer", "no answer", "", "bad\nname"}[i])
	}
	require.NoError(t, r.Store.Hold(t.Context(), "ops", store.HoldBreaker, "five failures in a row"))
	a := r.get("/dead")
	require.Contains(t, a.text(), "ops 4 dead breaker 2× no answer Retry… 1× no reason 1× bad name Retry… Retry all of ops…")
	require.Equal(t, "/dead?q=no+answer&target=ops", a.link(t, "no answer"))
	require.Equal(t, 2, strings.Count(r.get("/dead?q=no+answer&target=ops").body, `<tr id="delivery-`))
	require.Equal(t, "/deliveries/retry?state=dead&target=ops", a.link(t, "Retry all of ops"))
	require.NotContains(t, a.text(), "news 0 dead")
	require.NotContains(t, r.get("/dead?q=no").body, "Retry all of", "a part of them has no counts that are cheap")
	require.NotContains(t, r.get("/dead?target=news").body, "Retry all of ops")
	view := r.do(config.RoleView, http.MethodGet, "/dead", nil)
	require.Contains(t, view.text(), "2× no answer")
	require.NotContains(t, view.body, "Retry")
}

func TestADeadLetterIsRetriedOnItsPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	r.MakeDead(t, a.Deliveries[0].ID)
	page := r.get("/dead?target=ops")
	next := regexp.MustCompile(`name="next" value="([^"]+)"`).FindStringSubmatch(page.body)
	require.Equal(t, "/dead?target=ops", next[1])
	done := r.post("/deliveries/"+a.Deliveries[0].ID.String()+"/retry", url.Values{"next": {next[1]}})
	require.Equal(t, http.StatusSeeOther, done.status)
	require.Equal(t, "/x/dead?target=ops", done.header.Get("Location"))
	done = r.post("/deliveries/"+a.Deliveries[0].ID.String()+"/retry", url.Values{"next": {"//evil.example"}})
	require.Equal(t, "/x/deliveries/"+a.Deliveries[0].ID.String(), done.header.Get("Location"))
}

func TestADelivery(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	path := "/deliveries/" + a.Deliveries[0].ID.String()
	_, err := r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: a.Deliveries[0].ID, State: event.Dead, Reason: "gave up", Attempt: &event.Attempt{
			DeliveryID: a.Deliveries[0].ID, Number: 1, StartedAt: time.Now().UTC(), Elapsed: 1500 * time.Millisecond, Class: sdk.ClassPermanent,
			Status: 422, Message: "the endpoint refuses it", Excerpt: "no such channel", Request: "POST /private", Counted: true,
		},
	})
	require.NoError(t, err)
	page := r.get(path)
	require.Contains(t, page.text(), "dead Gave up. It is not tried again by itself.")
	require.Contains(t, page.text(), "422 1.5s the endpoint refuses it What was sent POST /private What was answered no such channel")
	require.Equal(t, "/events/"+a.Event.ID.String(), page.link(t, "Arrival"))
	require.Equal(t, "/targets/ops/preview?delivery="+a.Deliveries[0].ID.String(), page.link(t, "Preview"))
	require.Regexp(t, `<form method="post" action="/x`+path+`/retry"><button class="strong">Retry</button>`, page.body)

	require.Equal(t, http.StatusSeeOther, r.post(path+"/retry", url.Values{}).status)
	page = r.get(path)
	require.Contains(t, page.text(), "It is due now.")
	require.Contains(t, page.body, ">Try now</button>")
	require.NoError(t, r.Store.Hold(t.Context(), "ops", store.HoldMisconfigured, "401"))
	require.Contains(t, r.get(path).text(), "Target ops takes nothing now: misconfigured: 401")
	require.Equal(t, http.StatusSeeOther, r.post(path+"/cancel", url.Values{}).status)
	page = r.get(path)
	require.Contains(t, page.text(), "Cancelled by ada")
	require.NotContains(t, page.body, "/cancel\"")
	again := r.post(path+"/cancel", url.Values{})
	require.Equal(t, http.StatusConflict, again.status)
	require.Contains(t, again.body, "The delivery was not cancelled: it is cancelled.")
}

func TestAGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ids []string
	for i := range 3 {
		a := admintest.Imported(fmt.Sprintf("Film %d", i), "news")
		a.Groupings = map[uuid.UUID]event.Grouping{a.Deliveries[0].ID: {Key: "<season>", Wait: time.Hour, MaxWait: time.Hour, Max: 10}}
		r.Accept(t, a)
		ids = append(ids, a.Event.ID.String())
	}
	story := r.get("/events/" + ids[2])
	require.Contains(t, story.text(), "It tells 3 events, grouped by <season> . It waits for more events until")
	page := r.get(story.link(t, "Delivery "))
	require.Contains(t, page.text(), "Its 3 events")
	for _, id := range ids {
		require.Contains(t, page.body, `href="/x/events/`+id+`"`)
	}
	require.Contains(t, r.get("/deliveries").text(), "· 3 events")
}

func TestProofAndSupersession(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops", "news"))
	_, err := r.Store.Settle(t.Context(), &store.Settlement{DeliveryID: a.Deliveries[0].ID, State: event.Superseded, SupersededBy: a.Deliveries[1].ID})
	require.NoError(t, err)
	page := r.get("/deliveries/" + a.Deliveries[0].ID.String())
	require.Equal(t, "/deliveries/"+a.Deliveries[1].ID.String(), page.link(t, a.Deliveries[1].ID.String()[:13]))
	require.Contains(t, page.text(), "tells of it instead.")
	require.NotContains(t, page.body, "<form method=\"post\" action=\"/x/deliveries")
}

// TestWhatViewSees holds that who may only look sees no headers, no query, no requests and
// no bodies, and nothing to press.
func TestWhatViewSees(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := admintest.Imported("Arrival", "ops")
	in.Event.Request.Header.Set("X-Private", "private-header")
	in.Event.Request.Body = []byte("private-body")
	a := r.Accept(t, in)
	_, err := r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: a.Deliveries[0].ID, State: event.Dead, Attempt: &event.Attempt{
			DeliveryID: a.Deliveries[0].ID, Number: 1, StartedAt: time.Now().UTC(), Class: sdk.ClassPermanent, Request: "POST private-request", Counted: true,
		},
	})
	require.NoError(t, err)
	n := 1
	action, err := r.Operate.Begin(t.Context(), operate.Actor{Who: "ada", Via: "token"}, operate.Bulk{
		What: store.ActionRetry, Deliveries: &store.DeliveryFilter{Target: "ops"}, ExpectCount: &n,
	})
	require.NoError(t, err)
	e, d := "/events/"+a.Event.ID.String(), "/deliveries/"+a.Deliveries[0].ID.String()
	private := regexp.MustCompile(`q=private|private-[a-z]+`)
	for _, path := range []string{"/events", e, e + "/body", "/deliveries", "/dead", d, "/actions", "/actions/" + action.ID.String(), e + "/body/normalized"} {
		view, operates := r.do(config.RoleView, http.MethodGet, path, nil), r.get(path)
		require.Equal(t, http.StatusOK, view.status, path)
		require.Empty(t, private.FindString(view.body), path)
		_, main, _ := strings.Cut(view.body, "<main")
		require.NotContains(t, main, `method="post"`, path)
		require.NotRegexp(t, "Replay what|(Replay|Retry|Cancel|Stop|Preview)(…|<)", main, path)
		if path == e || path == d {
			require.NotEmpty(t, private.FindString(operates.body), path)
		}
	}
	require.Contains(t, r.do(config.RoleView, http.MethodGet, e+"/body", nil).body, "What was received is for the role operate.")
	require.Empty(t, regexp.MustCompile(`Arrival`).FindString(r.do(config.RoleView, http.MethodGet, "/events?q=private-body", nil).body), "a search tells nothing of bodies")
	for _, path := range []string{e + "/body/raw", e + "/replay", "/events/replay", "/deliveries/retry", "/deliveries/cancel"} {
		view := r.do(config.RoleView, http.MethodGet, path, nil)
		require.Equal(t, http.StatusForbidden, view.status, path)
		require.Contains(t, view.body, "This needs the role operate")
	}
	for _, path := range []string{
		e + "/replay", "/events/replay", d + "/retry", d + "/cancel", "/deliveries/retry", "/deliveries/cancel", "/actions/" + action.ID.String() + "/stop",
	} {
		require.Equal(t, http.StatusForbidden, r.do(config.RoleView, http.MethodPost, path, url.Values{"expect_count": {"1"}}).status, path)
	}
	require.Contains(t, r.get(d).body, `<span class="badge bad">dead</span>`, "nothing was done")
}
