package arrhook

import (
	"cmp"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// eventType is the application's word for what happened. Where an application has none,
// it is another's, and where none has, the type itself.
func eventType(f family, e *sdk.Event) string {
	switch e.Type { //nolint:exhaustive // The others have a word for each family, or none.
	case sdk.TypeTest:
		return "Test"
	case sdk.TypeReleaseGrabbed:
		return "Grab"
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
		return "Download"
	case sdk.TypeImportFailed:
		return "ImportFailure"
	case sdk.TypeDownloadFailed:
		return "DownloadFailure"
	case sdk.TypeFileRenamed:
		return "Rename"
	case sdk.TypeFileRetagged:
		return "Retag"
	case sdk.TypeHealthIssue:
		return "Health"
	case sdk.TypeHealthRestored:
		return "HealthRestored"
	case sdk.TypeAppUpdated:
		return "ApplicationUpdate"
	case sdk.TypeManualInteractionRequired:
		return "ManualInteractionRequired"
	case sdk.TypeUnknown:
		return cmp.Or(e.NativeType, string(e.Type))
	}
	return cmp.Or(titleWord(f, e), string(e.Type))
}

// titleWord is the word for what came of a title or its file, which every family calls
// after its own titles.
func titleWord(f family, e *sdk.Event) string {
	var added, deleted, fileDeleted string
	switch f {
	case movies:
		added, deleted, fileDeleted = "MovieAdded", "MovieDelete", "MovieFileDelete"
	case shows:
		added, deleted, fileDeleted = "SeriesAdd", "SeriesDelete", "EpisodeFileDelete"
	case artists:
		// Lidarr has no word for a deleted file.
		added, deleted, fileDeleted = "ArtistAdd", "ArtistDelete", "TrackFileDelete"
		if namesWork(e, "AlbumDelete", len(e.Albums) > 0) {
			deleted = "AlbumDelete"
		}
	case authors:
		added, deleted, fileDeleted = "AuthorAdded", "AuthorDelete", "BookFileDelete"
		if namesWork(e, "BookDelete", e.Media != nil && e.Media.Kind == "book") {
			deleted = "BookDelete"
		}
	case none, releases:
	}
	switch e.Type {
	case sdk.TypeMediaAdded:
		return added
	case sdk.TypeMediaDeleted:
		return deleted
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		return fileDeleted
	default:
		return ""
	}
}

// namesWork reports whether a deletion is of a maker's work: by the application's own word,
// or for an event that has none by what it names.
func namesWork(e *sdk.Event, word string, named bool) bool {
	if arr.Named(e.App) != "" && e.NativeType != "" {
		return strings.EqualFold(e.NativeType, word)
	}
	return named
}
