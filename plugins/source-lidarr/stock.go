package lidarr

import (
	"cmp"
	"context"
	"iter"
	"net/url"
	"slices"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/plugins/internal/arr/api"
	"github.com/hookarr/hookarr/sdk"
)

// stock knows all artists with their albums and files. Lidarr tells imports by album:
// the fingerprint of a file is that of its import if it came alone.
type stock struct{ reader }

func newStock(l api.Library) api.Stock { return stock{reader{l}} }

// Path implements api.Stock.
func (stock) Path() string { return "artist" }

// New implements api.Stock.
func (stock) New() api.Listed { return &apiArtist{} }

// Title implements api.Stock.
func (stock) Title(t api.Listed) sdk.FolderTitle {
	known, _ := t.(*apiArtist)
	a := known.artist
	a.Name, a.MbID = known.ArtistName, cmp.Or(known.ForeignArtistID, a.MbID)
	return api.TitleIn(a.Path, (&payload{Artist: &a}).media())
}

// Row implements api.Listed.
func (a *apiArtist) Row() int64 { return api.Row(a.ID) }

// apiTrack is a track in the API.
type apiTrack struct {
	track

	TrackFileID arr.ID
}

// apiFile is a file in the API.
type apiFile struct {
	api.File

	AlbumID arr.ID
}

// Items implements api.Stock.
func (s stock) Items(ctx context.Context, t api.Listed) iter.Seq2[api.Item, error] {
	known, _ := t.(*apiArtist)
	artist, err := s.webhook(ctx, known)
	if err != nil {
		return api.Failed(err)
	}
	about := url.Values{"artistId": {string(artist.ID)}}
	albums, err := api.Fresh[[]apiAlbum](ctx, s.Client, "album", about)
	if err != nil {
		return api.Failed(err)
	}
	slices.SortFunc(albums, func(a, b apiAlbum) int { return cmp.Compare(api.Row(a.ID), api.Row(b.ID)) })
	tracks, err := api.Fresh[[]apiTrack](ctx, s.Client, "track", about)
	if err != nil {
		return api.Failed(err)
	}
	slices.SortFunc(tracks, func(a, b apiTrack) int { return cmp.Compare(api.Row(a.ID), api.Row(b.ID)) })
	files, err := api.Fresh[[]apiFile](ctx, s.Client, "trackfile", about)
	if err != nil {
		return api.Failed(err)
	}
	title, err := s.title(ctx, artist, albums)
	if err != nil {
		return api.Failed(err)
	}
	held := map[arr.ID][]track{}
	for i := range tracks {
		held[tracks[i].TrackFileID] = append(held[tracks[i].TrackFileID], tracks[i].track)
	}
	return api.Items(title, api.Ordered(files, func(f *apiFile) arr.ID { return f.ID }), func(f *apiFile) (api.Item, error) {
		p := &payload{Artist: artist, Tracks: held[f.ID], TrackFiles: []arr.File{f.Webhook()}}
		if i := slices.IndexFunc(albums, func(a apiAlbum) bool { return a.ID == f.AlbumID }); i >= 0 {
			p.Album = new(albums[i].webhook())
		}
		e, err := s.event(ctx, p, "Download")
		// No webhook tells that a file was deleted.
		return api.FileItem(f.ID, title.Key, e, nil), err
	})
}

// title is an artist as an item.
func (s stock) title(ctx context.Context, a *artist, albums []apiAlbum) (api.Item, error) {
	p := &payload{Artist: a}
	e, err := s.event(ctx, p, "ArtistAdd")
	if err != nil {
		return api.Item{}, err
	}
	// The webhook has no albums, and its title is the artist's name.
	for i := range albums {
		p.Albums = append(p.Albums, albums[i].webhook())
	}
	e.Albums = p.eventAlbums()
	return api.Item{Item: sdk.Item{Key: "artist/" + string(a.ID), Event: e, GoneFingerprints: p.Gone(p.works().ByMaker())}}, nil
}

// event is the event of a webhook.
func (s stock) event(ctx context.Context, p *payload, eventType string) (e sdk.Event, err error) {
	if p.Payload, err = s.Envelope(ctx, eventType); err != nil {
		return e, err
	}
	return decoder{s.ApplicationURL}.decode(p, sdk.Request{})
}
