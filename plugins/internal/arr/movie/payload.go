// Package movie decodes the webhooks of the applications whose titles are movies:
// Radarr, and Whisparr from version 3, where a scene is a movie too.
package movie

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// Payload is a webhook about movies.
type Payload struct {
	arr.Payload

	Movie             *Movie
	RemoteMovie       Movie
	MovieFile         *arr.File
	RenamedMovieFiles arr.List[arr.File]
	MovieFolderSize   arr.Number
}

// Movie is a movie or, in Whisparr, a scene.
type Movie struct {
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

	arr.Keeping

	// ItemType and StashID are Whisparr's, whose webhooks are otherwise the same.
	ItemType string
	StashID  arr.ID
}

// complete fills what the movie lacks from the same movie as the release was matched
// to it: old versions send the year there alone.
func (p *Payload) complete() {
	if p.Movie == nil && p.RemoteMovie.Title != "" {
		p.Movie = &Movie{}
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
func (p *Payload) name() string {
	if p.Movie == nil || p.Movie.Title == "" {
		return ""
	}
	if year := p.Movie.Year.Int(); year > 0 {
		return p.Movie.Title + " (" + strconv.FormatInt(year, 10) + ")"
	}
	return p.Movie.Title
}

func (p *Payload) subject() arr.Subject {
	s := arr.Subject{Kind: "movie", OneFile: true}
	if m := p.Movie; m != nil {
		s.Key = cmp.Or(string(m.ID), string(m.TmdbID), m.FolderPath)
		s.External = cmp.Or(string(m.TmdbID), string(m.StashID), string(m.ImdbID))
		s.Folder = m.FolderPath
	}
	return s
}

func (p *Payload) media() *sdk.Media {
	m := p.Movie
	if m == nil {
		return nil
	}
	media := &sdk.Media{
		Kind:             m.kind(),
		ID:               string(m.ID),
		Title:            m.Title,
		Year:             int(max(m.Year.Int(), 0)),
		ReleaseDate:      arr.Date(m.ReleaseDate),
		IDs:              arr.IDs{"tmdb": m.TmdbID, "imdb": m.ImdbID, "stash": m.StashID}.Event(),
		Path:             m.FolderPath,
		Overview:         m.Overview,
		Genres:           m.Genres,
		OriginalLanguage: string(m.OriginalLanguage),
		// A scene has a screenshot alone.
		Poster:    cmp.Or(arr.Picture(m.Images, "poster"), arr.Picture(m.Images, "screenshot")),
		Fanart:    arr.Picture(m.Images, "fanart"),
		Tags:      m.Tags,
		SizeBytes: p.MovieFolderSize.Size(),
	}
	m.Fill(media)
	return media
}

func (m *Movie) kind() string {
	if m.scene() {
		return "scene"
	}
	return "movie"
}

func (m *Movie) scene() bool { return strings.EqualFold(m.ItemType, "scene") }

// slug is how the application's pages name the movie: by its id at TMDb, a scene by
// the one at StashDB.
func (m *Movie) slug() string {
	if m.scene() {
		return string(cmp.Or(m.StashID, m.TmdbID))
	}
	return string(cmp.Or(m.TmdbID, m.StashID))
}
