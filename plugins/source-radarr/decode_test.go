package radarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Radarr/6.0.4.10291 (alpine 3.22.1)"

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	is := arrtest.Table(t, decoder{}, agent)
	is("test", "Test", sdk.TypeTest, "Radarr 4K", "Radarr 4K tested its connection to Hookarr", "https://radarr.example/")
	is("test_bare", "Test", sdk.TypeTest, "Radarr", "Radarr tested its connection to Hookarr", "")
	is("grab", "Grab", sdk.TypeReleaseGrabbed, "Dune: Part Two (2024)", "Grabbed Dune: Part Two (2024) from Example Tracker (24 GiB, Bluray-2160p)", "https://radarr.example/movie/693134")
	is("grab_blackhole", "Grab", sdk.TypeReleaseGrabbed, "Dune: Part Two (2024)", "Grabbed Dune: Part Two (2024) (WEBDL-1080p)", "https://radarr.example/movie/693134")
	is("import", "Download", sdk.TypeMediaImported, "Dune: Part Two (2024)", "Imported Dune: Part Two (2024) in Bluray-2160p", "https://radarr.example/movie/693134")
	is("import_manual", "Download", sdk.TypeMediaImported, "Amélie – Le fabuleux destin (2001)", "Imported Amélie – Le fabuleux destin (2001)", "")
	is("import_2021", "Download", sdk.TypeMediaImported, "Night Train (2020)", "Imported Night Train (2020) in WEBRip-1080p", "")
	is("upgrade", "Download", sdk.TypeMediaUpgraded, "Dune: Part Two (2024)", "Upgraded Dune: Part Two (2024) from WEBDL-1080p to Bluray-2160p", "https://radarr.example/movie/693134")
	is("upgrade_windows", "Download", sdk.TypeMediaUpgraded, "Dune: Part Two (2024)", "Upgraded Dune: Part Two (2024) in WEBDL-1080p", "https://radarr.example/movie/693134")
	is("rename", "Rename", sdk.TypeFileRenamed, "Dune: Part Two (2024)", "Renamed the file of Dune: Part Two (2024) to Dune - Part Two (2024) [Bluray-2160p].mkv", "https://radarr.example/movie/693134")
	is("rename_several", "Rename", sdk.TypeFileRenamed, "Dune: Part Two (2024)", "Renamed 2 files of Dune: Part Two (2024)", "https://radarr.example/movie/693134")
	is("rename_bare", "Rename", sdk.TypeFileRenamed, "Night Train (2020)", "Renamed files of Night Train (2020)", "")
	is("movie_added", "MovieAdded", sdk.TypeMediaAdded, "Dune: Part Two (2024)", "Added Dune: Part Two (2024) from a collection", "https://radarr.example/movie/693134")
	is("movie_added_unmatched", "MovieAdded", sdk.TypeMediaAdded, "Unmatched Movie", "Added Unmatched Movie from a list", "")
	is("movie_delete", "MovieDelete", sdk.TypeMediaDeleted, "Dune: Part Two (2024)", "Deleted Dune: Part Two (2024) and its files (24 GiB)", "")
	is("movie_delete_library_only", "MovieDelete", sdk.TypeMediaDeleted, "Amélie – Le fabuleux destin (2001)", "Deleted Amélie – Le fabuleux destin (2001) and kept its files", "")
	is("movie_delete_bare", "MovieDelete", sdk.TypeMediaDeleted, "Night Train (2020)", "Deleted Night Train (2020)", "")
	is("file_delete_missing", "MovieFileDelete", sdk.TypeFileDeleted, "Dune: Part Two (2024)", "Deleted the file of Dune: Part Two (2024) (missing from disk)", "https://radarr.example/movie/693134")
	is("file_delete_override", "MovieFileDelete", sdk.TypeFileDeleted, "Amélie – Le fabuleux destin (2001)", "Deleted the file of Amélie – Le fabuleux destin (2001) (manual override)", "")
	is("file_delete_upgrade", "MovieFileDelete", sdk.TypeFileDeletedForUpgrade, "Amélie – Le fabuleux destin (2001)", "Deleted the old file of Amélie – Le fabuleux destin (2001) for an upgrade (Bluray-1080p)", "")
	is("health", "Health", sdk.TypeHealthIssue, "Indexer status check", "Warning: Indexers unavailable due to failures: Example Tracker (Prowlarr)", "https://radarr.example/system/status")
	is("health_error", "Health", sdk.TypeHealthIssue, "Root folder check", "Error: Missing root folder: /movies", "")
	is("health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer status check", "Resolved: Indexers unavailable due to failures: Example Tracker (Prowlarr)", "")
	is("application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Radarr 6.0.4.10291", "Updated Radarr from 6.0.3.10276 to 6.0.4.10291", "https://radarr.example/system/updates")
	is("manual_interaction", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "Amélie – Le fabuleux destin (2001)", "The import of Amélie – Le fabuleux destin (2001) needs a person: Movie title mismatch, automatic import is not possible. Manual Import required.", "")
	is("manual_interaction_no_movie", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "some.strange.name", "The import of some.strange.name needs a person: disc1/movie.iso: Found potentially dangerous file", "https://radarr.example/activity/queue")
	is("unknown_event", "MovieMonitored", sdk.TypeUnknown, "Dune: Part Two (2024)", "Radarr reported MovieMonitored for Dune: Part Two (2024), which Hookarr does not know", "https://radarr.example/movie/693134")
	is("unknown_event_no_movie", "SomethingNew", sdk.TypeUnknown, "Radarr: something new", "Radarr reported SomethingNew, which Hookarr does not know", "https://radarr.example/")
}

