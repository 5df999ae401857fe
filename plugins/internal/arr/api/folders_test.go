package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// folders asks Radarr, which answers its list of movies with a body.
func folders(t *testing.T, a *fakearr.Arr, movies func(w http.ResponseWriter), sample int) (sdk.Folders, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if movies != nil && strings.HasSuffix(r.URL.Path, "/movie") {
			movies(w)
			return
		}
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return powers(api.Config{BaseURL: server.URL, APIKey: sdk.Secret(a.APIKey())}).Folders(t.Context(), sdk.FoldersQuery{Sample: sample})
}

func library(t *testing.T, titles ...fakearr.Title) *fakearr.Arr {
	t.Helper()
	a := fakearr.New(fakearr.Radarr, fakearr.Options{})
	a.Seed(len(titles), func(i int) fakearr.Title { return titles[i] }, true)
	return a
}

func TestASampleIsOfAllFolders(t *testing.T) {
	t.Parallel()
	var titles []fakearr.Title
	for i := range 200 {
		titles = append(titles, fakearr.Title{Name: "Movie", Path: fmt.Sprintf("/movies/Movie %d", i), TMDB: i + 1})
	}
	for i := range 2 {
		titles = append(titles, fakearr.Title{Name: "Kid", Path: fmt.Sprintf("/movies/kids/Kid %d", i), TMDB: i + 1000})
	}
	a := library(t, titles...)
	a.SetRootFolders(fakearr.RootFolder{Path: "/movies"}, fakearr.RootFolder{Path: "/movies/kids"}, fakearr.RootFolder{Path: "/new"})
	found, err := folders(t, a, nil, 20)
	require.NoError(t, err)
	require.Len(t, found.Titles, 20)
	of := map[string]int{}
	first := 0
	for _, title := range found.Titles {
		of[title.Title]++
		var n int
		if _, err := fmt.Sscanf(title.Path, "/movies/Movie %d", &n); err == nil && n < 50 {
			first++
		}
	}
	require.Equal(t, map[string]int{"Movie": 18, "Kid": 2}, of)
	require.Less(t, first, 12, "of the whole library, not of its beginning")
	again, err := folders(t, a, nil, 20)
	require.NoError(t, err)
	require.Equal(t, found, again)
	all, err := folders(t, a, nil, 1<<20)
	require.NoError(t, err)
	require.Len(t, all.Titles, 202)
}

func TestTitlesWithoutFilesAreNotInTheSample(t *testing.T) {
	t.Parallel()
	found, err := folders(t, library(t), func(w http.ResponseWriter) {
		_, _ = w.Write([]byte(`[{"title":"Wanted","path":"/m/Wanted","hasFile":false},{"title":"Empty","path":"/m/Empty","statistics":{"sizeOnDisk":0}},
			{"title":"Odd","path":["/m"],"sizeOnDisk":5},{"title":"Here","path":"/m/Here","year":"1999","tmdbId":7,"hasFile":true,"sizeOnDisk":5}]`))
	}, 20)
	require.NoError(t, err)
	require.Equal(t, []sdk.FolderTitle{{Kind: "movie", Title: "Here", Year: 1999, IDs: map[string]string{"tmdb": "7"}, Path: "/m/Here"}}, found.Titles)
}

func TestAListOfAnyLengthIsRead(t *testing.T) {
	t.Parallel()
	overview := strings.Repeat("x", 2<<10)
	found, err := folders(t, library(t), func(w http.ResponseWriter) {
		_, _ = w.Write([]byte("["))
		for i := range 10_000 { // 20 MB, more than any answer that is held
			if i > 0 {
				_, _ = w.Write([]byte(","))
			}
			_, _ = fmt.Fprintf(w, `{"title":"M","path":"/m/%d","tmdbId":%d,"overview":%q}`, i, i+1, overview)
		}
		_, _ = w.Write([]byte("]"))
	}, 20)
	require.NoError(t, err)
	require.Len(t, found.Titles, 20)
}

func TestOddListsAreNamed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body, want string
		html       bool
	}{
		"cut off":       {`[{"title":"M"},{"ti`, "answered movie with something that is no list or breaks off", false},
		"no list":       {`{"title":"M"}`, "answered movie with something that is no list or breaks off: it does not begin with [", false},
		"no JSON":       {`hello`, "answered movie with something that is no list or breaks off", false},
		"a login page":  {`<html>`, "no Radarr API at http://", false},
		"a page":        {`hello`, "no Radarr API at http://", true},
		"endless entry": {`[{"title":"` + strings.Repeat("x", 5<<20), "answered movie with more than is read of it: one entry is too large", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := folders(t, library(t), func(w http.ResponseWriter) {
				if test.html {
					w.Header().Set("Content-Type", "text/html")
				}
				_, _ = w.Write([]byte(test.body))
			}, 20)
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := folders(t, library(t), func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) }, 20)
	require.ErrorContains(t, err, "API key refused by http://")
}
