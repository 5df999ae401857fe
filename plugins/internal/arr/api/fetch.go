package api

import (
	"context"
	"maps"

	"github.com/hookarr/hookarr/sdk"
)

// Fetch implements sdk.Fetcher. What the webhook said stays as it is.
func (p *Powers) Fetch(ctx context.Context, e sdk.Event) (sdk.Event, error) {
	c, err := p.ready()
	if err != nil {
		return e, err
	}
	if !tellsOfTitle(e) {
		return e, nil
	}
	status, err := c.Status(ctx)
	if err != nil {
		return e, err
	}
	more, err := p.app.Reader(c, status).Details(ctx, e)
	if err != nil {
		return e, err
	}
	return merged(e, more), nil
}

// tellsOfTitle reports whether the application can know more: the title of a test is
// made up, and a deleted one is unknown to it.
func tellsOfTitle(e sdk.Event) bool {
	return e.Media != nil && e.Media.ID != "" && e.Type != sdk.TypeTest && e.Type != sdk.TypeMediaDeleted
}

// merged is e with what it lacks and more has. Neither is changed.
func merged(e, more sdk.Event) sdk.Event {
	if more.Media != nil {
		e.Media = mergedMedia(*e.Media, *more.Media)
	}
	e.Episodes = mergedList(e.Episodes, more.Episodes, func(x sdk.Episode) string { return x.ID }, func(x *sdk.Episode, m sdk.Episode) {
		fill(&x.Title, m.Title)
		fill(&x.AirDate, m.AirDate)
		fill(&x.Overview, m.Overview)
		fill(&x.Number, m.Number)
	})
	e.Albums = mergedList(e.Albums, more.Albums, func(x sdk.Album) string { return x.ID }, func(x *sdk.Album, m sdk.Album) {
		fill(&x.Title, m.Title)
		fill(&x.Type, m.Type)
		fill(&x.ReleaseDate, m.ReleaseDate)
		x.IDs = mergedMap(x.IDs, m.IDs)
	})
	e.Files = mergedList(e.Files, more.Files, func(x sdk.File) string { return x.ID }, mergeFile)
	return e
}

func mergedMedia(m, more sdk.Media) *sdk.Media {
	fill(&m.Title, more.Title)
	fill(&m.Year, more.Year)
	fill(&m.ReleaseDate, more.ReleaseDate)
	fill(&m.Path, more.Path)
	fill(&m.Overview, more.Overview)
	fill(&m.OriginalLanguage, more.OriginalLanguage)
	fill(&m.Poster, more.Poster)
	fill(&m.Fanart, more.Fanart)
	fillList(&m.Genres, more.Genres)
	fillList(&m.Tags, more.Tags)
	m.IDs = mergedMap(m.IDs, more.IDs)
	return &m
}

func mergeFile(f *sdk.File, more sdk.File) {
	fill(&f.Path, more.Path)
	fill(&f.RelativePath, more.RelativePath)
	fill(&f.SizeBytes, more.SizeBytes)
	fill(&f.Quality, more.Quality)
	fill(&f.ReleaseGroup, more.ReleaseGroup)
	fill(&f.SceneName, more.SceneName)
	fillList(&f.Languages, more.Languages)
	if f.MediaInfo == nil {
		f.MediaInfo = more.MediaInfo
	}
}

func fill[T comparable](to *T, with T) {
	var none T
	if *to == none {
		*to = with
	}
}

func fillList(to *[]string, with []string) {
	if len(*to) == 0 {
		*to = with
	}
}

func mergedMap(m, more map[string]string) map[string]string {
	if len(m) == 0 {
		return more
	}
	all := maps.Clone(more)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, m)
	return all
}

// mergedList is list with each value filled from the one of the same id in more.
func mergedList[T any](list, more []T, id func(T) string, merge func(*T, T)) []T {
	byID := make(map[string]T, len(more))
	for _, m := range more {
		byID[id(m)] = m
	}
	out := append([]T(nil), list...)
	for i := range out {
		if m, ok := byID[id(out[i])]; ok && id(out[i]) != "" {
			merge(&out[i], m)
		}
	}
	return out
}
