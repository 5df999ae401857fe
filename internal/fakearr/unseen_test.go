package fakearr_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
)

// listed is a title in the API's list.
type listed struct {
	ID               int
	Title, Path      string
	Monitored        bool
	QualityProfileID int
	MovieFile        *struct{ Path string }
}

func TestWhatHappensQuietlyIsToldToNobody(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	a.Connect("Hookarr", r.URL)
	ctx := fakearr.Quiet(t.Context())
	title, err := a.Add(ctx, movie())
	require.NoError(t, err)
	d, err := a.Grab(ctx, title.ID, fakearr.Release{})
	require.NoError(t, err)
	_, err = a.Import(ctx, d.ID)
	require.NoError(t, err)
	client := serve(t, a)
	var all []listed
	client.get("/api/v3/movie", &all)
	require.Len(t, all, 1)
	require.NotNil(t, all[0].MovieFile)
	require.NoError(t, a.Delete(ctx, title.ID, true))
	client.get("/api/v3/movie", &all)
	require.Empty(t, all)
	require.Empty(t, r.Got())
	require.Empty(t, a.Events())
	require.Equal(t, map[string]int{"GET movie": 2}, a.Requests())
}

func TestEdit(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	title, err := a.Add(t.Context(), movie())
	require.NoError(t, err)
	d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	_, err = a.Import(t.Context(), d.ID)
	require.NoError(t, err)
	told := len(a.Events())
	require.NoError(t, a.Edit(title.ID, func(m *fakearr.Title) {
		m.ID, m.Name, m.Unmonitored, m.QualityProfile, m.Path, m.Tags = 99, "New", true, "Any", "/other/New", []string{"z", "a"}
	}))
	require.Len(t, a.Events(), told, "no webhook tells of it")
	client := serve(t, a)
	var all []listed
	client.get("/api/v3/movie", &all)
	require.Equal(t, title.ID, all[0].ID)
	require.Equal(t, "New", all[0].Title)
	require.False(t, all[0].Monitored)
	require.Equal(t, "/other/New", all[0].Path)
	require.Contains(t, all[0].MovieFile.Path, "/other/New/")
	var profiles []struct {
		ID   int
		Name string
	}
	client.get("/api/v3/qualityprofile", &profiles)
	require.Equal(t, "Any", profiles[all[0].QualityProfileID-1].Name)
	require.Error(t, a.Edit(99, func(*fakearr.Title) {}))
}

func TestSeed(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	a.Seed(1000, func(i int) fakearr.Title {
		return fakearr.Title{Name: fmt.Sprintf("Series %d", i), Episodes: []fakearr.Episode{{Season: 1, Number: 1}, {Season: 1, Number: 2}}}
	}, true)
	require.Empty(t, a.Events())
	client := serve(t, a)
	var all []listed
	client.get("/api/v3/series", &all)
	require.Len(t, all, 1000)
	var files []struct{ ID, SeriesID int }
	client.get("/api/v3/episodefile?seriesId=700", &files)
	require.Len(t, files, 2)
	require.Equal(t, 700, files[0].SeriesID)
	status, _ := client.do(http.MethodGet, "/api/v3/episodefile?seriesId=1001", "")
	require.Equal(t, http.StatusNotFound, status)
}

// A list that breaks off is no JSON, and trouble may be with one address alone.
func TestTroubleWithLists(t *testing.T) {
	t.Parallel()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	a.Seed(10, func(int) fakearr.Title { return fakearr.Title{Name: "It"} }, false)
	client := serve(t, a)
	a.Trouble(fakearr.Trouble{Status: http.StatusBadGateway, Only: "/movie/7"})
	status, _ := client.do(http.MethodGet, "/api/v3/movie/7", "")
	require.Equal(t, http.StatusBadGateway, status)
	status, body := client.do(http.MethodGet, "/api/v3/movie", "")
	require.Equal(t, http.StatusOK, status)
	require.True(t, json.Valid([]byte(body)))
	a.Trouble(fakearr.Trouble{CutList: 5})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client.url+"/api/v3/movie", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", a.APIKey())
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var all []listed
	require.Error(t, json.NewDecoder(resp.Body).Decode(&all))
}

func TestReadarrPostsAuthorsAndBooks(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	a := fakearr.New(fakearr.Readarr, fakearr.Options{ApplicationURL: "http://nowhere.example"})
	a.Connect("Hookarr", r.URL)
	title, err := a.Add(t.Context(), fakearr.Title{Name: "Sanderson", Goodreads: "38550", Books: []fakearr.Book{{Title: "Warbreaker", Files: 2}}})
	require.NoError(t, err)
	d, err := a.Grab(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	files, err := a.Import(t.Context(), d.ID)
	require.NoError(t, err)
	require.Len(t, files, 2)
	_, err = a.Upgrade(t.Context(), title.ID, fakearr.Release{})
	require.NoError(t, err)
	require.NoError(t, a.Rename(t.Context(), title.ID, "!"))
	require.NoError(t, a.Delete(t.Context(), title.ID, true))
	require.Equal(t, []string{
		"AuthorAdded", "Grab", "Download", "Grab", "BookFileDelete", "BookFileDelete", "Download", "Rename", "AuthorDelete",
	}, r.Types(t))
	for _, got := range r.Got() {
		require.NotContains(t, got.body, "applicationUrl")
	}
}
