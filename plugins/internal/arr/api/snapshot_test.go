package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/sdk"
)

// sonarr is an application with so many series of two episodes, each in a file.
func sonarr(t *testing.T, n int) (*fakearr.Arr, func() *api.Powers) {
	t.Helper()
	a := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	a.Seed(n, func(i int) fakearr.Title {
		return fakearr.Title{Name: fmt.Sprintf("Series %d", i), TVDB: 1000 + i, Episodes: []fakearr.Episode{{Season: 1, Number: 1}, {Season: 1, Number: 2}}}
	}, true)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, func() *api.Powers {
		return api.New(sdk.Env{Instance: "sonarr", HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())}, api.App{
			Name: arr.Sonarr, API: "v3", Stock: series.NewStock,
		})
	}
}

func snapshot(t *testing.T, p *api.Powers, cursor string, limit int) sdk.SnapshotPage {
	t.Helper()
	page, err := p.Snapshot(t.Context(), sdk.SnapshotQuery{Cursor: cursor, Limit: limit})
	require.NoError(t, err)
	return page
}

func keys(items []sdk.Item) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.Key)
	}
	return all
}

// A plugin that is started anew goes on at any cursor, also in the middle of a title.
func TestSnapshotGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	a, start := sonarr(t, 5)
	whole := snapshot(t, start(), "", 100)
	require.Len(t, whole.Items, 15)
	require.False(t, whole.More)
	var got []sdk.Item
	cursor := ""
	for range len(whole.Items) {
		page := snapshot(t, start(), cursor, 1)
		require.Equal(t, 15, page.Total)
		got = append(got, page.Items...)
		require.Equal(t, len(got) < len(whole.Items), page.More)
		cursor = page.Cursor
	}
	require.Equal(t, whole.Items, got)
	require.Equal(t, 16, a.Requests()["GET series"], "the list is read once by each process")
}

func TestSnapshotThatFailsInTheMiddleGoesOnThere(t *testing.T) {
	t.Parallel()
	a, start := sonarr(t, 5)
	a.Trouble(fakearr.Trouble{Status: http.StatusInternalServerError, Only: "/episodefile?seriesId=3"})
	p := start()
	page := snapshot(t, p, "", 100)
	require.Equal(t, []string{"series/1", "file/1", "file/2", "series/2", "file/3", "file/4"}, keys(page.Items))
	require.True(t, page.More, "what was read is of use")
	for range 2 {
		_, err := p.Snapshot(t.Context(), sdk.SnapshotQuery{Cursor: page.Cursor, Limit: 100})
		require.ErrorContains(t, err, "read series/3: Sonarr at http://")
		require.ErrorContains(t, err, "failed: 500 Internal Server Error")
	}
	a.Trouble(fakearr.Trouble{})
	rest := snapshot(t, p, page.Cursor, 100)
	require.Equal(t, []string{"series/3", "file/5", "file/6"}, keys(rest.Items)[:3])
	require.Len(t, rest.Items, 9)
	require.False(t, rest.More)
	require.Equal(t, 1, a.Requests()["GET series"])
}

func TestSnapshotLeavesOutWhatWasDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	a, start := sonarr(t, 3)
	p := start()
	page := snapshot(t, p, "", 2)
	require.NoError(t, a.Delete(t.Context(), 2, true))
	var rest []string
	for page.More {
		page = snapshot(t, p, page.Cursor, 2)
		rest = append(rest, keys(page.Items)...)
	}
	require.Equal(t, []string{"file/2", "series/3", "file/5", "file/6"}, rest)
}

// Who does not say it of a title must not make the host believe that all are gone.
func TestSnapshotDoesNotTakeAMissingPathForADeletedTitle(t *testing.T) {
	t.Parallel()
	a, start := sonarr(t, 3)
	a.Trouble(fakearr.Trouble{Status: http.StatusNotFound, Only: "/episodefile?seriesId=1"})
	_, err := start().Snapshot(t.Context(), sdk.SnapshotQuery{})
	require.ErrorContains(t, err, "read series/1: ")
	require.ErrorIs(t, err, api.ErrNotFound)
}

