package movie

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// The types of history records that webhooks tell too. What an event made from one
// lacks, or only may have, beside the webhook's:
//
//	grabbed                 release.grabbed            type and score of custom formats as they are today
//	downloadFolderImported  media.imported, _upgraded  indexer; media_info when the file is gone; an upgrade
//	                                                   whose old file was deleted 15 minutes before is an import
//	movieFileDeleted        file.deleted, _for_upgrade id of the file, also in the correlation key; media_info
//	movieFileRenamed        file.renamed               id of the file and media_info when it has another path today
//
// movieFolderImported, downloadFailed and downloadIgnored are told by no webhook.
// Additions and deletions of titles, health, updates and downloads that wait for a
// person are not in the history: failing checks are listed elsewhere, but without a
// time, so that one that stands would be told anew by every catch-up.
const (
	recordGrabbed  = "grabbed"
	recordImported = "downloadFolderImported"
	recordDeleted  = "movieFileDeleted"
	recordRenamed  = "movieFileRenamed"
)

// Reader reads the history and the titles of an application.
type Reader struct {
	client         *api.Client
	status         api.Status
	app            arr.App
	applicationURL string
}

// NewReader returns what reads app, whose pages are at a URL.
func NewReader(c *api.Client, s api.Status, app arr.App, applicationURL string) *Reader {
	return &Reader{client: c, status: s, app: app, applicationURL: applicationURL}
}

// Part implements api.Reader.
func (*Reader) Part(r *api.Record) string {
	for kind, detail := range map[string]string{
		recordGrabbed:  cmp.Or(r.DownloadID, r.SourceTitle),
		recordImported: cmp.Or(string(r.Data.FileID), r.Data.ImportedPath),
		recordDeleted:  r.SourceTitle + "\n" + r.Data.Reason,
		recordRenamed:  "files",
	} {
		if r.Is(kind) {
			return kind + "\n" + string(r.MovieID) + "\n" + detail
		}
	}
	return ""
}

// Tell implements api.Reader: it makes the webhook that the application sent, or
// would have, and decodes that.
func (r *Reader) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	first := t.First()
	m, err := r.movie(ctx, first.MovieID)
	if err != nil {
		return sdk.Event{}, err
	}
	p := &Payload{Movie: m}
	file := first.File()
	switch {
	case first.Is(recordGrabbed):
		p.Payload = first.Payload("Grab")
	case first.Is(recordImported):
		p.Payload = first.Payload("Download")
		if err := r.addFile(ctx, &file, first.MovieID); err != nil {
			return sdk.Event{}, err
		}
		for _, old := range t.Replaced(recordDeleted, func(a, b *api.Record) bool { return a.MovieID == b.MovieID }) {
			p.IsUpgrade = true
			p.DeletedFiles.Files = append(p.DeletedFiles.Files, old.File())
		}
		p.MovieFile = &file
	case first.Is(recordDeleted):
		p.Payload = arr.Payload{EventType: "MovieFileDelete", DeleteReason: first.DeleteReason()}
		p.MovieFile = &file
	default:
		p.Payload = arr.Payload{EventType: "Rename"}
		for i := range t.Records {
			file := t.Records[i].File()
			if err := r.addFile(ctx, &file, first.MovieID); err != nil {
				return sdk.Event{}, err
			}
			p.RenamedMovieFiles = append(p.RenamedMovieFiles, file)
		}
	}
	p.InstanceName = r.status.InstanceName
	return p.Decode(r.app, r.request(), r.applicationURL)
}

// request says the version as a webhook's header does.
func (r *Reader) request() sdk.Request {
	return sdk.Request{Header: http.Header{"User-Agent": {string(r.app) + "/" + r.status.Version}}}
}

// addFile completes what a record says of a file with what is known of it today.
func (r *Reader) addFile(ctx context.Context, f *arr.File, movieID arr.ID) error {
	known, err := api.Lookup[[]api.File](ctx, r.client, "moviefile", url.Values{"movieId": {string(movieID)}})
	if err != nil {
		return err
	}
	api.Complete(f, known)
	return nil
}

// Details implements api.Reader.
func (r *Reader) Details(ctx context.Context, e sdk.Event) (sdk.Event, error) {
	m, err := r.movie(ctx, arr.ID(e.Media.ID))
	if err != nil {
		return sdk.Event{}, err
	}
	p := Payload{Movie: m}
	out := sdk.Event{Media: p.media()}
	if len(e.Files) == 0 {
		return out, nil
	}
	files, err := api.Lookup[[]api.File](ctx, r.client, "moviefile", url.Values{"movieId": {e.Media.ID}})
	for i := range files {
		out.Files = append(out.Files, arr.Files(m.FolderPath, files[i].Webhook())...)
	}
	return out, err
}

// resource is a movie in the API, where some fields have other names.
type resource struct {
	Movie

	Path            string
	Tags            arr.List[arr.ID]
	PhysicalRelease string
	DigitalRelease  string
	InCinemas       string
}

// movie is what the application knows of a movie, or its id alone.
func (r *Reader) movie(ctx context.Context, id arr.ID) (*Movie, error) {
	known, err := api.Lookup[resource](ctx, r.client, "movie/"+url.PathEscape(string(id)), nil)
	if err != nil {
		return nil, err
	}
	m := known.Movie
	m.ID = id
	m.FolderPath = known.Path
	m.ReleaseDate = cmp.Or(m.ReleaseDate, known.PhysicalRelease, known.DigitalRelease, known.InCinemas)
	m.ItemType = strings.ToLower(m.ItemType)
	if m.Tags = nil; len(known.Tags) > 0 {
		tags, err := api.Lookup[[]api.Tag](ctx, r.client, "tag", nil)
		if err != nil {
			return nil, err
		}
		m.Tags = api.Labels(tags, known.Tags)
	}
	return &m, nil
}
