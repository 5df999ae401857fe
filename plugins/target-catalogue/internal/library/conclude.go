package library

import (
	"context"
	"slices"
)

// conclude works out what is held, and where, of everything that the event may have
// changed.
func (a *application) conclude(ctx context.Context) error {
	for _, c := range a.claims {
		if err := a.saveClaim(ctx, c); err != nil {
			return err
		}
	}
	if err := a.reachClaimed(ctx); err != nil {
		return err
	}
	if err := a.reachEmptied(ctx); err != nil {
		return err
	}
	for _, t := range a.titles {
		floor, err := a.floor(ctx, t.row)
		if err != nil {
			return err
		}
		if t.row.Held = t.row.Seen > floor; t.row.Held {
			t.dirty = t.row.Fields.forget(floor) || t.dirty
		}
	}
	for _, p := range a.parts {
		if err := a.concludePart(ctx, p); err != nil {
			return err
		}
	}
	for _, f := range a.files {
		if err := a.concludeFile(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// saveClaim keeps what the same event said before, in another delivery.
func (a *application) saveClaim(ctx context.Context, c Claim) error {
	known, err := a.shelf.Claims(ctx, c.Path)
	if err != nil {
		return err
	}
	if slices.Contains(known, c) {
		return nil
	}
	return a.shelf.SaveClaim(ctx, c)
}

// reachClaimed reaches the files that ever were at one of the paths.
func (a *application) reachClaimed(ctx context.Context) error {
	reached := map[string]bool{}
	var reach func(path string) error
	reach = func(path string) error {
		if reached[path] {
			return nil
		}
		reached[path] = true
		claims, err := a.shelf.Claims(ctx, path)
		if err != nil {
			return err
		}
		for _, c := range claims {
			if c.File == "" {
				continue
			}
			if _, err := a.fileOf(ctx, c.File); err != nil {
				return err
			}
		}
		from, err := a.shelf.MovedTo(ctx, path)
		if err != nil {
			return err
		}
		for _, c := range from {
			if err := reach(c.Path); err != nil {
				return err
			}
		}
		return nil
	}
	for path := range a.claims {
		if err := reach(path); err != nil {
			return err
		}
	}
	return nil
}

// reachEmptied reaches all that belongs to titles which lost things.
func (a *application) reachEmptied(ctx context.Context) error {
	for _, key := range a.emptied {
		if _, err := a.titleOf(ctx, key); err != nil {
			return err
		}
		parts, err := a.shelf.PartsOf(ctx, key)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if _, err := a.partOf(ctx, p); err != nil {
				return err
			}
		}
		files, err := a.shelf.FilesOf(ctx, key)
		if err != nil {
			return err
		}
		for _, f := range files {
			if _, err := a.fileOf(ctx, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// floor is the version that something of a title must have been seen after to be held.
func (a *application) floor(ctx context.Context, t *Title) (Version, error) {
	floor := t.Gone
	folder := t.Fields.Text("path")
	if t.Kind != "book" || folder == "" {
		return floor, nil
	}
	claims, err := a.shelf.Claims(ctx, folder)
	if err != nil {
		return "", err
	}
	for _, c := range claims {
		floor = max(floor, c.Said)
	}
	return floor, nil
}

// floorOf is the floor of a title by its key.
func (a *application) floorOf(ctx context.Context, key Key) (Version, error) {
	title, err := a.titleOf(ctx, key)
	if err != nil {
		return "", err
	}
	return a.floor(ctx, title.row)
}

func (a *application) concludePart(ctx context.Context, h *held[Part]) error {
	p := h.row
	floor, err := a.floorOf(ctx, p.Title)
	if err != nil {
		return err
	}
	floor = max(floor, p.Gone)
	if album := p.Fields.Text(fieldAlbum); album != "" {
		on, err := a.shelfPart(ctx, Key{KindAlbum, album})
		if err != nil {
			return err
		}
		if on != nil {
			floor = max(floor, on.Gone)
		}
	}
	title, err := a.titleOf(ctx, p.Title)
	if err != nil {
		return err
	}
	if p.Held = p.Seen > floor && p.Seen >= title.row.Listed[p.Kind]; p.Held {
		h.dirty = p.Fields.forget(floor) || h.dirty
	}
	return nil
}

func (a *application) concludeFile(ctx context.Context, h *held[File]) error {
	f := h.row
	path, there, err := a.locate(ctx, f)
	if err != nil {
		return err
	}
	f.Path = path
	// What one event took away and showed is there.
	f.Held = there && f.Seen != "" && f.Seen >= f.Gone
	if of := f.Title(); f.Held && of != (Key{}) {
		floor, err := a.floorOf(ctx, of)
		if err != nil {
			return err
		}
		f.Held = f.Seen > floor
	}
	for _, key := range f.Parts() {
		if key.Kind != KindAlbum {
			continue
		}
		part, err := a.shelfPart(ctx, key)
		if err != nil {
			return err
		}
		if part != nil && f.Seen <= part.Gone {
			f.Held = false
		}
	}
	return nil
}

// shelfPart is a part as the event leaves it, or nil for one that is not known.
func (a *application) shelfPart(ctx context.Context, key Key) (*Part, error) {
	if p, ok := a.parts[key]; ok {
		return p.row, nil
	}
	return a.shelf.Part(ctx, key)
}

// locate follows a file from where it was put by its id: it is there until somebody else
// comes, or it leaves. Where it went is followed in turn.
func (a *application) locate(ctx context.Context, f *File) (path string, there bool, err error) {
	path, at := f.TookAt, f.Took
	for path != "" {
		claims, err := a.shelf.Claims(ctx, path)
		if err != nil {
			return "", false, err
		}
		next, ok := after(claims, at)
		switch {
		case !ok:
			return path, true, nil
		case next.MovedTo == "":
			return path, next.File == f.ID, nil
		}
		path, at = next.MovedTo, next.Said
	}
	return f.TookAt, f.Took == "" && f.Seen != "", nil
}

// after returns the first claim with a later version.
func after(claims []Claim, v Version) (Claim, bool) {
	for _, c := range claims {
		if c.Said > v {
			return c, true
		}
	}
	return Claim{}, false
}
