package fakearr_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

func base(app fakearr.App) string {
	if app == fakearr.Lidarr {
		return "/api/v1/"
	}
	return "/api/v3/"
}

func notifications(app fakearr.App) string { return base(app) + "notification" }

type failure struct {
	PropertyName, ErrorMessage, Severity string
	IsWarning                            bool
}

func TestSavingTests(t *testing.T) {
	t.Parallel()
	for _, app := range fakearr.Apps() {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			a := fakearr.New(app, fakearr.Options{})
			client := serve(t, a)
			path := notifications(app)
			var all []struct{ ID int }

			r.Answer(http.StatusUnauthorized)
			for _, force := range []string{"", "?forceSave=true"} {
				status, body := client.do(http.MethodPost, path+force, only("Hookarr", r.URL+"/x", `"onGrab":true`))
				require.Equal(t, http.StatusBadRequest, status)
				var failures []failure
				require.NoError(t, json.Unmarshal([]byte(body), &failures))
				require.Len(t, failures, 1)
				require.Equal(t, "Url", failures[0].PropertyName)
				require.Equal(t, "error", failures[0].Severity)
				require.Contains(t, failures[0].ErrorMessage, "Unable to post to webhook: HTTP request failed: [401:Unauthorized] [POST] at ["+r.URL+"/x]")
				prefixed := app != fakearr.Lidarr && app != fakearr.WhisparrV2
				require.Equal(t, prefixed, strings.HasPrefix(failures[0].ErrorMessage, "Unable to send test message: "))
			}
			client.get(path, &all)
			require.Empty(t, all)
			require.Equal(t, []string{"Test", "Test"}, r.Types(t))

			status, body := client.do(http.MethodPost, path, only("Hookarr", r.URL, `"onGrab":false`))
			require.Equal(t, http.StatusCreated, status, body)
			var saved map[string]any
			require.NoError(t, json.Unmarshal([]byte(body), &saved))
			saved["onGrab"] = true
			enabled, err := json.Marshal(saved)
			require.NoError(t, err)
			one := fmt.Sprintf("%s/%v", path, saved["id"])
			status, _ = client.do(http.MethodPut, one, string(enabled))
			require.Equal(t, http.StatusBadRequest, status)
			require.Len(t, r.Got(), 3)
			status, body = client.do(http.MethodPut, one+"?forceSave=true", string(enabled))
			require.Equal(t, http.StatusAccepted, status, body)
			require.Len(t, r.Got(), 3, "an update that is forced is not tested")

			r.Answer(http.StatusOK)
			status, body = client.do(http.MethodPost, path+"/testall", "")
			require.Equal(t, http.StatusOK, status, body)
			require.JSONEq(t, `[{"id":1,"isValid":true,"validationFailures":[]}]`, body)

			status, _ = client.do(http.MethodDelete, one, "")
			require.Equal(t, http.StatusOK, status)
			status, _ = client.do(http.MethodGet, one, "")
			require.Equal(t, http.StatusNotFound, status)
		})
	}
}

func TestConnectionsThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	client := serve(t, a)
	status, _ := client.do(http.MethodPost, "/api/v3/notification", only("Hookarr", r.URL, `"onGrab":true`))
	require.Equal(t, http.StatusCreated, status)
	for name, c := range map[string]struct{ body, property, message string }{
		"no name":        {only("", r.URL, `"onGrab":true`), "Name", "'Name' must not be empty."},
		"name taken":     {only("HOOKARR", r.URL, `"onGrab":true`), "Name", "Should be unique"},
		"relative URL":   {only("a", "/hooks", `"onGrab":true`), "Url", "Invalid Url: '/hooks'"},
		"no fields":      {`{"name":"a","implementation":"Webhook","configContract":"WebhookSettings"}`, "Fields", "'Fields' must not be empty."},
		"implementation": {`{"name":"a","configContract":"WebhookSettings","fields":[]}`, "Implementation", "'Implementation' must not be empty."},
	} {
		status, body := client.do(http.MethodPost, "/api/v3/notification", c.body)
		require.Equal(t, http.StatusBadRequest, status, name)
		var failures []failure
		require.NoError(t, json.Unmarshal([]byte(body), &failures), name)
		require.Equal(t, c.property, failures[0].PropertyName, name)
		require.Equal(t, c.message, failures[0].ErrorMessage, name)
	}
	status, body := client.do(http.MethodPost, "/api/v3/notification", only("a", "http://127.0.0.1:1", `"onGrab":true`))
	require.Equal(t, http.StatusInternalServerError, status)
	require.Contains(t, body, `"message"`)
	require.Len(t, r.Got(), 1)
}

