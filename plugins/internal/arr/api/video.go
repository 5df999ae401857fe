package api

import (
	"cmp"
	"context"

	"github.com/hookarr/hookarr/plugins/internal/arr"
)

// The types of history records that have one name wherever titles are videos.
const (
	RecordGrabbed  = "grabbed"
	RecordImported = "downloadFolderImported"
)

// Videos reads the history of an application whose titles are movies or series. What
// an event made from a record lacks, or only may have, beside the webhook's:
//
//	grabbed                 release.grabbed            type and score of custom formats as they are today
//	downloadFolderImported  media.imported, _upgraded  indexer; media_info when the file is gone; an upgrade
//	                                                   whose old file was deleted 15 minutes before is an import
//	*FileDeleted            file.deleted, _for_upgrade id of the file, also in the correlation key; media_info
//	*FileRenamed            file.renamed               id of the file and media_info when it has another path
//	                                                   today; missed renames of one title within a minute are one
//
// With Sonarr's import_pair complete, imports are told as import.completed instead, each
// download once and when all that was grabbed is there; those without a download, which
// a person made, are left out.
//
// movieFolderImported, seriesFolderImported, downloadFailed and downloadIgnored are
// told by no webhook. Additions and deletions of titles, updates and
// downloads that wait for a person are not in the history. Failing checks are listed
// elsewhere, but without a time, so that one that stands would be told anew by every
// catch-up.
type Videos struct {
	Library

	// File is how the application calls a file: MovieFile, EpisodeFile.
	File string
}

// Part implements [Reader].
func (v Videos) Part(r *Record) string {
	var detail string
	switch {
	case r.Is(RecordGrabbed):
		detail = cmp.Or(r.DownloadID, r.SourceTitle)
	case r.Is(RecordImported):
		detail = cmp.Or(string(r.Data.FileID), r.Data.ImportedPath)
	case r.Is(v.File + "Deleted"):
		detail = r.SourceTitle + "\n" + r.Data.Reason
	case r.Is(v.File + "Renamed"):
		detail = "files"
	default:
		return ""
	}
	return r.EventType + "\n" + string(cmp.Or(r.MovieID, r.SeriesID)) + "\n" + detail
}

// VideoWebhook is a webhook about a video without its title.
type VideoWebhook struct {
	arr.Payload

	// File is the one that was imported or deleted.
	File    *arr.File
	Renamed []arr.File
}

// Webhook is what the application sent, or would have.
func (v Videos) Webhook(ctx context.Context, t Told) (w VideoWebhook, err error) {
	first := t.First()
	file := first.File()
	switch {
	case first.Is(RecordGrabbed):
		w.Payload = first.Payload("Grab")
	case first.Is(RecordImported):
		w.Payload = t.Import(v.File + "Deleted")
		files, err := v.Files(ctx, t.Records[:1])
		if err != nil {
			return w, err
		}
		w.File = &files[0]
	case first.Is(v.File + "Deleted"):
		w.Payload = arr.Payload{EventType: v.File + "Delete", DeleteReason: first.DeleteReason()}
		w.File = &file
	default:
		w.Payload = arr.Payload{EventType: "Rename"}
		w.Renamed, err = v.Files(ctx, t.Records)
	}
	w.InstanceName = v.Status.InstanceName
	return w, err
}
