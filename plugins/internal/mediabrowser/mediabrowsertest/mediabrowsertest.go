// Package mediabrowsertest holds the plugins of servers that package mediabrowser asks to
// what hosts rely on.
package mediabrowsertest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver"
	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// Key is the API key of imitated servers.
const Key = "b7e2c1d09f8a4b6c93d5e7f1a2b3c4d5"

// accepted marks the answer of an endpoint that took a request.
const accepted = "Mediabrowsertest-Accepted"

// Plugin runs what every plugin is held to, with shorter pauses, and one delivery from its
// beginning to its proof, over the wire.
func Plugin(t *testing.T, info sdk.Info, ctor sdk.NewTarget[mediabrowser.Config], brand mediabrowser.Brand) {
	t.Helper()
	emby := brand.Kind == "emby"
	require.Equal(t, info.Name, brand.Kind)
	server := serve(t, emby)
	scaled := func(_ context.Context, env sdk.Env, c mediabrowser.Config) (sdk.Target, error) {
		return mediabrowser.New(env, brand, c, mediaserver.Options{
			Settle: 10 * time.Millisecond, IdleTimeout: 200 * time.Millisecond, Pause: 10 * time.Millisecond, Refetch: time.Millisecond,
		})
	}
	t.Run("suite", func(t *testing.T) {
		plugintest.TestTarget(t, info, scaled, plugintest.TargetSuite{
			Asks: true,
			Config: func(endpointURL string) any {
				return map[string]any{"url": front(t, endpointURL, server), "api_key": Key}
			},
			PublicURL: true, // What is secret is the key.
			Answer:    func(w http.ResponseWriter) { w.Header().Set(accepted, "yes") },
			Class: func(status int) sdk.Class {
				if status > http.StatusOK && status < http.StatusMultipleChoices {
					return sdk.ClassRetryable // There is no JSON.
				}
				return ""
			},
		})
	})
	t.Run("proof", func(t *testing.T) {
		t.Parallel()
		proof(t, info, ctor, emby)
	})
	t.Run("configuration", func(t *testing.T) {
		t.Parallel()
		configuration(t, plugintest.StartTarget(t, info, ctor, map[string]any{"url": "http://media:8096", "api_key": Key}))
	})
}

// serve starts a server that has the movie of package plugintest's events.
func serve(t *testing.T, emby bool) *jellyfin.Server {
	t.Helper()
	disk := &fakeserver.Disk{}
	disk.Add("/movies/The Long Reel (2024)/reel.mkv", 1)
	disk.Add("/movies/b.mkv", 1)
	s := jellyfin.New(jellyfin.Settings{
		Emby: emby, Key: Key, Disk: disk,
		Libraries: []jellyfin.Library{{Name: "Movies", Kind: jellyfin.Movies, Locations: []string{"/movies"}}},
	})
	t.Cleanup(s.Close)
	return s
}

// front is the address of a server whose requests an endpoint judges first: what it does not
// accept, it answers itself.
func front(t *testing.T, endpointURL string, behind http.Handler) string {
	t.Helper()
	to, err := url.Parse(endpointURL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1,
		ModifyResponse: func(resp *http.Response) error {
			if resp.Header.Get(accepted) == "" {
				return nil
			}
			in := resp.Request.Clone(resp.Request.Context())
			in.URL.Path = in.URL.Path[len(to.Path):]
			answer := httptest.NewRecorder()
			behind.ServeHTTP(answer, in)
			_ = resp.Body.Close()
			resp.StatusCode, resp.Header = answer.Code, answer.Header()
			resp.ContentLength, resp.Body = int64(answer.Body.Len()), io.NopCloser(answer.Body)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		},
	}
	web := httptest.NewServer(proxy)
	t.Cleanup(web.Close)
	return web.URL
}

// proof delivers one import, and verifies it as a host does.
func proof(t *testing.T, info sdk.Info, ctor sdk.NewTarget[mediabrowser.Config], emby bool) {
	t.Helper()
	web := httptest.NewServer(serve(t, emby))
	t.Cleanup(web.Close)
	target := plugintest.StartTarget(t, info, ctor, map[string]any{"url": web.URL, "api_key": Key})
	d := plugintest.Delivery(t, "01980000-0000-7000-8000-000000000001", plugintest.EventOf(sdk.TypeMediaImported))
	o, err := target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Positive(t, o.Receipt.VerifyAfter)
	require.Equal(t, 30*time.Minute, o.Receipt.ProveWithin)
	require.Empty(t, o.Events)
	accepted := o.Receipt
	require.Eventually(t, func() bool {
		o, err = target.Verify(t.Context(), d, accepted, false)
		require.NoError(t, err)
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
		return o.Receipt.VerifyAfter == 0
	}, 20*time.Second, 20*time.Millisecond)
	require.Len(t, o.Events, 1)
	var told sdk.Event
	require.NoError(t, json.Unmarshal(o.Events[0].JSON, &told))
	require.Equal(t, sdk.TypeLibraryAvailable, told.Type)
	require.Equal(t, sdk.OriginTarget, told.Origin)
	require.Equal(t, plugintest.EventOf(sdk.TypeMediaImported).CorrelationKey, told.CorrelationKey)

	folders, err := target.Folders(t.Context(), sdk.FoldersQuery{})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{{Path: "/movies", Library: "Movies", Kind: "movie"}}, folders.Roots)
	require.NotContains(t, target.Logs(), Key)
}

// configuration wants the key named that is wrong, and its value never.
func configuration(t *testing.T, target *plugintest.Target) {
	t.Helper()
	for key, config := range map[string]map[string]any{
		"url":          {"url": "media:8096", "api_key": Key},
		"api_key":      {"url": "http://media:8096", "api_key": "MediaBrowser Token=\"s3cret\""},
		"anchors[0]":   {"url": "http://media:8096", "api_key": Key, "anchors": []string{"mounted"}},
		"libraries[0]": {"url": "http://media:8096", "api_key": Key, "libraries": []string{""}},
		"prove_within": {"url": "http://media:8096", "api_key": Key, "prove_within": "30d"},
		"token":        {"url": "http://media:8096", "api_key": Key, "token": "a"},
	} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, config))
		require.NoError(t, err)
		require.Len(t, problems, 1, key)
		require.Equal(t, key, problems[0].Key)
		require.NotContains(t, problems[0].Message, "s3cret")
	}
	for _, config := range []map[string]any{
		{"api_key": Key},
		{"url": "http://media:8096"},
		{"url": "http://user@media:8096", "api_key": Key},
		{"url": "http://media:8096/web/#/home.html", "api_key": Key},
	} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, config))
		require.NoError(t, err)
		require.Len(t, problems, 1)
	}
}
