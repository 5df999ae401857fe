package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

func (r *rig) client(t *testing.T) *client.Client {
	t.Helper()
	c := client.Socket(r.socket)
	t.Cleanup(c.Close)
	return c
}

func (r *rig) remote(t *testing.T, token sdk.Secret) *client.Client {
	t.Helper()
	c, err := client.Remote(r.url, token)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// refused returns the problem that an answer is.
func refused(t *testing.T, status int, err error) *admin.Problem {
	t.Helper()
	p, ok := errors.AsType[*admin.Problem](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, status, p.Status, p.Detail)
	return p
}

func TestListsGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	var want []string
	for i := range 7 {
		a := r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "ops"))
		want = append([]string{a.Event.ID.String()}, want...)
	}
	var got []string
	page := admin.Page{Limit: 3}
	for pages := 1; ; pages++ {
		list, err := c.ListEvents(t.Context(), admin.EventFilter{Source: "radarr"}, page)
		require.NoError(t, err)
		for _, e := range list.Items {
			got = append(got, e.ID)
			require.Equal(t, map[string]int{"pending": 1}, e.Counts)
		}
		if list.Next == nil {
			require.Equal(t, 3, pages)
			break
		}
		page.Cursor = *list.Next
	}
	require.Equal(t, want, got)
	_, err := c.ListEvents(t.Context(), admin.EventFilter{Source: "sonarr"}, page)
	require.Contains(t, refused(t, 422, err).Detail, "another filter")

	deliveries, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{Target: "ops", State: event.Pending}, admin.Page{Limit: 7})
	require.NoError(t, err)
	require.Len(t, deliveries.Items, 7)
	require.Nil(t, deliveries.Next, "a list that ends with a page has no next")
	require.Equal(t, "Film 6", deliveries.Items[0].Title)
	of, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{Event: want[2]}, admin.Page{})
	require.NoError(t, err)
	require.Len(t, of.Items, 1)
	none, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{Target: "news"}, admin.Page{})
	require.NoError(t, err)
	require.NotNil(t, none.Items)
	require.Empty(t, none.Items)
}

func TestShortIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	for i := range 7 {
		a := admintest.Imported(fmt.Sprintf("Film %d", i))
		a.Event.ID = uuid.MustParse(fmt.Sprintf("0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6%d", i))
		if i == 6 {
			a.Event.ID = uuid.MustParse("0197a2c4-6b1e-7c3a-9d2f-1a2b3c4d5e66")
		}
		r.Accept(t, a)
	}
	e, err := c.Event(t.Context(), "0197A2C4-6")
	require.NoError(t, err)
	require.Equal(t, "Film 6", e.Title)
	e, err = c.Event(t.Context(), "0197a2c45b1e7c3a9d2f1a2b3c4d5e63")
	require.NoError(t, err)
	require.Equal(t, "Film 3", e.Title)
	_, err = c.Event(t.Context(), "0197a2c4-5")
	p := refused(t, http.StatusConflict, err)
	require.Len(t, p.Candidates, 5)
	require.Equal(t, "0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e60", p.Candidates[0])
	_, err = c.Event(t.Context(), "0197a2c4-7")
	_ = refused(t, http.StatusNotFound, err)
	_, err = c.Event(t.Context(), uuid.Max.String())
	require.Equal(t, "there is no event "+uuid.Max.String(), refused(t, http.StatusNotFound, err).Detail)
	_, err = c.Event(t.Context(), "zzzz")
	_ = refused(t, http.StatusUnprocessableEntity, err)
	_, err = c.Delivery(t.Context(), "ffff")
	_ = refused(t, http.StatusNotFound, err)
}