func TestTestHasNoMedia(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "test")
	require.Nil(t, e.Media, "the ids of a test belong to a real movie")
	require.Empty(t, e.Fingerprint, "a test is never a repetition")
}

func TestEventTypeInAnyCase(t *testing.T) {
	t.Parallel()
	for _, native := range []string{"moviefiledelete", "MOVIEFILEDELETE", "movieFileDelete"} {
		e := arrtest.Decoded(t, decoder{}, arrtest.Edit(t, "file_delete_missing", arrtest.Set("eventType", native)))
		require.Equal(t, sdk.TypeFileDeleted, e.Type)
		require.Equal(t, native, e.NativeType)
	}
}

func TestOddTypes(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "odd_types")
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
	e := arrtest.Event(t, decoder{}, "upgrade_windows")
	require.Equal(t, `D:\Movies\Dune - Part Two (2024)\Dune - Part Two (2024) [Bluray-2160p].mkv`, e.Files[0].Path)

	e = arrtest.Event(t, decoder{}, "import_2021")
	require.Equal(t, "/media/Movies/Night Train (2020)/Night Train (2020) WEBRip-1080p.mkv", e.Files[0].Path, "not the download's path")

	e = arrtest.Decoded(t, decoder{}, arrtest.Edit(t, "import", func(m map[string]any) { delete(arrtest.Object(m, "movieFile"), "relativePath") }))
	require.Equal(t, "/movies/Dune - Part Two (2024)/Dune - Part Two (2024) [Bluray-2160p].mkv", e.Files[0].Path)
}

