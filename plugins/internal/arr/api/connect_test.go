package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// app is an application as its source knows it.
func app(a fakearr.App) api.App {
	out := api.App{API: "v3", Unwanted: []string{"onImportComplete"}}
	switch a {
	case fakearr.Radarr:
		out.Name = arr.Radarr
	case fakearr.Sonarr:
		out.Name = arr.Sonarr
	case fakearr.Lidarr:
		out.Name, out.API = arr.Lidarr, "v1"
	default:
		out.Name = arr.Whisparr
	}
	return out
}

// bench is an application beside a server like Hookarr's.
type bench struct {
	*fakearr.Arr
	powers *api.Powers
	url    string
	hooks  *httptest.Server
	status atomic.Int32
	posts  atomic.Int32
}

const token = "generated-credential"

func newBench(t *testing.T, a fakearr.App) *bench {
	t.Helper()
	b := &bench{Arr: fakearr.New(a, fakearr.Options{})}
	b.status.Store(http.StatusAccepted)
	b.hooks = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.posts.Add(1)
		_, password, _ := r.BasicAuth()
		if password != token && r.Header.Get("X-Hookarr-Token") != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(int(b.status.Load()))
	}))
	t.Cleanup(b.hooks.Close)
	server := httptest.NewServer(b.Arr)
	t.Cleanup(server.Close)
	b.url = server.URL
	b.powers = api.New(sdk.Env{Instance: "arr", HTTP: &sdk.HTTP{}}, api.Config{BaseURL: b.url, APIKey: sdk.Secret(b.APIKey())}, app(a))
	return b
}

func (b *bench) request(action sdk.ConnectAction) sdk.ConnectRequest {
	return sdk.ConnectRequest{Action: action, URL: b.hooks.URL + "/hooks/arr", Credentials: []sdk.Credential{
		{HeaderName: "X-Hookarr-Token", HeaderValue: token}, {Username: "arr", Password: token},
	}}
}

func (b *bench) do(t *testing.T, action sdk.ConnectAction) sdk.ConnectResult {
	t.Helper()
	result, err := b.powers.Connect(t.Context(), b.request(action))
	require.NoError(t, err)
	return result
}

func fieldsOf(r sdk.ConnectResult) []string {
	var all []string
	for _, c := range r.Changes {
		all = append(all, c.Field)
	}
	return all
}

func TestConnect(t *testing.T) {
	t.Parallel()
	for _, a := range fakearr.Apps() {
		t.Run(string(a), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, a)
			basic := a == fakearr.WhisparrV2

			missing := b.do(t, sdk.ConnectCheck)
			require.False(t, missing.Connected)
			require.Len(t, missing.Changes, 1)
			require.Regexp(t, `^"Hookarr" \(1[0-9] triggers, (basic auth|header X-Hookarr-Token)\)$`, missing.Changes[0].To)
			require.Equal(t, string(app(a).Name), missing.AppName)
			require.NotEmpty(t, missing.AppVersion)
			require.Contains(t, b.do(t, sdk.ConnectTest).Problems[0], "has no connection to Hookarr")

			made := b.do(t, sdk.ConnectApply)
			require.Empty(t, made.Problems)
			require.True(t, made.Connected)
			require.Equal(t, missing.Changes, made.Changes)
			require.NotEmpty(t, made.ConnectionID)
			require.Equal(t, basic, made.Credential == 1)
			require.EqualValues(t, 1, b.posts.Load(), "the application has tested it")

			checked := b.do(t, sdk.ConnectCheck)
			require.True(t, checked.Connected, checked.Changes)
			require.Equal(t, made.ConnectionID, checked.ConnectionID)
			again := b.do(t, sdk.ConnectApply)
			require.True(t, again.Connected)
			require.Equal(t, made.ConnectionID, again.ConnectionID)
			require.Empty(t, again.Changes, "a password that is given again is none")
			require.True(t, b.do(t, sdk.ConnectTest).Connected)
			require.EqualValues(t, 3, b.posts.Load())

			_, err := b.Add(t.Context(), fakearr.Title{Name: "Title", Year: 2020, Released: "2020-01-01"})
			require.NoError(t, err)
			require.EqualValues(t, 4, b.posts.Load(), "the flags are on")

			removed := b.do(t, sdk.ConnectRemove)
			require.Equal(t, []sdk.Change{{Field: "connection", From: `"Hookarr"`, To: "none"}}, removed.Changes)
			require.False(t, b.do(t, sdk.ConnectCheck).Connected)
			require.Empty(t, b.do(t, sdk.ConnectRemove).Changes)
		})
	}
}

