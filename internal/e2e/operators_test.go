package e2e

import (
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/client"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
)

// withSocket is a server whose operators' socket is beside its configuration.
func withSocket(t *testing.T, s settings) (*server, *client.Client) {
	t.Helper()
	s.top += "\nadmin: {socket: h.sock}"
	srv := newServer(t, s)
	c := client.Socket(filepath.Join(filepath.Dir(srv.config), "h.sock"))
	t.Cleanup(c.Close)
	return srv, c
}

// awaitNone waits until no delivery is in a state.
func awaitNone(t *testing.T, c *client.Client, state event.DeliveryState) {
	t.Helper()
	require.Eventually(t, func() bool {
		list, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{State: state}, admin.Page{Limit: 1})
		return err == nil && len(list.Items) == 0
	}, waitTimeout, 50*time.Millisecond, "deliveries are %s", state)
}

// TestDeadLettersAreRetriedOnce by a filter, over a kill of the server in the middle.
func TestDeadLettersAreRetriedOnce(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		const letters, senders = 1000, 16
		endpoint := newReceiver(t)
		endpoint.setAnswer(func(delivered) int { return http.StatusUnprocessableEntity })
		srv, c := withSocket(t, settings{database: url, targets: webhookTarget(endpoint), routes: everything})
		srv.start()
		var wg sync.WaitGroup
		for sender := range senders {
			wg.Go(func() {
				for n := sender; n < letters; n += senders {
					if srv.post(importBody(n+1)).status != http.StatusAccepted {
						t.Errorf("event %d is not accepted", n+1)
					}
				}
			})
		}
		wg.Wait()
		dead := admin.DeliveryFilter{Target: "ops", State: event.Dead}
		// An event that a slow machine decodes later has no delivery before.
		require.Eventually(t, func() bool {
			_, err := c.RetryDeliveries(t.Context(), dead, letters+1, "")
			return err != nil && strings.Contains(err.Error(), strconv.Itoa(letters)+" rows")
		}, waitTimeout, 50*time.Millisecond, "another number than that of all is refused, in the end with that of all")
		endpoint.setAnswer(nil)
		// What is retried is seen apart from what is delivered.
		_, err := c.PauseTarget(t.Context(), "ops", "a test counts")
		require.NoError(t, err)

		a, err := c.RetryDeliveries(t.Context(), dead, letters, "")
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			now, err := c.Action(t.Context(), a.ID)
			return err == nil && now.Done >= letters/5
		}, waitTimeout, 10*time.Millisecond)
		srv.kill()
		srv.start()
		require.Eventually(t, func() bool {
			a, err = c.Action(t.Context(), a.ID)
			return err == nil && a.State == store.ActionDone
		}, waitTimeout, 20*time.Millisecond)
		require.Equal(t, letters, a.Done)
		require.Zero(t, a.Skipped)
		require.Empty(t, endpoint.all())
		_, err = c.ResumeTarget(t.Context(), "ops")
		require.NoError(t, err)
		awaitNone(t, c, event.Pending)
		require.Len(t, endpoint.counts(), letters)
		for title, n := range endpoint.counts() {
			require.Equal(t, 1, n, title)
		}
		story, err := c.Story(t.Context(), srv.newest(t, c))
		require.NoError(t, err)
		require.Equal(t, store.ActionRetry, story.Actions[0].What)
		require.NoError(t, srv.stop())
	})
}

// newest is the id of the event that came last.
func (s *server) newest(t *testing.T, c *client.Client) string {
	t.Helper()
	list, err := c.ListEvents(t.Context(), admin.EventFilter{Source: "radarr"}, admin.Page{Limit: 1})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	return list.Items[0].ID
}

// TestReplayToANewTarget leaves the others alone.
func TestReplayToANewTarget(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		const events = 500
		known, late := newReceiver(t), newReceiver(t)
		srv, c := withSocket(t, settings{database: url, targets: webhookTarget(known), routes: everything})
		srv.start()
		for n := range events {
			require.Equal(t, http.StatusAccepted, srv.post(importBody(n+1)).status)
		}
		known.await(t, events)
		srv.rewrite(func(old string) string {
			return strings.Replace(old, "\nroutes:", "\n"+indent(strings.Replace(webhookTarget(late), "ops:", "late:", 1), 2)+"\nroutes:", 1)
		})
		r, err := c.Reload(t.Context(), true)
		require.NoError(t, err)
		require.False(t, r.Applied)
		require.Equal(t, "targets.late: added", r.Changes[0].String())
		_, err = c.ReplayEvents(t.Context(), admin.EventFilter{Source: "radarr"}, admin.Replay{To: []string{"late"}}, events, "")
		require.Error(t, err, "the target is not there yet")
		r, err = c.Reload(t.Context(), false)
		require.NoError(t, err)
		require.True(t, r.Applied)
		_, err = c.ReplayEvents(t.Context(), admin.EventFilter{Source: "radarr"}, admin.Replay{To: []string{"late"}}, events, "")
		require.NoError(t, err)
		late.await(t, events)
		awaitNone(t, c, event.Pending)
		require.Len(t, late.counts(), events)
		require.Len(t, known.all(), events, "the others are left alone")
		require.NoError(t, srv.stop())
	})
}

// TestAttemptShowsWhatWasSent and the answer.
func TestAttemptShowsWhatWasSent(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	endpoint.setAnswer(func(delivered) int { return http.StatusUnprocessableEntity })
	srv, c := withSocket(t, settings{database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: webhookTarget(endpoint), routes: everything})
	srv.start()
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	awaitNone(t, c, event.Pending)
	list, err := c.ListDeliveries(t.Context(), admin.DeliveryFilter{State: event.Dead}, admin.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	d, err := c.Delivery(t.Context(), list.Items[0].ID)
	require.NoError(t, err)
	require.Len(t, d.History, 1)
	require.Contains(t, d.History[0].Request, "POST [redacted]\n", "the URL is a secret")
	require.Contains(t, d.History[0].Request, titleOf(1))
	require.NotContains(t, d.History[0].Request, targetSecret)

	tested, err := c.TestTarget(t.Context(), "ops", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusUnprocessableEntity, tested.Status)
	preview, err := c.Preview(t.Context(), "ops", admin.PreviewOf{Subject: admin.Subject{Event: srv.newest(t, c)}})
	require.NoError(t, err)
	require.Equal(t, http.MethodPost, preview.Method)
	require.Contains(t, preview.Body, titleOf(1))
}

// TestFollowersOfTheLogDelayNoStop: what operators wait for ends with the server.
func TestFollowersOfTheLogDelayNoStop(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	srv, c := withSocket(t, settings{database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: webhookTarget(endpoint), routes: everything})
	srv.start()
	logs, err := c.Logs(t.Context(), 0, "info", time.Second)
	require.NoError(t, err)
	require.NotEmpty(t, logs.Lines)
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil { // each time for as long as one may
			_, err = c.Logs(t.Context(), logs.Next, "error", 25*time.Second)
		}
		ended <- err
	}()
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	endpoint.await(t, 1)
	require.NoError(t, srv.stop())
	require.Error(t, <-ended)
	require.NotContains(t, srv.log.String(), "requests interrupted that took too long")
}
