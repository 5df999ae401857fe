package radarr

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

// library is an application with two movies, of which the first has a file.
func library(t *testing.T) *arrtest.Installation {
	t.Helper()
	in, ctx := arrtest.Install(t, fakearr.Radarr, newSource), t.Context()
	title := dune()
	title.QualityProfile, title.Certification, title.Runtime = "Ultra-HD", "PG-13", 166
	title.Added = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	added, err := in.Add(ctx, title)
	require.NoError(t, err)
	d, err := in.Grab(ctx, added.ID, fakearr.Release{Edition: "IMAX"})
	require.NoError(t, err)
	_, err = in.Import(ctx, d.ID)
	require.NoError(t, err)
	_, err = in.Add(ctx, fakearr.Title{Name: "Arrival", Year: 2016, Released: "2017-02-14", TMDB: 329865, Unmonitored: true})
	require.NoError(t, err)
	return in
}

func TestSnapshotSaysWhatTheWebhooksSaid(t *testing.T) {
	t.Parallel()
	live(t).SameFacts()
	library(t).SameFacts()
}

func TestSnapshotSaysMoreThanTheWebhooks(t *testing.T) {
	t.Parallel()
	in := library(t)
	title, file := in.Item("movie/1"), in.Item("file/1")
	m := title.Event.Media
	require.Equal(t, "Added Dune: Part Two (2024)", title.Event.Summary)
	require.True(t, *m.Monitored)
	require.Equal(t, "Ultra-HD", m.QualityProfile)
	require.Equal(t, "2026-01-02T03:04:05Z", m.AddedAt)
	require.Equal(t, "PG-13", m.Certification)
	require.Equal(t, 166, m.RuntimeMinutes)
	require.Equal(t, "English", m.OriginalLanguage)
	require.Equal(t, []string{"4k", "kids"}, m.Tags)
	require.Equal(t, "movie/1", file.Parent)
	require.Equal(t, "Imported Dune: Part Two (2024) in WEBDL-1080p", file.Event.Summary)
	require.Equal(t, m, file.Event.Media)
	require.Equal(t, "IMAX", file.Event.Files[0].Edition)
	require.Equal(t, 1920, file.Event.Files[0].MediaInfo.Width)
	require.Equal(t, []string{"eng", "ger"}, file.Event.Files[0].MediaInfo.Subtitles)
	require.False(t, *in.Item("movie/2").Event.Media.Monitored)
}

// What fetching adds to a webhook's event is what the snapshot says.
func TestFetchAddsHowTheMovieIsKept(t *testing.T) {
	t.Parallel()
	in := library(t)
	fetched := in.Fetched(in.Imported())
	item := in.Item("file/1").Event
	require.Equal(t, item.Media.QualityProfile, fetched.Media.QualityProfile)
	require.Equal(t, item.Media.Monitored, fetched.Media.Monitored)
	require.Equal(t, item.Media.AddedAt, fetched.Media.AddedAt)
	require.Equal(t, item.Media.Certification, fetched.Media.Certification)
	require.Equal(t, item.Media.RuntimeMinutes, fetched.Media.RuntimeMinutes)
	require.Equal(t, "IMAX", fetched.Files[0].Edition)
}

func TestSnapshotKnowsHowWebhooksTellDeletions(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{
		fakearr.MissingFromDisk, fakearr.Manual, fakearr.Upgrade, fakearr.ManualOverride, fakearr.NoLinkedEpisodes,
	} {
		in := library(t)
		in.Gone(func() { require.NoError(t, in.DeleteFile(t.Context(), 1, reason)) })
		require.False(t, in.Has("file/1"))
	}
	in := library(t)
	in.Gone(func() {
		require.NoError(t, in.Delete(t.Context(), 1, true))
		require.NoError(t, in.Delete(t.Context(), 2, false))
	})
	require.Empty(t, in.Items(10))
}

// Every change that no webhook tells is of one item, and all else stays equal.
func TestSnapshotShowsWhatNoWebhookTells(t *testing.T) {
	t.Parallel()
	in := library(t)
	for name, change := range map[string]func(*fakearr.Title){
		"title":     func(m *fakearr.Title) { m.Name = "Arrival 2" },
		"overview":  func(m *fakearr.Title) { m.Overview = "They come." },
		"monitored": func(m *fakearr.Title) { m.Unmonitored = !m.Unmonitored },
		"profile":   func(m *fakearr.Title) { m.QualityProfile = "Any" },
		"tags":      func(m *fakearr.Title) { m.Tags = []string{"new"} },
		"path":      func(m *fakearr.Title) { m.Path = "/other/Arrival" },
	} {
		before := in.Items(10)
		require.NoError(t, in.Edit(2, change))
		after := in.Items(10)
		require.Len(t, after, len(before))
		for i := range after {
			if after[i].Key == "movie/2" {
				require.NotEqual(t, before[i].Event, after[i].Event, name)
				continue
			}
			require.Equal(t, before[i], after[i], name)
		}
	}
	require.NoError(t, in.DeleteFile(fakearr.Quiet(t.Context()), 1, fakearr.Manual))
	require.NoError(t, in.Delete(fakearr.Quiet(t.Context()), 2, false))
	items := in.Items(10)
	require.Len(t, items, 1)
	require.Equal(t, sdk.TypeMediaAdded, items[0].Event.Type)
}

func TestSnapshotStandsOddAnswers(t *testing.T) {
	t.Parallel()
	arrtest.OddLists(t, library(t), newSource)
}

// A list that says of a movie that it has a file, and not which, must not make the host
// believe that the file is gone.
func TestSnapshotAsksForAFileThatTheListLacks(t *testing.T) {
	t.Parallel()
	in := library(t)
	want := in.Items(10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/movie") {
			in.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		in.ServeHTTP(answer, r)
		var all []map[string]any
		if json.Unmarshal(answer.Body.Bytes(), &all) == nil {
			for _, movie := range all {
				delete(movie, "movieFile")
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(all)
	}))
	t.Cleanup(server.Close)
	s, err := newSource(t.Context(), sdk.Env{Instance: "arr", HTTP: &sdk.HTTP{}}, api.Config{BaseURL: server.URL + "/base", APIKey: sdk.Secret(in.APIKey())})
	require.NoError(t, err)
	page, err := s.(sdk.Snapshotter).Snapshot(t.Context(), sdk.SnapshotQuery{})
	require.NoError(t, err)
	require.Equal(t, want, page.Items)
	require.Equal(t, 1, in.Requests()["GET moviefile"])
}
