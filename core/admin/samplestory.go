package admin

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// SampleStory names made-up events that one delivery tells.
type SampleStory string

// The stories.
const (
	// StorySeason is a season of twelve episodes that is imported in parts.
	StorySeason SampleStory = "season"
	// StoryUpgrade is a film of which a better file takes the place of another.
	StoryUpgrade SampleStory = "upgrade"
	// StoryHealth is a health issue that is restored.
	StoryHealth SampleStory = "health"
	// StoryDigest is what happened to many titles.
	StoryDigest SampleStory = "digest"
)

// SampleStories returns every story.
func SampleStories() []SampleStory {
	return []SampleStory{StorySeason, StoryUpgrade, StoryHealth, StoryDigest}
}

// sampleStory makes the events of a story up, oldest first. The films and the serial are
// real and free.
func sampleStory(name SampleStory, source string) ([]sdk.Event, error) {
	pause := time.Minute
	var events []sdk.Event
	switch name {
	case StorySeason:
		events = sampleSeason(source)
	case StoryUpgrade:
		events = sampleUpgrade(source)
	case StoryHealth:
		events = sampleHealth(source)
		pause = 125 * time.Minute
	case StoryDigest:
		events = sampleDigest(source)
	default:
		names := make([]string, 0, len(SampleStories()))
		for _, s := range SampleStories() {
			names = append(names, string(s))
		}
		return nil, invalid("there is no story of this name%s", meant(string(name), names))
	}
	at := events[0].Time
	for i := len(events) - 1; i >= 0; i-- {
		events[i].ID, events[i].Time = fmt.Sprintf("00000000-0000-7000-8000-%012d", i+1), at
		at = at.Add(-pause)
	}
	return events, nil
}

// chapters are the episodes of The Phantom Empire, a serial in the public domain.
func chapters() []string {
	return []string{
		"The Singing Cowboy", "The Thunder Riders", "The Lightning Chamber", "Phantom Broadcast", "Beneath the Earth",
		"Disaster from the Skies", "From Death to Life", "Jaws of Jeopardy", "Prisoners of the Ray", "The Rebellion",
		"A Queen in Chains", "The End of Murania",
	}
}

func sampleSeason(source string) []sdk.Event {
	const title, folder = "The Phantom Empire", "/tv/The Phantom Empire"
	of := func(typ sdk.Type, what, summary string) sdk.Event {
		e := sampleOf(typ, source, title+" "+what, summary)
		e.CorrelationKey = "download:SAMPLE"
		e.Media = &sdk.Media{
			Kind: "series", ID: "2", Title: title, Year: 1935, IDs: map[string]string{"imdb": "tt0026867"}, Path: folder,
			Genres: []string{"Western", "Science Fiction"}, Overview: "A singing cowboy finds a kingdom under his ranch.",
		}
		e.Download = &sdk.Download{Client: "sample", ID: "SAMPLE"}
		return e
	}
	grab := of(sdk.TypeReleaseGrabbed, "S01", "Grabbed The Phantom Empire S01")
	complete := of(sdk.TypeImportCompleted, "S01", "Imported 12 episodes of The Phantom Empire S01")
	imports := make([]sdk.Event, 0, len(chapters()))
	var size int64
	for i, chapter := range chapters() {
		code := fmt.Sprintf("S01E%02d", i+1)
		e := of(sdk.TypeMediaImported, code, "Imported The Phantom Empire "+code)
		e.Episodes = []sdk.Episode{{ID: strconv.Itoa(i + 1), Season: 1, Number: new(i + 1), Code: code, Title: chapter}}
		name := "Season 01/The Phantom Empire " + code + " WEBDL-480p.mkv"
		e.Files = []sdk.File{{
			ID: strconv.Itoa(i + 1), Path: folder + "/" + name, RelativePath: name, SizeBytes: 350_000_000 + int64(i)*1_000_000,
			Quality: "WEBDL-480p", Languages: []string{"English"},
		}}
		size += e.Files[0].SizeBytes
		grab.Episodes = append(grab.Episodes, e.Episodes...)
		complete.Episodes = append(complete.Episodes, e.Episodes...)
		complete.Files = append(complete.Files, e.Files...)
		imports = append(imports, e)
	}
	grab.Release = &sdk.Release{
		Title: "The.Phantom.Empire.S01.480p.WEB-DL.x264", Indexer: "sample", SizeBytes: size, Quality: "WEBDL-480p", Languages: []string{"English"},
	}
	return slices.Concat([]sdk.Event{grab}, imports, []sdk.Event{complete})
}

func sampleUpgrade(source string) []sdk.Event {
	of := func(typ sdk.Type) sdk.Event {
		e, _ := sample(typ, source) // a type that there is
		e.CorrelationKey = "download:SAMPLE"
		return e
	}
	removed, upgraded := of(sdk.TypeFileDeletedForUpgrade), of(sdk.TypeMediaUpgraded)
	old := removed.DeletedFiles[0]
	old.ID, old.Quality, old.SizeBytes = "0", "WEBDL-720p", 700_000_000
	old.RelativePath = "Sintel (2010) WEBDL-720p.mkv"
	old.Path = removed.Media.Path + "/" + old.RelativePath
	removed.DeletedFiles, removed.DeleteReason = []sdk.File{old}, "upgrade"
	upgraded.DeletedFiles = []sdk.File{old}
	return []sdk.Event{removed, upgraded}
}

func sampleHealth(source string) []sdk.Event {
	issue, _ := sample(sdk.TypeHealthIssue, source) // types that there are
	restored, _ := sample(sdk.TypeHealthRestored, source)
	issue.CorrelationKey, restored.CorrelationKey = "health:IndexerStatusCheck", "health:IndexerStatusCheck"
	return []sdk.Event{issue, restored}
}

// sampleDigest has problems, titles of one event, and one of several.
func sampleDigest(source string) []sdk.Event {
	var events []sdk.Event
	film := func(typ sdk.Type, id, title string, year int) {
		e, _ := sample(typ, source) // a type that there is
		name := fmt.Sprintf("%s (%d)", title, year)
		e.Title, e.Summary = name, saying(typ, name)
		e.CorrelationKey = "download:SAMPLE" + id
		e.Media = &sdk.Media{Kind: "movie", ID: "1" + id, Title: title, Year: year, Path: "/movies/" + name}
		for i := range e.Files {
			e.Files[i].RelativePath = name + " Bluray-1080p.mkv"
			e.Files[i].Path = e.Media.Path + "/" + e.Files[i].RelativePath
		}
		if e.Download != nil {
			e.Download.ID = "SAMPLE" + id
		}
		events = append(events, e)
	}
	film(sdk.TypeMediaImported, "0", "Sintel", 2010)
	film(sdk.TypeMediaUpgraded, "1", "Big Buck Bunny", 2008)
	film(sdk.TypeMediaImported, "2", "Elephants Dream", 2006)
	film(sdk.TypeMediaImported, "3", "Tears of Steel", 2012)
	film(sdk.TypeDownloadFailed, "4", "Cosmos Laundromat", 2015)
	return slices.Concat(events, sampleHealth(source)[:1], sampleSeason(source)[1:13])
}
