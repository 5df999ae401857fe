package arrhook

import (
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

// series is a series, or a site of Whisparr 2, which has the fields up to TvdbID.
type series struct {
	ID        int64  `json:"id"`
	Title     string `json:"title"`
	TitleSlug string `json:"titleSlug,omitempty"`
	Path      string `json:"path"`
	TvdbID    int64  `json:"tvdbId"`

	TvMazeID         *int64   `json:"tvMazeId,omitempty"`
	TmdbID           *int64   `json:"tmdbId,omitempty"`
	ImdbID           string   `json:"imdbId,omitempty"`
	MalIDs           []int64  `json:"malIds,omitempty"`
	AniListIDs       []int64  `json:"aniListIds,omitempty"`
	Type             string   `json:"type,omitempty"`
	Year             *int     `json:"year,omitempty"`
	Overview         string   `json:"overview,omitempty"`
	Genres           []string `json:"genres,omitzero"`
	Images           []image  `json:"images,omitzero"`
	Tags             []string `json:"tags,omitzero"`
	OriginalLanguage *named   `json:"originalLanguage,omitempty"`
}

// episode is an episode, or a scene of Whisparr 2, which has no number.
type episode struct {
	ID                    int64  `json:"id"`
	EpisodeNumber         *int   `json:"episodeNumber,omitempty"`
	AbsoluteEpisodeNumber int64  `json:"absoluteEpisodeNumber,omitempty"`
	SeasonNumber          int    `json:"seasonNumber"`
	Title                 string `json:"title"`
	Overview              string `json:"overview,omitempty"`
	AirDate               string `json:"airDate,omitempty"`
	SeriesID              int64  `json:"seriesId"`
}

// shows fills in a webhook of Sonarr or Whisparr 2.
func (h *hook) shows(e *sdk.Event) {
	h.Series = newSeries(e)
	h.Episodes = newEpisodes(e)
	folder := mediaOf(e).Path
	switch e.Type {
	case sdk.TypeReleaseGrabbed:
		h.grabbed(e)
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded:
		if len(e.Files) > 1 {
			h.completed(e, folder)
			return
		}
		h.EpisodeFile = first(folder, e.Files)
		h.imported(e, folder)
	case sdk.TypeImportCompleted:
		h.completed(e, folder)
	case sdk.TypeFileRenamed:
		h.Episodes = nil
		h.RenamedEpisodeFiles = renamed(folder, e)
	case sdk.TypeMediaAdded:
		h.Episodes, h.AddMethod = nil, e.AddMethod
	case sdk.TypeMediaDeleted:
		h.Episodes = nil
		h.deleted(e, folder)
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		h.EpisodeFile, h.DeleteReason = first(folder, e.DeletedFiles), deleteReason(e)
	case sdk.TypeManualInteractionRequired:
		h.waiting(e)
	default:
		h.download(e)
	}
}

// completed is an import of any number of files, which does not say whether it was an
// upgrade.
func (h *hook) completed(e *sdk.Event, folder string) {
	h.EpisodeFiles, h.FileCount = files(folder, e.Files), len(e.Files)
	h.release(e)
	h.download(e)
	if r := e.Release; r != nil && (len(r.CustomFormats) > 0 || r.Score != 0) {
		h.customFormats(e)
	}
}

func newSeries(e *sdk.Event) *series {
	m := e.Media
	if m == nil {
		return nil
	}
	out := &series{ID: number(m.ID), Title: m.Title, TitleSlug: slug(e, "series", "site"), Path: m.Path, Overview: m.Overview}
	if e.App == "whisparr" {
		out.TvdbID = number(m.IDs["tpdb"])
		return out
	}
	out.TvdbID, out.ImdbID = number(m.IDs["tvdb"]), m.IDs["imdb"]
	out.TvMazeID, out.TmdbID = new(number(m.IDs["tvmaze"])), new(number(m.IDs["tmdb"]))
	out.MalIDs, out.AniListIDs = numbers(m.IDs["mal"]), numbers(m.IDs["anilist"])
	out.Type, out.Year = seriesType(e.Episodes), &m.Year
	out.Genres, out.Tags = list(m.Genres), list(m.Tags)
	out.Images = images(image{"poster", m.Poster}, image{"fanart", m.Fanart})
	out.OriginalLanguage = language(m.OriginalLanguage)
	return out
}

// numbers are the ids of a list of which an event has the first.
func numbers(id string) []int64 {
	if n := number(id); n != 0 {
		return []int64{n}
	}
	return nil
}

// seriesType is told by what the episodes are known by.
func seriesType(all []sdk.Episode) string {
	for i := range all {
		switch e := &all[i]; {
		case e.Number != nil && e.Code != "" && e.Code == e.AirDate:
			return "daily"
		case absolute(e) > 0:
			return "anime"
		}
	}
	return "standard"
}

// absolute is the number of an episode in the whole series, by which anime is known
// too: 28 of "S02E03 (28)", or 0.
func absolute(e *sdk.Episode) int64 {
	code, closed := strings.CutSuffix(e.Code, ")")
	if _, n, ok := strings.Cut(code, " ("); ok && closed {
		return number(n)
	}
	return 0
}

func newEpisodes(e *sdk.Event) []episode {
	out := make([]episode, 0, len(e.Episodes))
	series := number(mediaOf(e).ID)
	for i := range e.Episodes {
		one := &e.Episodes[i]
		out = append(out, episode{
			ID: number(one.ID), EpisodeNumber: one.Number, AbsoluteEpisodeNumber: absolute(one), SeasonNumber: one.Season,
			Title: one.Title, Overview: one.Overview, AirDate: one.AirDate, SeriesID: series,
		})
	}
	if len(out) == 0 && arr.Named(e.App) == "" {
		return nil
	}
	return out
}
