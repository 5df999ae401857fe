package plex

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// TestPlugin has an endpoint that answers everything at once, and where the test's movie
// is.
func TestPlugin(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), scaled, plugintest.TargetSuite{
		Asks: true,
		Config: func(endpointURL string) any {
			return map[string]any{"url": endpointURL, "token": plex.Token, "anchors": []string{"/movies/reel.mkv"}}
		},
		// What is secret is the token.
		PublicURL: true,
		Accepts: func(r *http.Request) error {
			if r.Header.Get("X-Plex-Token") != plex.Token || r.Header.Get("Accept") != "application/json" || r.Header.Get("X-Plex-Client-Identifier") == "" {
				return fmt.Errorf("headers: %v", r.Header)
			}
			return nil
		},
		Answer: func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"MediaContainer":{"machineIdentifier":"a","version":"1","totalSize":1,
				"Directory":[{"key":"1","title":"Movies","type":"movie","refreshing":false,"Location":[{"path":"/movies"}]}],
				"Path":[{"path":"/movies/The Long Reel (2024)"}],"File":[{"path":"/movies/reel.mkv"}],
				"Metadata":[{"ratingKey":"7","title":"The Long Reel","Media":[{"Part":[{"file":"/movies/The Long Reel (2024)/reel.mkv"}]}]}]}}`)
		},
		Class: func(status int) sdk.Class {
			if status > http.StatusOK && status < http.StatusMultipleChoices {
				return sdk.ClassRetryable // there is no JSON
			}
			return ""
		},
	})
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	for _, typ := range sdk.Types() {
		e := imported(1, 1)
		e.Type = typ
		if slices.Contains([]sdk.Type{sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted, sdk.TypeFileRetagged}, typ) {
			continue
		}
		o := b.deliver(b.delivery(e))
		require.Equal(t, sdk.ClassOK, o.Class, "%s: %s", typ, o.Message)
		require.Zero(t, o.Receipt.VerifyAfter, typ)
		require.Empty(t, o.Events, typ)
	}
	require.Empty(t, b.plex.Scans())
	o := b.deliver(b.delivery(sdk.Event{ID: "1", Source: "requests", Type: sdk.TypeMediaImported, Title: "Dune (2021)"}))
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Contains(t, o.Receipt.Fallback, "nothing was scanned for Dune (2021)")
}

func TestTest(t *testing.T) {
	t.Parallel()
	b := start(t, nil, map[string]any{"anchors": []string{"/data/.mounted"}})
	o, err := b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, `Plex 1.42.2.10156-f737b826c on media; libraries: "TV Shows" (/data/tv), "Movies" (/data/movies)`, o.Receipt.Excerpt)
	require.Empty(t, o.Receipt.Fallback)
	require.Empty(t, b.plex.Scans())
	b.disk.Unmount("/data/movies", false)
	o, err = b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Equal(t, `/data/movies of the library "Movies": empty`, o.Receipt.Fallback)
	b.disk.Unmount("/data/.mounted", true)
	o, err = b.target.Test(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
}

func TestFolders(t *testing.T) {
	t.Parallel()
	b := start(t, nil, nil)
	b.plex.Know("/data/tv/Severance (2022)", "Severance", map[string]string{"tvdb": "371980"})
	b.plex.Know("/data/movies/Dune (2021)", "Dune", map[string]string{"tmdb": "438631"})
	b.plex.Know("/data/movies/Dune (1984)", "Dune", map[string]string{"tmdb": "841"})
	b.disk.Add("/data/movies/Dune (1984)/Dune.mkv", 1)
	b.disk.Add("/data/movies/Dune (2021)/Dune.mkv", 1)
	b.season(1, 1)
	b.plex.ScanAll()
	b.disk.Unmount("/data/movies", true)
	got, err := b.target.Folders(t.Context(), sdk.FoldersQuery{Titles: []sdk.FolderTitle{
		{Kind: "series", Title: "Severance", IDs: map[string]string{"tvdb": "371980"}, Path: show},
		{Kind: "movie", Title: "Nowhere", IDs: map[string]string{"tmdb": "1"}},
		{Kind: "movie", Title: "Dune", IDs: map[string]string{"tmdb": "438631"}},
	}})
	require.NoError(t, err)
	require.Equal(t, []sdk.Folder{
		{Path: "/data/tv", Library: "TV Shows", Kind: "series"},
		{Path: "/data/movies", Library: "Movies", Kind: "movie", Problem: "not seen by the server"},
	}, got.Roots)
	require.Len(t, got.Titles, 2)
	require.Equal(t, "/data/tv/Severance (2022)", got.Titles[0].Path)
	require.Equal(t, "/data/movies/Dune (2021)", got.Titles[1].Path)
	require.Len(t, got.Map, 2)
}

// What is configured of the libraries does not matter: it may be what is wrong.
func TestOptions(t *testing.T) {
	t.Parallel()
	b := start(t, nil, map[string]any{"libraries": []string{"Film"}})
	want := []sdk.Option{{Value: "TV Shows", Label: "series in /data/tv"}, {Value: "Movies", Label: "movie in /data/movies"}}
	found, err := b.target.Options(t.Context(), "libraries")
	require.NoError(t, err)
	require.Equal(t, want, found)
	b.plex.AddSection(plex.Movies, "Kids", "/data/kids")
	found, err = b.target.Options(t.Context(), "libraries")
	require.NoError(t, err)
	require.Len(t, found, 3, "they are read anew each time")
	require.Empty(t, b.plex.Scans())

	_, err = b.target.Options(t.Context(), "url")
	require.ErrorContains(t, err, "the key url has no options; there are some for libraries")
	b.plex.SetToken("another")
	_, err = b.target.Options(t.Context(), "libraries")
	require.ErrorContains(t, err, "read the libraries of Plex: ")
	require.ErrorContains(t, err, "token")
	require.NotContains(t, err.Error(), plex.Token)

	down := start(t, nil, map[string]any{"url": "http://127.0.0.1:1"})
	_, err = down.target.Options(t.Context(), "libraries")
	require.ErrorContains(t, err, "read the libraries of Plex: ")
	require.ErrorContains(t, err, "connection refused")
}
