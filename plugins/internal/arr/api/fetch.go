package api

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"

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
	ctx, cancel := inTime(ctx)
	defer cancel()
	status, err := c.Status(ctx)
	if err != nil {
		return e, err
	}
	more, err := p.reader(c, status, false).Details(ctx, e)
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
		media := *e.Media
		fill(&media, *more.Media)
		e.Media = &media
	}
	e.Episodes = mergedList(e.Episodes, more.Episodes, func(x sdk.Episode) string { return x.ID })
	e.Albums = mergedList(e.Albums, more.Albums, func(x sdk.Album) string { return x.ID })
	e.Files = mergedList(e.Files, more.Files, func(x sdk.File) string { return x.ID })
	return e
}

// mergedList is list with each value filled from the one of the same id in more.
func mergedList[T any](list, more []T, id func(T) string) []T {
	byID := make(map[string]T, len(more))
	for _, m := range more {
		byID[id(m)] = m
	}
	out := slices.Clone(list)
	for i := range out {
		if m, ok := byID[id(out[i])]; ok && id(out[i]) != "" {
			fill(&out[i], m)
		}
	}
	return out
}

// fill sets the empty fields of a struct to those of another, and adds what its maps
// lack.
func fill[T any](to *T, from T) {
	fields, others := reflect.ValueOf(to).Elem(), reflect.ValueOf(from)
	for i := range fields.NumField() {
		field, other := fields.Field(i), others.Field(i)
		switch values, ok := reflect.TypeAssert[map[string]string](field); {
		case field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0:
			field.Set(other)
		case ok:
			all := maps.Clone(values)
			more, _ := reflect.TypeAssert[map[string]string](other)
			for key, value := range more {
				all[key] = cmp.Or(all[key], value)
			}
			field.Set(reflect.ValueOf(all))
		}
	}
}
