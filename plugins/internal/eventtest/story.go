package eventtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// Story is a named delivery of several events, in the order in which they came.
type Story struct {
	Name   string
	Events []sdk.Event
}

// StoryDelivery wraps events as the host would deliver them together: oldest first.
func StoryDelivery(tb testing.TB, events ...sdk.Event) sdk.Delivery {
	tb.Helper()
	require.NotEmpty(tb, events)
	events = byTime(events)
	d := Delivery(tb, events[0])
	d.Events, d.JSON = events, nil
	d.CorrelationKey = events[0].CorrelationKey
	for _, e := range events {
		raw, err := json.Marshal(e)
		require.NoError(tb, err)
		d.JSON = append(d.JSON, raw)
	}
	return d
}

// Stories returns what people want to read as one message, then digests.
func Stories() []Story {
	return append([]Story{
		{"movie", movieStory()[:2]},
		{"movie_upgraded", movieStory()},
		{"movie_late_grab", []sdk.Event{movieStory()[1], movieStory()[0]}},
		{"movie_failed_twice", failures()},
		{"movie_by_hand", byHand()},
		{"season", seasonStory(48, 48, true)},
		{"season_begun", seasonStory(6, 3, false)},
		{"season_missing_one", without(seasonStory(12, 12, false), 10)},
		{"season_upgraded", upgradeStory(6)},
		{"season_partly_upgraded", partlyUpgraded()},
		{"seasons", seasons()},
		{"episode", seasonStory(1, 1, true)},
		{"daily", dailyStory()},
		{"anime", animeStory()},
		{"scenes", sceneStory()},
		{"album", albumStory()},
		{"discography", discography()},
		{"book", bookStory()},
		{"request", requestStory()},
		{"request_pending", requestStory()[:1:1]},
		{"health", healthStory()},
		{"health_long", healthLong()},
		{"files_gone", gone()},
		{"target_held", heldStory()},
		{"digest", digest()},
		{"digest_trouble", told(slices.Concat(healthStory()[:1], failures()[1:], seasonStory(3, 3, false))...)},
	}, libraryStories()...)
}

// told gives events ids and times in their order, a second apart.
func told(events ...sdk.Event) []sdk.Event {
	for i := range events {
		events[i].ID = fmt.Sprintf("0197b1f0-0000-7000-8000-%012d", i+1)
		events[i].Time = at().Add(time.Duration(i) * time.Second)
	}
	return events
}

// from is an event of an application's instance.
func from(app, instance string, t sdk.Type, native string) sdk.Event {
	return sdk.Event{
		Source: app, Origin: sdk.OriginWebhook, App: app, AppVersion: "4.0.16.2944", Instance: instance,
		Type: t, NativeType: native, URL: "https://" + app + ".example/page/1",
	}
}

func movieStory() []sdk.Event {
	of := func(t sdk.Type, native, key, summary string) sdk.Event {
		e := base(t, native, "Dune: Part Two (2024)", summary)
		e.Media, e.CorrelationKey = dune(), key
		return e
	}
	grab := of(sdk.TypeReleaseGrabbed, "Grab", "download:ABCD1234", "Grabbed Dune: Part Two (2024) from Nyx (8.5 GiB, WEBDL-1080p)")
	grab.Release = &sdk.Release{
		Title: "Dune.Part.Two.2024.1080p.WEB-DL.DDP5.1.Atmos-FLUX", Group: "FLUX", Indexer: "Nyx (Prowlarr)",
		SizeBytes: 9_126_805_504, Quality: "WEBDL-1080p", CustomFormats: []string{"WEB Tier 01"}, Score: 1700,
	}
	grab.Download = &sdk.Download{Client: "qBittorrent", ClientType: "qBittorrent", ID: "ABCD1234"}
	imported := of(sdk.TypeMediaImported, "Download", "download:ABCD1234", "Imported Dune: Part Two (2024) in WEBDL-1080p")
	imported.Files = []sdk.File{hd()}
	imported.Download = grab.Download
	removed := of(sdk.TypeFileDeletedForUpgrade, "MovieFileDelete", "movie:12:file:3", "Deleted the old file of Dune: Part Two (2024) for an upgrade (WEBDL-1080p)")
	removed.DeletedFiles, removed.DeleteReason = []sdk.File{hd()}, "upgrade"
	upgraded := of(sdk.TypeMediaUpgraded, "Download", "download:EFGH5678", "Upgraded Dune: Part Two (2024) to Bluray-2160p")
	upgraded.Files, upgraded.Release, upgraded.Upgrade = []sdk.File{uhd()}, release(), true
	return told(grab, imported, removed, upgraded)
}

