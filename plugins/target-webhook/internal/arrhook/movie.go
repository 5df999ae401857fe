package arrhook

import "github.com/hookarr/hookarr/sdk"

type movie struct {
	ID               int64    `json:"id"`
	Title            string   `json:"title"`
	Year             int      `json:"year"`
	ReleaseDate      string   `json:"releaseDate,omitempty"`
	FolderPath       string   `json:"folderPath"`
	TmdbID           int64    `json:"tmdbId"`
	ImdbID           string   `json:"imdbId,omitempty"`
	StashID          string   `json:"stashId,omitempty"`
	Overview         string   `json:"overview,omitempty"`
	ItemType         string   `json:"itemType,omitempty"`
	Genres           []string `json:"genres"`
	Images           []image  `json:"images"`
	Tags             []string `json:"tags"`
	OriginalLanguage *named   `json:"originalLanguage,omitempty"`
}

// remoteMovie is the movie as the release was matched to it.
type remoteMovie struct {
	TmdbID int64  `json:"tmdbId"`
	ImdbID string `json:"imdbId,omitempty"`
	Title  string `json:"title"`
	Year   int    `json:"year"`
}

// movies fills in a webhook of Radarr or Whisparr 3. An import is of one file there.
func (h *hook) movies(e *sdk.Event) {
	folder := mediaOf(e).Path
	if h.Movie = newMovie(e); h.Movie != nil {
		switch e.Type { //nolint:exhaustive // The others have no release.
		case sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
			m := h.Movie
			h.RemoteMovie = &remoteMovie{TmdbID: m.TmdbID, ImdbID: m.ImdbID, Title: m.Title, Year: m.Year}
		}
	}
	switch e.Type {
	case sdk.TypeReleaseGrabbed:
		h.grabbed(e)
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted:
		h.MovieFile = first(folder, e.Files)
		h.imported(e, folder)
	case sdk.TypeFileRenamed:
		h.RenamedMovieFiles = renamed(folder, e)
	case sdk.TypeMediaAdded:
		h.AddMethod = e.AddMethod
	case sdk.TypeMediaDeleted:
		h.deleted(e, folder)
		h.MovieFolderSize = new(mediaOf(e).SizeBytes)
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		h.MovieFile, h.DeleteReason = first(folder, e.DeletedFiles), deleteReason(e)
	case sdk.TypeManualInteractionRequired:
		h.waiting(e)
	default:
		h.download(e)
	}
}

func newMovie(e *sdk.Event) *movie {
	m := e.Media
	if m == nil {
		return nil
	}
	out := &movie{
		ID: number(m.ID), Title: m.Title, Year: m.Year, ReleaseDate: m.ReleaseDate, FolderPath: m.Path,
		TmdbID: number(m.IDs["tmdb"]), ImdbID: m.IDs["imdb"], StashID: m.IDs["stash"], Overview: m.Overview,
		Genres: list(m.Genres), Tags: list(m.Tags), OriginalLanguage: language(m.OriginalLanguage),
	}
	poster := "poster"
	switch {
	case m.Kind == "scene":
		out.ItemType, poster = "Scene", "screenshot"
	case e.App == "whisparr":
		out.ItemType = "Movie"
	}
	out.Images = images(image{poster, m.Poster}, image{"fanart", m.Fanart})
	return out
}

// deleteReason is upgrade where the type alone says so.
func deleteReason(e *sdk.Event) string {
	if e.DeleteReason == "" && e.Type == sdk.TypeFileDeletedForUpgrade {
		return "upgrade"
	}
	return e.DeleteReason
}
