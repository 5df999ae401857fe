package lidarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"new time of the picture": arrtest.Same("import", func(m map[string]any) { delete(arrtest.Object(m, "album"), "images") }),
		"other instance name":     arrtest.Same("import", arrtest.Set("instanceName", "Lidarr")),
		"order of files":          arrtest.Same("import", arrtest.Swap("trackFiles")),
		"import is an upgrade":    arrtest.Same("import", arrtest.Set("isUpgrade", true)),
		"second import":           arrtest.Other("import", func(m map[string]any) { arrtest.First(m, "trackFiles")["id"] = 999 }),
		"one track less":          arrtest.Other("import", func(m map[string]any) { m["trackFiles"] = m["trackFiles"].([]any)[1:] }),
		"second grab":             arrtest.Other("grab", arrtest.Set("downloadId", "OTHER")),
		"grab of another album":   arrtest.Other("grab", func(m map[string]any) { arrtest.First(m, "albums")["id"] = 999 }),
		"order of albums":         arrtest.Same("grab_discography", arrtest.Swap("albums")),
		"second blackhole grab":   arrtest.Other("grab_discography", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"renamed back":            arrtest.Other("rename", func(m map[string]any) { arrtest.First(m, "renamedTrackFiles")["previousPath"] = "/x" }),
		"order of renames":        arrtest.Same("rename_several", arrtest.Swap("renamedTrackFiles")),
		"other file retagged":     arrtest.Other("retag", func(m map[string]any) { arrtest.Object(m, "trackFile")["path"] = "/other.flac" }),
		"retagged to other size":  arrtest.Same("retag", func(m map[string]any) { arrtest.Object(m, "trackFile")["size"] = 1 }),
		"retag is no import":      arrtest.Other("retag", func(m map[string]any) { m["eventType"], m["trackFiles"] = "Download", []any{m["trackFile"]} }),
		"other artist added":      arrtest.Other("artist_add", arrtest.ID("artist")),
		"other artist deleted":    arrtest.Other("artist_delete", arrtest.ID("artist")),
		"deleted is not added":    arrtest.Other("artist_delete", arrtest.Set("eventType", "ArtistAdd")),
		"other album deleted":     arrtest.Other("album_delete", arrtest.ID("album")),
		"album is no artist": arrtest.Other("album_delete", func(m map[string]any) {
			m["eventType"] = "ArtistDelete"
			arrtest.Object(m, "artist")["id"] = arrtest.Object(m, "album")["id"]
		}),
		"files of the album kept":  arrtest.Same("album_delete", arrtest.Set("deletedFiles", true)),
		"other failed download":    arrtest.Other("download_failure", arrtest.Set("downloadId", "x")),
		"other failed release":     arrtest.Other("download_failure", arrtest.Set("releaseTitle", "x")),
		"other failed import":      arrtest.Other("import_failure_full", arrtest.Set("downloadId", "x")),
		"import failed once more":  arrtest.Same("import_failure_full", arrtest.Set("tracks", []any{})),
		"other manual download":    arrtest.Other("manual_interaction", arrtest.Set("downloadId", "x")),
		"restored is no issue":     arrtest.Other("health", arrtest.Set("eventType", "HealthRestored")),
		"next update":              arrtest.Other("application_update", arrtest.Set("newVersion", "9")),
		"update in other words":    arrtest.Same("application_update", arrtest.Set("message", "x")),
		"download failed anywhere": arrtest.Same("download_failure", arrtest.Set("downloadClient", "x")),
	})
}

func TestNoFingerprintWithoutFacts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"import_failure", "download_failure_bare", "artist_add_no_metadata", "retag_bare", "rename_bare", "unknown_event"} {
		require.Empty(t, arrtest.Event(t, decoder{}, name).Fingerprint, name)
	}
}

func TestCorrelationKey(t *testing.T) {
	t.Parallel()
	const download = "download:3F1C0B8A9D4E5F6071829304A5B6C7D8E9F00112"
	for name, want := range map[string]string{
		"grab":                download,
		"import":              download,
		"upgrade":             download,
		"download_failure":    download,
		"import_failure_full": download,
		"manual_interaction":  download,
		"import_failure":      "",
		"grab_discography":    "",
		"import_single_file":  "album:402",
		"album_delete":        "album:401",
		"artist_add":          "artist:31",
		"artist_delete":       "artist:31",
		"rename":              "artist:31:file:7001",
		"rename_several":      "artist:31",
		"retag":               "artist:31:file:7001",
		"health":              "health:IndexerStatusCheck",
		"health_restored":     "health:IndexerStatusCheck",
		"application_update":  "",
		"test":                "",
		"unknown_event":       "",
	} {
		require.Equal(t, want, arrtest.Event(t, decoder{}, name).CorrelationKey, name)
	}
}

func TestRowNumbersAloneTellNothing(t *testing.T) {
	t.Parallel()
	arrtest.Identity(t, decoder{})
}
