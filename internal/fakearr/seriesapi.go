package fakearr

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

func (s series) identity(t *Title, p part) object {
	return object{{"seriesId", t.ID}, {"episodeId", p.episode}, {"languages", english()}}
}

func (s series) included(t *Title, p part, wanted func(string) bool) object {
	var o object
	if wanted("includeEpisode") {
		for _, e := range s.episodesOf(t, []int{p.episode}) {
			o = append(o, member{"episode", s.episodeResource(t, e)})
		}
	}
	if wanted("includeSeries") {
		o = append(o, member{"series", s.resource(t)})
	}
	return o
}

func (s series) routes() {
	s.list("series", func(q url.Values, t *Title) bool {
		return !q.Has("tvdbId") || q.Get("tvdbId") == strconv.Itoa(t.TVDB)
	}, s.resource)
	s.get("series/{id}", func(r *http.Request) any {
		t, err := s.title(pathID(r))
		if err != nil {
			return nil
		}
		return s.resource(t)
	})
	s.get("episode", s.episodes)
	s.get("episode/{id}", func(r *http.Request) any {
		for _, t := range s.titles {
			for _, e := range s.episodesOf(t, []int{pathID(r)}) {
				return append(s.episodeResource(t, e), member{"series", s.resource(t)})
			}
		}
		return nil
	})
	s.get("episodefile", func(r *http.Request) any {
		t, err := s.title(positive(r.URL.Query().Get("seriesId"), 0))
		if err != nil {
			return nil
		}
		return each(s.filesOf(t.ID), s.fileResource)
	})
	s.get("episodefile/{id}", func(r *http.Request) any {
		f, err := s.Arr.file(pathID(r))
		if err != nil {
			return nil
		}
		return s.fileResource(f)
	})
}

// episodes selects by series, season and id.
func (s series) episodes(r *http.Request) any {
	q := r.URL.Query()
	out := []object{}
	for _, t := range s.named(q.Get("seriesId")) {
		for _, e := range t.Episodes {
			if q.Has("seasonNumber") && q.Get("seasonNumber") != strconv.Itoa(e.Season) ||
				q.Has("episodeIds") && !slices.Contains(q["episodeIds"], strconv.Itoa(e.ID)) {
				continue
			}
			o := s.episodeResource(t, e)
			if q.Get("includeSeries") == "true" {
				o = append(o, member{"series", s.resource(t)})
			}
			if f := s.fileWith(t, e); f != nil && q.Get("includeEpisodeFile") == "true" {
				o = append(o, member{"episodeFile", s.fileResource(f)})
			}
			out = append(out, o)
		}
	}
	return out
}

func (s series) fileWith(t *Title, e Episode) *File {
	for _, f := range s.filesOf(t.ID) {
		if slices.Contains(f.Episodes, e.ID) {
			return f
		}
	}
	return nil
}

// resource is a series in the API.
func (s series) resource(t *Title) object {
	o := object{
		{"title", t.Name},
		{"status", "continuing"},
		{"overview", text(t.Overview)},
		{"images", s.images(t, strconv.Itoa(t.ID))},
		{"year", t.Year},
		{"path", t.Path},
		{"qualityProfileId", s.profileID(t.QualityProfile)},
		{"monitored", !t.Unmonitored},
		{"runtime", t.Runtime},
		{"added", seconds(t.Added)},
		{"ratings", object{{"votes", 0}, {"value", 0}}},
		{"statistics", object{{"episodeFileCount", len(s.filesOf(t.ID))}, {"sizeOnDisk", s.sizeOf(t.ID)}}},
		{"tvdbId", t.TVDB},
		{"titleSlug", slug(t.Name)},
		{"genres", list(t.Genres)},
		{"tags", s.tagIDs(t.Tags)},
	}
	if !s.v2() {
		o = append(o, object{
			{"tvMazeId", t.TVMaze},
			{"tmdbId", t.TMDB},
			{"imdbId", text(t.IMDB)},
			{"seriesType", t.SeriesType},
			{"certification", text(t.Certification)},
			{"originalLanguage", english()[0]},
		}...)
	}
	return append(o, member{"id", t.ID})
}

func (s series) episodeResource(t *Title, e Episode) object {
	o := object{
		{"seriesId", t.ID},
		{"tvdbId", e.TVDB},
		{"seasonNumber", e.Season},
		{"title", e.Title},
		{"overview", text(e.Overview)},
		{"monitored", true},
		{"hasFile", false},
		{"episodeFileId", 0},
	}
	if f := s.fileWith(t, e); f != nil {
		o[len(o)-2].value, o[len(o)-1].value = true, f.ID
	}
	if s.v2() {
		o = append(o, member{"releaseDate", text(e.Aired)}, member{"actors", []object{}})
	} else {
		o = append(o, member{"episodeNumber", e.Number}, member{"airDate", text(e.Aired)}, member{"airDateUtc", midnight(e.Aired)})
	}
	return append(o, member{"id", e.ID})
}

func (s series) fileResource(f *File) object {
	o := object{{"seriesId", f.TitleID}, {"languages", english()}}
	if t, err := s.title(f.TitleID); err == nil {
		if es := s.episodesOf(t, f.Episodes); len(es) > 0 {
			o = append(o, member{"seasonNumber", es[0].Season})
		}
		o = append(o, member{"relativePath", relative(t, f.Path)})
	}
	return apiFile(f, append(o, member{"mediaInfo", apiMediaInfo()})...)
}
