package lidarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const (
	agent      = "Lidarr/2.14.5.4836 (alpine 3.22.1)"
	app        = "https://lidarr.example/"
	artistPage = app + "artist/69158f97-4c07-4c4e-baf8-4e4ab1ed666e"
	albumPage  = app + "album/5a03ef2f-5d2c-3b7c-9e2e-6d6ff4c8d3a1"
)

func TestDecodeEveryEvent(t *testing.T) {
	t.Parallel()
	const geogaddi = "Boards of Canada - Geogaddi"
	is := arrtest.Table(t, decoder{}, agent)
	is("test", "Test", sdk.TypeTest, "Lidarr Hi-Fi", "Lidarr Hi-Fi tested its connection to Hookarr", app)
	is("test_bare", "Test", sdk.TypeTest, "Lidarr", "Lidarr tested its connection to Hookarr", "")
	is("grab", "Grab", sdk.TypeReleaseGrabbed, geogaddi, "Grabbed Boards of Canada - Geogaddi from Example Tracker (400 MiB, FLAC)", albumPage)
	is("grab_discography", "Grab", sdk.TypeReleaseGrabbed, "Boards of Canada - Music Has the Right to Children and 2 more", "Grabbed Boards of Canada - Music Has the Right to Children and 2 more from Example Tracker (1.4 GiB, FLAC)", artistPage)
	is("grab_2021", "Grab", sdk.TypeReleaseGrabbed, "Reggae Band - Signing Off", "Grabbed Reggae Band - Signing Off from Example Tracker (92 MiB, MP3-320)", "")
	is("import", "Download", sdk.TypeMediaImported, geogaddi, "Imported Boards of Canada - Geogaddi (3 tracks) in FLAC", albumPage)
	is("import_single_file", "Download", sdk.TypeMediaImported, "Boards of Canada - Music Has the Right to Children", "Imported Boards of Canada - Music Has the Right to Children (2 tracks) in FLAC", "")
	is("import_2021", "Download", sdk.TypeMediaImported, "Reggae Band", "Imported Reggae Band (1 track) in MP3-320", "")
	is("import_no_metadata", "Download", sdk.TypeMediaImported, "Signing Off (1980)", "Imported Signing Off (1980) (1 track)", "")
	is("upgrade", "Download", sdk.TypeMediaUpgraded, geogaddi, "Upgraded Boards of Canada - Geogaddi (3 tracks) from MP3-320 to FLAC", albumPage)
	is("upgrade_windows", "Download", sdk.TypeMediaUpgraded, geogaddi, "Upgraded Boards of Canada - Geogaddi (1 track) in FLAC", "")
	is("download_failure", "DownloadFailure", sdk.TypeDownloadFailed, "Boards_of_Canada-Geogaddi-CD-FLAC-2002-GROUP", "The download of Boards_of_Canada-Geogaddi-CD-FLAC-2002-GROUP failed (qBittorrent)", app+"activity/history")
	is("download_failure_bare", "DownloadFailure", sdk.TypeDownloadFailed, "A download", "A download failed", "")
	is("import_failure", "ImportFailure", sdk.TypeImportFailed, "A download", "Lidarr could not import all tracks of a download", app+"activity/queue")
	is("import_failure_full", "ImportFailure", sdk.TypeImportFailed, "Boards of Canada", "Lidarr could not import all tracks of Boards of Canada", app+"activity/queue")
	is("rename", "Rename", sdk.TypeFileRenamed, "Boards of Canada", "Renamed a file of Boards of Canada to 01 - Ready Lets Go.flac", artistPage)
	is("rename_several", "Rename", sdk.TypeFileRenamed, "Boards of Canada", "Renamed 3 files of Boards of Canada", artistPage)
	is("rename_bare", "Rename", sdk.TypeFileRenamed, "Reggae Band", "Renamed files of Reggae Band", "")
	is("retag", "Retag", sdk.TypeFileRetagged, "Boards of Canada", "Retagged 01 - Ready Lets Go.flac of Boards of Canada", artistPage)
	is("retag_bare", "Retag", sdk.TypeFileRetagged, "Reggae Band", "Retagged files of Reggae Band", "")
	is("artist_add", "ArtistAdd", sdk.TypeMediaAdded, "Boards of Canada", "Added Boards of Canada", artistPage)
	is("artist_add_no_metadata", "ArtistAdd", sdk.TypeMediaAdded, "Unknown artist", "Added Unknown artist", "")
	is("artist_delete", "ArtistDelete", sdk.TypeMediaDeleted, "Boards of Canada", "Deleted Boards of Canada and its files", "")
	is("artist_delete_kept", "ArtistDelete", sdk.TypeMediaDeleted, "Sigur Rós", "Deleted Sigur Rós and kept its files", "")
	is("album_delete", "AlbumDelete", sdk.TypeMediaDeleted, geogaddi, "Deleted Boards of Canada - Geogaddi and kept its files", artistPage)
	is("album_delete_bare", "AlbumDelete", sdk.TypeMediaDeleted, "Reggae Band", "Deleted an album of Reggae Band and kept its files", "")
	is("album_delete_files", "AlbumDelete", sdk.TypeMediaDeleted, "Boards of Canada - Music Has the Right to Children", "Deleted Boards of Canada - Music Has the Right to Children and its files", artistPage)
	is("health", "Health", sdk.TypeHealthIssue, "Indexer status check", "Warning: Indexers unavailable due to failures: Example Tracker (Prowlarr)", app+"system/status")
	is("health_restored", "HealthRestored", sdk.TypeHealthRestored, "Indexer status check", "Resolved: Indexers unavailable due to failures: Example Tracker (Prowlarr)", "")
	is("application_update", "ApplicationUpdate", sdk.TypeAppUpdated, "Lidarr 2.14.5.4836", "Updated Lidarr from 2.14.4.4815 to 2.14.5.4836", app+"system/updates")
	is("manual_interaction", "ManualInteractionRequired", sdk.TypeManualInteractionRequired, geogaddi, "The import of Boards of Canada - Geogaddi needs a person", app+"activity/queue")
	is("unknown_event", "AlbumMonitored", sdk.TypeUnknown, geogaddi, "Lidarr reported AlbumMonitored for Boards of Canada - Geogaddi, which Hookarr does not know", albumPage)
	is("unknown_event_no_artist", "SomethingNew", sdk.TypeUnknown, "Lidarr: something new", "Lidarr reported SomethingNew, which Hookarr does not know", app)
}

