package sonarr

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const agent = "Sonarr/4.0.19.2979 (alpine 3.22.1)"

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const page = "https://sonarr.example/tv/series/severance"
	is := arrtest.Table(t, decoder{}, agent)
	is("test", "Test", sdk.TypeTest, "Sonarr HD", "Sonarr HD tested its connection to Hookarr", "https://sonarr.example/tv")
	is("grab", "Grab", sdk.TypeReleaseGrabbed, "Severance S02E03 - Who Is Alive?", "Grabbed Severance S02E03 - Who Is Alive? from Example Usenet (3.0 GiB, WEBDL-1080p)", page)
	is("grab_season", "Grab", sdk.TypeReleaseGrabbed, "Severance S02E01-E10 (10 episodes)", "Grabbed Severance S02E01-E10 (10 episodes) from Example Usenet (30 GiB, WEBDL-1080p)", page)
	is("grab_blackhole", "Grab", sdk.TypeReleaseGrabbed, "Severance S02E01-E02, E05", "Grabbed Severance S02E01-E02, E05 (HDTV-720p)", page)
	is("grab_daily", "Grab", sdk.TypeReleaseGrabbed, "The Evening Desk 2026-03-04, 2026-03-05", "Grabbed The Evening Desk 2026-03-04, 2026-03-05 from Example Usenet (1.5 GiB, WEBRip-720p)", "")
	is("import", "Download", sdk.TypeMediaImported, "Severance S02E03 - Who Is Alive?", "Imported Severance S02E03 - Who Is Alive? in WEBDL-1080p", page)
	is("import_several_episodes", "Download", sdk.TypeMediaImported, "Severance S02E01-E03", "Imported Severance S02E01-E03 in WEBDL-1080p", page)
	is("import_anime", "Download", sdk.TypeMediaImported, "Frieren: Beyond Journey's End S01E12 (12) - A Real Hero", "Imported Frieren: Beyond Journey's End S01E12 (12) - A Real Hero in Bluray-1080p", "")
	is("import_daily", "Download", sdk.TypeMediaImported, "The Evening Desk 2026-03-04 - A Guest", "Imported The Evening Desk 2026-03-04 - A Guest in WEBRip-720p", "")
	is("import_episode_zero", "Download", sdk.TypeMediaImported, "Northern Lines S01E00 - Unaired Pilot", "Imported Northern Lines S01E00 - Unaired Pilot in WEBRip-720p", "")
	is("import_specials", "Download", sdk.TypeMediaImported, "Northern Lines S00E00-E01", "Imported Northern Lines S00E00-E01 in WEBRip-720p", "")
	is("import_v3", "Download", sdk.TypeMediaImported, "Harbour Lights S17E09", "Imported Harbour Lights S17E09 in HDTV-720p", "")
	is("upgrade", "Download", sdk.TypeMediaUpgraded, "Severance S02E03 - Who Is Alive?", "Upgraded Severance S02E03 - Who Is Alive? from HDTV-720p to WEBDL-1080p", page)
	is("upgrade_to_several", "Download", sdk.TypeMediaUpgraded, "Severance S02E01-E02", "Upgraded Severance S02E01-E02 from HDTV-720p, WEBDL-720p to Bluray-1080p", page)
	is("import_complete", "Download", sdk.TypeImportCompleted, "Severance S02E03 - Who Is Alive?", "Finished importing Severance S02E03 - Who Is Alive? in WEBDL-1080p", page)
	is("import_complete_season", "Download", sdk.TypeImportCompleted, "Severance S02E01-E10 (10 episodes)", "Finished importing Severance S02E01-E10 (10 episodes) in WEBDL-1080p", page)
	is("import_complete_manual", "Download", sdk.TypeImportCompleted, "Severance S02 (4 episodes)", "Finished importing Severance S02 (4 episodes) in WEBDL-1080p", page)
	is("rename", "Rename", sdk.TypeFileRenamed, "Severance (2022)", "Renamed a file of Severance (2022) to Severance - S02E03 [WEBDL-1080p].mkv", page)
	is("rename_several", "Rename", sdk.TypeFileRenamed, "Severance (2022)", "Renamed 3 files of Severance (2022)", page)
	is("rename_bare", "Rename", sdk.TypeFileRenamed, "Harbour Lights", "Renamed files of Harbour Lights", "")
	is("series_add", "SeriesAdd", sdk.TypeMediaAdded, "Severance (2022)", "Added Severance (2022)", page)
	is("series_add_year_in_title", "SeriesAdd", sdk.TypeMediaAdded, "The Evening Desk (1999)", "Added The Evening Desk (1999)", "")
	is("series_delete", "SeriesDelete", sdk.TypeMediaDeleted, "Severance (2022)", "Deleted Severance (2022) and its files", "")
	is("series_delete_library_only", "SeriesDelete", sdk.TypeMediaDeleted, "Frieren: Beyond Journey's End (2023)", "Deleted Frieren: Beyond Journey's End (2023) and kept its files", "")
	is("file_delete_missing", "EpisodeFileDelete", sdk.TypeFileDeleted, "Severance S02E03 - Who Is Alive?", "Deleted the file of Severance S02E03 - Who Is Alive? (missing from disk)", page)
	is("file_delete_upgrade", "EpisodeFileDelete", sdk.TypeFileDeletedForUpgrade, "Severance S02E03 - Who Is Alive?", "Deleted the old file of Severance S02E03 - Who Is Alive? for an upgrade (HDTV-720p)", page)
	is("file_delete_v3", "EpisodeFileDelete", sdk.TypeFileDeletedForUpgrade, "Harbour Lights S04E10 - Buried", "Deleted the old file of Harbour Lights S04E10 - Buried for an upgrade (SDTV)", "")
	is("health", "Health", sdk.TypeHealthIssue, "Indexer long term status check", "Warning: Indexers unavailable due to failures for more than 6 hours: Example Usenet (Prowlarr)", "")
	is("health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer long term status check", "Resolved: Indexers unavailable due to failures for more than 6 hours: Example Usenet (Prowlarr)", "")
	is("application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Sonarr 4.0.19.2979", "Updated Sonarr from 4.0.16.2944 to 4.0.19.2979", "")
	is("manual_interaction", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "Severance S02E05 - Trojan's Horse", "The import of Severance S02E05 - Trojan's Horse needs a person: One or more episodes expected in this release were not imported or missing from the release", "")
	is("manual_interaction_no_series", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, "some.strange.name", "The import of some.strange.name needs a person", "https://sonarr.example/tv/activity/queue")
	is("unknown_event", "EpisodeWatched", sdk.TypeUnknown, "Severance S02E03 - Who Is Alive?", "Sonarr reported EpisodeWatched for Severance S02E03 - Who Is Alive?, which Hookarr does not know", page)
	is("unknown_event_no_series", "SomethingNew", sdk.TypeUnknown, "Sonarr: something new", "Sonarr reported SomethingNew, which Hookarr does not know", "https://sonarr.example/tv")
}

