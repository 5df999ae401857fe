package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk/host"
)

func get[T any](t *testing.T, r *rig, path string) (v T) {
	t.Helper()
	status, _, text := r.call(t, http.MethodGet, path, viewToken, "")
	require.Equal(t, http.StatusOK, status, text)
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

func TestOverviewOfNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, _, text := r.call(t, http.MethodGet, "/overview", viewToken, "")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"pending": 0, "verifying": 0, "dead": 0, "targets": [], "silent_sources": [], "unused_sources": ["radarr"], "catchup_troubles": [], "plugins": [], "active_silences": 0,
		"running_actions": [], "paths": []}`, text, "lists are lists")
	status, _, _ = r.call(t, http.MethodGet, "/overview", "", "")
	require.Equal(t, http.StatusUnauthorized, status)
}

// someStates are plugins of which one is ready.
type someStates struct{ admin.Plugins }

func (someStates) Status() []pluginhost.Status {
	return []pluginhost.Status{
		{Kind: host.KindTarget, Plugin: "discord", State: pluginhost.Ready},
		{Kind: host.KindTarget, Plugin: "webhook", State: pluginhost.Quarantined, Reason: "crashed 5 times"},
	}
}

// troubles are why histories cannot be read.
type troubles map[string]string

func (t troubles) Trouble(source string) (string, time.Time) { return t[source], time.Now() }

func TestOverview(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.Service.Plugins = someStates{}
	r.Service.KnownPaths = func() map[string][]string { return map[string][]string{"ops": {"/tv reaches no library"}} }
	r.Service.NotReloaded = func() string { return "hookarr.yaml:3: targets: want a section" }
	r.Service.Histories = troubles{"radarr": "401 Unauthorized"}
	waits := r.Accept(t, admintest.Imported("Arrival", "ops", "news"))
	r.MakeDead(t, waits.Deliveries[1].ID)
	require.NoError(t, r.Store.Hold(t.Context(), "ops", store.HoldBreaker, "503 Service Unavailable"))
	c := r.remote(t, operateToken)
	_, err := c.AddSilence(t.Context(), admin.NewSilence{Expression: "true", For: "1h"}, "")
	require.NoError(t, err)
	dead := store.DeliveryFilter{State: event.Dead}
	expected := 1
	_, err = r.Operate.Begin(t.Context(), operate.Actor{Who: "ci"}, operate.Bulk{What: store.ActionRetry, Deliveries: &dead, ExpectCount: &expected})
	require.NoError(t, err)

	v := get[admin.Overview](t, r, "/overview")
	require.Equal(t, []int{1, 0, 1, 1}, []int{v.Pending, v.Verifying, v.Dead, v.Silences})
	require.Len(t, v.Targets, 1)
	require.Equal(t, []string{"ops", "breaker", "503 Service Unavailable"}, []string{v.Targets[0].Name, v.Targets[0].State, v.Targets[0].Reason})
	require.Equal(t, v.PendingSince, v.Targets[0].PendingSince)
	require.WithinDuration(t, time.Now(), *v.PendingSince, time.Minute)
	require.Len(t, v.Plugins, 1)
	require.Equal(t, "webhook", v.Plugins[0].Name)
	require.Len(t, v.Actions, 1)
	require.Equal(t, store.ActionRetry, v.Actions[0].What)
	require.Equal(t, []admin.PathProblems{{Target: "ops", Problems: []string{"/tv reaches no library"}}}, v.Paths)
	require.Empty(t, v.Unused)
	require.Len(t, v.CatchupTroubles, 1)
	require.Equal(t, []string{"radarr", "401 Unauthorized"}, []string{v.CatchupTroubles[0].Source, v.CatchupTroubles[0].Reason})
	require.Equal(t, "hookarr.yaml:3: targets: want a section", v.NotReloaded)
}

// TestSilentSources has sources whose last event is days ago.
func TestSilentSources(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		events       int
		pause, since time.Duration
		silent       bool
	}{
		"longer than usual":      {30, time.Hour, 8 * day, true},
		"not for a week":         {30, time.Hour, 6 * day, false},
		"as long as is usual":    {30, 5 * day, 9 * day, false},
		"twice as long as usual": {30, 5 * day, 11 * day, true},
		"too few to tell":        {19, time.Hour, 20 * day, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			for i := range test.events {
				// All at once, but for one pause.
				at := time.Now().Add(-test.since)
				if i == 0 {
					at = at.Add(-test.pause)
				}
				a := admintest.Imported(strconv.Itoa(i))
				first := event.FirstID(at)
				copy(a.Event.ID[:6], first[:6])
				r.Accept(t, a)
			}
			v := get[admin.Overview](t, r, "/overview")
			if !test.silent {
				require.Empty(t, v.Silent)
				return
			}
			require.Len(t, v.Silent, 1)
			require.Equal(t, "radarr", v.Silent[0].Source)
			require.WithinDuration(t, time.Now().Add(-test.since), v.Silent[0].LastEvent, time.Minute)
			require.InDelta(t, test.pause.Seconds(), v.Silent[0].Usual, 60)
		})
	}
}

func TestActivity(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.Accept(t, admintest.Imported("Arrival", "ops", "news"))
	r.MakeDead(t, a.Deliveries[0].ID)
	sum := func(v admin.Activity) (s admin.Bucket) {
		for _, b := range v.Buckets {
			s.Accepted, s.Delivered, s.Failed, s.Dead = s.Accepted+b.Accepted, s.Delivered+b.Delivered, s.Failed+b.Failed, s.Dead+b.Dead
			s.Attempts, s.MedianMS = s.Attempts+b.Attempts, s.MedianMS+b.MedianMS
		}
		return s
	}
	begun := time.Now()
	v := get[admin.Activity](t, r, "/activity")
	require.Len(t, v.Buckets, 60)
	require.InDelta(t, 60, v.Step, 0)
	require.Equal(t, v.From, v.Buckets[0].At)
	require.True(t, v.Until.After(begun), "the last bucket is under way")
	require.Equal(t, admin.Bucket{Accepted: 1, Failed: 1, Dead: 1}, sum(v))
	r.Accept(t, admintest.Imported("Heat"))
	require.Equal(t, 2, sum(get[admin.Activity](t, r, "/activity?over=2h&buckets=120")).Accepted, "what is under way is counted anew")

	v = get[admin.Activity](t, r, "/activity?target=ops&over=24h&buckets=48")
	require.InDelta(t, 1800, v.Step, 0)
	require.Nil(t, v.KnownSince)
	require.Equal(t, admin.Bucket{Accepted: 1, Failed: 1, Dead: 1, Attempts: 1, MedianMS: 1}, sum(v))

	for path, status := range map[string]int{
		"/activity?target=absent":           http.StatusNotFound,
		"/activity?over=4h":                 http.StatusUnprocessableEntity,
		"/activity?over=8d&target=ops":      http.StatusUnprocessableEntity,
		"/activity?over=soon":               http.StatusUnprocessableEntity,
		"/activity?over=-1h":                http.StatusUnprocessableEntity,
		"/activity?over=90s&buckets=180":    http.StatusUnprocessableEntity,
		"/activity?buckets=181":             http.StatusUnprocessableEntity,
		"/activity?buckets=60&target=%00op": http.StatusNotFound,
	} {
		got, _, text := r.call(t, http.MethodGet, path, viewToken, "")
		require.Equal(t, status, got, "%s: %s", path, text)
	}
}

// TestMinutesAreKept changes what happened in a minute that is over.
func TestMinutesAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old := admintest.Imported("Arrival")
	first := event.FirstID(time.Now().Add(-30 * time.Minute))
	copy(old.Event.ID[:6], first[:6])
	r.Accept(t, old)
	accepted := func() (n int) {
		for _, b := range get[admin.Activity](t, r, "/activity").Buckets {
			n += b.Accepted
		}
		return n
	}
	require.Equal(t, 1, accepted())
	late := admintest.Imported("Heat")
	copy(late.Event.ID[:6], first[:6])
	r.Accept(t, late)
	r.Accept(t, admintest.Imported("Sicario"))
	require.Equal(t, 2, accepted(), "nothing comes to a minute that is long over")
}
