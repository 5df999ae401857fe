package eventtest

import (
	"slices"

	"github.com/hookarr/hookarr/sdk"
)

// onServer is what a target tells of an import once it has asked its media server.
func onServer(t sdk.Type, server string, of sdk.Event) sdk.Event {
	e := sdk.Event{
		Source: of.Source, Origin: sdk.OriginTarget, App: of.App, Instance: of.Instance, Type: t, Title: of.Title,
		CorrelationKey: of.CorrelationKey, Media: of.Media, Episodes: of.Episodes, Files: of.Files,
		Library: &sdk.Library{Target: "media", Server: server, Name: "Library", ItemID: "42", URL: "https://" + server + ".example/item/42"},
	}
	switch t {
	case sdk.TypeLibraryMissing:
		e.Summary = server + " does not have " + of.Title
	case sdk.TypeLibraryRemoved:
		e.Summary = server + " no longer has " + of.Title
	default:
		e.Summary = of.Title + " is available on " + server
	}
	return e
}

func movieOn(types map[string]sdk.Type, servers ...string) []sdk.Event {
	events := slices.Clone(movieStory()[:2])
	for _, server := range servers {
		events = append(events, onServer(types[server], server, events[1]))
	}
	return told(events...)
}

// seasonOn is a season of which one server has the first episodes, and another all.
func seasonOn(n, first int) []sdk.Event {
	events := seasonStory(n, n, false)
	whole := events[len(events)-1]
	whole.Episodes, whole.Files = nil, nil
	for _, e := range events {
		if e.Type == sdk.TypeMediaImported {
			whole.Episodes = append(whole.Episodes, e.Episodes...)
			whole.Files = append(whole.Files, e.Files...)
		}
	}
	part := whole
	part.Episodes, part.Files = whole.Episodes[:first:first], whole.Files[:min(first, len(whole.Files)):min(first, len(whole.Files))]
	events = append(events, onServer(sdk.TypeLibraryAvailable, "Jellyfin", part))
	if n > first {
		return told(append(events, onServer(sdk.TypeLibraryAvailable, "Plex", whole))...)
	}
	return told(events...)
}

// upgradedOn is an upgrade that a server has shown, after the import that it replaced was.
func upgradedOn() []sdk.Event {
	of := movieStory()
	return told(of[0], of[1], onServer(sdk.TypeLibraryAvailable, "Plex", of[1]), of[2], of[3], onServer(sdk.TypeLibraryAvailable, "Plex", of[3]))
}

func deletedOn() []sdk.Event {
	deleted := base(sdk.TypeFileDeleted, "MovieFileDelete", "Dune: Part Two (2024)", "Deleted the file of Dune: Part Two (2024)")
	deleted.Media, deleted.DeletedFiles, deleted.CorrelationKey = dune(), []sdk.File{hd()}, "movie:12:file:3"
	removed := onServer(sdk.TypeLibraryRemoved, "Plex", deleted)
	removed.DeletedFiles = deleted.DeletedFiles
	return told(deleted, removed)
}

func updated() []sdk.Event {
	e := base(sdk.TypeMediaUpdated, "", "Dune: Part Two (2024)", "Updated Dune: Part Two (2024)")
	e.Media, e.Origin, e.Fields = dune(), sdk.OriginSnapshot, []string{"monitored", "overview", "quality_profile"}
	return told(e)
}

func libraryStories() []Story {
	has, lacks := sdk.TypeLibraryAvailable, sdk.TypeLibraryMissing
	return []Story{
		{"movie_available", movieOn(map[string]sdk.Type{"Plex": has}, "Plex")},
		{"movie_available_twice", movieOn(map[string]sdk.Type{"Plex": has, "Jellyfin": has}, "Plex", "Jellyfin")},
		{"movie_missing", movieOn(map[string]sdk.Type{"Plex": has, "Jellyfin": lacks}, "Plex", "Jellyfin")},
		{"movie_upgrade_available", upgradedOn()},
		{"movie_only_available", movieOn(map[string]sdk.Type{"Plex": has}, "Plex")[2:]},
		{"movie_removed", deletedOn()},
		{"movie_updated", updated()},
		{"season_available", seasonOn(12, 12)},
		{"season_partly_available", seasonOn(12, 5)},
		{"season_not_yet_available", seasonOn(12, 5)[:14]},
	}
}
