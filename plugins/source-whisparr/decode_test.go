package whisparr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Whisparr/3.2.0.600 (alpine 3.22.1)"

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const (
		site  = "https://whisparr.example/site/example-site"
		scene = "https://whisparr.example/movie/11111111-2222-3333-4444-555555555555"
		v2    = "Example Site 2026-05-11 - Scene 1"
		v3    = "An Example Scene (2026)"
	)
	is := arrtest.Table(t, decoder{}, agent)
	is("v2_test", "Test", sdk.TypeTest, "Whisparr", "Whisparr tested its connection to Hookarr", "https://whisparr.example")
	is("v2_grab", "Grab", sdk.TypeReleaseGrabbed, v2, "Grabbed "+v2+" from Example Tracker (2.0 GiB, WEBDL-1080p)", site)
	is("v2_grab_several", "Grab", sdk.TypeReleaseGrabbed, "Example Site 2026-05-11 to 2026-05-15 (5 scenes)", "Grabbed Example Site 2026-05-11 to 2026-05-15 (5 scenes) from Example Tracker (2.0 GiB, WEBDL-1080p)", site)
	is("v2_grab_undated", "Grab", sdk.TypeReleaseGrabbed, "Example Site (2 scenes)", "Grabbed Example Site (2 scenes) from Example Tracker (2.0 GiB, WEBDL-1080p)", site)
	is("v2_import", "Download", sdk.TypeMediaImported, v2, "Imported "+v2+" in WEBDL-1080p", site)
	is("v2_upgrade", "Download", sdk.TypeMediaUpgraded, v2, "Upgraded "+v2+" from WEBDL-1080p to WEBDL-2160p", site)
	is("v2_rename", "Rename", sdk.TypeFileRenamed, "Example Site", "Renamed a file of Example Site to Scene 1 [WEBDL-1080p].mp4", site)
	is("v2_series_add", "SeriesAdd", sdk.TypeMediaAdded, "Example Site", "Added Example Site", site)
	is("v2_series_delete", "SeriesDelete", sdk.TypeMediaDeleted, "Example Site", "Deleted Example Site and its files", "")
	is("v2_file_delete", "EpisodeFileDelete", sdk.TypeFileDeleted, v2, "Deleted the file of "+v2+" (manual)", site)
	is("v2_file_delete_upgrade", "EpisodeFileDelete", sdk.TypeFileDeletedForUpgrade, v2, "Deleted the old file of "+v2+" for an upgrade (WEBDL-1080p)", site)
	is("v2_manual_interaction", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "Example Site 2026-05-12 - Scene 2", "The import of Example Site 2026-05-12 - Scene 2 needs a person", "https://whisparr.example/activity/queue")
	is("v2_unknown_event", "SceneWatched", sdk.TypeUnknown, v2, "Whisparr reported SceneWatched for "+v2+", which Hookarr does not know", site)
	is("v3_test", "Test", sdk.TypeTest, "Whisparr Eros", "Whisparr Eros tested its connection to Hookarr", "https://whisparr.example")
	is("v3_grab", "Grab", sdk.TypeReleaseGrabbed, v3, "Grabbed "+v3+" from Example Tracker (2.0 GiB, WEBDL-1080p)", scene)
	is("v3_grab_movie", "Grab", sdk.TypeReleaseGrabbed, "An Example Film (2025)", "Grabbed An Example Film (2025) from Example Tracker (2.0 GiB, WEBDL-1080p)", "https://whisparr.example/movie/990043")
	is("v3_import", "Download", sdk.TypeMediaImported, v3, "Imported "+v3+" in WEBDL-1080p", scene)
	is("v3_import_scan", "Download", sdk.TypeMediaImported, v3, "Imported "+v3+" in WEBDL-1080p", scene)
	is("v3_upgrade", "Download", sdk.TypeMediaUpgraded, v3, "Upgraded "+v3+" from WEBDL-1080p to WEBDL-2160p", scene)
	is("v3_rename", "Rename", sdk.TypeFileRenamed, v3, "Renamed the file of "+v3+" to An Example Scene [WEBDL-1080p].mp4", scene)
	is("v3_movie_added", "MovieAdded", sdk.TypeMediaAdded, v3, "Added "+v3+" from a performer", scene)
	is("v3_movie_delete", "MovieDelete", sdk.TypeMediaDeleted, v3, "Deleted "+v3+" and its files (2.0 GiB)", "")
	is("v3_file_delete", "MovieFileDelete", sdk.TypeFileDeleted, v3, "Deleted the file of "+v3+" (missing from disk)", scene)
	is("v3_file_delete_upgrade", "MovieFileDelete", sdk.TypeFileDeletedForUpgrade, v3, "Deleted the old file of "+v3+" for an upgrade (WEBDL-1080p)", scene)
	is("v3_manual_interaction", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, v3, "The import of "+v3+" needs a person: Not a Custom Format upgrade", "")
	is("v3_unknown_event", "PerformerAdded", sdk.TypeUnknown, v3, "Whisparr reported PerformerAdded for "+v3+", which Hookarr does not know", scene)
	is("manual_interaction_untitled", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "Unknown title", "The import of Unknown title needs a person", "https://whisparr.example/activity/queue")
	is("v2_health", "Health", sdk.TypeHealthIssue, "Download client status check", "Error: All download clients are unavailable due to failures", "")
	is("v2_health_restored", "HealthRestored", sdk.TypeHealthRestored, "Download client status check", "Resolved: All download clients are unavailable due to failures", "")
	is("v2_application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Whisparr 2.0.0.380", "Updated Whisparr from 2.0.0.350 to 2.0.0.380", "")
	is("v3_health", "Health", sdk.TypeHealthIssue, "Indexer rss check", "Warning: No indexers available with RSS sync enabled", "https://whisparr.example/system/status")
	is("v3_health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer rss check", "Resolved: No indexers available with RSS sync enabled", "")
	is("v3_application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Whisparr 3.2.0.600", "Updated Whisparr from 3.1.0.500 to 3.2.0.600", "https://whisparr.example/system/updates")
}

