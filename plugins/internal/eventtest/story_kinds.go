package eventtest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

func byTime(events []sdk.Event) []sdk.Event {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b sdk.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return events
}

// dated is an import of what is known by the date it came out.
func dated(app, instance, series, day, title string) sdk.Event {
	e := from(app, instance, sdk.TypeMediaImported, "Download")
	e.Title = series + " " + day + " - " + title
	e.Summary = "Imported " + e.Title + " in WEBDL-1080p"
	e.Media = &sdk.Media{Kind: "series", ID: "9", Title: series}
	e.Episodes = []sdk.Episode{{ID: strings.ReplaceAll(day, "-", ""), Season: 2026, Code: day, Title: title, AirDate: day}}
	e.Files = []sdk.File{{ID: day, RelativePath: day + ".mkv", Quality: "WEBDL-1080p", SizeBytes: 1 << 30}}
	e.CorrelationKey = "series:9:file:" + day
	return e
}

func dailyStory() []sdk.Event {
	var events []sdk.Event
	for i, day := range []string{"2026-04-20", "2026-04-21", "2026-04-22", "2026-04-24"} {
		e := dated("sonarr", "Sonarr", "The Evening Desk", day, "Guest "+strconv.Itoa(i+1))
		e.Episodes[0].Number = new(110 + i)
		events = append(events, e)
	}
	return told(events...)
}

func sceneStory() []sdk.Event {
	return told(
		dated("whisparr", "Whisparr", "Some Site", "2024-07-30", "A Scene"),
		dated("whisparr", "Whisparr", "Some Site", "2024-05-01", "Another Scene"),
	)
}

func animeStory() []sdk.Event {
	var events []sdk.Event
	for _, n := range []int{12, 11} {
		e := from("sonarr", "Sonarr Anime", sdk.TypeMediaImported, "Download")
		e.Source = "sonarr-anime"
		code := fmt.Sprintf("S01E%02d (%d)", n, n)
		e.Title = "Frieren " + code
		e.Summary = "Imported " + e.Title + " in Unknown"
		e.Media = &sdk.Media{Kind: "series", ID: "8", Title: "Frieren", Year: 2023, IDs: map[string]string{"tvdb": "424536", "anilist": "154587", "mal": "52991"}}
		e.Episodes = []sdk.Episode{{ID: strconv.Itoa(n), Season: 1, Number: new(n), Code: code, Title: fmt.Sprintf("Journey %d", n)}}
		e.Files = []sdk.File{{ID: strconv.Itoa(n), RelativePath: code + ".mkv", Quality: "Unknown", SizeBytes: 1 << 30}}
		e.CorrelationKey = "download:ANIME"
		events = append(events, e)
	}
	return told(events...)
}

func radiohead(t sdk.Type, native string, albums ...sdk.Album) sdk.Event {
	e := from("lidarr", "Lidarr Hi-Fi", t, native)
	e.Title = "Radiohead - " + albums[0].Title
	if more := len(albums) - 1; more > 0 {
		e.Title += fmt.Sprintf(" and %d more", more)
	}
	e.Media = &sdk.Media{
		Kind: "artist", ID: "4", Title: "Radiohead", Path: "/music/Radiohead", Genres: []string{"Art Rock"},
		IDs:    map[string]string{"musicbrainz": "a74b1b7f-71a5-4011-9441-d0b5e4122711"},
		Poster: "https://images.lidarr.audio/radiohead.jpg",
	}
	e.Albums, e.CorrelationKey = albums, "download:ALBUM"
	e.Download = &sdk.Download{Client: "SABnzbd", ClientType: "SABnzbd", ID: "ALBUM"}
	return e
}

func album(id, title, day string) sdk.Album {
	return sdk.Album{ID: id, Title: title, Type: "Album", ReleaseDate: day, IDs: map[string]string{"musicbrainz": "6e335887-60ba-38f0-95af-fae7774336b" + id}}
}

