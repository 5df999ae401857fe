// Package eventtest holds events for the tests of target plugins: one of every type,
// extreme ones, and a generator of any.
package eventtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// Case is a named event.
type Case struct {
	Name  string
	Event sdk.Event
}

// Delivery wraps an event as the host would deliver it.
func Delivery(tb testing.TB, e sdk.Event) sdk.Delivery {
	tb.Helper()
	raw, err := json.Marshal(e)
	require.NoError(tb, err)
	return sdk.Delivery{
		ID: "0197b1f0-5a3c-7c11-9d7e-3f0b8a6c2d41", Attempt: 1, Route: "everything",
		Event: e, Events: []sdk.Event{e}, JSON: []json.RawMessage{raw},
	}
}

// at is when the events happened.
func at() time.Time { return time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC) }

func base(t sdk.Type, native, title, summary string) sdk.Event {
	return sdk.Event{
		ID: "0197b1f0-0000-7000-8000-000000000001", Source: "radarr-4k", Origin: sdk.OriginWebhook, Time: at(),
		App: "radarr", AppVersion: "6.0.3.10276", Instance: "Radarr 4K", Type: t, NativeType: native,
		Title: title, Summary: summary, URL: "https://radarr.example/movie/693134",
		CorrelationKey: "ABCD1234",
	}
}

func dune() *sdk.Media {
	return &sdk.Media{
		Kind: "movie", ID: "12", Title: "Dune: Part Two", Year: 2024,
		IDs:  map[string]string{"tmdb": "693134", "imdb": "tt15239678"},
		Path: "/movies/Dune Part Two (2024)", Genres: []string{"Science Fiction", "Adventure"},
		Overview: "Follow the mythic journey of Paul Atreides as he unites with Chani and the Fremen.",
		Poster:   "https://image.tmdb.org/t/p/original/dune-two.jpg", Tags: []string{"4k", "family"},
	}
}

func uhd() sdk.File {
	return sdk.File{
		ID: "7", RelativePath: "Dune Part Two (2024) Bluray-2160p.mkv",
		Path:      "/movies/Dune Part Two (2024)/Dune Part Two (2024) Bluray-2160p.mkv",
		SizeBytes: 68_719_476_736, Quality: "Bluray-2160p", Languages: []string{"English", "German"}, ReleaseGroup: "FraMeSToR",
		MediaInfo: &sdk.MediaInfo{
			VideoCodec: "x265", Width: 3840, Height: 1600, DynamicRange: "DV HDR10", AudioCodec: "TrueHD Atmos",
			AudioChannels: 7.1, AudioLanguages: []string{"eng", "ger"}, Subtitles: []string{"eng", "ger", "fre"},
		},
	}
}

func hd() sdk.File {
	return sdk.File{
		ID: "3", RelativePath: "Dune Part Two (2024) WEBDL-1080p.mkv", SizeBytes: 9_126_805_504, Quality: "WEBDL-1080p",
		RecycleBinPath: "/recycle/Dune Part Two (2024) WEBDL-1080p.mkv",
	}
}

func release() *sdk.Release {
	return &sdk.Release{
		Title: "Dune.Part.Two.2024.UHD.BluRay.2160p.TrueHD.Atmos.7.1.DV.HEVC.REMUX-FraMeSToR", Group: "FraMeSToR",
		Indexer: "Nyx (Prowlarr)", SizeBytes: 68_719_476_736, Quality: "Remux-2160p", Languages: []string{"English"},
		CustomFormats: []string{"DV HDR10", "TrueHD Atmos", "Remux Tier 01"}, Score: 7350, Flags: []string{"G_Freeleech"},
	}
}

func season(n int) []sdk.Episode {
	all := make([]sdk.Episode, n)
	for i := range all {
		all[i] = sdk.Episode{ID: strconv.Itoa(100 + i), Season: 2, Number: new(i + 1), Title: fmt.Sprintf("Chapter %d", i+1), AirDate: "2026-03-01"}
	}
	return all
}

// Events returns at least one event of every type, then the extreme ones.
func Events() []Case {
	return append(usual(), Extremes()...)
}

