package admin

import (
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// sampleID is that of every sample: no event has it.
const sampleID = "00000000-0000-7000-8000-000000000000"

// sample makes an event of a type up, so that routes and messages can be tried before one
// has come. The film is real and free.
func sample(typ sdk.Type, source string) (sdk.Event, error) {
	if !slices.Contains(sdk.Types(), typ) {
		names := make([]string, 0, len(sdk.Types()))
		for _, t := range sdk.Types() {
			names = append(names, string(t))
		}
		return sdk.Event{}, invalid("there is no event type of this name%s", meant(string(typ), names))
	}
	file := sdk.File{
		ID: "1", Path: "/movies/Sintel (2010)/Sintel (2010) Bluray-1080p.mkv", RelativePath: "Sintel (2010) Bluray-1080p.mkv",
		SizeBytes: 2_500_000_000, Quality: "Bluray-1080p", Languages: []string{"English"},
	}
	e := sampleOf(typ, source, "Sintel (2010)", "")
	e.Media = &sdk.Media{
		Kind: "movie", ID: "1", Title: "Sintel", Year: 2010, IDs: map[string]string{"tmdb": "45745", "imdb": "tt1727587"},
		Path: "/movies/Sintel (2010)", Genres: []string{"Animation", "Fantasy"}, Overview: "A wanderer looks for a lost dragon.",
	}
	switch typ {
	case sdk.TypeHealthIssue, sdk.TypeHealthRestored:
		e.Media, e.Title = nil, "Indexers are unavailable"
		e.Health = &sdk.Health{Level: "warning", Check: "IndexerStatusCheck", Message: "Indexers are unavailable"}
	case sdk.TypeAppUpdated:
		e.Media, e.Title = nil, "Updated to 2.0"
		e.Update = &sdk.Update{From: "1.0", To: "2.0", Message: "Updated from 1.0 to 2.0"}
	case sdk.TypeReleaseGrabbed, sdk.TypeDownloadFailed, sdk.TypeImportFailed, sdk.TypeManualInteractionRequired:
		e.Release = &sdk.Release{Title: "Sintel.2010.1080p.BluRay.x264", Indexer: "sample", SizeBytes: file.SizeBytes, Quality: file.Quality}
		e.Download = &sdk.Download{Client: "sample", ID: "SAMPLE"}
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade, sdk.TypeMediaDeleted:
		e.DeletedFiles, e.DeleteReason = []sdk.File{file}, "manual"
	case sdk.TypeFileRenamed:
		e.RenamedFiles = []sdk.Rename{{From: "/movies/Sintel (2010)/sintel.mkv", To: file.Path}}
	case sdk.TypeTest, sdk.TypeUnknown, sdk.TypeTargetHeld, sdk.TypeTargetResumed, sdk.TypeDeliveryDead, sdk.TypePathsApart,
		sdk.TypeSpaceLow, sdk.TypeSpaceRestored:
		e.Media, e.Title = nil, "Sample of "+string(typ)
	case sdk.TypeMediaUpgraded:
		e.Files, e.Upgrade = []sdk.File{file}, true
	default:
		e.Files = []sdk.File{file}
	}
	e.Summary = saying(typ, e.Title)
	return e, nil
}

// saying is the sentence of a sample: Imported: Sintel (2010).
func saying(typ sdk.Type, title string) string {
	_, word, ok := strings.Cut(string(typ), ".")
	if !ok {
		word = string(typ)
	}
	word = strings.ReplaceAll(word, "_", " ")
	return strings.ToUpper(word[:1]) + word[1:] + ": " + title
}

// sampleOf is what all samples have.
func sampleOf(typ sdk.Type, source, title, summary string) sdk.Event {
	return sdk.Event{
		ID: sampleID, Source: source, Origin: sdk.OriginWebhook, Time: time.Now().UTC().Truncate(time.Second),
		App: "sample", Type: typ, Title: title, Summary: summary,
	}
}