func TestMedia(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		kind string
		ids  map[string]string
	}{
		"v2_grab":       {"series", map[string]string{"tpdb": "3417"}},
		"v3_grab":       {"scene", map[string]string{"stash": "11111111-2222-3333-4444-555555555555"}},
		"v3_grab_movie": {"movie", map[string]string{"tmdb": "990043", "imdb": "tt9900043"}},
	} {
		e := arrtest.Event(t, decoder{}, name)
		require.Equal(t, want.kind, e.Media.Kind, name)
		require.Equal(t, want.ids, e.Media.IDs, name)
	}
	e := arrtest.Event(t, decoder{}, "v3_grab")
	require.Equal(t, "https://image.example/scene.jpg", e.Media.Poster, "a scene has a screenshot")
}

func TestVersion2ImportsToTheLibrary(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "v2_import")
	require.Equal(t, "/data/sites/Example Site/2026/Scene 1 [WEBDL-1080p].mp4", e.Files[0].Path, "not the download's path")
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"second import of 2":     arrtest.Other("v2_import", func(m map[string]any) { arrtest.Object(m, "episodeFile")["id"] = 1 }),
		"second import of 3":     arrtest.Other("v3_import", func(m map[string]any) { arrtest.Object(m, "movieFile")["id"] = 1 }),
		"rescan":                 arrtest.Same("v3_import", func(m map[string]any) { delete(m, "downloadId") }),
		"picture of 3":           arrtest.Same("v3_grab", func(m map[string]any) { delete(arrtest.Object(m, "movie"), "images") }),
		"grab of another scene":  arrtest.Other("v2_grab", func(m map[string]any) { arrtest.First(m, "episodes")["id"] = 1 }),
		"deleted for a reason":   arrtest.Other("v3_file_delete", arrtest.Set("deleteReason", "upgrade")),
		"other site":             arrtest.Other("v2_series_add", func(m map[string]any) { arrtest.Object(m, "series")["id"] = 1 }),
		"manual after a restart": arrtest.Same("v3_manual_interaction", arrtest.Set("customFormatInfo", nil)),
	})
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	refused := arrtest.Refusals(t, decoder{})
	refused(`[]`, "", "the body is JSON but not an object", false)
	refused(`{"movie":{}}`, "", "the body has no eventType: it is not a webhook of Whisparr", false)
	refused(`{"eventType":"Grab","movie":{}}`, "Radarr/6.0", "this looks like Radarr: point it at a source with plugin radarr", false)
	refused(`{"eventType":"Grab","movie":{},"instanceName":"Radarr 4K"}`, "", "this looks like Radarr: point it at a source with plugin radarr", false)
	refused(`{"eventType":"Test","series":{}}`, "Sonarr/4.0", "this looks like Sonarr: point it at a source with plugin sonarr", true)
	refused(`{"eventType":"ArtistAdd","artist":{}}`, "", "this looks like Lidarr: point it at a source with plugin lidarr", false)
}

func TestOddTypes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"v2_odd_types", "v3_odd_types"} {
		e := arrtest.Event(t, decoder{}, name)
		require.Equal(t, sdk.TypeMediaImported, e.Type)
		require.True(t, strings.HasPrefix(e.Summary, "Imported Odd"), e.Summary)
	}
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "whisparr")
}

func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	arrtest.EveryTruncation(t, decoder{}, "v3_upgrade")
}

func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the process's allocations
	arrtest.Memory(t, decoder{}, map[string][]byte{
		"scenes":  arrtest.Fill(`{"eventType":"Download","series":{"title":"x"},"episodes":[`, `{},`, `]}`),
		"files":   arrtest.Fill(`{"eventType":"Download","movie":{},"deletedFiles":[`, `{},`, `]}`),
		"renames": arrtest.Fill(`{"eventType":"Rename","movie":{},"renamedMovieFiles":[`, `{},`, `]}`),
		"images":  arrtest.Fill(`{"eventType":"Grab","movie":{"images":[`, `0,`, `]}}`),
	})
}

func TestRowNumbersAloneTellNothing(t *testing.T) {
	t.Parallel()
	arrtest.Identity(t, decoder{})
}
