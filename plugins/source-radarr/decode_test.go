package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func decode(body []byte, header http.Header) (sdk.Event, error) {
	r := sdk.Request{ID: "e1", Method: http.MethodPost, Header: header, Body: body, ReceivedAt: time.Unix(1, 0)}
	return decoder{}.Decode(context.Background(), r)
}

func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(tb, err)
	return body
}

// edit returns a sample after a change of its top-level object.
func edit(t *testing.T, name string, change func(map[string]any)) []byte {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(sample(t, name), &m))
	change(m)
	body, err := json.Marshal(m)
	require.NoError(t, err)
	return body
}

func object(m map[string]any, key string) map[string]any { return m[key].(map[string]any) }

func agent(s string) http.Header { return http.Header{"User-Agent": {s}} }

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sample  string
		native  string
		want    sdk.Type
		title   string
		summary string
		url     string
	}{
		{"test", "Test", sdk.TypeTest, "Radarr 4K", "Radarr 4K tested its connection to Hookarr", "https://radarr.example/"},
		{"test_bare", "Test", sdk.TypeTest, "Radarr", "Radarr tested its connection to Hookarr", ""},
		{"grab", "Grab", sdk.TypeReleaseGrabbed, "Dune: Part Two (2024)", "Grabbed Dune: Part Two (2024) from Example Tracker (24 GiB, Bluray-2160p)", "https://radarr.example/movie/693134"},
		{"grab_blackhole", "Grab", sdk.TypeReleaseGrabbed, "Dune: Part Two (2024)", "Grabbed Dune: Part Two (2024) (WEBDL-1080p)", "https://radarr.example/movie/693134"},
		{"import", "Download", sdk.TypeMediaImported, "Dune: Part Two (2024)", "Imported Dune: Part Two (2024) in Bluray-2160p", "https://radarr.example/movie/693134"},
		{"import_manual", "Download", sdk.TypeMediaImported, "Amélie – Le fabuleux destin (2001)", "Imported Amélie – Le fabuleux destin (2001)", ""},
		{"import_2021", "Download", sdk.TypeMediaImported, "Night Train (2020)", "Imported Night Train (2020) in WEBRip-1080p", ""},
		{"upgrade", "Download", sdk.TypeMediaUpgraded, "Dune: Part Two (2024)", "Upgraded Dune: Part Two (2024) from WEBDL-1080p to Bluray-2160p", "https://radarr.example/movie/693134"},
		{"upgrade_windows", "Download", sdk.TypeMediaUpgraded, "Dune: Part Two (2024)", "Upgraded Dune: Part Two (2024) in WEBDL-1080p", "https://radarr.example/movie/693134"},
		{"rename", "Rename", sdk.TypeFileRenamed, "Dune: Part Two (2024)", "Renamed the file of Dune: Part Two (2024) to Dune - Part Two (2024) [Bluray-2160p].mkv", "https://radarr.example/movie/693134"},
		{"rename_several", "Rename", sdk.TypeFileRenamed, "Dune: Part Two (2024)", "Renamed 2 files of Dune: Part Two (2024)", "https://radarr.example/movie/693134"},
		{"rename_bare", "Rename", sdk.TypeFileRenamed, "Night Train (2020)", "Renamed files of Night Train (2020)", ""},
		{"movie_added", "MovieAdded", sdk.TypeMediaAdded, "Dune: Part Two (2024)", "Added Dune: Part Two (2024) from a collection", "https://radarr.example/movie/693134"},
		{"movie_added_unmatched", "MovieAdded", sdk.TypeMediaAdded, "Unmatched Movie", "Added Unmatched Movie from a list", ""},
		{"movie_delete", "MovieDelete", sdk.TypeMediaDeleted, "Dune: Part Two (2024)", "Deleted Dune: Part Two (2024) and its files (24 GiB)", ""},
		{"movie_delete_library_only", "MovieDelete", sdk.TypeMediaDeleted, "Amélie – Le fabuleux destin (2001)", "Deleted Amélie – Le fabuleux destin (2001) and kept its files", ""},
		{"movie_delete_bare", "MovieDelete", sdk.TypeMediaDeleted, "Night Train (2020)", "Deleted Night Train (2020)", ""},
		{"file_delete_missing", "MovieFileDelete", sdk.TypeFileDeleted, "Dune: Part Two (2024)", "Deleted the file of Dune: Part Two (2024) (missing from disk)", "https://radarr.example/movie/693134"},
		{"file_delete_override", "MovieFileDelete", sdk.TypeFileDeleted, "Amélie – Le fabuleux destin (2001)", "Deleted the file of Amélie – Le fabuleux destin (2001) (manual override)", ""},
		{"file_delete_upgrade", "MovieFileDelete", sdk.TypeFileDeletedForUpgrade, "Amélie – Le fabuleux destin (2001)", "Deleted the old file of Amélie – Le fabuleux destin (2001) for an upgrade (Bluray-1080p)", ""},
		{"health", "Health", sdk.TypeHealthIssue, "Indexer status check", "Warning: Indexers unavailable due to failures: Example Tracker (Prowlarr)", "https://radarr.example/system/status"},
		{"health_error", "Health", sdk.TypeHealthIssue, "Root folder check", "Error: Missing root folder: /movies", ""},
		{"health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer status check", "Resolved: Indexers unavailable due to failures: Example Tracker (Prowlarr)", ""},
		{"application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Radarr 6.0.4.10291", "Updated Radarr from 6.0.3.10276 to 6.0.4.10291", "https://radarr.example/system/updates"},
		{"manual_interaction", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "Amélie – Le fabuleux destin (2001)", "The import of Amélie – Le fabuleux destin (2001) needs a person: Movie title mismatch, automatic import is not possible. Manual Import required.", ""},
		{"manual_interaction_no_movie", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "some.strange.name", "The import of some.strange.name needs a person: disc1/movie.iso: Found potentially dangerous file", "https://radarr.example/activity/queue"},
		{"unknown_event", "MovieMonitored", sdk.TypeUnknown, "Dune: Part Two (2024)", "Radarr reported MovieMonitored for Dune: Part Two (2024), which Hookarr does not know", "https://radarr.example/movie/693134"},
		{"unknown_event_no_movie", "SomethingNew", sdk.TypeUnknown, "Radarr: something new", "Radarr reported SomethingNew, which Hookarr does not know", "https://radarr.example/"},
	}
	for _, tt := range tests {
		e, err := decode(sample(t, tt.sample), agent("Radarr/6.0.4.10291 (alpine 3.22.1)"))
		require.NoError(t, err, tt.sample)
		require.Equal(t, tt.want, e.Type, tt.sample)
		require.Equal(t, tt.native, e.NativeType, tt.sample)
		require.Equal(t, tt.title, e.Title, tt.sample)
		require.Equal(t, tt.summary, e.Summary, tt.sample)
		require.Equal(t, tt.url, e.URL, tt.sample)
		require.Equal(t, "radarr", e.App, tt.sample)
		require.Equal(t, "6.0.4.10291", e.AppVersion, tt.sample)
	}
}

