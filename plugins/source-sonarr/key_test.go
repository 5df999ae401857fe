package sonarr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{}, map[string]arrtest.Change{
		"new time of the picture":   arrtest.Same("import", func(m map[string]any) { delete(arrtest.Object(m, "series"), "images") }),
		"other instance name":       arrtest.Same("import", arrtest.Set("instanceName", "Sonarr 2")),
		"second import":             arrtest.Other("import", func(m map[string]any) { arrtest.Object(m, "episodeFile")["id"] = 1 }),
		"import is an upgrade":      arrtest.Same("import", arrtest.Set("isUpgrade", true)),
		"import is not complete":    arrtest.Other("import_complete", func(m map[string]any) { m["episodeFile"] = arrtest.First(m, "episodeFiles") }),
		"files in another order":    arrtest.Same("import_complete_season", arrtest.Swap("episodeFiles")),
		"other files of a season":   arrtest.Other("import_complete_season", func(m map[string]any) { arrtest.First(m, "episodeFiles")["id"] = 1 }),
		"other complete download":   arrtest.Other("import_complete", arrtest.Set("downloadId", "x")),
		"other manual import":       arrtest.Other("import_complete_manual", func(m map[string]any) { arrtest.First(m, "episodeFiles")["id"] = 1 }),
		"second grab":               arrtest.Other("grab", arrtest.Set("downloadId", "OTHER")),
		"grab of another episode":   arrtest.Other("grab", func(m map[string]any) { arrtest.First(m, "episodes")["id"] = 1 }),
		"episodes in another order": arrtest.Same("grab_season", arrtest.Swap("episodes")),
		"second blackhole grab":     arrtest.Other("grab_blackhole", func(m map[string]any) { arrtest.Object(m, "release")["releaseTitle"] = "x" }),
		"renamed back": arrtest.Other("rename", func(m map[string]any) {
			f := arrtest.First(m, "renamedEpisodeFiles")
			f["previousPath"], f["relativePath"] = f["path"], "Season 02/sev03.mkv"
		}),
		"order of renames":       arrtest.Same("rename_several", arrtest.Swap("renamedEpisodeFiles")),
		"other series added":     arrtest.Other("series_add", func(m map[string]any) { arrtest.Object(m, "series")["id"] = 1 }),
		"other series deleted":   arrtest.Other("series_delete", func(m map[string]any) { arrtest.Object(m, "series")["id"] = 1 }),
		"deleted is not added":   arrtest.Other("series_delete", arrtest.Set("eventType", "SeriesAdd")),
		"other file deleted":     arrtest.Other("file_delete_missing", func(m map[string]any) { arrtest.Object(m, "episodeFile")["relativePath"] = "other.mkv" }),
		"deleted for a reason":   arrtest.Other("file_delete_missing", arrtest.Set("deleteReason", "manual")),
		"issue sent again":       arrtest.Same("health", arrtest.Set("wikiUrl", "https://x")),
		"restored is no issue":   arrtest.Other("health", arrtest.Set("eventType", "HealthRestored")),
		"next update":            arrtest.Other("application_update", arrtest.Set("newVersion", "5")),
		"other manual message":   arrtest.Other("manual_interaction", arrtest.Set("downloadStatusMessages", []any{})),
		"other manual download":  arrtest.Other("manual_interaction", arrtest.Set("downloadId", "x")),
		"manual after a restart": arrtest.Same("manual_interaction", arrtest.Set("customFormatInfo", nil)),
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
		require.Equal(t, want, arrtest.Event(t, decoder{}, name).CorrelationKey, name)
	}
	manual := arrtest.Edit(t, "import_complete", func(m map[string]any) { delete(m, "downloadId") })
	e := arrtest.Decoded(t, decoder{}, manual)
	require.Equal(t, "series:31:file:703", e.CorrelationKey, "the one of the import of its only file")
}

func TestRowNumbersAloneTellNothing(t *testing.T) {
	t.Parallel()
	arrtest.Identity(t, decoder{})
}