func TestImportPair(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sample string
		pair   string
		skip   string
	}{
		{"import", "both", ""},
		{"import_complete", "both", ""},
		{"import", "files", ""},
		{"upgrade", "files", ""},
		{"import_complete", "files", "the download is complete, and import_pair is files"},
		{"import", "complete", "one file was imported, and import_pair is complete"},
		{"upgrade", "complete", "one file was imported, and import_pair is complete"},
		{"import_complete_season", "complete", ""},
		{"grab", "complete", ""},
		{"test", "files", ""},
	} {
		s, err := newSource(t.Context(), sdk.Env{}, config{ImportPair: importPair(tt.pair)})
		require.NoError(t, err)
		_, err = arrtest.Decode(s, arrtest.Sample(t, tt.sample), nil)
		reason, skipped := sdk.SkipReason(err)
		require.Equal(t, tt.skip, reason, "%s with %s", tt.sample, tt.pair)
		require.Equal(t, tt.skip != "", skipped)
		if !skipped {
			require.NoError(t, err)
		}
	}
}

func TestSkipsNoPayloadOfAnother(t *testing.T) {
	t.Parallel()
	_, err := arrtest.Decode(decoder{importPair: pairComplete}, arrtest.Sample(t, "import"), arrtest.Agent("Whisparr/2.0.0.987"))
	require.EqualError(t, err, "this looks like Whisparr: point it at a source with plugin whisparr")
}