func TestApplicationURL(t *testing.T) {
	t.Parallel()
	d, err := newSource(t.Context(), sdk.Env{}, api.Config{Config: arr.Config{ApplicationURL: "http://nas:7878/radarr"}})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"health_restored": "http://nas:7878/radarr/system/status",
		"import":          "https://radarr.example/movie/693134",
		"import_2021":     "http://nas:7878/radarr/movie/990001",
		"movie_delete":    "",
	} {
		require.Equal(t, want, arrtest.Event(t, d, name).URL, name)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, arr.Config{}.Validate())
	require.NoError(t, arr.Config{ApplicationURL: "http://nas:7878/radarr"}.Validate())
	for _, u := range []string{"nas:7878", "/radarr", "ftp://nas"} {
		require.ErrorContains(t, arr.Config{ApplicationURL: u}.Validate(), "application_url")
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"new time of the picture": arrtest.Same("import", func(m map[string]any) { delete(arrtest.Object(m, "movie"), "images") }),
		"other instance name":     arrtest.Same("import", arrtest.Set("instanceName", "Radarr")),
		"metadata arrived":        arrtest.Same("import", func(m map[string]any) { arrtest.Object(m, "movie")["overview"] = "" }),
		"second import":           arrtest.Other("import", func(m map[string]any) { arrtest.Object(m, "movieFile")["id"] = 102 }),
		"import is an upgrade":    arrtest.Same("import", arrtest.Set("isUpgrade", true)),
		"second grab":             arrtest.Other("grab", arrtest.Set("downloadId", "OTHER")),
		"grab of another movie":   arrtest.Other("grab", func(m map[string]any) { arrtest.Object(m, "movie")["id"] = 13 }),
		"second blackhole grab":   arrtest.Other("grab_blackhole", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"renamed back": arrtest.Other("rename", func(m map[string]any) {
			f := arrtest.First(m, "renamedMovieFiles")
			f["previousPath"], f["relativePath"] = f["path"], "dune2.mkv"
		}),
		"order of renames":       arrtest.Same("rename_several", arrtest.Swap("renamedMovieFiles")),
		"other movie added":      arrtest.Other("movie_added", func(m map[string]any) { arrtest.Object(m, "movie")["id"] = 13 }),
		"other movie deleted":    arrtest.Other("movie_delete", func(m map[string]any) { arrtest.Object(m, "movie")["id"] = 13 }),
		"deleted is not added":   arrtest.Other("movie_delete", arrtest.Set("eventType", "MovieAdded")),
		"other file deleted":     arrtest.Other("file_delete_missing", func(m map[string]any) { arrtest.Object(m, "movieFile")["relativePath"] = "other.mkv" }),
		"deleted without size":   arrtest.Same("file_delete_missing", func(m map[string]any) { delete(arrtest.Object(m, "movieFile"), "size") }),
		"deleted for a reason":   arrtest.Other("file_delete_missing", arrtest.Set("deleteReason", "manual")),
		"other health level":     arrtest.Other("health", arrtest.Set("level", "error")),
		"other health message":   arrtest.Other("health", arrtest.Set("message", "x")),
		"other health check":     arrtest.Other("health", arrtest.Set("type", "x")),
		"restored is no issue":   arrtest.Other("health", arrtest.Set("eventType", "HealthRestored")),
		"issue sent again":       arrtest.Same("health", arrtest.Set("wikiUrl", "https://x")),
		"next update":            arrtest.Other("application_update", arrtest.Set("newVersion", "7")),
		"update in other words":  arrtest.Same("application_update", arrtest.Set("message", "x")),
		"other manual message":   arrtest.Other("manual_interaction", arrtest.Set("downloadStatusMessages", []any{})),
		"other manual download":  arrtest.Other("manual_interaction", arrtest.Set("downloadId", "x")),
		"manual after a restart": arrtest.Same("manual_interaction", arrtest.Set("customFormatInfo", nil)),
	})
}

// Summaries of what is seldom sent, or was by old versions.
func TestSummariesOfUnusualBodies(t *testing.T) {
	t.Parallel()
	e := arrtest.Decoded(t, decoder{}, arrtest.Edit(t, "rename", func(m map[string]any) {
		f := arrtest.First(m, "renamedMovieFiles")
		f["relativePath"], f["previousPath"] = "2024/dune.mkv", "/movies/Dune - Part Two (2024)/old/dune.mkv"
	}))
	require.Equal(t, "Moved the file of Dune: Part Two (2024) to 2024/dune.mkv", e.Summary)
	e = arrtest.Decoded(t, decoder{}, arrtest.Edit(t, "manual_interaction", func(m map[string]any) {
		m["downloadStatusMessages"] = []any{map[string]any{"title": " "}, map[string]any{"title": "x", "messages": []any{"", "No files found"}}}
	}))
	require.Equal(t, []string{"x: No files found"}, e.Download.Messages)
	e = arrtest.Decoded(t, decoder{}, arrtest.Edit(t, "import", func(m map[string]any) {
		delete(arrtest.Object(m, "release"), "indexerFlags")
		arrtest.Object(m, "movieFile")["indexerFlags"] = "G_Freeleech, G_Internal"
	}))
	require.Equal(t, []string{"G_Freeleech", "G_Internal"}, e.Release.Flags)
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
		require.Equal(t, want, arrtest.Event(t, decoder{}, name).CorrelationKey, name)
	}
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "radarr")
}

func TestRowNumbersAloneTellNothing(t *testing.T) {
	t.Parallel()
	arrtest.Identity(t, decoder{})
}