func TestTestHasNoMedia(t *testing.T) {
	t.Parallel()
	e, err := decode(sample(t, "test"), nil)
	require.NoError(t, err)
	require.Nil(t, e.Media, "the ids of a test belong to a real movie")
	require.Empty(t, e.Fingerprint, "a test is never a repetition")
}

func TestEventTypeInAnyCase(t *testing.T) {
	t.Parallel()
	for _, native := range []string{"moviefiledelete", "MOVIEFILEDELETE", "movieFileDelete"} {
		e, err := decode(edit(t, "file_delete_missing", func(m map[string]any) { m["eventType"] = native }), nil)
		require.NoError(t, err)
		require.Equal(t, sdk.TypeFileDeleted, e.Type)
		require.Equal(t, native, e.NativeType)
	}
}

func TestOddTypes(t *testing.T) {
	t.Parallel()
	e, err := decode(sample(t, "odd_types"), nil)
	require.NoError(t, err)
	require.Equal(t, sdk.TypeMediaUpgraded, e.Type)
	require.Equal(t, "Dune: Part Two (2024)", e.Title)
	require.Empty(t, e.URL, "the application's URL is not absolute")
	require.Equal(t, map[string]string{"tmdb": "693134"}, e.Media.IDs)
	require.Empty(t, e.Media.ReleaseDate)
	require.Equal(t, []string{"Drama", "Adventure"}, e.Media.Genres)
	require.Equal(t, "https://image.example/p.jpg", e.Media.Poster)
	require.Empty(t, e.Media.Fanart)
	require.Equal(t, "French", e.Media.OriginalLanguage)
	require.Equal(t, "Bluray-2160p", e.Files[0].Quality)
	require.Equal(t, int64(26091871234), e.Files[0].SizeBytes)
	require.InDelta(t, 5.1, e.Files[0].MediaInfo.AudioChannels, 0)
	require.Equal(t, []string{"eng", "fre"}, e.Files[0].MediaInfo.AudioLanguages)
	require.Equal(t, []string{"G_Scene", "G_Internal"}, e.Release.Flags)
	require.Equal(t, []string{"HDR"}, e.Release.CustomFormats)
	require.Zero(t, e.Release.SizeBytes)
	require.Empty(t, e.DeletedFiles)
}

