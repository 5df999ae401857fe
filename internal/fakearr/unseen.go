package fakearr

import (
	"context"
	"slices"
)

type quietKey struct{}

// Quiet returns a context for the methods that make something happen: nobody is told of
// it, and the journal does not have it. So do changes come about that an application
// sends no webhook for, such as those of a restored backup.
func Quiet(ctx context.Context) context.Context { return context.WithValue(ctx, quietKey{}, true) }

func quiet(ctx context.Context) bool { return ctx.Value(quietKey{}) != nil }

// Edit changes a title, as a person in the user interface does or a refresh of its
// metadata. The applications send no webhook for it. A title whose Path changes takes its
// files along; its id and those of its parts stay what they are.
func (a *Arr) Edit(titleID int, change func(*Title)) error {
	a.driving.Lock()
	defer a.driving.Unlock()
	a.state.Lock()
	defer a.state.Unlock()
	t, err := a.title(titleID)
	if err != nil {
		return err
	}
	edited := *t
	edited.Tags, edited.Genres = slices.Clone(t.Tags), slices.Clone(t.Genres)
	edited.Episodes, edited.Albums, edited.Books = slices.Clone(t.Episodes), slices.Clone(t.Albums), slices.Clone(t.Books)
	change(&edited)
	edited.ID = t.ID
	edited.Tags = slices.Sorted(slices.Values(edited.Tags))
	a.tagIDs(edited.Tags)
	a.family.adopt(&edited)
	for _, f := range a.filesOf(t.ID) {
		f.Path = edited.Path + "/" + relative(t, f.Path)
	}
	*t = edited
	return nil
}

// Seed puts titles into the library that have been there for long: nobody is told, and
// no history knows them. With files, each has them for all that it consists of. It is
// for large libraries: 50,000 titles take less than a second.
func (a *Arr) Seed(n int, title func(i int) Title, files bool) {
	a.driving.Lock()
	defer a.driving.Unlock()
	a.state.Lock()
	defer a.state.Unlock()
	long := a.now().AddDate(-1, 0, 0)
	release := Release{Quality: a.family.words().first, Group: "GROUP", Size: 1 << 30}
	for i := range n {
		t := a.shelve(title(i), long)
		if !files {
			continue
		}
		release.Name = slug(t.Name)
		for _, batch := range a.family.batches(t, &Download{Release: release}) {
			for _, f := range batch {
				f.ID, f.TitleID, f.Added = a.id("file"), t.ID, long
				f.Quality, f.Group, f.Scene = release.Quality, release.Group, release.Name
				a.hold(&f)
			}
		}
	}
}