func TestThereAreNeverTwoOfOurs(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Radarr)
	b.Connect("Friend", "http://elsewhere/hook")
	b.Connect("By hand", b.hooks.URL+"/hooks/arr/?token=old")
	b.Connect("Older", b.hooks.URL+"/hooks/arr")
	b.Connect("Hookarr", "http://second-server/hooks/arr")
	drift := b.do(t, sdk.ConnectCheck)
	require.False(t, drift.Connected)
	require.Equal(t, []string{"url", "headers", "connection"}, fieldsOf(drift))
	require.Equal(t, sdk.Change{Field: "connection", From: `"Older"`, To: "none"}, drift.Changes[2])
	require.Equal(t, sdk.Change{Field: "url", From: b.hooks.URL + "/hooks/arr with another credential", To: b.hooks.URL + "/hooks/arr"}, drift.Changes[0])

	fixed := b.do(t, sdk.ConnectApply)
	require.True(t, fixed.Connected, fixed.Problems)
	require.True(t, b.do(t, sdk.ConnectCheck).Connected)
	require.Equal(t, []string{"By hand", "Friend", "Hookarr"}, b.names(t))
	require.Len(t, b.do(t, sdk.ConnectRemove).Changes, 1)
	require.Empty(t, b.do(t, sdk.ConnectRemove).Changes)
	require.Equal(t, []string{"Friend", "Hookarr"}, b.names(t), "not ours")
}

// A connection with tags leaves out the events of all other titles.
func TestTagsAreDrift(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Radarr)
	_, err := b.Add(t.Context(), fakearr.Title{Name: "Title", Year: 2020, Released: "2020-01-01", Tags: []string{"4k", "kids"}})
	require.NoError(t, err)
	made := b.do(t, sdk.ConnectApply)
	var c map[string]any
	b.call(t, http.MethodGet, "/api/v3/notification/"+made.ConnectionID, nil, &c)
	c["tags"] = []int{2, 1}
	b.call(t, http.MethodPut, "/api/v3/notification/"+made.ConnectionID, c, nil)
	drift := b.do(t, sdk.ConnectCheck)
	require.False(t, drift.Connected)
	require.Equal(t, []sdk.Change{{Field: "tags", From: "4k, kids", To: "none"}}, drift.Changes)
	require.Equal(t, drift.Changes, b.do(t, sdk.ConnectApply).Changes)
	require.True(t, b.do(t, sdk.ConnectCheck).Connected)
}

// However a URL is written, it leads to one place, and no part of it that may be a
// secret is shown.
func TestURLsOfOnePlace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ is, wanted, from, to string }{
		{"http://LOCALHOST:80/hooks/arr/", "http://localhost/hooks/arr", "http://localhost/hooks/arr in another spelling", "http://localhost/hooks/arr"},
		{"https://localhost/hooks/%61rr", "https://localhost:443/hooks/arr", "https://localhost/hooks/arr in another spelling", "https://localhost/hooks/arr"},
		{"http://localhost/hooks/arr/s3cret", "http://localhost/hooks/arr?token=s3cret", "http://localhost/hooks/arr with another credential", "http://localhost/hooks/arr"},
		{"http://localhost/radarr/s3cret/", "http://localhost/radarr/s3cret", "http://localhost/… in another spelling", "http://localhost/…"},
		{"http://localhost/s3cret?a", "http://localhost/s3cret", "http://localhost/… with another credential", "http://localhost/…"},
	} {
		b := newBench(t, fakearr.Radarr)
		b.Connect("Hookarr", test.is)
		r := b.request(sdk.ConnectCheck)
		r.URL = test.wanted
		result, err := b.powers.Connect(t.Context(), r)
		require.NoError(t, err)
		require.Empty(t, result.Problems)
		require.Equal(t, sdk.Change{Field: "url", From: test.from, To: test.to}, result.Changes[0])
		r.Action = sdk.ConnectApply
		result, err = b.powers.Connect(t.Context(), r)
		require.NoError(t, err)
		require.NotEmpty(t, result.Problems, "nothing answers there")
		require.NotContains(t, strings.Join(result.Problems, ""), "s3cret")
	}
}