func failures() []sdk.Event {
	grab := movieStory()[0]
	failed := base(sdk.TypeDownloadFailed, "DownloadFailure", "Dune: Part Two (2024)", "The download of Dune: Part Two (2024) failed")
	failed.Media, failed.CorrelationKey = dune(), grab.CorrelationKey
	failed.Download = &sdk.Download{Client: "qBittorrent", ID: "ABCD1234", Status: "error", Messages: []string{"The download is stalled with no connections"}}
	return told(grab, failed)
}

func byHand() []sdk.Event {
	events := movieStory()[:2]
	waiting := base(sdk.TypeManualInteractionRequired, "ManualInteractionRequired", "Dune: Part Two (2024)", "The import of Dune: Part Two (2024) needs a person: Not an upgrade for existing movie file(s)")
	waiting.Media, waiting.CorrelationKey = dune(), events[0].CorrelationKey
	waiting.Download = &sdk.Download{Client: "qBittorrent", ID: "ABCD1234", Title: events[0].Release.Title, Status: "warning", Messages: []string{"Not an upgrade for existing movie file(s)"}}
	return told(events[0], waiting, events[1])
}

func severance(t sdk.Type, native, label string, episodes ...sdk.Episode) sdk.Event {
	e := from("sonarr", "Sonarr", t, native)
	e.Title = "Severance " + label
	e.Media = &sdk.Media{
		Kind: "series", ID: "5", Title: "Severance", Year: 2022, Path: "/tv/Severance",
		IDs:      map[string]string{"tvdb": "371980", "tvmaze": "44933", "tmdb": "95396", "imdb": "tt11280740"},
		Overview: "Mark leads a team of office workers whose memories have been surgically divided.",
		Poster:   "https://image.tmdb.org/t/p/original/severance.jpg",
	}
	e.Episodes, e.CorrelationKey = episodes, "download:SEASON"
	e.Download = &sdk.Download{Client: "SABnzbd", ClientType: "SABnzbd", ID: "SEASON"}
	return e
}

func chapter(season, n int) sdk.Episode {
	return sdk.Episode{
		ID: strconv.Itoa(season*1000 + n), Season: season, Number: new(n), Code: fmt.Sprintf("S%02dE%02d", season, n),
		Title: fmt.Sprintf("Chapter %d", n), AirDate: fmt.Sprintf("2026-%02d-%02d", 1+(n-1)/28, 1+(n-1)%28),
		Overview: fmt.Sprintf("What happens in chapter %d.", n),
	}
}

func chapterFile(season, n int, quality string, gib int64) sdk.File {
	return sdk.File{
		ID: strconv.Itoa(int(gib)*10_000 + season*1000 + n), SizeBytes: gib << 30, Quality: quality, ReleaseGroup: "FLUX", Languages: []string{"English"},
		RelativePath: fmt.Sprintf("Season %02d/Severance - S%02dE%02d %s.mkv", season, season, n, quality),
		Path:         fmt.Sprintf("/tv/Severance/Season %02d/Severance - S%02dE%02d %s.mkv", season, season, n, quality),
	}
}

// label names the first episodes of a season.
func label(n int) string {
	if n == 1 {
		return "S02E01 - Chapter 1"
	}
	return fmt.Sprintf("S02E01-E%02d (%d episodes)", n, n)
}