func importedAlbum(a sdk.Album, tracks ...string) sdk.Event {
	e := radiohead(sdk.TypeMediaImported, "Download", a)
	for i, title := range tracks {
		number := strconv.Itoa(i + 1)
		e.Tracks = append(e.Tracks, sdk.Track{ID: a.ID + number, Number: number, Title: title})
		e.Files = append(e.Files, sdk.File{ID: a.ID + number, Path: "/music/Radiohead/" + a.Title + "/0" + number + " " + title + ".flac", Quality: "FLAC", SizeBytes: 30 << 20})
	}
	e.Summary = fmt.Sprintf("Imported %s (%d tracks) in FLAC", e.Title, len(tracks))
	return e
}

func albumStory() []sdk.Event {
	rainbows := album("1", "In Rainbows", "2007-10-10")
	grab := radiohead(sdk.TypeReleaseGrabbed, "Grab", rainbows)
	grab.Release = &sdk.Release{Title: "Radiohead-In_Rainbows-FLAC-2007", Indexer: "Example Indexer", SizeBytes: 300 << 20, Quality: "FLAC"}
	grab.Summary = "Grabbed " + grab.Title + " from Example Indexer (300 MiB, FLAC)"
	return told(grab, importedAlbum(rainbows, "15 Step", "Bodysnatchers", "Nude", "Weird Fishes"))
}

func discography() []sdk.Event {
	albums := []sdk.Album{album("3", "Amnesiac", "2001-05-30"), album("1", "In Rainbows", "2007-10-10"), album("2", "Kid A", "2000-10-02")}
	grab := radiohead(sdk.TypeReleaseGrabbed, "Grab", albums...)
	grab.Release = &sdk.Release{Title: "Radiohead-Discography-FLAC", Indexer: "Example Indexer", Quality: "FLAC"}
	grab.Summary = "Grabbed " + grab.Title + " from Example Indexer (FLAC)"
	return told(grab, importedAlbum(albums[1], "15 Step", "Bodysnatchers"), importedAlbum(albums[0], "Packt Like Sardines"))
}

func bookStory() []sdk.Event {
	of := func(t sdk.Type, native string) sdk.Event {
		e := from("readarr", "Readarr", t, native)
		e.Title = "Brandon Sanderson - The Way of Kings"
		e.Media = &sdk.Media{
			Kind: "book", ID: "51", Title: "The Way of Kings", ReleaseDate: "2010-08-31", Path: "/books/Brandon Sanderson",
			IDs: map[string]string{"goodreads": "8134945", "goodreads_edition": "7235533", "isbn": "9780765326355", "asin": "B003P2WO5E"},
		}
		e.CorrelationKey = "download:BOOK"
		return e
	}
	grab := of(sdk.TypeReleaseGrabbed, "Grab")
	grab.Release = &sdk.Release{Title: "Brandon Sanderson - The Way of Kings (retail) (epub)", Indexer: "Example Tracker", SizeBytes: 7 << 20, Quality: "EPUB"}
	grab.Summary = "Grabbed " + grab.Title + " from Example Tracker (7.0 MiB, EPUB)"
	imported := of(sdk.TypeMediaImported, "Download")
	imported.Files = []sdk.File{{ID: "81", Path: "/books/Brandon Sanderson/The Way of Kings.epub", Quality: "EPUB", SizeBytes: 7 << 20}}
	imported.Summary = "Imported " + imported.Title + " in EPUB"
	return told(grab, imported)
}

// requestStory is what the source plugin generic makes of Overseerr's and Jellyseerr's
// webhooks with the configuration that the README has.
func requestStory() []sdk.Event {
	of := func(t sdk.Type, native, words string) sdk.Event {
		return sdk.Event{
			Source: "requests", Origin: sdk.OriginWebhook, App: "jellyseerr", Type: t, NativeType: native,
			Title: "Dune: Part Two (2024)", Summary: words, CorrelationKey: "jellyseerr:12",
			Media: &sdk.Media{
				Kind: "request", Title: "Dune: Part Two (2024)", IDs: map[string]string{"tmdb": "693134"},
				Overview: "Follow the mythic journey of Paul Atreides.", Poster: "https://image.tmdb.org/t/p/original/dune-two.jpg",
			},
		}
	}
	return told(
		of(sdk.TypeManualInteractionRequired, "MEDIA_PENDING", "New Movie Request"),
		of(sdk.TypeMediaAdded, "MEDIA_APPROVED", "Movie Request Approved"),
		of(sdk.TypeMediaImported, "MEDIA_AVAILABLE", "Movie Request Now Available"),
	)
}

