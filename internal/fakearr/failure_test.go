package fakearr_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

// outcomes are what became of the events since the last call.
func outcomes(a *fakearr.Arr, seen *int) []fakearr.Outcome {
	out := []fakearr.Outcome{}
	events := a.Events()
	for _, e := range events[*seen:] {
		for _, p := range e.Posts {
			out = append(out, p.Outcome)
		}
	}
	*seen = len(events)
	return out
}

// only is a connection that asks for some events.
func only(name, url, flags string) string {
	return fmt.Sprintf(`{"name":%q,"implementation":"Webhook","configContract":"WebhookSettings","tags":[],%s,
		"fields":[{"name":"url","value":%q},{"name":"method","value":1}]}`, name, flags, url)
}

func TestBackOff(t *testing.T) {
	t.Parallel()
	for _, app := range fakearr.Apps() {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			r, c := newReceiver(t), newClock()
			a := fakearr.New(app, fakearr.Options{Now: c.Now})
			title, err := a.Add(t.Context(), movie())
			require.NoError(t, err)
			client := serve(t, a)
			status, body := client.do(http.MethodPost, notifications(app), only("Hookarr", r.URL, `"onGrab":true`))
			require.Equal(t, http.StatusCreated, status, body)
			seen := len(a.Events())
			grab := func() {
				t.Helper()
				_, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
				require.NoError(t, err)
			}
			fails := func(after time.Duration) {
				t.Helper()
				c.Pass(after)
				grab()
				require.Equal(t, []fakearr.Outcome{fakearr.Refused}, outcomes(a, &seen))
			}
			// blocked tells that everything is dropped until d has passed, and no longer.
			blocked := func(d time.Duration) {
				t.Helper()
				grab()
				c.Pass(d - time.Microsecond)
				grab()
				require.Equal(t, []fakearr.Outcome{fakearr.Dropped, fakearr.Dropped}, outcomes(a, &seen))
				c.Pass(time.Microsecond)
			}

			r.Answer(http.StatusServiceUnavailable)
			fails(0)
			fails(time.Minute)
			fails(2 * time.Minute)
			fails(2 * time.Minute)
			blocked(5 * time.Minute)
			fails(0)
			blocked(15 * time.Minute)
			fails(0)
			blocked(30 * time.Minute)
			fails(0)
			blocked(time.Hour)
			fails(0)
			blocked(time.Hour)

			r.Answer(http.StatusMovedPermanently)
			grab()
			require.Equal(t, []fakearr.Outcome{fakearr.Delivered}, outcomes(a, &seen), "the application takes a redirect for success")
			r.Answer(http.StatusNotFound)
			fails(0)
			blocked(time.Hour)

			a.Restart()
			fails(0)
			blocked(5 * time.Minute)
		})
	}
}

func TestBlockedConnectionIsComplainedOfToTheOthers(t *testing.T) {
	t.Parallel()
	bad, good, c := newReceiver(t), newReceiver(t), newClock()
	bad.Answer(http.StatusInternalServerError)
	a := fakearr.New(fakearr.Radarr, fakearr.Options{Now: c.Now})
	a.Connect("Bad", bad.URL)
	a.Connect("Good", good.URL)
	_, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	c.Pass(6 * time.Minute)
	_, err = a.Add(t.Context(), movie())
	require.NoError(t, err)
	require.Equal(t, []string{"MovieAdded", "MovieAdded", "Health"}, good.Types(t))
	require.Contains(t, good.Got()[2].body, `"type": "NotificationStatusCheck"`)
	require.Equal(t, 1, a.Count(fakearr.Dropped))

	c.Pass(time.Hour)
	a.Tick(t.Context())
	require.Equal(t, "HealthRestored", good.Types(t)[3])
}

func TestChecksAreToldOfAgainAfterAStart(t *testing.T) {
	t.Parallel()
	r, c := newReceiver(t), newClock()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{Now: c.Now})
	a.Connect("Hookarr", r.URL)
	a.Restart()
	a.Health(t.Context(), fakearr.Check{Level: "error", Type: "RootFolderCheck", Message: "Missing root folder"})
	require.Empty(t, r.Got())
	c.Pass(15 * time.Minute)
	a.Tick(t.Context())
	a.Tick(t.Context())
	require.Equal(t, []string{"Health"}, r.Types(t))
}

