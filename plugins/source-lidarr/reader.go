package lidarr

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// The types of history records that webhooks tell too. Lidarr writes one for each
// album or track. What an event made from them lacks, or only may have, beside the
// webhook's:
//
//	grabbed            release.grabbed            kind of download client; score of custom formats as it is today
//	trackFileImported  media.imported, _upgraded  kind of download client; an upgrade whose old files were deleted
//	                                              15 minutes before is an import
//	downloadFailed     download.failed
//	trackFileRenamed   file.renamed               id of a file that has another path today; missed renames of one artist
//	                                              within a minute are one
//	trackFileRetagged  file.retagged              id and size of a file that has another path today
//
// trackFileDeleted, downloadImported, downloadIgnored and artistFolderImported are
// told by no webhook. The webhook of albumImportIncomplete says so little that nobody
// could tell that the record is the same. Additions and deletions of titles and
// updates are not in the history. Failing checks are listed elsewhere, but without a
// time, so that one that stands would be told anew by every catch-up.
const (
	recordGrabbed  = "grabbed"
	recordImported = "trackFileImported"
	recordDeleted  = "trackFileDeleted"
	recordFailed   = "downloadFailed"
	recordRenamed  = "trackFileRenamed"
	recordRetagged = "trackFileRetagged"
)

// reader reads Lidarr's history and titles.
type reader struct{ api.Library }

func newReader(l api.Library) api.Reader { return reader{l} }

// Part implements api.Reader.
func (reader) Part(r *api.Record) string {
	var detail string
	switch {
	case r.Is(recordGrabbed), r.Is(recordFailed):
		detail = cmp.Or(r.DownloadID, r.SourceTitle)
	case r.Is(recordImported):
		detail = string(r.AlbumID) + "\n" + r.DownloadID
	case r.Is(recordRenamed):
		detail = "files"
	case r.Is(recordRetagged):
		detail = r.SourceTitle
	default:
		return ""
	}
	return r.EventType + "\n" + string(r.ArtistID) + "\n" + detail
}

// Tell implements api.Reader: it makes the webhook that Lidarr sent, or would have,
// and decodes that.
func (r reader) Tell(ctx context.Context, t api.Told) (sdk.Event, error) {
	p, err := r.payload(ctx, t)
	if err != nil {
		return sdk.Event{}, err
	}
	p.InstanceName = r.Status.InstanceName
	return decoder{r.ApplicationURL}.decode(p, r.Request())
}

func (r reader) payload(ctx context.Context, t api.Told) (*payload, error) {
	first := t.First()
	if first.Is(recordFailed) {
		common := first.Payload("DownloadFailure")
		common.Release = arr.Release{}
		return &payload{Payload: common, ReleaseTitle: first.SourceTitle, Quality: first.Quality}, nil
	}
	artist, err := r.artist(ctx, first.ArtistID)
	if err != nil {
		return nil, err
	}
	p := &payload{Artist: artist}
	switch {
	case first.Is(recordGrabbed):
		p.Payload = first.Payload("Grab")
		p.Albums, err = r.albums(ctx, t.Records)
	case first.Is(recordImported):
		p.Payload = t.Import(recordDeleted)
		p.Release = arr.Release{}
		err = r.addImported(ctx, p, t.Records)
	case first.Is(recordRenamed):
		p.Payload = arr.Payload{EventType: "Rename"}
		p.RenamedTrackFiles, err = r.Files(ctx, t.Records)
	default:
		p.Payload = arr.Payload{EventType: "Retag"}
		var files []arr.File
		if files, err = r.Files(ctx, t.Records[:1]); err == nil {
			p.TrackFile = &files[0]
		}
	}
	return p, err
}

func (r reader) addImported(ctx context.Context, p *payload, records []api.Record) error {
	albums, err := r.albums(ctx, records[:1])
	if err != nil {
		return err
	}
	p.Album = &albums[0]
	tracks, err := api.Lookup[[]track](ctx, r.Library, "track", url.Values{"albumId": {string(records[0].AlbumID)}})
	if err != nil {
		return err
	}
	imported := map[arr.ID]bool{}
	for i := range records {
		imported[records[i].TrackID] = true
	}
	for _, t := range tracks {
		if imported[t.ID] {
			p.Tracks = append(p.Tracks, t)
		}
	}
	p.TrackFiles, err = r.Files(ctx, records)
	return err
}

// apiAlbum is an album in the API, where its id at MusicBrainz has another name.
type apiAlbum struct {
	album

	ForeignAlbumID arr.ID
}

func (a *apiAlbum) webhook() album {
	out := a.album
	out.MbID = cmp.Or(a.ForeignAlbumID, a.MbID)
	return out
}

// albums are those of records. One that Lidarr does not know any more is left with its
// id.
func (r reader) albums(ctx context.Context, records []api.Record) ([]album, error) {
	var all []album
	for i := range records {
		id := records[i].AlbumID
		if slices.ContainsFunc(all, func(a album) bool { return a.ID == id }) {
			continue
		}
		known, err := api.Lookup[apiAlbum](ctx, r.Library, "album/"+url.PathEscape(string(id)), nil)
		if err != nil {
			return nil, err
		}
		known.ID = id
		all = append(all, known.webhook())
	}
	return all, nil
}

// apiArtist is an artist in the API, where some fields have other names.
type apiArtist struct {
	artist

	ArtistName      string
	ForeignArtistID arr.ID
	Tags            arr.List[arr.ID]
	api.Holdings
}

// artist is what Lidarr knows of an artist, or the id alone.
func (r reader) artist(ctx context.Context, id arr.ID) (*artist, error) {
	known, err := api.Lookup[apiArtist](ctx, r.Library, "artist/"+url.PathEscape(string(id)), nil)
	if err != nil {
		return nil, err
	}
	known.ID = id
	return r.webhook(ctx, &known)
}

// webhook is an artist as webhooks have it.
func (r reader) webhook(ctx context.Context, known *apiArtist) (_ *artist, err error) {
	a := known.artist
	a.Name = known.ArtistName
	a.MbID = cmp.Or(known.ForeignArtistID, a.MbID)
	if a.Tags, err = r.Labels(ctx, known.Tags); err != nil {
		return nil, err
	}
	a.QualityProfile, err = r.Profile(ctx, a.QualityProfileID)
	return &a, err
}

// Details implements api.Reader.
func (r reader) Details(ctx context.Context, e sdk.Event) (sdk.Event, error) {
	artist, err := r.artist(ctx, arr.ID(e.Media.ID))
	if err != nil {
		return sdk.Event{}, err
	}
	records := make([]api.Record, len(e.Albums))
	for i := range e.Albums {
		records[i].AlbumID = arr.ID(e.Albums[i].ID)
	}
	p := payload{Artist: artist}
	if p.Albums, err = r.albums(ctx, records); err != nil {
		return sdk.Event{}, err
	}
	out := sdk.Event{Media: p.media(), Albums: p.eventAlbums()}
	if len(e.Files) > 0 {
		out.Files, err = r.Held(ctx, artist.Path, records...)
	}
	return out, err
}