func healthOf(t sdk.Type, native, before, message string) sdk.Event {
	e := from("sonarr", "Sonarr", t, native)
	e.Title, e.Summary = "Indexer status check", before+message
	e.Health = &sdk.Health{Level: "warning", Check: "IndexerStatusCheck", Message: message, WikiURL: "https://wiki.servarr.com/sonarr/system#indexers"}
	e.CorrelationKey = "health:IndexerStatusCheck"
	return e
}

func healthStory() []sdk.Event {
	const message = "Indexers unavailable due to failures: Nyx"
	return told(healthOf(sdk.TypeHealthIssue, "Health", "Warning: ", message), healthOf(sdk.TypeHealthRestored, "HealthRestored", "Resolved: ", message))
}

// healthLong says at the end of a long message what is the matter.
func healthLong() []sdk.Event {
	message := "Unable to communicate with qBittorrent. " + strings.Repeat("Failed to connect, check the settings. ", 40) + "Connection refused (localhost:8080)"
	e := healthOf(sdk.TypeHealthIssue, "Health", "Warning: ", message)
	e.Summary = e.Summary[:300] + "…"
	return told(e)
}

// heldStory is what Hookarr tells of a target.
func heldStory() []sdk.Event {
	of := func(t sdk.Type, title, summary, message string) sdk.Event {
		return sdk.Event{
			Source: sdk.SourceHookarr, Origin: sdk.OriginHookarr, App: "hookarr", Type: t, Title: title, Summary: summary,
			CorrelationKey: "target:chat", Health: &sdk.Health{Level: "warning", Check: "target chat", Message: message},
		}
	}
	return told(
		of(sdk.TypeTargetHeld, "Target chat is on hold", "Target chat is on hold (misconfigured): 404 Not Found", "404 Not Found"),
		of(sdk.TypeTargetResumed, "Target chat takes deliveries again", "Target chat was on hold (misconfigured) and takes deliveries again", "It takes deliveries again."),
	)
}

func gone() []sdk.Event {
	var events []sdk.Event
	for _, n := range []int{2, 1, 3} {
		e := severance(sdk.TypeFileDeleted, "EpisodeFileDelete", fmt.Sprintf("S02E%02d - Chapter %d", n, n), chapter(2, n))
		e.DeletedFiles, e.DeleteReason, e.Download = []sdk.File{chapterFile(2, n, "WEBDL-1080p", 2)}, "missingFromDisk", nil
		e.CorrelationKey = fmt.Sprintf("series:5:file:%d", n)
		e.Summary = "Deleted the file of " + e.Title + " (missing from disk)"
		events = append(events, e)
	}
	return told(events...)
}

// digest is an evening of sixty events.
func digest() []sdk.Event {
	events := slices.Concat(seasonStory(12, 12, true), movieStory(), healthStory()[:1], failures(), albumStory(), upgradeStory(2)[1:5], dailyStory(), gone())
	for i := range 60 - len(events) {
		e := base(sdk.TypeMediaImported, "Download", fmt.Sprintf("Movie %d (2020)", i+1), fmt.Sprintf("Imported Movie %d (2020) in Bluray-1080p", i+1))
		e.Media = &sdk.Media{Kind: "movie", ID: strconv.Itoa(100 + i), Title: fmt.Sprintf("Movie %d", i+1), Year: 2020}
		e.Files = []sdk.File{{ID: strconv.Itoa(100 + i), RelativePath: "a.mkv", Quality: "Bluray-1080p", SizeBytes: 10 << 30}}
		e.CorrelationKey = fmt.Sprintf("download:MOVIE%d", i)
		events = append(events, e)
	}
	return told(events...)
}