func TestStory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	r.MakeDead(t, a.Deliveries[0].ID)
	id := a.Event.ID.String()
	done, err := c.RetryDelivery(t.Context(), a.Deliveries[0].ID.String()[:30], "")
	require.NoError(t, err)
	require.Equal(t, 1, done.Action.Done)
	require.NoError(t, r.Store.Hold(t.Context(), "ops", store.HoldBreaker, "five failures in a row"))

	story, err := c.Story(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "its request was let in; the source takes hmac github", story.Auth.Detail)
	require.Equal(t, admin.Step{OK: true, Detail: "media.imported, Arrival"}, story.Decode)
	require.Equal(t, []admin.Verdict{
		{Route: "imports", Matches: true, To: []string{"ops"}},
		{Route: "old", Failed: "when", Reason: "event.media.year < 2000: is false"},
	}, story.Routes)
	d := story.Event.Deliveries[0]
	require.Equal(t, event.Pending, d.State)
	require.Equal(t, "breaker: five failures in a row", d.Hold)
	require.Len(t, d.History, 1)
	require.Len(t, story.Actions, 1)
	require.Equal(t, store.ActionRetry, story.Actions[0].What)
	require.Equal(t, "socket", story.Actions[0].Via)
	require.Equal(t, []string{d.ID}, story.Actions[0].Deliveries)

	// What nobody has understood yet has no routes.
	raw := admintest.Imported("Raw")
	raw.Event.State, raw.Event.Reason, raw.Event.Normalized = event.Undecodable, "not JSON", nil
	r.Accept(t, raw)
	story, err = c.Story(t.Context(), raw.Event.ID.String())
	require.NoError(t, err)
	require.Equal(t, admin.Step{Detail: "no decoder understands it: not JSON"}, story.Decode)
	require.Empty(t, story.Routes)
}

func TestWhatViewDoesNotSee(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	d := a.Deliveries[0].ID
	_, err := r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: d, State: event.Dead, Attempt: &event.Attempt{
			DeliveryID: d, Number: 1, StartedAt: time.Now(), Class: sdk.ClassPermanent, Request: "POST private", Counted: true,
		},
	})
	require.NoError(t, err)
	for token, sees := range map[sdk.Secret]bool{viewToken: false, operateToken: true} {
		c := r.remote(t, token)
		e, err := c.Event(t.Context(), a.Event.ID.String())
		require.NoError(t, err)
		require.Equal(t, sees, e.Request.Query != "")
		require.Equal(t, sees, len(e.Request.Header) > 0)
		require.Equal(t, sees, e.Deliveries[0].History[0].Request != "")
		require.NotZero(t, e.Request.Bytes)
		require.NotEmpty(t, e.Event)
		one, err := c.Delivery(t.Context(), d.String())
		require.NoError(t, err)
		require.Equal(t, sees, one.History[0].Request != "")
		story, err := c.Story(t.Context(), a.Event.ID.String())
		require.NoError(t, err)
		require.Equal(t, sees, story.Event.Request.Query != "")
		normalized, err := c.Body(t.Context(), a.Event.ID.String(), true)
		require.NoError(t, err)
		require.JSONEq(t, string(a.Event.Normalized), string(normalized))
		raw, err := c.Body(t.Context(), a.Event.ID.String(), false)
		if sees {
			require.NoError(t, err)
			require.Equal(t, a.Event.Request.Body, raw)
			continue
		}
		_ = refused(t, http.StatusForbidden, err)
		_, err = c.TestRoutes(t.Context(), admin.Subject{Source: "radarr", Body: "{}"})
		_ = refused(t, http.StatusForbidden, err)
	}
}

func TestReplayOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops"))
	id := a.Event.ID.String()
	first, err := c.ReplayEvent(t.Context(), id, admin.Replay{To: []string{"news"}}, "key")
	require.NoError(t, err)
	again, err := c.ReplayEvent(t.Context(), id, admin.Replay{To: []string{"news"}}, "key")
	require.NoError(t, err)
	require.Equal(t, first, again)
	of, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{Target: "news"}, admin.Page{})
	require.NoError(t, err)
	require.Len(t, of.Items, 1)
	_, err = c.ReplayEvent(t.Context(), id, admin.Replay{}, "key")
	_ = refused(t, http.StatusUnprocessableEntity, err)

	_, err = c.ReplayEvent(t.Context(), id, admin.Replay{To: []string{"nwes"}}, "another")
	require.Contains(t, refused(t, http.StatusUnprocessableEntity, err).Detail, `did you mean "news"?`)
	_, err = c.ReplayEvent(t.Context(), id, admin.Replay{Redecode: true}, "")
	require.Contains(t, refused(t, http.StatusUnprocessableEntity, err).Detail, "running server")
	actions, err := c.ListActions(t.Context(), admin.Page{})
	require.NoError(t, err)
	require.Len(t, actions.Items, 1)
	action, err := c.Action(t.Context(), actions.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, []string{"news"}, action.To)
}

