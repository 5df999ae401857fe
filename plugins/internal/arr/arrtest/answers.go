package arrtest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// OddAnswers has an API answer with every value of its answers replaced in turn by what
// nobody expects there, and checks that the powers of a source stand it. Every question
// but who it is then has the same answer.
func OddAnswers(t *testing.T, in *Installation, newSource sdk.NewSource[api.Config]) {
	t.Helper()
	var answer atomic.Pointer[[]byte]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/system/status") {
			in.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(*answer.Load())
	}))
	t.Cleanup(server.Close)
	event := in.Imported()
	try := func(body []byte) {
		answer.Store(&body)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		h := &sdk.HTTP{}
		s, err := newSource(ctx, sdk.Env{Instance: "arr", HTTP: h}, api.Config{BaseURL: server.URL + "/base", APIKey: sdk.Secret(in.APIKey())})
		require.NoError(t, err)
		page, err := s.(sdk.Historian).History(ctx, sdk.HistoryQuery{Renamed: []sdk.Rename{{From: "a", To: "b"}}})
		if err == nil {
			require.NotEmpty(t, page.Cursor, "%s", body)
		}
		for _, p := range page.Events {
			require.NotEmpty(t, p.Event.Type, "%s", body)
			require.NotEmpty(t, p.Event.Title, "%s", body)
			require.NotEmpty(t, p.Key, "%s", body)
			require.NotContains(t, p.Event.Title+p.Event.Summary, "\n", "%s", body)
		}
		fetched, err := s.(sdk.Fetcher).Fetch(ctx, event)
		if err == nil {
			require.Equal(t, event.Media.ID, fetched.Media.ID, "%s", body)
			require.Equal(t, event.Media.Title, fetched.Media.Title, "%s", body)
		}
		_, err = s.(sdk.Connector).Connect(ctx, sdk.ConnectRequest{Action: sdk.ConnectCheck, URL: "http://hookarr.lan/hooks/arr"})
		require.NoError(t, err, "%s", body)
		require.NoError(t, ctx.Err(), "%s", body)
	}
	for _, path := range []string{
		"history/since", "movie/1", "moviefile?movieId=1", "series/1", "episode?seriesId=1", "episodefile?seriesId=1",
		"artist/1", "album/1", "track?albumId=1", "trackfile?albumId=1", "tag", "notification", "notification/schema",
	} {
		for _, version := range []string{"v1", "v3"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/base/api/"+version+"/"+path, http.NoBody)
			r.Header.Set("X-Api-Key", in.APIKey())
			w := httptest.NewRecorder()
			if in.ServeHTTP(w, r); w.Code != http.StatusOK {
				continue
			}
			var whole any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &whole))
			replaced(whole, func(v any) { whole = v }, func() {
				body, err := json.Marshal(whole)
				require.NoError(t, err)
				try(body)
			})
		}
	}
}

// replaced calls each with every value in v, which set puts in its place, replaced in
// turn by odd ones. Of a list it takes the first.
func replaced(v any, set func(any), each func()) {
	for _, odd := range []any{nil, "odd\n\u202e", -1, true, []any{nil, 7}, map[string]any{}} {
		set(odd)
		each()
	}
	set(v)
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			replaced(inner, func(odd any) { v[key] = odd }, each)
		}
	case []any:
		for i, inner := range v[:min(len(v), 1)] {
			replaced(inner, func(odd any) { v[i] = odd }, each)
		}
	}
}

// OddLists is [OddAnswers] for the lists that a snapshot reads. Every other question has
// its true answer. Of six values for each place one is tried, another one at the next.
func OddLists(t *testing.T, in *Installation, newSource sdk.NewSource[api.Config]) {
	t.Helper()
	var (
		odd    atomic.Pointer[[]byte]
		oddURI atomic.Pointer[string]
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RequestURI() != *oddURI.Load() {
			in.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(*odd.Load())
	}))
	t.Cleanup(server.Close)
	h := &sdk.HTTP{}
	try := func(body []byte) {
		odd.Store(&body)
		s, err := newSource(t.Context(), sdk.Env{Instance: "arr", HTTP: h}, api.Config{BaseURL: server.URL + "/base", APIKey: sdk.Secret(in.APIKey())})
		require.NoError(t, err)
		page, err := s.(sdk.Snapshotter).Snapshot(t.Context(), sdk.SnapshotQuery{})
		if err != nil {
			require.NotContains(t, err.Error(), "\n", "%s", body)
			return
		}
		for i := range page.Items {
			item := &page.Items[i]
			require.NotEmpty(t, item.Key, "%s", body)
			require.NotEmpty(t, item.Event.Type, "%s", body)
			require.NotEmpty(t, item.Event.Title, "%s", body)
			require.NotContains(t, item.Event.Title+item.Event.Summary, "\n", "%s", body)
		}
	}
	tried := 0
	for _, path := range []string{
		"movie", "series", "episode?seriesId=1", "episodefile?seriesId=1", "artist", "album?artistId=1", "track?artistId=1",
		"trackfile?artistId=1", "author", "book?authorId=1", "bookfile?authorId=1", "tag", "qualityprofile", "config/host",
	} {
		for _, version := range []string{"v1", "v3"} {
			uri := "/base/api/" + version + "/" + path
			oddURI.Store(&uri)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, uri, http.NoBody)
			r.Header.Set("X-Api-Key", in.APIKey())
			w := httptest.NewRecorder()
			if in.ServeHTTP(w, r); w.Code != http.StatusOK {
				continue
			}
			var whole any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &whole))
			replaced(whole, func(v any) { whole = v }, func() {
				if tried++; tried%5 != 0 {
					return
				}
				body, err := json.Marshal(whole)
				require.NoError(t, err)
				try(body)
			})
		}
	}
	require.Positive(t, tried)
}