func TestPaths(t *testing.T) {
	t.Parallel()
	e, err := decode(sample(t, "upgrade_windows"), nil)
	require.NoError(t, err)
	require.Equal(t, `D:\Movies\Dune - Part Two (2024)\Dune - Part Two (2024) [Bluray-2160p].mkv`, e.Files[0].Path)

	e, err = decode(sample(t, "import_2021"), nil)
	require.NoError(t, err)
	require.Equal(t, "/media/Movies/Night Train (2020)/Night Train (2020) WEBRip-1080p.mkv", e.Files[0].Path, "not the download's path")

	e, err = decode(edit(t, "import", func(m map[string]any) { delete(object(m, "movieFile"), "relativePath") }), nil)
	require.NoError(t, err)
	require.Equal(t, "/movies/Dune - Part Two (2024)/Dune - Part Two (2024) [Bluray-2160p].mkv", e.Files[0].Path)
}

func TestApplicationURL(t *testing.T) {
	t.Parallel()
	d, err := newSource(t.Context(), sdk.Env{}, config{ApplicationURL: "http://nas:7878/radarr"})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"health_restored": "http://nas:7878/radarr/system/status",
		"import":          "https://radarr.example/movie/693134",
		"import_2021":     "http://nas:7878/radarr/movie/990001",
		"movie_delete":    "",
	} {
		e, err := d.Decode(t.Context(), sdk.Request{Body: sample(t, name)})
		require.NoError(t, err)
		require.Equal(t, want, e.URL, name)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, config{}.Validate())
	require.NoError(t, config{ApplicationURL: "http://nas:7878/radarr"}.Validate())
	for _, u := range []string{"nas:7878", "/radarr", "ftp://nas"} {
		require.ErrorContains(t, config{ApplicationURL: u}.Validate(), "application_url")
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		sample string
		change func(map[string]any)
		same   bool
	}{
		"new time of the picture": {"import", func(m map[string]any) { delete(object(m, "movie"), "images") }, true},
		"other instance name":     {"import", func(m map[string]any) { m["instanceName"] = "Radarr" }, true},
		"metadata arrived":        {"import", func(m map[string]any) { object(m, "movie")["overview"] = "" }, true},
		"second import":           {"import", func(m map[string]any) { object(m, "movieFile")["id"] = 102 }, false},
		"import is an upgrade":    {"import", func(m map[string]any) { m["isUpgrade"] = true }, true},
		"second grab":             {"grab", func(m map[string]any) { m["downloadId"] = "OTHER" }, false},
		"grab of another movie":   {"grab", func(m map[string]any) { object(m, "movie")["id"] = 13 }, false},
		"second blackhole grab":   {"grab_blackhole", func(m map[string]any) { object(m, "release")["releaseTitle"] = "x" }, false},
		"renamed back": {"rename", func(m map[string]any) {
			f := m["renamedMovieFiles"].([]any)[0].(map[string]any)
			f["previousPath"], f["relativePath"] = f["path"], "dune2.mkv"
		}, false},
		"order of renames": {"rename_several", func(m map[string]any) {
			f := m["renamedMovieFiles"].([]any)
			f[0], f[1] = f[1], f[0]
		}, true},
		"other movie added":      {"movie_added", func(m map[string]any) { object(m, "movie")["id"] = 13 }, false},
		"other movie deleted":    {"movie_delete", func(m map[string]any) { object(m, "movie")["id"] = 13 }, false},
		"deleted is not added":   {"movie_delete", func(m map[string]any) { m["eventType"] = "MovieAdded" }, false},
		"other file deleted":     {"file_delete_missing", func(m map[string]any) { object(m, "movieFile")["id"] = 102 }, false},
		"deleted for a reason":   {"file_delete_missing", func(m map[string]any) { m["deleteReason"] = "manual" }, false},
		"other health level":     {"health", func(m map[string]any) { m["level"] = "error" }, false},
		"other health message":   {"health", func(m map[string]any) { m["message"] = "x" }, false},
		"other health check":     {"health", func(m map[string]any) { m["type"] = "x" }, false},
		"restored is no issue":   {"health", func(m map[string]any) { m["eventType"] = "HealthRestored" }, false},
		"issue sent again":       {"health", func(m map[string]any) { m["wikiUrl"] = "https://x" }, true},
		"next update":            {"application_update", func(m map[string]any) { m["newVersion"] = "7" }, false},
		"update in other words":  {"application_update", func(m map[string]any) { m["message"] = "x" }, true},
		"other manual message":   {"manual_interaction", func(m map[string]any) { m["downloadStatusMessages"] = []any{} }, false},
		"other manual download":  {"manual_interaction", func(m map[string]any) { m["downloadId"] = "x" }, false},
		"manual after a restart": {"manual_interaction", func(m map[string]any) { m["customFormatInfo"] = nil }, true},
	}
	for name, tt := range tests {
		before, err := decode(sample(t, tt.sample), nil)
		require.NoError(t, err, name)
		after, err := decode(edit(t, tt.sample, tt.change), nil)
		require.NoError(t, err, name)
		require.Regexp(t, "^[0-9a-f]{32}$", before.Fingerprint, name)
		require.Equal(t, tt.same, before.Fingerprint == after.Fingerprint, name)
	}
}

