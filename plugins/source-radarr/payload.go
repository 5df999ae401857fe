package main

import (
	"cmp"
	"strconv"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// payload is a webhook of Radarr.
type payload struct {
	arr.Payload

	Movie             *movie
	RemoteMovie       movie
	MovieFile         *arr.File
	RenamedMovieFiles arr.List[arr.File]
	MovieFolderSize   arr.Number
}

type movie struct {
	ID               arr.ID
	Title            string
	Year             arr.Number
	ReleaseDate      string
	FolderPath       string
	TmdbID           arr.ID
	ImdbID           arr.ID
	Overview         string
	Genres           arr.Names
	Images           arr.List[arr.Image]
	Tags             arr.Names
	OriginalLanguage arr.Name

	// ItemType and StashID are Whisparr's, whose webhooks are otherwise the same.
	ItemType string
	StashID  string
}

// complete fills what the movie lacks from the same movie as the release was matched
// to it: old versions send the year there alone.
func (p *payload) complete() {
	if p.Movie == nil && p.RemoteMovie.Title != "" {
		p.Movie = &movie{}
	}
	if p.Movie == nil {
		return
	}
	m, remote := p.Movie, &p.RemoteMovie
	m.Title = arr.OneLine(cmp.Or(m.Title, remote.Title, arr.Base(m.FolderPath)))
	m.Year = cmp.Or(m.Year, remote.Year)
	m.TmdbID = cmp.Or(m.TmdbID, remote.TmdbID)
	m.ImdbID = cmp.Or(m.ImdbID, remote.ImdbID)
}

// name is the title with its year, or empty for a payload without a movie.
func (p *payload) name() string {
	if p.Movie == nil || p.Movie.Title == "" {
		return ""
	}
	if year := p.Movie.Year.Int(); year > 0 {
		return p.Movie.Title + " (" + strconv.FormatInt(year, 10) + ")"
	}
	return p.Movie.Title
}

// folder is the movie's.
func (p *payload) folder() string {
	if p.Movie == nil {
		return ""
	}
	return p.Movie.FolderPath
}

// movieKey tells the movie from others of the same Radarr.
func (p *payload) movieKey() string {
	if p.Movie == nil {
		return ""
	}
	return cmp.Or(string(p.Movie.ID), string(p.Movie.TmdbID), p.Movie.FolderPath)
}

// file is the one that an import or a deletion is about.
func (p *payload) file() []sdk.File {
	if p.MovieFile == nil {
		return nil
	}
	return arr.Files(p.folder(), *p.MovieFile)
}

func (p *payload) media() *sdk.Media {
	m := p.Movie
	if m == nil {
		return nil
	}
	return &sdk.Media{
		Kind:             "movie",
		ID:               string(m.ID),
		Title:            m.Title,
		Year:             int(max(m.Year.Int(), 0)),
		ReleaseDate:      releaseDate(m.ReleaseDate),
		IDs:              m.ids(),
		Path:             m.FolderPath,
		Overview:         m.Overview,
		Genres:           m.Genres,
		OriginalLanguage: string(m.OriginalLanguage),
		Poster:           arr.Picture(m.Images, "poster"),
		Fanart:           arr.Picture(m.Images, "fanart"),
		Tags:             m.Tags,
		SizeBytes:        p.MovieFolderSize.Size(),
	}
}

func (m *movie) ids() map[string]string {
	ids := map[string]string{}
	if m.TmdbID != "" {
		ids["tmdb"] = string(m.TmdbID)
	}
	if m.ImdbID != "" {
		ids["imdb"] = string(m.ImdbID)
	}
	if len(ids) == 0 {
		return nil
	}
	return ids
}

// releaseDate drops 9999-12-31, by which Radarr says that it knows none.
func releaseDate(s string) string {
	t, err := time.Parse(time.DateOnly, s[:min(len(s), len(time.DateOnly))])
	if err != nil || t.Year() == 9999 {
		return ""
	}
	return t.Format(time.DateOnly)
}