func usual() []Case {
	const movie = "Dune: Part Two (2024)"
	var cases []Case
	add := func(name string, e sdk.Event, more func(e *sdk.Event)) {
		if more != nil {
			more(&e)
		}
		cases = append(cases, Case{name, e})
	}
	add("test", base(sdk.TypeTest, "Test", "Test", "Radarr 4K sent a test"), nil)
	add("release_grabbed", base(sdk.TypeReleaseGrabbed, "Grab", movie, "Grabbed Dune: Part Two (2024) in Remux-2160p from Nyx"), func(e *sdk.Event) {
		e.Media, e.Release = dune(), release()
		e.Download = &sdk.Download{Client: "qBittorrent", ClientType: "qBittorrent", ID: "ABCD1234"}
	})
	add("media_imported", base(sdk.TypeMediaImported, "Download", movie, "Imported Dune: Part Two (2024) in Bluray-2160p"), func(e *sdk.Event) {
		e.Media, e.Files, e.Release = dune(), []sdk.File{uhd()}, release()
		e.Download = &sdk.Download{Client: "qBittorrent", ClientType: "qBittorrent", ID: "ABCD1234"}
	})
	add("media_upgraded", base(sdk.TypeMediaUpgraded, "Download", movie, "Upgraded Dune: Part Two (2024) to Bluray-2160p"), func(e *sdk.Event) {
		e.Media, e.Files, e.DeletedFiles, e.Upgrade, e.Release = dune(), []sdk.File{uhd()}, []sdk.File{hd()}, true, release()
	})
	add("import_completed", base(sdk.TypeImportCompleted, "Download", "Severance – Season 2", "Imported 12 episodes of Severance"), func(e *sdk.Event) {
		e.App, e.Instance, e.Source = "sonarr", "Sonarr", "sonarr"
		e.Media = &sdk.Media{Kind: "series", Title: "Severance", Year: 2022, IDs: map[string]string{"tvdb": "371980", "tvmaze": "44933", "imdb": "tt11280740"}}
		e.Episodes = season(12)
		for i := range 12 {
			e.Files = append(e.Files, sdk.File{RelativePath: fmt.Sprintf("Season 02/Severance - S02E%02d.mkv", i+1), Quality: "WEBDL-2160p", SizeBytes: 5 << 30, ReleaseGroup: "FLUX"})
		}
	})
	add("import_dated", base(sdk.TypeMediaImported, "Download", "The Evening Desk 2026-04-23, 2026-04-24", "Imported The Evening Desk 2026-04-23, 2026-04-24 in WEBRip-720p"), func(e *sdk.Event) {
		e.App, e.Instance, e.Source = "sonarr", "Sonarr", "sonarr"
		e.Media = &sdk.Media{Kind: "series", Title: "The Evening Desk", Year: 1999}
		e.Episodes = []sdk.Episode{
			{ID: "113", Season: 2026, Number: new(113), Code: "2026-04-23", Title: "A Guest", AirDate: "2026-04-23"},
			{ID: "114", Season: 2026, Number: new(114), Code: "2026-04-24", Title: "Another Guest", AirDate: "2026-04-24"},
		}
		e.Files = []sdk.File{{RelativePath: "Season 2026/The Evening Desk - 2026-04-23.mkv", Quality: "WEBRip-720p", SizeBytes: 1 << 30}}
	})
	add("import_failed", base(sdk.TypeImportFailed, "ImportFailure", "Radiohead – In Rainbows", "Could not import In Rainbows"), func(e *sdk.Event) {
		e.App, e.Instance, e.Source = "lidarr", "Lidarr", "lidarr"
		e.Media = &sdk.Media{Kind: "artist", Title: "Radiohead", IDs: map[string]string{"musicbrainz": "a74b1b7f-71a5-4011-9441-d0b5e4122711"}}
		e.Albums = []sdk.Album{{Title: "In Rainbows", Type: "Album", ReleaseDate: "2007-10-10"}}
		e.Download = &sdk.Download{Client: "SABnzbd", Title: "Radiohead-In_Rainbows-FLAC", Messages: []string{"Album match is not close enough: 71.3% vs 80%", "2 tracks are missing"}}
	})
	add("download_failed", base(sdk.TypeDownloadFailed, "DownloadFailure", movie, "The download of Dune: Part Two (2024) failed"), func(e *sdk.Event) {
		e.Media, e.Release = dune(), release()
		e.Download = &sdk.Download{Client: "SABnzbd", Status: "error", Messages: []string{"Aborted, cannot be completed"}}
	})
	add("file_renamed", base(sdk.TypeFileRenamed, "Rename", movie, "Renamed 1 file of Dune: Part Two (2024)"), func(e *sdk.Event) {
		e.Media = dune()
		e.RenamedFiles = []sdk.Rename{{From: "dune2.mkv", To: "Dune Part Two (2024) Bluray-2160p.mkv"}}
	})
	add("file_retagged", base(sdk.TypeFileRetagged, "Retag", "Radiohead – In Rainbows", "Retagged a track of In Rainbows"), func(e *sdk.Event) {
		e.Tracks = []sdk.Track{{Number: "1", Title: "15 Step"}}
		e.Files = []sdk.File{{RelativePath: "In Rainbows/01 15 Step.flac", Quality: "FLAC", SizeBytes: 31 << 20}}
	})
	add("file_deleted", base(sdk.TypeFileDeleted, "MovieFileDelete", movie, "Deleted a file of Dune: Part Two (2024)"), func(e *sdk.Event) {
		e.Media, e.DeletedFiles, e.DeleteReason = dune(), []sdk.File{hd()}, "missingFromDisk"
	})
	add("file_deleted_for_upgrade", base(sdk.TypeFileDeletedForUpgrade, "MovieFileDelete", movie, "Deleted a file of Dune: Part Two (2024) for an upgrade"), func(e *sdk.Event) {
		e.Media, e.DeletedFiles, e.DeleteReason = dune(), []sdk.File{hd()}, "upgrade"
	})
	add("media_added", base(sdk.TypeMediaAdded, "MovieAdded", movie, "Added Dune: Part Two (2024)"), func(e *sdk.Event) {
		e.Media, e.AddMethod = dune(), "list"
	})
	add("media_deleted", base(sdk.TypeMediaDeleted, "MovieDelete", movie, "Deleted Dune: Part Two (2024) and its files"), func(e *sdk.Event) {
		e.Media, e.FilesDeleted = dune(), true
	})
	add("health_warning", base(sdk.TypeHealthIssue, "Health", "IndexerStatusCheck", "Indexers unavailable due to failures: Nyx"), func(e *sdk.Event) {
		e.Health = &sdk.Health{Level: "warning", Check: "IndexerStatusCheck", Message: "Indexers unavailable due to failures: Nyx", WikiURL: "https://wiki.servarr.com/radarr/system#indexers"}
	})
	add("health_error", base(sdk.TypeHealthIssue, "Health", "RootFolderCheck", "Radarr 4K reports an error"), func(e *sdk.Event) {
		e.Health = &sdk.Health{Level: "error", Check: "RootFolderCheck", Message: "Missing root folder: /movies"}
	})
	add("health_restored", base(sdk.TypeHealthRestored, "HealthRestored", "IndexerStatusCheck", "Resolved: indexers are available again"), func(e *sdk.Event) {
		e.Health = &sdk.Health{Level: "warning", Check: "IndexerStatusCheck", Message: "Indexers unavailable due to failures: Nyx"}
	})
	add("app_updated", base(sdk.TypeAppUpdated, "ApplicationUpdate", "Radarr 4K", "Radarr was updated to 6.0.3.10276"), func(e *sdk.Event) {
		e.Update = &sdk.Update{From: "6.0.2.10100", To: "6.0.3.10276", Message: "Radarr updated from 6.0.2.10100 to 6.0.3.10276"}
	})
	add("manual_interaction_required", base(sdk.TypeManualInteractionRequired, "ManualInteractionRequired", movie, "A download of Dune: Part Two (2024) needs a person"), func(e *sdk.Event) {
		e.Media = dune()
		e.Download = &sdk.Download{Client: "qBittorrent", Title: "Dune.Part.Two.2024.German.DL", SizeBytes: 21 << 30, Status: "warning", Messages: []string{"Found matching movie via grab history, but release was matched to movie by ID."}}
	})
	add("unknown", base(sdk.TypeUnknown, "SomethingNew", "Radarr 4K", "Radarr 4K sent SomethingNew"), nil)
	return cases
}

