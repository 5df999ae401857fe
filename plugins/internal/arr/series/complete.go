package series

import (
	"context"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// completeReader tells imports by download. Those without one are left out: which of
// them were imported together, the history does not say.
type completeReader struct{ reader }

// NewCompleteReader returns what reads like [NewReader], but tells the import of a
// download once, as Sonarr does with On Import Complete, and not of each file.
func NewCompleteReader(l api.Library) api.Reader {
	return completeReader{reader{api.Videos{Library: l, File: "EpisodeFile"}}}
}

// Part implements api.Reader.
func (r completeReader) Part(rec *api.Record) string {
	switch {
	case !rec.Is(api.RecordImported):
		return r.reader.Part(rec)
	case rec.DownloadID == "":
		return ""
	default:
		return api.RecordImported + "\n" + rec.DownloadID
	}
}

// Tell implements api.Reader. Files of a download may be imported at a distance: the
// last of them tells of all, and none does before the episodes that were grabbed are
// there, since Sonarr does not call the download complete.
func (r completeReader) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	if !t.First().Is(api.RecordImported) {
		return r.reader.Tell(ctx, t)
	}
	records, err := r.Download(ctx, t.Records)
	if err != nil {
		return sdk.Event{}, err
	}
	imported := latestImports(records)
	if len(imported) == 0 {
		imported = latestImports(t.Records)
	}
	if last := t.Records[len(t.Records)-1]; imported[len(imported)-1].ID != last.ID {
		return sdk.Event{}, sdk.Skip("more of the download was imported later")
	}
	for i := range records {
		grabbed := &records[i]
		if grabbed.Is(api.RecordGrabbed) && !slices.ContainsFunc(imported, func(o api.Record) bool { return o.EpisodeID == grabbed.EpisodeID }) {
			return sdk.Event{}, sdk.Skip("the download is not complete")
		}
	}
	return r.completed(ctx, imported)
}

func (r completeReader) completed(ctx context.Context, imported []api.Record) (sdk.Event, error) {
	s, err := r.series(ctx, imported[0].SeriesID)
	if err != nil {
		return sdk.Event{}, err
	}
	files, err := r.Files(ctx, imported)
	if err != nil {
		return sdk.Event{}, err
	}
	p := &Payload{Payload: imported[0].Payload("Download"), Series: s, EpisodeFiles: (*arr.List[arr.File])(&files)}
	p.InstanceName = r.Status.InstanceName
	if p.Episodes, err = r.episodes(ctx, imported); err != nil {
		return sdk.Event{}, err
	}
	return p.Decode(r.App, r.Request(), r.ApplicationURL)
}

// latestImports are the imports among records, which are in order, but those of
// episodes that were imported again.
func latestImports(records []api.Record) []api.Record {
	var latest []api.Record
	for i := range slices.Backward(records) {
		rec := &records[i]
		if rec.Is(api.RecordImported) && !slices.ContainsFunc(latest, func(o api.Record) bool { return o.EpisodeID == rec.EpisodeID }) {
			latest = append(latest, *rec)
		}
	}
	slices.Reverse(latest)
	return latest
}
