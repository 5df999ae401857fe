package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	swap := func(key string) func(map[string]any) {
		return func(m map[string]any) {
			all := m[key].([]any)
			all[0], all[1] = all[1], all[0]
		}
	}
	id := func(key string) func(map[string]any) {
		return func(m map[string]any) { arrtest.Object(m, key)["id"] = 999 }
	}
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"new time of the picture": arrtest.Same("import", func(m map[string]any) { delete(arrtest.Object(m, "album"), "images") }),
		"other instance name":     arrtest.Same("import", func(m map[string]any) { m["instanceName"] = "Lidarr" }),
		"order of files":          arrtest.Same("import", swap("trackFiles")),
		"import is an upgrade":    arrtest.Same("import", func(m map[string]any) { m["isUpgrade"] = true }),
		"second import":           arrtest.Other("import", func(m map[string]any) { arrtest.First(m, "trackFiles")["id"] = 999 }),
		"one track less":          arrtest.Other("import", func(m map[string]any) { m["trackFiles"] = m["trackFiles"].([]any)[1:] }),
		"second grab":             arrtest.Other("grab", func(m map[string]any) { m["downloadId"] = "OTHER" }),
		"grab of another album":   arrtest.Other("grab", func(m map[string]any) { arrtest.First(m, "albums")["id"] = 999 }),
		"order of albums":         arrtest.Same("grab_discography", swap("albums")),
		"second blackhole grab":   arrtest.Other("grab_discography", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"renamed back":            arrtest.Other("rename", func(m map[string]any) { arrtest.First(m, "renamedTrackFiles")["previousPath"] = "/x" }),
		"order of renames":        arrtest.Same("rename_several", swap("renamedTrackFiles")),
		"other file retagged":     arrtest.Other("retag", func(m map[string]any) { arrtest.Object(m, "trackFile")["path"] = "/other.flac" }),
		"retagged to other size":  arrtest.Same("retag", func(m map[string]any) { arrtest.Object(m, "trackFile")["size"] = 1 }),
		"retag is no import":      arrtest.Other("retag", func(m map[string]any) { m["eventType"], m["trackFiles"] = "Download", []any{m["trackFile"]} }),
		"other artist added":      arrtest.Other("artist_add", id("artist")),
		"other artist deleted":    arrtest.Other("artist_delete", id("artist")),
		"deleted is not added":    arrtest.Other("artist_delete", func(m map[string]any) { m["eventType"] = "ArtistAdd" }),
		"other album deleted":     arrtest.Other("album_delete", id("album")),
		"album is no artist": arrtest.Other("album_delete", func(m map[string]any) {
			m["eventType"] = "ArtistDelete"
			arrtest.Object(m, "artist")["id"] = arrtest.Object(m, "album")["id"]
		}),
		"files of the album kept":  arrtest.Same("album_delete", func(m map[string]any) { m["deletedFiles"] = true }),
		"other failed download":    arrtest.Other("download_failure", func(m map[string]any) { m["downloadId"] = "x" }),
		"other failed release":     arrtest.Other("download_failure", func(m map[string]any) { m["releaseTitle"] = "x" }),
		"other failed import":      arrtest.Other("import_failure_full", func(m map[string]any) { m["downloadId"] = "x" }),
		"import failed once more":  arrtest.Same("import_failure_full", func(m map[string]any) { m["tracks"] = []any{} }),
		"other manual download":    arrtest.Other("manual_interaction", func(m map[string]any) { m["downloadId"] = "x" }),
		"restored is no issue":     arrtest.Other("health", func(m map[string]any) { m["eventType"] = "HealthRestored" }),
		"next update":              arrtest.Other("application_update", func(m map[string]any) { m["newVersion"] = "9" }),
		"update in other words":    arrtest.Same("application_update", func(m map[string]any) { m["message"] = "x" }),
		"download failed anywhere": arrtest.Same("download_failure", func(m map[string]any) { m["downloadClient"] = "x" }),
	})
}

func TestNoFingerprintWithoutFacts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"import_failure", "download_failure_bare", "artist_add_no_metadata", "retag_bare", "rename_bare", "unknown_event"} {
		require.Empty(t, sample(t, name).Fingerprint, name)
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
		require.Equal(t, want, sample(t, name).CorrelationKey, name)
	}
}
