package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// finish works a bulk action as a server would.
func (r *rig) finish(t *testing.T, id string) admin.Action {
	t.Helper()
	_, err := r.Operate.Run(t.Context(), uuid.MustParse(id))
	require.NoError(t, err)
	a, err := r.client(t).Action(t.Context(), id)
	require.NoError(t, err)
	return a
}

func TestBulkRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.remote(t, operateToken)
	for i := range 5 {
		r.MakeDead(t, r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "ops")).Deliveries[0].ID)
	}
	r.Accept(t, admintest.Imported("Pending", "ops"))
	dead := admin.DeliveryFilter{Target: "ops"}
	n, err := c.CountDeliveries(t.Context(), dead, "")
	require.NoError(t, err)
	require.Equal(t, admin.Count{Count: 6}, n)
	n, err = c.CountDeliveries(t.Context(), dead, store.ActionRetry)
	require.NoError(t, err)
	require.Equal(t, admin.Count{Count: 5}, n)

	_, err = c.RetryDeliveries(t.Context(), dead, 4, "k")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "the filter selects 5 rows and not 4")
	action, err := c.RetryDeliveries(t.Context(), dead, 5, "k")
	require.NoError(t, err, "what was refused may be asked for again with its key")
	require.Equal(t, store.ActionRunning, action.State)
	require.Equal(t, 5, action.Matched)
	require.Equal(t, "ci", action.Who)
	require.Equal(t, "token", action.Via)
	again, err := c.RetryDeliveries(t.Context(), dead, 5, "k")
	require.NoError(t, err)
	require.Equal(t, action, again)
	done := r.finish(t, action.ID)
	require.Equal(t, store.ActionDone, done.State)
	require.Equal(t, 5, done.Done)
	require.Equal(t, "ops", done.Filter.Target)
	require.Equal(t, event.Dead, done.Filter.State)

	_, err = c.RetryDeliveries(t.Context(), dead, 0, "")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "the filter selects nothing")
	_, err = c.StopAction(t.Context(), action.ID)
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "is done already")
	_, err = c.RetryDeliveries(t.Context(), admin.DeliveryFilter{State: event.Delivered}, 0, "")
	_ = refused(t, http.StatusUnprocessableEntity, err)
}

func TestBulkCancelIsStopped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	for i := range 3 {
		r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "news"))
	}
	action, err := c.CancelDeliveries(t.Context(), admin.DeliveryFilter{Target: "news"}, 3, "")
	require.NoError(t, err)
	stopped, err := c.StopAction(t.Context(), action.ID[:20])
	require.NoError(t, err)
	require.Equal(t, store.ActionStopped, stopped.State)
	require.Equal(t, 0, r.finish(t, action.ID).Done)
}

func TestBulkReplay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	for i := range 3 {
		r.Accept(t, admintest.Imported(fmt.Sprintf("Film %d", i), "ops"))
	}
	n, err := c.CountEvents(t.Context(), admin.EventFilter{Type: sdk.TypeMediaImported})
	require.NoError(t, err)
	action, err := c.ReplayEvents(t.Context(), admin.EventFilter{Type: sdk.TypeMediaImported}, admin.Replay{To: []string{"news"}}, n.Count, "")
	require.NoError(t, err)
	done := r.finish(t, action.ID)
	require.Equal(t, 3, done.Done)
	require.Equal(t, sdk.TypeMediaImported, done.Events.Type)
	ops, err := c.CountDeliveries(t.Context(), admin.DeliveryFilter{Target: "ops"}, "")
	require.NoError(t, err)
	require.Equal(t, 3, ops.Count, "the others are left alone")
	news, err := c.CountDeliveries(t.Context(), admin.DeliveryFilter{Target: "news"}, "")
	require.NoError(t, err)
	require.Equal(t, 3, news.Count)
}

