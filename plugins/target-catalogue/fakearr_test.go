package catalogue

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/movie"
	"github.com/hookarr/hookarr/plugins/internal/arr/series"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/model"
	"github.com/hookarr/hookarr/sdk"
)

// What the applications' own webhooks make of a catalogue is what their APIs list.
func TestCatalogueEqualsImitatedApplications(t *testing.T) {
	t.Parallel()
	apps := map[fakearr.App]arr.App{
		fakearr.Radarr: arr.Radarr, fakearr.Sonarr: arr.Sonarr, fakearr.WhisparrV2: arr.Whisparr, fakearr.WhisparrV3: arr.Whisparr,
	}
	for app, name := range apps {
		t.Run(string(app), func(t *testing.T) {
			t.Parallel()
			seed := seedOf(t)
			now := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
			a := fakearr.New(app, fakearr.Options{Now: func() time.Time { now = now.Add(time.Second); return now }})
			live(t, a, rand.New(rand.NewPCG(seed, 3)), howMany(150))
			var events []sdk.Event
			for i, happened := range a.Events() {
				e := decoded(t, name, happened.Body)
				// Equal times are told apart by the ids, which count up.
				e.ID, e.Source, e.Time = fmt.Sprintf("%08d", i), string(app), happened.Time.Truncate(2*time.Second)
				events = append(events, e)
			}
			k := kept{placeSQLite, filepath.Join(t.TempDir(), "catalogue.db")}
			keeper := k.mustOpen(t)
			for _, d := range model.Deliveries(events, seed, 20) {
				require.NoError(t, keeper.Keep(t.Context(), d.ID, d.Events))
			}
			want := listed(t, a)
			require.NotEmpty(t, want)
			require.Empty(t, model.Difference(want, k.listed(t)))
		})
	}
}

// live has n things happen to titles.
func live(t *testing.T, a *fakearr.Arr, random *rand.Rand, n int) {
	t.Helper()
	var titles []int
	files := map[int][]int{}
	for i := range n {
		if len(titles) < 3 || random.IntN(8) == 0 {
			title := fakearr.Title{Name: fmt.Sprintf("Title %d", i), Year: 2000, Released: "2000-01-02", TMDB: i + 1, TVDB: i + 1, Stash: fmt.Sprint("stash-", i)}
			for n := range 3 {
				title.Episodes = append(title.Episodes, fakearr.Episode{Season: 1, Number: n + 1, Title: fmt.Sprint("Part ", n), Aired: "2000-01-02", TVDB: i*10 + n})
			}
			added, err := a.Add(t.Context(), title)
			require.NoError(t, err)
			titles = append(titles, added.ID)
			continue
		}
		at := random.IntN(len(titles))
		id := titles[at]
		var got []fakearr.File
		var err error
		switch n := random.IntN(10); {
		case n < 4:
			var d fakearr.Download
			d, err = a.Grab(t.Context(), id, fakearr.Release{Quality: []string{"HDTV-720p", "Bluray-1080p"}[random.IntN(2)], SingleFile: random.IntN(2) == 0})
			require.NoError(t, err)
			got, err = a.Import(t.Context(), d.ID)
		case n < 6 && len(files[id]) > 0:
			_ = a.DeleteFile(t.Context(), files[id][random.IntN(len(files[id]))], fakearr.MissingFromDisk) // it may be gone
		case n < 8:
			err = a.Rename(t.Context(), id, fmt.Sprint(" ", random.IntN(3)))
		case n < 9:
			err = a.Delete(t.Context(), id, random.IntN(2) == 0)
			titles = slices.Delete(titles, at, at+1)
		}
		require.NoError(t, err)
		for _, f := range got {
			files[id] = append(files[id], f.ID)
		}
	}
}

func decoded(t *testing.T, app arr.App, body []byte) (e sdk.Event) {
	t.Helper()
	var s series.Payload
	require.NoError(t, arr.Unmarshal(body, &s))
	if !s.Movie {
		e, err := s.Decode(app, sdk.Request{}, "")
		require.NoError(t, err)
		return e
	}
	var m movie.Payload
	require.NoError(t, arr.Unmarshal(body, &m))
	e, err := m.Decode(app, sdk.Request{}, "")
	require.NoError(t, err)
	return e
}

// listed is what an application's API lists: titles, and which file is where and of what.
func listed(t *testing.T, a *fakearr.Arr) []string {
	t.Helper()
	ask := func(path string, to any) {
		r := httptest.NewRequest(http.MethodGet, "/api/v3/"+path, nil)
		r.Header.Set("X-Api-Key", a.APIKey())
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code == http.StatusNotFound {
			return // a kind of title that it does not have
		}
		require.Equal(t, http.StatusOK, w.Code, path)
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), to))
	}
	type file struct {
		ID   int
		Path string
	}
	var lines []string
	var movies, shows []struct {
		ID    int
		Title string
	}
	ask("movie", &movies)
	for _, m := range movies {
		lines = append(lines, fmt.Sprintf("title %d %s", m.ID, m.Title))
		var files []file
		ask("moviefile?movieId="+strconv.Itoa(m.ID), &files)
		for _, f := range files {
			lines = append(lines, fmt.Sprintf("file %d of %d %s []", f.ID, m.ID, f.Path))
		}
	}
	ask("series", &shows)
	for _, s := range shows {
		lines = append(lines, fmt.Sprintf("title %d %s", s.ID, s.Title))
		var episodes []struct{ ID, EpisodeFileID int }
		ask("episode?seriesId="+strconv.Itoa(s.ID), &episodes)
		held := map[int][]string{}
		for _, e := range episodes {
			held[e.EpisodeFileID] = append(held[e.EpisodeFileID], strconv.Itoa(e.ID))
		}
		var files []file
		ask("episodefile?seriesId="+strconv.Itoa(s.ID), &files)
		for _, f := range files {
			slices.Sort(held[f.ID])
			lines = append(lines, fmt.Sprintf("file %d of %d %s [%s]", f.ID, s.ID, f.Path, strings.Join(held[f.ID], " ")))
		}
	}
	return lines
}

// listed is the same of a catalogue.
func (k kept) listed(t *testing.T) []string {
	t.Helper()
	db := k.database(t)
	var lines []string
	rows(t, db, `SELECT id, title FROM library`, func(scan func(...any) error) error {
		var id, title string
		err := scan(&id, &title)
		lines = append(lines, "title "+id+" "+title)
		return err
	})
	rows(t, db, `SELECT f.file_id, f.id, f.path, coalesce((SELECT group_concat(c.part_id, ' ' ORDER BY c.part_id) FROM file_contents c
  WHERE c.source = f.source AND c.file_id = f.file_id), '') FROM media_files f`, func(scan func(...any) error) error {
		var file, title, path, parts string
		err := scan(&file, &title, &path, &parts)
		lines = append(lines, fmt.Sprintf("file %s of %s %s [%s]", file, title, path, parts))
		return err
	})
	return lines
}