func TestRoutesAreTried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	routing, err := c.TestRoutes(t.Context(), admin.Subject{Sample: sdk.TypeMediaImported})
	require.NoError(t, err)
	require.Equal(t, "radarr", routing.Source)
	require.Equal(t, []string{"ops"}, routing.Targets)
	a := r.Accept(t, admintest.Imported("Arrival"))
	routing, err = c.TestRoutes(t.Context(), admin.Subject{Event: a.Event.ID.String()})
	require.NoError(t, err)
	require.Equal(t, "Arrival", routing.Title)
	require.Equal(t, []string{"ops"}, routing.Targets)
	_, err = c.TestRoutes(t.Context(), admin.Subject{Sample: sdk.TypeTest, Event: "0197"})
	require.Contains(t, refused(t, 422, err).Detail, "exactly one of event, sample and body")
	_, err = c.TestRoutes(t.Context(), admin.Subject{Body: "{}", Source: "sonarr"})
	require.Equal(t, `there is no source "sonarr"; there are: radarr`, refused(t, 422, err).Detail)
	_, err = c.TestRoutes(t.Context(), admin.Subject{Body: "{}"})
	require.Contains(t, refused(t, 422, err).Detail, "body needs the source that it is for; configured are: radarr")
	_, err = c.TestRoutes(t.Context(), admin.Subject{Sample: sdk.TypeTest, Source: "rader"})
	require.Equal(t, `there is no source "rader"; did you mean "radarr"?`, refused(t, 422, err).Detail)
	routing, err = c.TestRoutes(t.Context(), admin.Subject{Sample: sdk.TypeTargetHeld, Source: sdk.SourceHookarr})
	require.NoError(t, err)
	require.Equal(t, sdk.SourceHookarr, routing.Source)
	_, err = c.TestRoutes(t.Context(), admin.Subject{Body: "{}", Source: "radarr"})
	require.Contains(t, refused(t, http.StatusServiceUnavailable, err).Detail, "needs a running server")
	routes, err := c.ListRoutes(t.Context())
	require.NoError(t, err)
	require.Equal(t, admin.Route{Name: "old", When: "event.media.year < 2000", To: []string{"ops", "news"}}, routes[1])
}

func TestWhatNeedsAServer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	for name, ask := range map[string]func() error{
		"plugins":       func() error { _, err := c.ListPlugins(t.Context()); return err },
		"plugin":        func() error { _, err := c.Plugin(t.Context(), "target-webhook"); return err },
		"reload plugin": func() error { _, err := c.ReloadPlugin(t.Context(), "target-webhook"); return err },
		"reload":        func() error { _, err := c.Reload(t.Context(), true); return err },
		"test":          func() error { _, err := c.TestTarget(t.Context(), "ops", ""); return err },
		"preview": func() error {
			_, err := c.Preview(t.Context(), "ops", admin.PreviewOf{Subject: admin.Subject{Sample: sdk.TypeTest}})
			return err
		},
	} {
		require.Contains(t, refused(t, http.StatusServiceUnavailable, ask()).Detail, "start hookarr serve", name)
	}
	v, err := c.Version(t.Context())
	require.NoError(t, err)
	require.Equal(t, "test", v.Version)
	require.Equal(t, r.Config.File, v.Config)
	require.Len(t, v.ConfigHash, 12)
	text, err := c.Config(t.Context())
	require.NoError(t, err)
	require.Contains(t, string(text), "[redacted]")
	require.NotContains(t, string(text), "0123456789abcdef")
}

func TestClientWithoutAServer(t *testing.T) {
	t.Parallel()
	_, err := client.Socket(filepath.Join(t.TempDir(), "none.sock")).Version(t.Context())
	require.ErrorIs(t, err, client.ErrNoServer)
	c, err := client.Remote("http://127.0.0.1:1", "secret")
	require.NoError(t, err)
	_, err = c.Version(t.Context())
	require.ErrorIs(t, err, client.ErrNoServer)
	_, err = client.Remote("127.0.0.1:9000", "")
	require.ErrorContains(t, err, "want the URL")
	r := newRig(t)
	_, err = r.remote(t, "wrong").Version(t.Context())
	_ = refused(t, http.StatusUnauthorized, err)
	c, err = client.Remote(r.url+"/elsewhere", viewToken)
	require.NoError(t, err)
	_, err = c.Version(t.Context())
	_ = refused(t, http.StatusNotFound, err)
}
