package arrhook_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http/httpguts"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/target-webhook/internal/arrhook"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// body is a rendered event, as a program reads it.
func body(t require.TestingT, e sdk.Event) map[string]any {
	data, err := arrhook.Render(e)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(data, &m))
	return m
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	extreme := map[string]bool{}
	for _, c := range eventtest.Extremes() {
		extreme[c.Name] = true
	}
	for _, c := range eventtest.Events() {
		data, err := arrhook.Render(c.Event)
		require.NoError(t, err, c.Name)
		require.True(t, json.Valid(data), c.Name)
		if !extreme[c.Name] {
			eventtest.Golden(t, "testdata/"+c.Name+".golden.json", json.RawMessage(data))
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	book := &sdk.Media{Kind: "book"}
	for _, test := range []struct {
		event sdk.Event
		want  string
	}{
		{sdk.Event{App: "radarr", Type: sdk.TypeImportCompleted}, "Download"},
		{sdk.Event{App: "radarr", Type: sdk.TypeDownloadFailed}, "DownloadFailure"},
		{sdk.Event{App: "sonarr", Type: sdk.TypeMediaAdded}, "SeriesAdd"},
		{sdk.Event{App: "sonarr", Type: sdk.TypeFileDeletedForUpgrade}, "EpisodeFileDelete"},
		{sdk.Event{App: "whisparr", Type: sdk.TypeMediaAdded}, "MovieAdded"},
		{sdk.Event{App: "whisparr", AppVersion: "2.0.0.548", Type: sdk.TypeMediaAdded}, "SeriesAdd"},
		{sdk.Event{App: "whisparr", Type: sdk.TypeMediaAdded, Media: &sdk.Media{Kind: "series"}}, "SeriesAdd"},
		{sdk.Event{App: "lidarr", Type: sdk.TypeMediaAdded}, "ArtistAdd"},
		{sdk.Event{App: "lidarr", Type: sdk.TypeMediaDeleted, NativeType: "ArtistDelete", Albums: []sdk.Album{{}}}, "ArtistDelete"},
		{sdk.Event{App: "lidarr", Type: sdk.TypeMediaDeleted, NativeType: "albumdelete"}, "AlbumDelete"},
		{sdk.Event{App: "lidarr", Type: sdk.TypeMediaDeleted, Albums: []sdk.Album{{}}}, "AlbumDelete"},
		{sdk.Event{App: "readarr", Type: sdk.TypeMediaDeleted, NativeType: "AuthorDelete", Media: book}, "AuthorDelete"},
		{sdk.Event{App: "readarr", Type: sdk.TypeMediaDeleted, Media: book}, "BookDelete"},
		{sdk.Event{App: "prowlarr", Type: sdk.TypeReleaseGrabbed}, "Grab"},
		{sdk.Event{App: "radarr", Type: sdk.TypeUnknown, NativeType: "SomethingNew"}, "SomethingNew"},
		{sdk.Event{App: "radarr", Type: sdk.TypeUnknown}, "unknown"},
		{sdk.Event{App: "jellyseerr", Type: sdk.TypeMediaAdded, NativeType: "MEDIA_APPROVED", Media: &sdk.Media{Kind: "movie"}}, "MovieAdded"},
		{sdk.Event{App: "jellyseerr", Type: "request.approved", NativeType: "MEDIA_APPROVED"}, "request.approved"},
		{sdk.Event{App: "jellyseerr", Type: sdk.TypeMediaAdded}, "media.added"},
		{sdk.Event{App: "hookarr", Type: sdk.TypeTargetHeld}, "hookarr.target_held"},
		{sdk.Event{App: "hookarr", Type: sdk.TypeTest}, "Test"},
	} {
		require.Equal(t, test.want, body(t, test.event)["eventType"], "%+v", test.event)
	}
}

func TestEventsThatNoArrMakes(t *testing.T) {
	t.Parallel()
	held := body(t, sdk.Event{
		App: "hookarr", Source: "hookarr", Type: sdk.TypeTargetHeld, Title: "Target chat is on hold", Summary: "Target chat is on hold (breaker): 503",
		Health: &sdk.Health{Level: "warning", Check: "target chat", Message: "503"},
	})
	require.Equal(t, map[string]any{
		"eventType": "hookarr.target_held", "instanceName": "Hookarr", "applicationUrl": "", "level": "warning", "type": "target chat", "message": "503",
	}, held)
	asked := body(t, sdk.Event{
		App: "jellyseerr", Source: "requests", Type: "request.approved", Summary: "Alice asked for Dune", URL: "http://seerr/movie/1",
		Media: &sdk.Media{Kind: "movie", Title: "Dune", IDs: map[string]string{"tmdb": "438631"}},
	})
	require.Equal(t, "Alice asked for Dune", asked["message"])
	require.Equal(t, "http://seerr/movie/1", asked["applicationUrl"])
	require.InDelta(t, 438631, asked["movie"].(map[string]any)["tmdbId"], 0)
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		folder         string
		file           sdk.File
		relative, path string
	}{
		{"/tv/Dark", sdk.File{Path: "/tv/Dark/Season 01/a.mkv"}, "Season 01/a.mkv", "/tv/Dark/Season 01/a.mkv"},
		{"/tv/Dark/", sdk.File{RelativePath: "Season 01/a.mkv"}, "Season 01/a.mkv", "/tv/Dark/Season 01/a.mkv"},
		{`D:\tv\Dark`, sdk.File{Path: `D:\tv\Dark\Season 01\a.mkv`}, `Season 01\a.mkv`, `D:\tv\Dark\Season 01\a.mkv`},
		{"/tv/Dark", sdk.File{Path: "/tv/Darker/a.mkv"}, "", "/tv/Darker/a.mkv"},
		{`/tv/AC\DC`, sdk.File{Path: `/tv/AC\DC/a.mkv`}, "a.mkv", `/tv/AC\DC/a.mkv`},
		{"", sdk.File{Path: "/a.mkv"}, "", "/a.mkv"},
		{"/tv/Dark", sdk.File{}, "", ""},
	} {
		m := body(t, sdk.Event{App: "sonarr", Type: sdk.TypeMediaImported, Media: &sdk.Media{Kind: "series", Path: test.folder}, Files: []sdk.File{test.file}})
		file := m["episodeFile"].(map[string]any)
		require.Equal(t, test.relative, file["relativePath"])
		require.Equal(t, test.path, file["path"])
	}
}

func TestApplicationURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://radarr.example/movie/693134":         "https://radarr.example",
		"http://nas:8989/sonarr/series/dark":          "http://nas:8989/sonarr",
		"http://nas:8989/sonarr":                      "http://nas:8989/sonarr",
		"http://nas:7878/system/status":               "http://nas:7878",
		"http://nas:7878/radarr/activity/queue":       "http://nas:7878/radarr",
		"http://nas:9696/prowlarr/history":            "http://nas:9696/prowlarr",
		"http://nas:6969/site/some%20site":            "http://nas:6969",
		"https://lidarr.example/album/5a03ef2f-5d2c/": "https://lidarr.example",
		"": "",
	} {
		require.Equal(t, want, body(t, sdk.Event{App: "radarr", Type: sdk.TypeUnknown, URL: url})["applicationUrl"], url)
	}
}

func TestUserAgent(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Radarr/6.0.3.10276 (hookarr 1)", arrhook.UserAgent(sdk.Event{App: "radarr", AppVersion: "6.0.3.10276"}, "hookarr 1"))
	require.Equal(t, "Sonarr (hookarr 1)", arrhook.UserAgent(sdk.Event{App: "sonarr"}, "hookarr 1"))
	require.Equal(t, "Sonarr/4.0XY1 (hookarr 1)", arrhook.UserAgent(sdk.Event{App: "sonarr", AppVersion: "4.0\r\nX: Y (1)\u00e9"}, "hookarr 1"))
	require.Empty(t, arrhook.UserAgent(sdk.Event{App: "hookarr", AppVersion: "1"}, "hookarr 1"))
}

// TestAnything renders any events, of any application.
func TestAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := eventtest.Any().Draw(t, "event")
		e.App = rapid.SampledFrom([]string{"radarr", "sonarr", "lidarr", "readarr", "whisparr", "prowlarr", "hookarr", e.App}).Draw(t, "application")
		m := body(t, e)
		require.Contains(t, m, "eventType")
		require.IsType(t, "", m["instanceName"])
		require.True(t, httpguts.ValidHeaderFieldValue(arrhook.UserAgent(e, "hookarr 1")))
	})
}
