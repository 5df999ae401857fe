package plugintest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// Delivery returns a first attempt to deliver events, as a host makes it.
func Delivery(tb testing.TB, id string, events ...sdk.Event) host.Delivery {
	tb.Helper()
	d := host.Delivery{ID: id, Attempt: 1, Route: "everything"}
	for _, e := range events {
		data, err := json.Marshal(e)
		require.NoError(tb, err)
		d.Events = append(d.Events, data)
		d.CorrelationKey = e.CorrelationKey
	}
	return d
}

// Events returns one event of every type, with the parts that its type has.
func Events() []sdk.Event {
	types := sdk.Types()
	events := make([]sdk.Event, 0, len(types))
	for _, typ := range types {
		events = append(events, EventOf(typ))
	}
	return events
}

// EventOf returns an event of a type.
func EventOf(typ sdk.Type) sdk.Event {
	e := sdk.Event{
		ID: "01980000-0000-7000-8000-000000000001", Source: "radarr-4k", Origin: sdk.OriginWebhook,
		Time: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), App: "radarr", AppVersion: "6.0.3.10276",
		Instance: "Radarr 4K", Type: typ, NativeType: "Native", Title: "The Long Reel (2024)",
		Summary: "The Long Reel (2024): " + string(typ), URL: "https://radarr.example/movie/1",
		Fingerprint: "fp-" + string(typ), CorrelationKey: "download:ABCD1234",
	}
	file := sdk.File{
		ID: "7", Path: "/movies/The Long Reel (2024)/reel.mkv", RelativePath: "reel.mkv", SizeBytes: 42 << 30,
		Quality: "Bluray-2160p", Languages: []string{"English"},
		MediaInfo: &sdk.MediaInfo{VideoCodec: "x265", Width: 3840, Height: 2160, DynamicRange: "DV", AudioCodec: "TrueHD", AudioChannels: 7.1},
	}
	release := &sdk.Release{
		Title: "The.Long.Reel.2024.2160p-EXAMPLE", Group: "EXAMPLE", Indexer: "Example Tracker", SizeBytes: 42 << 30,
		Quality: "Bluray-2160p", CustomFormats: []string{"DV"}, Score: 1500,
	}
	download := &sdk.Download{Client: "qBittorrent", ClientType: "qbittorrent", ID: "ABCD1234", Status: "warning", Messages: []string{"Not an upgrade"}}
	switch typ {
	case sdk.TypeHealthIssue, sdk.TypeHealthRestored:
		e.Health = &sdk.Health{Level: "warning", Check: "IndexerStatusCheck", Message: "Indexers unavailable", WikiURL: "https://wiki.example/health"}
		return e
	case sdk.TypeTargetHeld, sdk.TypeTargetResumed, sdk.TypeDeliveryDead, sdk.TypePathsApart, sdk.TypeSpaceLow, sdk.TypeSpaceRestored:
		e.Health = &sdk.Health{Level: "warning", Check: "target chat", Message: "404 Not Found"}
		return e
	case sdk.TypeAppUpdated:
		e.Update = &sdk.Update{From: "6.0.2", To: "6.0.3", Message: "Updated"}
		return e
	case sdk.TypeTest, sdk.TypeUnknown, sdk.TypeInstalled:
		return e
	case sdk.TypeReleaseGrabbed:
		e.Release, e.Download = release, download
	case sdk.TypeMediaImported, sdk.TypeImportCompleted:
		e.Files, e.Release, e.Download = []sdk.File{file}, release, download
	case sdk.TypeMediaUpgraded:
		e.Files, e.DeletedFiles, e.Release, e.Upgrade = []sdk.File{file}, []sdk.File{file}, release, true
	case sdk.TypeImportFailed, sdk.TypeDownloadFailed, sdk.TypeManualInteractionRequired:
		e.Release, e.Download = release, download
	case sdk.TypeFileRenamed:
		e.Files, e.RenamedFiles = []sdk.File{file}, []sdk.Rename{{From: "/movies/a.mkv", To: "/movies/b.mkv"}}
	case sdk.TypeFileRetagged:
		e.Files = []sdk.File{file}
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		e.DeletedFiles, e.DeleteReason = []sdk.File{file}, "manual"
	case sdk.TypeMediaDeleted:
		e.FilesDeleted = true
	case sdk.TypeMediaAdded:
		e.AddMethod = "manual"
	case sdk.TypeMediaUpdated:
		e.Origin, e.Fields = sdk.OriginSnapshot, []string{"monitored", "overview"}
	case sdk.TypeLibraryAvailable, sdk.TypeLibraryMissing, sdk.TypeLibraryRemoved:
		e.Origin, e.Files = sdk.OriginTarget, []sdk.File{file}
		e.Library = &sdk.Library{Target: "media", Server: "Plex", Name: "Movies", ItemID: "42", URL: "https://plex.example/item/42"}
	}
	e.Media = &sdk.Media{
		Kind: "movie", ID: "1", Title: "The Long Reel", Year: 2024, IDs: map[string]string{"tmdb": "1", "imdb": "tt0000001"},
		Path: "/movies/The Long Reel (2024)", Overview: "A film about a film.", Genres: []string{"Drama"},
		Poster: "https://images.example/poster.jpg", Fanart: "https://images.example/fanart.jpg", Tags: []string{"4k"},
	}
	return e
}