func TestTestOfASavedConnectionCounts(t *testing.T) {
	t.Parallel()
	r, c := newReceiver(t), newClock()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{Now: c.Now})
	client := serve(t, a)
	a.Connect("Hookarr", r.URL)
	r.Answer(http.StatusInternalServerError)
	var saved json.RawMessage
	client.get("/api/v3/notification/1", &saved)
	status, _ := client.do(http.MethodPost, "/api/v3/notification/test", string(saved))
	require.Equal(t, http.StatusBadRequest, status)
	c.Pass(5 * time.Minute)
	status, _ = client.do(http.MethodPost, "/api/v3/notification/test", string(saved))
	require.Equal(t, http.StatusBadRequest, status)
	_, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	require.Len(t, r.Got(), 2, "blocked")

	r.Answer(http.StatusOK)
	status, _ = client.do(http.MethodPost, "/api/v3/notification/test", string(saved))
	require.Equal(t, http.StatusOK, status)
	_, err = a.Add(t.Context(), movie())
	require.NoError(t, err)
	require.Equal(t, "MovieAdded", r.Types(t)[3], "a test that passes ends the block")
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	client := serve(t, a)
	status, body := client.do(http.MethodPost, "/api/v3/notification", fmt.Sprintf(`{"name":"Hookarr","implementation":"Webhook",
		"configContract":"WebhookSettings","onGrab":true,"fields":[{"name":"url","value":%q},{"name":"username","value":"arr"},
		{"name":"password","value":"s3cret"},{"name":"headers","value":[{"key":"X-Token","value":"in clear"}]},{"name":"unknown","value":1}]}`, r.URL))
	require.Equal(t, http.StatusCreated, status, body)
	require.NotContains(t, body, "s3cret")
	require.Contains(t, body, `"value":"********"`)
	require.Contains(t, body, "in clear")

	status, body = client.do(http.MethodPut, "/api/v3/notification/1", strings.Replace(body, `"onRename":false`, `"onRename":true`, 1))
	require.Equal(t, http.StatusAccepted, status, body)
	require.Contains(t, body, `"onRename":true`)
	require.Equal(t, "s3cret", r.Got()[1].password, "the mask keeps what it masks")
}

func TestSchema(t *testing.T) {
	t.Parallel()
	for _, app := range fakearr.Apps() {
		var schema []struct {
			Implementation, ConfigContract string
			Fields                         []struct{ Name string }
		}
		serve(t, fakearr.New(app, fakearr.Options{})).get(notifications(app)+"/schema", &schema)
		require.Equal(t, "Webhook", schema[0].Implementation)
		require.Equal(t, "WebhookSettings", schema[0].ConfigContract)
		names := []string{}
		for _, f := range schema[0].Fields {
			names = append(names, f.Name)
		}
		want := []string{"url", "method", "username", "password", "headers"}
		if app == fakearr.WhisparrV2 {
			want = want[:4]
		}
		require.Equal(t, want, names)
	}
}

