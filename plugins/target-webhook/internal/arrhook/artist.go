package arrhook

import (
	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

type artist struct {
	ID       int64    `json:"id"`
	Name     string   `json:"name"`
	Path     string   `json:"path"`
	MbID     string   `json:"mbId,omitempty"`
	Overview string   `json:"overview,omitempty"`
	Genres   []string `json:"genres"`
	Images   []image  `json:"images"`
	Tags     []string `json:"tags"`
}

type album struct {
	ID          int64   `json:"id"`
	MbID        string  `json:"mbId,omitempty"`
	Title       string  `json:"title"`
	AlbumType   string  `json:"albumType,omitempty"`
	ReleaseDate string  `json:"releaseDate,omitempty"`
	Images      []image `json:"images,omitempty"`
}

type track struct {
	ID             int64  `json:"id"`
	Title          string `json:"title"`
	TrackNumber    string `json:"trackNumber"`
	QualityVersion int    `json:"qualityVersion"`
}

// artists fills in a webhook of Lidarr.
func (h *hook) artists(e *sdk.Event) {
	h.Artist = newArtist(e)
	albums := newAlbums(e)
	folder := mediaOf(e).Path
	switch e.Type {
	case sdk.TypeReleaseGrabbed:
		h.Albums = albums
		h.release(e)
		h.download(e)
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted, sdk.TypeImportFailed:
		h.setAlbums(albums)
		h.Tracks, h.TrackFiles = newTracks(e), wholePaths(files(folder, e.Files)...)
		h.imported(e, folder)
		h.ofWork(e)
	case sdk.TypeDownloadFailed:
		h.setAlbums(albums)
		h.download(e)
		if r := e.Release; r != nil {
			h.Quality, h.QualityVersion, h.ReleaseTitle = r.Quality, oneVersion, r.Title
		}
	case sdk.TypeFileRenamed:
		h.RenamedTrackFiles = wholePaths(renamed(folder, e)...)
	case sdk.TypeFileRetagged:
		h.setAlbums(albums)
		h.TrackFile = wholePath(first(folder, e.Files))
	case sdk.TypeMediaDeleted:
		h.setAlbums(albums)
		h.deleted(e, folder)
		h.ofWork(e)
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		h.setAlbums(albums)
		h.TrackFile, h.DeleteReason = wholePath(first(folder, e.DeletedFiles)), deleteReason(e)
	case sdk.TypeManualInteractionRequired:
		h.setAlbums(albums)
		h.waiting(e)
	default:
		h.setAlbums(albums)
		h.download(e)
	}
}

// setAlbums writes one album as such, and several, of which Lidarr tells in a grab alone, as a list.
func (h *hook) setAlbums(all []album) {
	switch len(all) {
	case 0:
	case 1:
		h.Album = &all[0]
	default:
		h.Albums = all
	}
}

// newArtist has the pictures of the artist; where the event is about one album, the
// poster is that one's cover.
func newArtist(e *sdk.Event) *artist {
	m := e.Media
	if m == nil {
		return nil
	}
	out := &artist{
		ID: number(m.ID), Name: m.Title, Path: m.Path, MbID: m.IDs["musicbrainz"], Overview: m.Overview,
		Genres: list(m.Genres), Tags: list(m.Tags), Images: images(image{"fanart", m.Fanart}),
	}
	if len(e.Albums) != 1 {
		out.Images = images(image{"poster", m.Poster}, image{"fanart", m.Fanart})
	}
	return out
}

func newAlbums(e *sdk.Event) []album {
	out := make([]album, 0, len(e.Albums))
	for _, a := range e.Albums {
		written := album{ID: number(a.ID), MbID: a.IDs["musicbrainz"], Title: a.Title, AlbumType: a.Type, ReleaseDate: midnight(a.ReleaseDate)}
		if len(e.Albums) == 1 {
			written.Images = images(image{"cover", mediaOf(e).Poster})
		}
		out = append(out, written)
	}
	return out
}

// midnight is a date as the applications write it where they have a time.
func midnight(date string) string {
	if arr.Date(date) == "" {
		return ""
	}
	return date + "T00:00:00Z"
}

func newTracks(e *sdk.Event) []track {
	out := make([]track, 0, len(e.Tracks))
	for _, t := range e.Tracks {
		out = append(out, track{ID: number(t.ID), Title: t.Title, TrackNumber: t.Number})
	}
	return out
}