// An application waits long for an address that does not answer.
func TestAnAddressThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Radarr)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	r := b.request(sdk.ConnectApply)
	r.URL = "http://" + silent.Addr().String() + "/hooks/arr"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // of which a busy machine takes some
	defer cancel()
	result, err := b.powers.Connect(ctx, r)
	require.NoError(t, err)
	require.NoError(t, ctx.Err(), "there is time to say it")
	require.Equal(t, []string{"Radarr has got no answer from " + r.URL + " yet: is that how Hookarr is reached from there?"}, result.Problems)
}

func TestTheNameFindsWhatTheServerHadBeforeItMoved(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Radarr)
	b.Connect("Hookarr", "http://old-server/hooks/other")
	b.Connect("hookarr (arr)", "http://old-server/base/hooks/arr/old-token")
	moved := b.do(t, sdk.ConnectCheck)
	require.Equal(t, sdk.Change{Field: "url", From: "http://old-server/base/hooks/arr", To: b.hooks.URL + "/hooks/arr"}, moved.Changes[0])
	require.True(t, b.do(t, sdk.ConnectApply).Connected)
	require.Equal(t, []string{"Hookarr", "hookarr (arr)"}, b.names(t))
}

func TestSourcesOfOneServerKeepTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Sonarr)
	in := func(source string, action sdk.ConnectAction) sdk.ConnectResult {
		powers := api.New(sdk.Env{Instance: source, HTTP: &sdk.HTTP{}}, api.Config{BaseURL: b.url, APIKey: sdk.Secret(b.APIKey())}, app(fakearr.Sonarr))
		r := b.request(action)
		r.URL = b.hooks.URL + "/hooks/" + source
		result, err := powers.Connect(t.Context(), r)
		require.NoError(t, err)
		require.Empty(t, result.Problems)
		return result
	}
	first := in("sonarr", sdk.ConnectApply)
	for _, source := range []string{"anime", "kids"} {
		require.Contains(t, in(source, sdk.ConnectCheck).Changes[0].To, `"Hookarr (`+source+`)" (`)
		in(source, sdk.ConnectApply)
	}
	b.Connect("Hookarr (extra)", "http://elsewhere/hook")
	in("extra", sdk.ConnectApply)
	require.Equal(t, []string{"Hookarr", "Hookarr (anime)", "Hookarr (extra)", "Hookarr (extra) 2", "Hookarr (kids)"}, b.names(t))
	require.Equal(t, first.ConnectionID, in("sonarr", sdk.ConnectApply).ConnectionID)
	for _, source := range []string{"sonarr", "anime", "kids"} {
		require.True(t, in(source, sdk.ConnectCheck).Connected)
	}
	in("anime", sdk.ConnectRemove)
	in("sonarr", sdk.ConnectRemove)
	require.Empty(t, in("sonarr", sdk.ConnectRemove).Changes)
	require.Equal(t, []string{"Hookarr (extra)", "Hookarr (extra) 2", "Hookarr (kids)"}, b.names(t))
}

func TestWhatLeadsElsewhereIsNotOurs(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Radarr)
	for name, path := range map[string]string{"a": "/hooks/other", "b": "/webhooks/discord", "c": "/webhooks/radarr/?token=old"} {
		b.Connect(name, b.hooks.URL+path)
	}
	for path, want := range map[string][]sdk.Change{
		"/hooks/arr":       nil,
		"/webhooks/radarr": {{Field: "connection", From: `"c"`, To: "none"}},
	} {
		r := b.request(sdk.ConnectRemove)
		r.URL = b.hooks.URL + path
		removed, err := b.powers.Connect(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, want, removed.Changes)
	}
	require.Equal(t, []string{"a", "b"}, b.names(t))
}

func TestFlagsAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Sonarr)
	b.Connect("hookarr", b.hooks.URL+"/hooks/arr")
	require.Contains(t, b.do(t, sdk.ConnectCheck).Changes, sdk.Change{Field: "onImportComplete", From: "true", To: "false"}, "imports would be told twice")
	require.True(t, b.do(t, sdk.ConnectApply).Connected)
	require.True(t, b.do(t, sdk.ConnectCheck).Connected)
}

func TestAPasswordThatNobodySeesIsSetAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.WhisparrV2)
	made := b.do(t, sdk.ConnectApply)
	at := "/api/v3/notification/" + made.ConnectionID + "?forceSave=true"
	var saved json.RawMessage
	b.call(t, http.MethodGet, at, nil, &saved)
	require.Contains(t, string(saved), `"********"`)
	b.call(t, http.MethodPut, at, json.RawMessage(bytes.ReplaceAll(saved, []byte("********"), []byte("wrong"))), nil)
	require.False(t, b.do(t, sdk.ConnectTest).Connected)

	again := b.do(t, sdk.ConnectApply)
	require.True(t, again.Connected, again.Problems)
	require.Empty(t, again.Changes)
	require.True(t, b.do(t, sdk.ConnectTest).Connected)
}

// call makes a request of the application's API, on a connection of its own: servers of
// other tests end those that are shared.
func (b *bench) call(t *testing.T, method, path string, body, into any) {
	t.Helper()
	data, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, bytes.NewReader(data))
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", b.APIKey())
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Less(t, resp.StatusCode, 300)
	if into != nil {
		require.NoError(t, json.NewDecoder(resp.Body).Decode(into))
	}
}

// names are the connections that the application has.
func (b *bench) names(t *testing.T) []string {
	t.Helper()
	var all []struct{ Name string }
	b.call(t, http.MethodGet, "/api/v3/notification", nil, &all)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names
}

func TestConnectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for status, want := range map[int32]string{
		403: "does not let Sonarr in", 404: "nothing at", 405: "something other than Hookarr", 422: "is for another application than Sonarr",
		503: "cannot store webhooks", 418: "did not get through",
	} {
		b := newBench(t, fakearr.Sonarr)
		b.status.Store(status)
		r := b.do(t, sdk.ConnectApply)
		require.False(t, r.Connected)
		require.Len(t, r.Problems, 1)
		require.Contains(t, r.Problems[0], want)
		require.Empty(t, r.ConnectionID)
	}
	b := newBench(t, fakearr.Lidarr)
	refused := b.request(sdk.ConnectApply)
	refused.Credentials = []sdk.Credential{{Username: "arr", Password: "wrong-credential"}}
	r, err := b.powers.Connect(t.Context(), refused)
	require.NoError(t, err)
	require.Contains(t, r.Problems[0], "refused the credential that Lidarr sends (401): restart hookarr serve if its configuration changed, or check what answers at "+b.hooks.URL)

	v2 := newBench(t, fakearr.WhisparrV2)
	headersOnly := v2.request(sdk.ConnectApply)
	headersOnly.Credentials = headersOnly.Credentials[:1]
	r, err = v2.powers.Connect(t.Context(), headersOnly)
	require.NoError(t, err)
	require.Contains(t, r.Problems[0], "sends no headers of its own: let the source accept basic auth")

	untrusted := httptest.NewTLSServer(b.hooks.Config.Handler)
	t.Cleanup(untrusted.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	for url, want := range map[string]string{
		untrusted.URL + "/hooks/arr?token=generated-token": "does not trust the TLS certificate of " + untrusted.URL,
		gone.URL + "/hooks/arr?token=generated-token":      "cannot reach " + gone.URL,
	} {
		away := b.request(sdk.ConnectApply)
		away.URL = url
		r, err := b.powers.Connect(t.Context(), away)
		require.NoError(t, err)
		require.False(t, r.Connected)
		require.Contains(t, r.Problems[0], want)
		require.NotContains(t, r.Problems[0], "generated-token")
	}
}

func TestTokenInTheURLIsNotShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, fakearr.Radarr)
	b.status.Store(http.StatusNotFound)
	for _, path := range []string{"/hooks/arr?token=generated-token", "/hooks/arr/generated-token"} {
		r, err := b.powers.Connect(t.Context(), sdk.ConnectRequest{Action: sdk.ConnectApply, URL: b.hooks.URL + path})
		require.NoError(t, err)
		require.NotContains(t, r.Problems[0], "generated-token")
		require.Contains(t, r.Problems[0], "401")
		b.Connect("Hookarr", b.hooks.URL+path)
		drift := b.do(t, sdk.ConnectCheck)
		require.NotContains(t, fmt.Sprint(drift), "generated-token")
		require.Len(t, b.do(t, sdk.ConnectRemove).Changes, 1)
	}
}
