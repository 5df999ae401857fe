package main

import (
	"cmp"
	"slices"

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
	TrackNumber arr.ID
}

// albums are the one that an import or a deletion is about, or those of a grab.
func (p *payload) albums() []album {
	if p.Album != nil {
		return []album{*p.Album}
	}
	return p.Albums
}

// only is the album of an event about one, or nil.
func (p *payload) only() *album {
	if all := p.albums(); len(all) == 1 {
		return &all[0]
	}
	return nil
}

// name is "Artist - Album", as far as it is known.
func (p *payload) name() string {
	var titles []string
	for _, a := range p.albums() {
		titles = append(titles, a.Title)
	}
	if p.Artist == nil {
		return arr.WorksTitle("", titles...)
	}
	return arr.WorksTitle(cmp.Or(p.Artist.Name, arr.Base(p.Artist.Path)), titles...)
}

// folder is the artist's.
func (p *payload) folder() string {
	if p.Artist == nil {
		return ""
	}
	return p.Artist.Path
}

func (p *payload) byArtist() arr.Subject {
	s := arr.Subject{Kind: "artist", Folder: p.folder()}
	if a := p.Artist; a != nil {
		s.Key = cmp.Or(string(a.ID), string(a.MbID), a.Path)
	}
	return s
}

// byAlbum falls back on the artist for old versions, which do not name the album.
func (p *payload) byAlbum() arr.Subject {
	if keys := p.albumKeys(); len(keys) == 1 {
		return arr.Subject{Kind: "album", Key: keys[0], Folder: p.folder()}
	}
	return p.byArtist()
}

// albumKeys tell the albums from all others of the same Lidarr.
func (p *payload) albumKeys() []string {
	var keys []string
	for _, a := range p.albums() {
		keys = append(keys, cmp.Or(string(a.ID), string(a.MbID), a.Title))
	}
	slices.Sort(keys)
	return keys
}

// artistPage and albumPage are in Lidarr, which names them by their ids at
// MusicBrainz.
func (p *payload) artistPage(base string) string {
	if p.Artist == nil || p.Artist.MbID == "" {
		return ""
	}
	return arr.Page(base, "artist", string(p.Artist.MbID))
}

func (p *payload) albumPage(base string) string {
	if a := p.only(); a != nil && a.MbID != "" {
		return arr.Page(base, "album", string(a.MbID))
	}
	return ""
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
	if album := p.only(); album != nil {
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
	for _, a := range p.albums() {
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