func TestWhoMayCallTheAPI(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{URLBase: "/radarr", InstanceName: "Radarr 4K", APIKey: "key"})
	client := serve(t, a)
	var status struct{ AppName, InstanceName, Version, URLBase string }
	client.get("/radarr/api/v3/system/status", &status)
	require.Equal(t, "Radarr", status.AppName)
	require.Equal(t, "Radarr 4K", status.InstanceName)
	require.Equal(t, "/radarr", status.URLBase)

	client.key = "wrong"
	code, _ := client.do(http.MethodGet, "/radarr/api/v3/system/status", "")
	require.Equal(t, http.StatusUnauthorized, code)
	client.get("/radarr/api/v3/system/status?apikey=key", &status)
	req := httptest.NewRequest(http.MethodGet, "/radarr/api/v3/system/status", nil)
	req.Header.Set("Authorization", "Bearer key")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, req)
	require.Equal(t, http.StatusOK, w.Code)
	code, _ = client.do(http.MethodGet, "/api/v3/system/status", "")
	require.Equal(t, http.StatusTemporaryRedirect, code)
	code, body := client.do(http.MethodGet, "/radarr/settings", "")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "<html>")
	client.key = "key"
	code, _ = client.do(http.MethodGet, "/radarr/api/v3/movie/7", "")
	require.Equal(t, http.StatusNotFound, code)
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{Now: c.Now})
	client := serve(t, a)
	for _, status := range []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusInternalServerError} {
		a.Trouble(fakearr.Trouble{Status: status})
		got, _ := client.do(http.MethodGet, "/api/v3/history", "")
		require.Equal(t, status, got)
	}
	a.Trouble(fakearr.Trouble{HTML: true, Delay: time.Microsecond})
	status, body := client.do(http.MethodGet, "/api/v3/history", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "<html>")

	a.Trouble(fakearr.Trouble{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, client.url, nil)
	require.NoError(t, err)
	_, err = http.DefaultTransport.RoundTrip(req) //nolint:bodyclose // there is no answer
	require.ErrorIs(t, err, context.DeadlineExceeded)

	a.Trouble(fakearr.Trouble{ClockSkew: -time.Hour})
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, "Mon, 23 Nov 2026 09:00:00 GMT", w.Header().Get("Date"))
	title, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	_, err = a.Grab(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	var records []historyRecord
	client.get("/api/v3/history/since?date=2026-11-23T00:00:00Z", &records)
	require.Equal(t, "2026-11-23T09:00:00Z", records[0].Date)
}

func TestResources(t *testing.T) {
	t.Parallel()
	movies := []string{"movie/", "moviefile/"}
	series := []string{"series/", "episode/", "episodefile/"}
	for app, paths := range map[fakearr.App][]string{
		fakearr.Radarr: movies, fakearr.WhisparrV3: movies, fakearr.Sonarr: series, fakearr.WhisparrV2: series,
		fakearr.Lidarr: {"artist/", "album/", "track/", "trackfile/"},
	} {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			a := fakearr.New(app, fakearr.Options{})
			client := serve(t, a)
			title, err := a.Add(t.Context(), movie())
			require.NoError(t, err)
			_, err = a.Scan(t.Context(), title.ID)
			require.NoError(t, err)
			for _, path := range append(paths, "tag/") {
				var one struct{ ID int }
				client.get(base(app)+path+"1", &one)
				require.Equal(t, 1, one.ID, path)
				var all []struct{ ID int }
				client.get(base(app)+strings.TrimSuffix(path, "/")+"?movieId=1&seriesId=1&artistId=1", &all)
				require.Equal(t, 1, all[0].ID, path)
				for _, unknown := range []string{"999", "x"} {
					status, _ := client.do(http.MethodGet, base(app)+path+unknown, "")
					require.Equal(t, http.StatusNotFound, status, path)
				}
			}

			a.Health(t.Context(), fakearr.Check{Level: "error", Type: "RootFolderCheck", Message: "Missing root folder"})
			_, body := client.do(http.MethodGet, base(app)+"health", "")
			require.JSONEq(t, `[{"source":"RootFolderCheck","type":"error","message":"Missing root folder"}]`, body)

			d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
			require.NoError(t, err)
			require.NoError(t, a.NeedManualInteraction(t.Context(), d.ID))
			_, body = client.do(http.MethodGet, base(app)+"queue", "")
			require.Contains(t, body, `"trackedDownloadStatus":"warning","trackedDownloadState":"importBlocked"`)
		})
	}
}