func TestTestHasNoMedia(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "test")
	require.Nil(t, e.Media, "the ids of a test belong to a real artist")
	require.Empty(t, e.Albums)
	require.Empty(t, e.Fingerprint, "a test is never a repetition")
}

func TestPoster(t *testing.T) {
	t.Parallel()
	require.Equal(t, "https://images.example/boc/geogaddi.jpg", arrtest.Event(t, decoder{}, "import").Media.Poster, "the album's cover")
	require.Equal(t, "https://images.example/boc/poster.jpg", arrtest.Event(t, decoder{}, "grab_discography").Media.Poster)
	require.Equal(t, "https://images.example/boc/poster.jpg", arrtest.Event(t, decoder{}, "import_single_file").Media.Poster, "the album has none")
	require.Equal(t, "https://images.example/boc/fanart.jpg", arrtest.Event(t, decoder{}, "import").Media.Fanart)
}

func TestWhatTheArtistLacks(t *testing.T) {
	t.Parallel()
	body := arrtest.Edit(t, "import", func(m map[string]any) {
		delete(arrtest.Object(m, "artist"), "genres")
		delete(arrtest.Object(m, "artist"), "overview")
		arrtest.Object(m, "artist")["name"] = ""
	})
	e := arrtest.Decoded(t, decoder{}, body)
	require.Equal(t, []string{"IDM"}, e.Media.Genres)
	require.Equal(t, "Second studio album.", e.Media.Overview)
	require.Equal(t, "Boards of Canada", e.Media.Title, "its folder")
	require.Equal(t, "Boards of Canada - Geogaddi", e.Title)
}

func TestEventTypeInAnyCase(t *testing.T) {
	t.Parallel()
	for _, native := range []string{"albumdelete", "ALBUMDELETE", "albumDelete"} {
		e := arrtest.Decoded(t, decoder{}, arrtest.Edit(t, "album_delete", arrtest.Set("eventType", native)))
		require.Equal(t, sdk.TypeMediaDeleted, e.Type)
		require.Equal(t, native, e.NativeType)
	}
}

func TestOddTypes(t *testing.T) {
	t.Parallel()
	e := arrtest.Event(t, decoder{}, "odd_types")
	require.Equal(t, sdk.TypeMediaUpgraded, e.Type)
	require.Equal(t, "Boards of Canada - Geogaddi", e.Title)
	require.Equal(t, "Upgraded Boards of Canada - Geogaddi (2 tracks) to FLAC", e.Summary)
	require.Empty(t, e.URL, "the application's URL is not absolute")
	require.Equal(t, "Boards of Canada", e.Media.Title)
	require.Equal(t, []string{"Electronic", "Ambient"}, e.Media.Genres)
	require.Equal(t, "https://images.example/p.jpg", e.Media.Poster)
	require.Empty(t, e.Media.Fanart)
	require.Equal(t, []sdk.Album{{ID: "401", Title: "Geogaddi"}}, e.Albums)
	require.Equal(t, []sdk.Track{{ID: "9001", Number: "1", Title: "Ready Lets Go"}, {Number: "A2"}}, e.Tracks)
	require.Equal(t, "FLAC", e.Files[0].Quality)
	require.Equal(t, int64(30000000), e.Files[0].SizeBytes)
	require.Empty(t, e.DeletedFiles)
}

func TestApplicationURL(t *testing.T) {
	t.Parallel()
	d, err := newSource(t.Context(), sdk.Env{}, api.Config{Config: arr.Config{ApplicationURL: "http://nas:8686/lidarr"}})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"health_restored": "http://nas:8686/lidarr/system/status",
		"import":          albumPage,
		"import_2021":     "http://nas:8686/lidarr/artist/7f6f51b2-8c0c-4a2b-a7a9-8b7f6f1c2d33",
		"artist_delete":   "",
	} {
		require.Equal(t, want, arrtest.Event(t, d, name).URL, name)
	}
}

// The track before the first one of a disc has the number 0.
func TestTrackZero(t *testing.T) {
	t.Parallel()
	for _, number := range []string{`"0"`, `0`} {
		e := arrtest.Decoded(t, decoder{}, []byte(`{"eventType":"Download","artist":{"id":1,"name":"x"},"tracks":[{"id":2,"trackNumber":`+number+`}]}`))
		require.Equal(t, []sdk.Track{{ID: "2", Number: "0"}}, e.Tracks)
	}
}
