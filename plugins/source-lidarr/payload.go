package lidarr

import (
	"cmp"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// payload is a webhook of Lidarr. An import is of one album, a grab of any number.
type payload struct {
	arr.Payload

	Artist            *artist
	Album             *album
	Albums            arr.List[album]
	Tracks            arr.List[track]
	TrackFile         *arr.File
	TrackFiles        arr.List[arr.File]
	RenamedTrackFiles arr.List[arr.File]

	// Quality and ReleaseTitle are of a download that failed.
	Quality      arr.Name
	ReleaseTitle string
}

// artist is left out by Lidarr while its metadata is missing.
type artist struct {
	ID       arr.ID
	Name     string
	Path     string
	MbID     arr.ID
	Overview string
	Genres   arr.Names
	Images   arr.List[arr.Image]
	Tags     arr.Names

	arr.Keeping
}

// album has the id of its release group at MusicBrainz.
type album struct {
	ID          arr.ID
	MbID        arr.ID
	Title       string
	Overview    string
	AlbumType   string
	ReleaseDate string
	Genres      arr.Names
	Images      arr.List[arr.Image]
}

type track struct {
	ID          arr.ID
	Title       string
	TrackNumber arr.Printed
}

func (p *payload) works() arr.Works {
	w := arr.Works{MakerKind: "artist", Kind: "album"}
	if a := p.Artist; a != nil {
		w.Maker = arr.Maker{ID: a.ID, ForeignID: a.MbID, Name: a.Name, Path: a.Path}
	}
	for _, a := range p.Albums {
		w.All = append(w.All, arr.Work{ID: a.ID, ForeignID: a.MbID, Title: a.Title})
	}
	return w
}

// media is the artist. Where the event is about one album, its cover is the poster.
func (p *payload) media() *sdk.Media {
	a := p.Artist
	if a == nil {
		return nil
	}
	m := &sdk.Media{
		Kind:     "artist",
		ID:       string(a.ID),
		Title:    arr.OneLine(cmp.Or(a.Name, arr.Base(a.Path))),
		IDs:      arr.IDs{"musicbrainz": a.MbID}.Event(),
		Path:     a.Path,
		Overview: a.Overview,
		Genres:   a.Genres,
		Poster:   arr.Picture(a.Images, "poster"),
		Fanart:   arr.Picture(a.Images, "fanart"),
		Tags:     a.Tags,
	}
	a.Fill(m)
	if len(p.Albums) == 1 {
		album := &p.Albums[0]
		m.Poster = cmp.Or(arr.Picture(album.Images, "cover"), m.Poster)
		m.Overview = cmp.Or(m.Overview, album.Overview)
		if len(m.Genres) == 0 {
			m.Genres = album.Genres
		}
	}
	return m
}

func (p *payload) eventAlbums() []sdk.Album {
	var all []sdk.Album
	for _, a := range p.Albums {
		all = append(all, sdk.Album{
			ID:          string(a.ID),
			Title:       arr.OneLine(a.Title),
			Type:        a.AlbumType,
			ReleaseDate: arr.Date(a.ReleaseDate),
			IDs:         arr.IDs{"musicbrainz": a.MbID}.Event(),
		})
	}
	return all
}

func (p *payload) eventTracks() []sdk.Track {
	var all []sdk.Track
	for _, t := range p.Tracks {
		if t == (track{}) {
			continue
		}
		all = append(all, sdk.Track{ID: string(t.ID), Number: string(t.TrackNumber), Title: t.Title})
	}
	return all
}