func TestSnapshotOfABrokenList(t *testing.T) {
	t.Parallel()
	a, start := sonarr(t, 300)
	p := start()
	a.Trouble(fakearr.Trouble{CutList: 200})
	_, err := p.Snapshot(t.Context(), sdk.SnapshotQuery{})
	require.ErrorContains(t, err, "answered series with something that is no list or breaks off: unexpected EOF")
	a.Trouble(fakearr.Trouble{HTML: true, Only: "/series"})
	_, err = p.Snapshot(t.Context(), sdk.SnapshotQuery{})
	require.ErrorContains(t, err, "no Sonarr API at http://")
	require.ErrorContains(t, err, "a login in front of it")
	a.Trouble(fakearr.Trouble{Status: http.StatusUnauthorized, Only: "/series"})
	_, err = p.Snapshot(t.Context(), sdk.SnapshotQuery{})
	require.ErrorContains(t, err, "API key refused by http://")
	a.Trouble(fakearr.Trouble{Hang: true, Only: "/series"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = p.Snapshot(ctx, sdk.SnapshotQuery{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	a.Trouble(fakearr.Trouble{})
	require.Len(t, snapshot(t, p, "", 500).Items, 500)
}

func TestSnapshotOfListsThatAreNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"message":"database is locked"}`: "it does not begin with [",
		`[{"title":"Sintel"}]`:             "with a title that is none: it has no id",
		`[null]`:                           "is JSON but not an object",
		`[7]`:                              "is JSON but not an object",
		`<html>`:                           "no Sonarr API",
		``:                                 "breaks off",
		`[]`:                               "",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if strings.HasSuffix(r.URL.Path, "/system/status") {
				_, _ = w.Write([]byte(`{"appName":"Sonarr","version":"4.0.0"}`))
				return
			}
			_, _ = w.Write([]byte(body))
		}))
		p := api.New(sdk.Env{HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL, APIKey: "k"}, api.App{Name: arr.Sonarr, API: "v3", Stock: series.NewStock})
		page, err := p.Snapshot(t.Context(), sdk.SnapshotQuery{})
		server.Close()
		if want == "" {
			require.NoError(t, err)
			require.Equal(t, sdk.SnapshotPage{}, page)
			continue
		}
		require.ErrorContains(t, err, want, body)
	}
}

// A person who gives a title a new profile or label, and asks, does not wait for what is
// remembered of both.
func TestSnapshotRemembersNothingOfTheLast(t *testing.T) {
	t.Parallel()
	a, start := sonarr(t, 1)
	p := start()
	require.Equal(t, "HD-1080p", snapshot(t, p, "", 1).Items[0].Event.Media.QualityProfile)
	require.NoError(t, a.Edit(1, func(s *fakearr.Title) { s.QualityProfile, s.Tags = "New", []string{"new"} }))
	media := snapshot(t, p, "", 1).Items[0].Event.Media
	require.Equal(t, "New", media.QualityProfile)
	require.Equal(t, []string{"new"}, media.Tags)
}

func TestPagesOfLargeTitlesAreBounded(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	a.Seed(20, func(i int) fakearr.Title {
		return fakearr.Title{Name: fmt.Sprintf("Series %d", i), TVDB: 1 + i, Overview: strings.Repeat("x", 1<<19)}
	}, false)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	p := api.New(sdk.Env{HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())}, api.App{
		Name: arr.Sonarr, API: "v3", Stock: series.NewStock,
	})
	total, cursor := 0, ""
	for more := true; more; {
		page := snapshot(t, p, cursor, 500)
		require.Less(t, len(page.Items), 17)
		total, cursor, more = total+len(page.Items), page.Cursor, page.More
	}
	require.Equal(t, 20, total)
}

func TestSnapshotRefusesAForeignCursor(t *testing.T) {
	t.Parallel()
	_, start := sonarr(t, 1)
	_, err := start().Snapshot(t.Context(), sdk.SnapshotQuery{Cursor: "page 2"})
	require.ErrorContains(t, err, `the cursor "page 2" is none of this plugin`)
}

func TestSnapshotOfAListThatTakesTooLong(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/system/status") {
			_, _ = w.Write([]byte(`{"appName":"Sonarr","version":"4.0.0"}`))
			return
		}
		_, _ = w.Write([]byte(`[{"id":1,"title":"Sintel"}`))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	p := api.New(sdk.Env{HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL, APIKey: "k"}, api.App{Name: arr.Sonarr, API: "v3", Stock: series.NewStock})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := p.Snapshot(ctx, sdk.SnapshotQuery{})
	require.EqualError(t, err, "Sonarr at "+server.URL+" did not send all of series in time: context deadline exceeded")
}