func grabbedSeason(n int) sdk.Event {
	var all []sdk.Episode
	for i := range n {
		all = append(all, chapter(2, i+1))
	}
	e := severance(sdk.TypeReleaseGrabbed, "Grab", label(n), all...)
	e.Summary = "Grabbed " + e.Title + " from Example Indexer (24 GiB, WEBDL-2160p)"
	e.Release = &sdk.Release{
		Title: "Severance.S02.2160p.ATVP.WEB-DL.DDP5.1.HDR.H.265-FLUX", Group: "FLUX", Indexer: "Example Indexer", SizeBytes: 24 << 30,
		Quality: "WEBDL-2160p", Languages: []string{"English"}, CustomFormats: []string{"HDR", "WEB Tier 01"}, Score: 1840,
	}
	return e
}

func importedChapter(season, n int) sdk.Event {
	ep := chapter(season, n)
	e := severance(sdk.TypeMediaImported, "Download", ep.Code+" - "+ep.Title, ep)
	e.Files = []sdk.File{chapterFile(season, n, "WEBDL-2160p", 4)}
	e.Summary = "Imported " + e.Title + " in WEBDL-2160p"
	return e
}

func completedSeason(episodes []sdk.Episode, files []sdk.File) sdk.Event {
	e := severance(sdk.TypeImportCompleted, "Download", label(len(episodes)), episodes...)
	e.Files = files
	e.Summary = "Finished importing " + e.Title + " in WEBDL-2160p"
	return e
}

// seasonStory is the grab of a season, the import of its first episodes, one by one, and
// that of all.
func seasonStory(grabbed, imported int, completed bool) []sdk.Event {
	events := []sdk.Event{grabbedSeason(grabbed)}
	var files []sdk.File
	for i := range imported {
		e := importedChapter(2, i+1)
		files = append(files, e.Files...)
		events = append(events, e)
	}
	if completed {
		events = append(events, completedSeason(events[0].Episodes, files))
	}
	return told(events...)
}

func without(events []sdk.Event, i int) []sdk.Event {
	return told(append(events[1:i+1:i+1], events[i+2:]...)...)
}

// upgradeStory is the upgrade of a season: each file that goes is told before the one
// that comes.
func upgradeStory(n int) []sdk.Event {
	events := []sdk.Event{grabbedSeason(n)}
	var files []sdk.File
	for i := range n {
		old := chapterFile(2, i+1, "WEBDL-1080p", 2)
		removed := severance(sdk.TypeFileDeletedForUpgrade, "EpisodeFileDelete", fmt.Sprintf("S02E%02d", i+1), chapter(2, i+1))
		removed.DeletedFiles, removed.DeleteReason, removed.Download = []sdk.File{old}, "upgrade", nil
		removed.CorrelationKey = "series:5:file:" + old.ID
		removed.Summary = "Deleted the old file of " + removed.Title + " for an upgrade (WEBDL-1080p)"
		e := importedChapter(2, i+1)
		e.Type, e.Upgrade, e.DeletedFiles = sdk.TypeMediaUpgraded, true, []sdk.File{old}
		e.Summary = "Upgraded " + e.Title + " from WEBDL-1080p to WEBDL-2160p"
		files = append(files, e.Files...)
		events = append(events, removed, e)
	}
	return told(append(events, completedSeason(events[0].Episodes, files))...)
}

func partlyUpgraded() []sdk.Event {
	upgrades := upgradeStory(2)
	return told(append(upgrades[1:5:5], importedChapter(2, 3), importedChapter(2, 4), importedChapter(2, 5))...)
}

func seasons() []sdk.Event {
	var events []sdk.Event
	for n := range 12 {
		if n != 10 {
			events = append(events, importedChapter(1, n+1))
		}
	}
	for n := range 8 {
		events = append(events, importedChapter(2, n+1))
	}
	return told(append(events, importedChapter(0, 3))...)
}