func TestCorrelationKey(t *testing.T) {
	t.Parallel()
	const download = "download:3F1C0B8A9D4E5F6071829304A5B6C7D8E9F00112"
	for name, want := range map[string]string{
		"grab":                        download,
		"import":                      download,
		"upgrade":                     download,
		"manual_interaction_no_movie": download,
		"grab_blackhole":              "",
		"import_manual":               "movie:42:file:103",
		"rename":                      "movie:12:file:101",
		"rename_several":              "movie:12",
		"file_delete_missing":         "movie:12:file:101",
		"movie_added":                 "movie:12",
		"movie_delete":                "movie:12",
		"health":                      "health:IndexerStatusCheck",
		"health_restored":             "health:IndexerStatusCheck",
		"application_update":          "",
		"test":                        "",
		"unknown_event":               "",
	} {
		e, err := decode(sample(t, name), nil)
		require.NoError(t, err)
		require.Equal(t, want, e.CorrelationKey, name)
	}
}

// TestCollectedPayloads decodes real bodies, which are no part of the repository.
func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("HOOKARR_PAYLOADS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "payloads")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("set HOOKARR_PAYLOADS to a directory with files like radarr__Grab__01.json")
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		name := filepath.Base(file)
		app, _, _ := strings.Cut(name, "__")
		app, _, _ = strings.Cut(app, "-")
		e, err := decode(body, agent(app+"/4.0.0.1 (debian 12)"))
		if app != "radarr" {
			_, ok := sdk.AsInvalid(err)
			require.True(t, ok, name)
			continue
		}
		require.NoError(t, err, name)
		require.NotEqual(t, sdk.TypeUnknown, e.Type, name)
		require.NotEmpty(t, e.Title, name)
		require.NotEmpty(t, e.Summary, name)
		_, _ = w.Write([]byte(name + "\t" + string(e.Type) + "\t" + e.Summary + "\n"))
	}
	require.NoError(t, w.Flush())
	t.Log("\n" + table.String())
}