// Extremes returns events at the edges of what can come in.
func Extremes() []Case {
	files := make([]sdk.File, 200)
	for i := range files {
		files[i] = sdk.File{RelativePath: fmt.Sprintf("Season 01/Episode %03d %s.mkv", i+1, strings.Repeat("long ", 60)), Quality: fmt.Sprintf("Quality-%d", i), SizeBytes: 1 << 40, Languages: []string{fmt.Sprintf("Language %d", i)}}
	}
	long := strings.Repeat("Ein sehr langer Titel ", 250)[:5000]
	everything := base(sdk.TypeMediaUpgraded, "Download", long, long)
	everything.Media = &sdk.Media{Kind: "movie", Title: long, Overview: long, Path: "/" + long, Genres: []string{long}, Tags: []string{long}, IDs: map[string]string{"tmdb": "1", "imdb": "tt1", "tvdb": "1", "tvmaze": "1"}}
	everything.Files, everything.DeletedFiles, everything.Episodes = files, files, season(200)
	everything.Release = &sdk.Release{Title: long, Group: long, Indexer: long, Languages: []string{long}, CustomFormats: []string{long, "b"}, Flags: []string{long}}
	everything.Download = &sdk.Download{Client: long, Title: long, Messages: []string{long, long}}
	everything.Instance, everything.AddMethod, everything.DeleteReason = long, long, long
	everything.Health = &sdk.Health{Level: long, Check: long, Message: long, WikiURL: "https://wiki.example/" + long}
	everything.Update = &sdk.Update{From: long, To: long, Message: long}

	const hostile = "@everyone <@123456789012345678> <!channel> **bold** __u__ `code` ||spoiler|| [x](https://evil.example) <b>&amp;</b> *b* _i_ ~s~ > quote"
	injection := base(sdk.TypeMediaImported, "Download", hostile, "# "+hostile)
	injection.Media = &sdk.Media{Kind: "movie", Title: hostile, Overview: "- " + hostile + "\n> " + hostile, IDs: map[string]string{"tmdb": "1)](https://evil.example", "imdb": "../../x"}}
	injection.Release = &sdk.Release{Title: hostile, Group: hostile, Indexer: hostile}
	injection.URL = "https://radarr.example/a b|c>d)e\"`<@1>"
	injection.Files = []sdk.File{{RelativePath: hostile}}

	local := base(sdk.TypeMediaImported, "Download", "Bare names", "Nothing on the internet has these names")
	local.URL = "http://radarr:7878/movie/1"
	local.Media = &sdk.Media{Kind: "movie", Title: "Bare names", Poster: "/MediaCover/1/poster.jpg"}

	rtl := base(sdk.TypeMediaAdded, "MovieAdded", "مسلسل \u202Eעברית\u202C 👩‍👩‍👧‍👦🏳️‍🌈", "שלום\u0000\u0007 "+strings.Repeat("👩‍👩‍👧‍👦", 400))
	rtl.Media = &sdk.Media{Kind: "series", Title: "x", Overview: strings.Repeat("e\u0301🇩🇪", 2000)}

	return []Case{
		{"extreme_empty", sdk.Event{}},
		{"extreme_blank", sdk.Event{Title: " \t\n", Summary: "\u00A0", Type: "\x00", Media: &sdk.Media{}, Files: []sdk.File{{}}, DeletedFiles: []sdk.File{{}}, Health: &sdk.Health{}, Release: &sdk.Release{}, Download: &sdk.Download{Messages: []string{""}}, Episodes: []sdk.Episode{}, RenamedFiles: []sdk.Rename{{}}}},
		{"extreme_everything", everything},
		{"extreme_files", sdk.Event{Type: sdk.TypeMediaImported, Title: "200 files", Files: files, Time: at()}},
		{"extreme_injection", injection},
		{"extreme_local_urls", local},
		{"extreme_rtl_emoji", rtl},
	}
}