func TestTargetsAreHeldAndResumed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	r.Accept(t, admintest.Imported("Arrival", "ops", "gone"))
	paused, err := c.PauseTarget(t.Context(), "ops", "maintenance")
	require.NoError(t, err)
	require.Equal(t, "paused", paused.State)
	require.Equal(t, "maintenance", paused.Reason)
	require.Equal(t, 1, paused.Pending)
	_, err = c.ProbeTarget(t.Context(), "ops")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "target ops: it is paused: resume it")
	resumed, err := c.ResumeTarget(t.Context(), "ops")
	require.NoError(t, err)
	require.Equal(t, "open", resumed.State)
	_, err = c.ResumeTarget(t.Context(), "ops")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "not on hold")

	list, err := c.ListTargets(t.Context())
	require.NoError(t, err)
	require.Equal(t, "gone", list[0].Name)
	require.Equal(t, "unconfigured", list[0].State)
	_, err = c.PauseTarget(t.Context(), "gone", "")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "not in the configuration")
	_, err = c.Target(t.Context(), "opss")
	require.Contains(t, refused(t, http.StatusNotFound, err).Detail, `did you mean "ops"?`)
	_, err = c.RenameTarget(t.Context(), "ops", "news")
	require.Contains(t, refused(t, http.StatusConflict, err).Detail, "still configured")
	moved, err := c.RenameTarget(t.Context(), "gone", "news")
	require.NoError(t, err)
	require.Equal(t, 1, r.finish(t, moved.ID).Done)
	news, err := c.Target(t.Context(), "news")
	require.NoError(t, err)
	require.Equal(t, 1, news.Pending)

	actions, err := c.ListActions(t.Context(), admin.Page{Limit: 2})
	require.NoError(t, err)
	require.Len(t, actions.Items, 2)
	require.NotNil(t, actions.Next)
	rest, err := c.ListActions(t.Context(), admin.Page{Limit: 2, Cursor: *actions.Next})
	require.NoError(t, err)
	require.Equal(t, store.ActionPause, rest.Items[0].What)
	require.Nil(t, rest.Next)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.client(t)
	for _, title := range []string{"Arrival", "Dune", "Dune: Part Two"} {
		r.Accept(t, admintest.Imported(title, "ops"))
	}
	find := func(f admin.EventFilter, oldest bool) (titles []string) {
		list, err := c.ListEvents(t.Context(), f, admin.Page{Oldest: oldest})
		require.NoError(t, err)
		for _, e := range list.Items {
			titles = append(titles, e.Title)
		}
		return titles
	}
	require.Equal(t, []string{"Dune: Part Two", "Dune"}, find(admin.EventFilter{Text: "dune"}, false))
	require.Equal(t, []string{"Dune", "Dune: Part Two"}, find(admin.EventFilter{Text: "dune"}, true))
	require.Equal(t, []string{"Dune"}, find(admin.EventFilter{Fields: []string{"media.title=dune"}}, false))
	require.Empty(t, find(admin.EventFilter{Until: time.Now().Add(-time.Hour)}, false))
	require.Len(t, find(admin.EventFilter{Since: time.Now().Add(-time.Hour)}, false), 3)
	_, err := c.ListEvents(t.Context(), admin.EventFilter{Fields: []string{"media.title"}}, admin.Page{})
	require.Contains(t, refused(t, 422, err).Detail, "PATH=VALUE")

	// A list with the oldest first goes on upwards.
	page := admin.Page{Limit: 1, Oldest: true}
	list, err := c.ListEvents(t.Context(), admin.EventFilter{}, page)
	require.NoError(t, err)
	page.Cursor = *list.Next
	list, err = c.ListEvents(t.Context(), admin.EventFilter{}, page)
	require.NoError(t, err)
	require.Equal(t, "Dune", list.Items[0].Title)
	page.Oldest = false
	_, err = c.ListEvents(t.Context(), admin.EventFilter{}, page)
	_ = refused(t, 422, err)
}

func TestSources(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old := admintest.Imported("Arrival")
	old.Event.Source = "sonarr-old"
	r.Accept(t, old)
	a := r.Accept(t, admintest.Imported("Dune"))
	from := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, r.Store.SaveCursor(t.Context(), "radarr", store.Cursor{From: from, ReadTo: from}))
	list, err := r.client(t).ListSources(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "radarr", list[0].Name)
	require.True(t, list[0].Configured)
	require.Equal(t, []string{"hmac github"}, list[0].Auth)
	require.Len(t, list[0].LastSeen, 1)
	require.Equal(t, sdk.TypeMediaImported, list[0].LastSeen[0].Type)
	require.Equal(t, a.Event.ID.String(), list[0].LastSeen[0].ID)
	require.True(t, from.Equal(list[0].Catchup.ReadTo))
	require.False(t, list[1].Configured)
	require.Nil(t, list[1].Catchup)
}
