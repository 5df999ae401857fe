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
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"new time of the picture":   arrtest.Same("import", func(m map[string]any) { delete(arrtest.Object(m, "series"), "images") }),
		"other instance name":       arrtest.Same("import", func(m map[string]any) { m["instanceName"] = "Sonarr 2" }),
		"second import":             arrtest.Other("import", func(m map[string]any) { arrtest.Object(m, "episodeFile")["id"] = 1 }),
		"import is an upgrade":      arrtest.Same("import", func(m map[string]any) { m["isUpgrade"] = true }),
		"import is not complete":    arrtest.Other("import_complete", func(m map[string]any) { m["episodeFile"] = arrtest.First(m, "episodeFiles") }),
		"files in another order":    arrtest.Same("import_complete_season", swap("episodeFiles")),
		"other files of a season":   arrtest.Other("import_complete_season", func(m map[string]any) { arrtest.First(m, "episodeFiles")["id"] = 1 }),
		"other complete download":   arrtest.Other("import_complete", func(m map[string]any) { m["downloadId"] = "x" }),
		"other manual import":       arrtest.Other("import_complete_manual", func(m map[string]any) { arrtest.First(m, "episodeFiles")["id"] = 1 }),
		"second grab":               arrtest.Other("grab", func(m map[string]any) { m["downloadId"] = "OTHER" }),
		"grab of another episode":   arrtest.Other("grab", func(m map[string]any) { arrtest.First(m, "episodes")["id"] = 1 }),
		"episodes in another order": arrtest.Same("grab_season", swap("episodes")),
		"second blackhole grab":     arrtest.Other("grab_blackhole", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"renamed back": arrtest.Other("rename", func(m map[string]any) {
			f := arrtest.First(m, "renamedEpisodeFiles")
			f["previousPath"], f["relativePath"] = f["path"], "Season 02/sev03.mkv"
		}),
		"order of renames":       arrtest.Same("rename_several", swap("renamedEpisodeFiles")),
		"other series added":     arrtest.Other("series_add", func(m map[string]any) { arrtest.Object(m, "series")["id"] = 1 }),
		"other series deleted":   arrtest.Other("series_delete", func(m map[string]any) { arrtest.Object(m, "series")["id"] = 1 }),
		"deleted is not added":   arrtest.Other("series_delete", func(m map[string]any) { m["eventType"] = "SeriesAdd" }),
		"other file deleted":     arrtest.Other("file_delete_missing", func(m map[string]any) { arrtest.Object(m, "episodeFile")["relativePath"] = "other.mkv" }),
		"deleted for a reason":   arrtest.Other("file_delete_missing", func(m map[string]any) { m["deleteReason"] = "manual" }),
		"issue sent again":       arrtest.Same("health", func(m map[string]any) { m["wikiUrl"] = "https://x" }),
		"restored is no issue":   arrtest.Other("health", func(m map[string]any) { m["eventType"] = "HealthRestored" }),
		"next update":            arrtest.Other("application_update", func(m map[string]any) { m["newVersion"] = "5" }),
		"other manual message":   arrtest.Other("manual_interaction", func(m map[string]any) { m["downloadStatusMessages"] = []any{} }),
		"other manual download":  arrtest.Other("manual_interaction", func(m map[string]any) { m["downloadId"] = "x" }),
		"manual after a restart": arrtest.Same("manual_interaction", func(m map[string]any) { m["customFormatInfo"] = nil }),
	})
}

func TestCorrelationKey(t *testing.T) {
	t.Parallel()
	const download, pack = "download:SABnzbd_nzo_k3v9x2ab", "download:SABnzbd_nzo_season02"
	for name, want := range map[string]string{
		"grab":                   download,
		"import":                 download,
		"upgrade":                download,
		"import_complete":        download,
		"manual_interaction":     download,
		"grab_season":            pack,
		"import_complete_season": pack,
		"grab_blackhole":         "",
		"import_complete_manual": "",
		"import_anime":           "series:52:file:5301",
		"rename":                 "series:31:file:703",
		"rename_several":         "series:31",
		"file_delete_missing":    "series:31:file:703",
		"series_add":             "series:31",
		"series_delete":          "series:31",
		"health":                 "health:IndexerLongTermStatusCheck",
		"health_restored":        "health:IndexerLongTermStatusCheck",
		"application_update":     "",
		"test":                   "",
	} {
		e, err := decode(arrtest.Sample(t, name), nil)
		require.NoError(t, err)
		require.Equal(t, want, e.CorrelationKey, name)
	}
	manual := arrtest.Edit(t, "import_complete", func(m map[string]any) { delete(m, "downloadId") })
	e, err := decode(manual, nil)
	require.NoError(t, err)
	require.Equal(t, "series:31:file:703", e.CorrelationKey, "the one of the import of its only file")
}