func TestApplicationURL(t *testing.T) {
	t.Parallel()
	d, err := newSource(t.Context(), sdk.Env{}, config{Config: api.Config{Config: arr.Config{ApplicationURL: "http://nas:8989/tv/"}}})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"health":             "http://nas:8989/tv/system/status",
		"application_update": "http://nas:8989/tv/system/updates",
		"import_anime":       "http://nas:8989/tv/series/frieren-beyond-journeys-end",
		"manual_interaction": "http://nas:8989/tv/activity/queue",
		"import":             "https://sonarr.example/tv/series/severance",
		"import_v3":          "",
		"series_delete":      "",
	} {
		require.Equal(t, want, arrtest.Event(t, d, name).URL, name)
	}
	require.ErrorContains(t, config{Config: api.Config{Config: arr.Config{ApplicationURL: "nas"}}}.Validate(), "application_url")
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"import_v3":    "/media/TV Shows/Harbour Lights/Season 17/Harbour Lights - S17E09.mkv",
		"import_anime": `D:\Anime\Frieren - Beyond Journey's End\Season 01\Frieren - S01E12 - 012.mkv`,
	} {
		require.Equal(t, want, arrtest.Event(t, decoder{}, name).Files[0].Path, name)
	}
}

// Zero is a number, and a season: what has none has no member.
func TestEpisodeZeroHasItsNumber(t *testing.T) {
	t.Parallel()
	episodes := func(sample string) string {
		data, err := json.Marshal(arrtest.Event(t, decoder{}, sample).Episodes)
		require.NoError(t, err)
		return string(data)
	}
	require.JSONEq(t, `[{"id":"6400","season":1,"number":0,"code":"S01E00","title":"Unaired Pilot","air_date":"2020-01-05"}]`,
		episodes("import_episode_zero"))
	require.JSONEq(t, `[{"id":"6401","season":0,"number":0,"code":"S00E00","title":"A Special","air_date":"2020-01-05"},
		{"id":"6402","season":0,"number":1,"code":"S00E01","title":"Another","air_date":"2020-01-05"}]`, episodes("import_specials"))
}

func TestOldShapes(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "file_delete_v3")
	require.Equal(t, "SDTV", e.DeletedFiles[0].Quality)
	require.Equal(t, []string{"English"}, e.DeletedFiles[0].Languages)
	require.Equal(t, "upgrade", e.DeleteReason)
}

func TestOddTypes(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "odd_types")
	require.Equal(t, sdk.TypeMediaUpgraded, e.Type)
	require.Equal(t, "Severance", e.Media.Title, "the folder stands in")
	require.Equal(t, map[string]string{"tvdb": "371980", "anilist": "154587"}, e.Media.IDs)
	require.Equal(t, 2022, e.Media.Year)
	require.Equal(t, []string{"Drama", "Mystery"}, e.Media.Genres)
	require.Equal(t, sdk.Episode{ID: "903", Season: 2, Number: new(3), Code: "S02E03"}, e.Episodes[0])
	require.Equal(t, "WEBDL-1080p", e.Files[0].Quality)
	require.Equal(t, int64(3221225475), e.Files[0].SizeBytes)
	require.Nil(t, e.Release)
	require.Nil(t, e.Download)
}

func TestCollectedPayloads(t *testing.T) {
	t.Parallel()
	arrtest.Collected(t, decoder{}, "sonarr")
}

func TestEveryTruncation(t *testing.T) {
	t.Parallel()
	arrtest.EveryTruncation(t, decoder{}, "upgrade")
}

func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the process's allocations
	arrtest.Memory(t, decoder{}, map[string][]byte{
		"episodes": arrtest.Fill(`{"eventType":"Download","series":{"title":"x"},"episodes":[`, `{},`, `]}`),
		"files":    arrtest.Fill(`{"eventType":"Download","episodeFiles":[`, `{},`, `]}`),
		"renames":  arrtest.Fill(`{"eventType":"Rename","renamedEpisodeFiles":[`, `{},`, `]}`),
		"ids":      arrtest.Fill(`{"eventType":"Grab","series":{"malIds":[`, `1,`, `]}}`),
		"objects":  arrtest.Fill(`{"eventType":"Grab"`, `,"series":{}`, `}`),
	})
}
