package library

import "context"

// held is a row with what the event changed of it.
type held[T any] struct {
	row *T
	// was is whether it was held before, and before where a file was.
	was    bool
	before string
	// fields are those with another value. dirty says that there is something to save.
	fields []string
	dirty  bool
}

// take is Fields.take for a row.
func (h *held[T]) take(f *Fields, v Version, s statement) {
	before := map[string]Version{}
	for name := range s {
		before[name] = (*f)[name].Said
	}
	h.fields = append(h.fields, f.take(v, s)...)
	for name, said := range before {
		h.dirty = h.dirty || (*f)[name].Said != said
	}
}

func (a *application) titleOf(ctx context.Context, key Key) (*held[Title], error) {
	if t, ok := a.titles[key]; ok {
		return t, nil
	}
	row, err := a.shelf.Title(ctx, key)
	if err != nil {
		return nil, err
	}
	if row == nil {
		row = &Title{Key: key}
	}
	a.titles[key] = &held[Title]{row: row, was: row.Held}
	return a.titles[key], nil
}

func (a *application) partOf(ctx context.Context, key Key) (*held[Part], error) {
	if p, ok := a.parts[key]; ok {
		return p, nil
	}
	row, err := a.shelf.Part(ctx, key)
	if err != nil {
		return nil, err
	}
	if row == nil {
		row = &Part{Key: key, Title: a.title}
	}
	a.parts[key] = &held[Part]{row: row, was: row.Held}
	return a.parts[key], nil
}

func (a *application) fileOf(ctx context.Context, id string) (*held[File], error) {
	if f, ok := a.files[id]; ok {
		return f, nil
	}
	row, err := a.shelf.File(ctx, id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		row = &File{ID: id}
	}
	a.files[id] = &held[File]{row: row, was: row.Held, before: row.Path}
	return a.files[id], nil
}