func TestRequest(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	client := serve(t, a)
	status, body := client.do(http.MethodPost, "/api/v3/notification", fmt.Sprintf(`{"name":"Hookarr","implementation":"Webhook",
		"configContract":"WebhookSettings","tags":[],"onGrab":true,"fields":[{"name":"url","value":"%s/in?token=s3cret"},
		{"name":"method","value":2},{"name":"password","value":"pä日"},{"name":"headers","value":[{"key":"X-Token","value":"abc"}]}]}`, r.URL))
	require.Equal(t, http.StatusCreated, status, body)
	require.Len(t, r.Got(), 1)
	got := r.Got()[0]
	require.Equal(t, http.MethodPut, got.method)
	require.Equal(t, "/in?token=s3cret", got.url)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "application/json", got.header.Get("Accept"))
	require.Equal(t, "Radarr/6.1.0.10317 (alpine 3.22.1)", got.header.Get("User-Agent"))
	require.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte(":p\xe4?")), got.header.Get("Authorization"))
	require.Equal(t, "abc", got.header.Get("X-Token"))
	require.EqualValues(t, len(got.body), got.length)
	require.True(t, got.closing, "each webhook has a connection of its own")
	require.Contains(t, got.body, "{\n  \"movie\": {\n    \"id\": 1,\n")
}

func TestHeadersThatNoDeliverySurvives(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	client := serve(t, a)
	for _, name := range []string{"User-Agent", "Range", "Proxy-Connection", "authorization"} {
		status, body := client.do(http.MethodPost, "/api/v3/notification/test", fmt.Sprintf(`{"name":"a","implementation":"Webhook",
			"configContract":"WebhookSettings","fields":[{"name":"url","value":%q},{"name":"username","value":"u"},
			{"name":"headers","value":[{"key":%q,"value":"x"}]}]}`, r.URL, name))
		require.Equal(t, http.StatusInternalServerError, status, body)
	}
	require.Empty(t, r.Got())
}

func TestFlagsAndTags(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	client := serve(t, a)
	connect := func(name, flags string) *receiver {
		t.Helper()
		r := newReceiver(t)
		status, body := client.do(http.MethodPost, "/api/v3/notification", only(name, r.URL, flags))
		require.Equal(t, http.StatusCreated, status, body)
		return r
	}
	nothing := connect("nothing", `"onUpgrade":true`)
	imports := connect("imports", `"onDownload":true`)
	upgrades := connect("upgrades", `"onDownload":true,"onUpgrade":true,"onMovieFileDelete":true,"onMovieFileDeleteForUpgrade":true`)
	errors := connect("errors", `"onHealthIssue":true`)
	warnings := connect("warnings", `"onHealthIssue":true,"includeHealthWarnings":true`)
	other := newReceiver(t)
	first, err := a.Add(t.Context(), fakearr.Title{Name: "First", Tags: []string{"x"}})
	require.NoError(t, err)
	second, err := a.Add(t.Context(), fakearr.Title{Name: "Second", Tags: []string{"y"}})
	require.NoError(t, err)
	var tags []struct{ ID int }
	client.get("/api/v3/tag", &tags)
	require.Len(t, tags, 2)
	status, body := client.do(http.MethodPost, "/api/v3/notification",
		only("tagged", other.URL, fmt.Sprintf(`"onGrab":true,"onHealthIssue":true,"tags":[%d]`, tags[1].ID)))
	require.Equal(t, http.StatusCreated, status, body)

	for _, title := range []fakearr.Title{first, second} {
		d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
		require.NoError(t, err)
		_, err = a.Import(t.Context(), d.ID)
		require.NoError(t, err)
	}
	_, err = a.Upgrade(t.Context(), first.ID, fakearr.Release{})
	require.NoError(t, err)
	a.Health(t.Context(), fakearr.Check{Level: "warning", Type: "A"})
	a.Health(t.Context(), fakearr.Check{Level: "error", Type: "B"})

	require.Empty(t, nothing.Got())
	require.Equal(t, []string{"Test", "Download", "Download"}, imports.Types(t))
	require.Equal(t, []string{"Test", "Download", "Download", "MovieFileDelete", "Download"}, upgrades.Types(t))
	require.Equal(t, []string{"Test", "Health"}, errors.Types(t))
	require.Equal(t, []string{"Test", "Health", "Health"}, warnings.Types(t))
	require.Equal(t, []string{"Test", "Grab", "Health"}, other.Types(t), "tags matter for titles, not for health")
}
