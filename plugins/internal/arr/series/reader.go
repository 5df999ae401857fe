package series

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// The types of history records that webhooks tell too. The application writes one for
// each episode. What an event made from them lacks, or only may have, beside the
// webhook's:
//
//	grabbed                 release.grabbed            type and score of custom formats as they are today
//	downloadFolderImported  media.imported, _upgraded  indexer; media_info when the file is gone; an upgrade
//	                                                   whose old file was deleted 15 minutes before is an import
//	episodeFileDeleted      file.deleted, _for_upgrade id of the file, also in the correlation key; media_info
//	episodeFileRenamed      file.renamed               id of the file and media_info when it has another path
//	                                                   today; renames of one series within a minute are one
//
// seriesFolderImported, downloadFailed and downloadIgnored are told by no webhook, and
// an import that is complete is not in the history, nor are additions and deletions of
// titles, updates and downloads that wait for a person. Failing checks are listed
// elsewhere, but without a time, so that one that stands would be told anew by every
// catch-up.
const (
	recordGrabbed  = "grabbed"
	recordImported = "downloadFolderImported"
	recordDeleted  = "episodeFileDeleted"
	recordRenamed  = "episodeFileRenamed"
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
			return kind + "\n" + string(r.SeriesID) + "\n" + detail
		}
	}
	return ""
}

// Tell implements api.Reader: it makes the webhook that the application sent, or
// would have, and decodes that.
func (r *Reader) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	first := t.First()
	s, err := r.series(ctx, first.SeriesID)
	if err != nil {
		return sdk.Event{}, err
	}
	if r.app == arr.Whisparr {
		s.Year = 0 // Its webhooks have none, and titles are the same here and there.
	}
	p := &Payload{Series: s}
	file := first.File()
	switch {
	case first.Is(recordGrabbed):
		p.Payload = first.Payload("Grab")
	case first.Is(recordImported):
		p.Payload = first.Payload("Download")
		if err := r.addFiles(ctx, first.SeriesID, &file); err != nil {
			return sdk.Event{}, err
		}
		for _, old := range t.Replaced(recordDeleted, func(a, b *api.Record) bool { return a.EpisodeID == b.EpisodeID }) {
			p.IsUpgrade = true
			p.DeletedFiles.Files = append(p.DeletedFiles.Files, old.File())
		}
		p.EpisodeFile = &file
	case first.Is(recordDeleted):
		p.Payload = arr.Payload{EventType: "EpisodeFileDelete", DeleteReason: first.DeleteReason()}
		p.EpisodeFile = &file
	default:
		p.Payload = arr.Payload{EventType: "Rename"}
		p.RenamedEpisodeFiles, err = r.renamed(ctx, t.Records)
	}
	if err == nil && !first.Is(recordRenamed) {
		p.Episodes, err = r.episodes(ctx, t.Records)
	}
	if err != nil {
		return sdk.Event{}, err
	}
	p.InstanceName = r.status.InstanceName
	return p.Decode(r.app, r.request(), r.applicationURL)
}

// request says the version as a webhook's header does.
func (r *Reader) request() sdk.Request {
	return sdk.Request{Header: http.Header{"User-Agent": {string(r.app) + "/" + r.status.Version}}}
}

// renamed are the files of records, each once though it has several episodes.
func (r *Reader) renamed(ctx context.Context, records []api.Record) ([]arr.File, error) {
	var files []arr.File
	for i := range records {
		f := records[i].File()
		if !slices.ContainsFunc(files, func(o arr.File) bool { return o.PreviousPath == f.PreviousPath && o.Path == f.Path }) {
			files = append(files, f)
		}
	}
	pointers := make([]*arr.File, len(files))
	for i := range files {
		pointers[i] = &files[i]
	}
	return files, r.addFiles(ctx, records[0].SeriesID, pointers...)
}

// addFiles completes what records say of files with what is known of them today.
func (r *Reader) addFiles(ctx context.Context, seriesID arr.ID, files ...*arr.File) error {
	known, err := api.Lookup[[]api.File](ctx, r.client, "episodefile", url.Values{"seriesId": {string(seriesID)}})
	if err != nil {
		return err
	}
	for _, f := range files {
		api.Complete(f, known)
	}
	return nil
}

// episodes are those of records. One that the application does not know any more is
// left with its id.
func (r *Reader) episodes(ctx context.Context, records []api.Record) ([]Episode, error) {
	var ids []arr.ID
	for i := range records {
		if id := records[i].EpisodeID; id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return r.byID(ctx, records[0].SeriesID, ids)
}

// apiEpisode is an episode in the API. Whisparr has another name for the date.
type apiEpisode struct {
	Episode

	ReleaseDate string
}

func (r *Reader) byID(ctx context.Context, seriesID arr.ID, ids []arr.ID) ([]Episode, error) {
	known, err := api.Lookup[[]apiEpisode](ctx, r.client, "episode", url.Values{"seriesId": {string(seriesID)}})
	if err != nil {
		return nil, err
	}
	all := make([]Episode, len(ids))
	for i, id := range ids {
		all[i].ID = id
		if at := slices.IndexFunc(known, func(e apiEpisode) bool { return e.ID == id }); at >= 0 {
			all[i] = known[at].Episode
			all[i].AirDate = cmp.Or(known[at].AirDate, known[at].ReleaseDate)
		}
	}
	return all, nil
}

// Details implements api.Reader.
func (r *Reader) Details(ctx context.Context, e sdk.Event) (sdk.Event, error) {
	s, err := r.series(ctx, arr.ID(e.Media.ID))
	if err != nil {
		return sdk.Event{}, err
	}
	p := Payload{Series: s}
	out := sdk.Event{Media: p.media(r.app)}
	if len(e.Episodes) > 0 {
		ids := make([]arr.ID, len(e.Episodes))
		for i := range e.Episodes {
			ids[i] = arr.ID(e.Episodes[i].ID)
		}
		if p.Episodes, err = r.byID(ctx, s.ID, ids); err != nil {
			return sdk.Event{}, err
		}
		out.Episodes = p.episodes()
	}
	if len(e.Files) > 0 {
		files, err := api.Lookup[[]api.File](ctx, r.client, "episodefile", url.Values{"seriesId": {e.Media.ID}})
		if err != nil {
			return sdk.Event{}, err
		}
		for i := range files {
			out.Files = append(out.Files, arr.Files(s.Path, files[i].Webhook())...)
		}
	}
	return out, nil
}

// resource is a series in the API, where some fields have other names.
type resource struct {
	Series

	SeriesType string
	Tags       arr.List[arr.ID]
}

// series is what the application knows of a series, or its id alone.
func (r *Reader) series(ctx context.Context, id arr.ID) (*Series, error) {
	known, err := api.Lookup[resource](ctx, r.client, "series/"+url.PathEscape(string(id)), nil)
	if err != nil {
		return nil, err
	}
	s := known.Series
	s.ID = id
	s.Type = cmp.Or(s.Type, known.SeriesType)
	if s.Tags = nil; len(known.Tags) > 0 {
		tags, err := api.Lookup[[]api.Tag](ctx, r.client, "tag", nil)
		if err != nil {
			return nil, err
		}
		s.Tags = api.Labels(tags, known.Tags)
	}
	return &s, nil
}
