// Package series decodes the webhooks of the applications whose titles are series:
// Sonarr, and Whisparr before version 3, where a series is a site and an episode one
// of its scenes.
package series

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// Payload is a webhook about series.
type Payload struct {
	arr.Payload

	Series   *Series
	Episodes arr.List[Episode]
	// EpisodeFile is the one that was imported or deleted, EpisodeFiles are those of a
	// download that was imported completely. Both kinds of import are called Download.
	EpisodeFile         *arr.File
	EpisodeFiles        *arr.List[arr.File]
	RenamedEpisodeFiles arr.List[arr.File]
}

// Series is a series or, in Whisparr, a site.
type Series struct {
	ID               arr.ID
	Title            string
	TitleSlug        string
	Path             string
	TvdbID           arr.ID
	TvMazeID         arr.ID
	TmdbID           arr.ID
	ImdbID           arr.ID
	MalIDs           arr.List[arr.ID]
	AniListIDs       arr.List[arr.ID]
	Type             string
	Year             arr.Number
	Overview         string
	Genres           arr.Names
	Images           arr.List[arr.Image]
	Tags             arr.Names
	OriginalLanguage arr.Name

	arr.Keeping
}

// Episode is an episode or, in Whisparr, a scene, which has no number.
type Episode struct {
	ID                    arr.ID
	SeasonNumber          arr.Number
	EpisodeNumber         *arr.Number
	AbsoluteEpisodeNumber arr.Number
	Title                 string
	AirDate               string
	Overview              string
}

func (p *Payload) subject() arr.Subject {
	s := arr.Subject{Kind: "series"}
	if p.Series != nil {
		s.Key = cmp.Or(string(p.Series.ID), string(p.Series.TvdbID), p.Series.Path)
		s.External = cmp.Or(string(p.Series.TvdbID), string(p.Series.TmdbID), string(p.Series.ImdbID))
		s.Folder = p.Series.Path
	}
	return s
}

// ids tell the episodes from all others, whatever their order. The series stands in
// for episodes that are not named.
func (p *Payload) ids() []string {
	if len(p.Episodes) == 0 {
		return []string{p.subject().Key}
	}
	ids := make([]string, 0, len(p.Episodes))
	for i := range p.Episodes {
		e := &p.Episodes[i]
		ids = append(ids, cmp.Or(string(e.ID), fmt.Sprintf("%d/%d/%s", e.season(), e.number(), e.AirDate)))
	}
	slices.Sort(ids)
	return ids
}

func (p *Payload) media(app arr.App) *sdk.Media {
	s := p.Series
	if s == nil {
		return nil
	}
	media := &sdk.Media{
		Kind:             "series",
		ID:               string(s.ID),
		Title:            s.Title,
		Year:             int(max(s.Year.Int(), 0)),
		IDs:              s.ids(app).Event(),
		Path:             s.Path,
		Overview:         s.Overview,
		Genres:           s.Genres,
		OriginalLanguage: string(s.OriginalLanguage),
		Poster:           arr.Picture(s.Images, "poster"),
		Fanart:           arr.Picture(s.Images, "fanart"),
		Tags:             s.Tags,
	}
	s.Fill(media)
	return media
}

// ids knows that Whisparr keeps a site's id at ThePornDB in the field for TheTVDB.
func (s *Series) ids(app arr.App) arr.IDs {
	if app == arr.Whisparr {
		return arr.IDs{"tpdb": s.TvdbID}
	}
	ids := arr.IDs{"tvdb": s.TvdbID, "tvmaze": s.TvMazeID, "tmdb": s.TmdbID, "imdb": s.ImdbID}
	if len(s.MalIDs) > 0 {
		ids["mal"] = s.MalIDs[0]
	}
	if len(s.AniListIDs) > 0 {
		ids["anilist"] = s.AniListIDs[0]
	}
	return ids
}

func (p *Payload) episodes() []sdk.Episode {
	if len(p.Episodes) == 0 {
		return nil
	}
	all := make([]sdk.Episode, len(p.Episodes))
	for i := range p.Episodes {
		e := &p.Episodes[i]
		all[i] = sdk.Episode{
			ID:       string(e.ID),
			Season:   e.season(),
			Number:   e.eventNumber(),
			Code:     p.code(e),
			Title:    e.Title,
			AirDate:  arr.Date(e.AirDate),
			Overview: e.Overview,
		}
	}
	return all
}

func (e *Episode) season() int { return int(max(e.SeasonNumber.Int(), 0)) }

func (e *Episode) number() int {
	if e.EpisodeNumber == nil {
		return 0
	}
	return int(max(e.EpisodeNumber.Int(), 0))
}

// eventNumber tells episode 0, such as an unaired pilot, from none.
func (e *Episode) eventNumber() *int {
	if e.EpisodeNumber == nil {
		return nil
	}
	return new(e.number())
}

// name is the series' with its year, or empty for a payload without a series.
func (p *Payload) name() string {
	if p.Series == nil || p.Series.Title == "" {
		return ""
	}
	// Sonarr tells series of the same name apart by years in their titles.
	year := arr.Parenthesis(strconv.FormatInt(p.Series.Year.Int(), 10))
	if p.Series.Year <= 0 || strings.HasSuffix(p.Series.Title, year) {
		return p.Series.Title
	}
	return p.Series.Title + year
}
