package model

import (
	"fmt"
	"slices"
	"strings"
)

// Title is what an application has of a title, as a catalogue shows it.
type Title struct {
	Source, Kind, ID, Name, Path, Overview, Poster, Profile string
	Year                                                    int
	Monitored                                               bool
	Tags                                                    []string
	IDs                                                     map[string]string
}

// Part is what it has of an episode, an album or a track.
type Part struct {
	Source, Kind, ID, Title, Name string
}

// File is what it has of a file.
type File struct {
	Source, ID, TitleKind, TitleID, Path, Quality, Edition string
	Size                                                   int64
	// Parts are "kind/id".
	Parts []string
}

// Line is what there is of a title, as text to compare.
func (t Title) Line() string {
	ids := make([]string, 0, len(t.IDs))
	for service, id := range t.IDs {
		ids = append(ids, service+"="+id)
	}
	slices.Sort(ids)
	return fmt.Sprintf("%s title %s/%s %q %d path=%q overview=%q poster=%q profile=%q monitored=%t tags=%q ids=%s",
		t.Source, t.Kind, t.ID, t.Name, t.Year, t.Path, t.Overview, t.Poster, t.Profile, t.Monitored, t.Tags, strings.Join(ids, " "))
}

// Line is what there is of a part.
func (p Part) Line() string {
	return fmt.Sprintf("%s part %s/%s %q of %s", p.Source, p.Kind, p.ID, p.Name, p.Title)
}

// Line is what there is of a file. An id that stands for none is left out.
func (f File) Line() string {
	id := f.ID
	if strings.HasPrefix(id, "path:") {
		id = ""
	}
	parts := slices.Sorted(slices.Values(f.Parts))
	return fmt.Sprintf("%s file %s %q of %s/%s %s %q %d %v", f.Source, id, f.Path, f.TitleKind, f.TitleID, f.Quality, f.Edition, f.Size, parts)
}

// Holdings are the lines of all that the applications have, sorted.
func (w *World) Holdings() []string {
	var lines []string
	for _, a := range w.apps {
		for _, t := range a.titles {
			lines = append(lines, Title{
				a.source, a.kind, t.id, t.name, t.path, t.overview, t.poster, t.profile, t.year, t.monitored, t.tags, t.ids,
			}.Line())
			for _, p := range t.parts {
				if p.told {
					lines = append(lines, Part{a.source, p.kind, p.id, t.id, p.name}.Line())
				}
			}
			for _, f := range t.files {
				var parts []string
				for _, p := range f.parts {
					parts = append(parts, p.kind+"/"+p.id)
				}
				id := f.id
				if a.nameless {
					id = ""
				}
				lines = append(lines, File{a.source, id, a.kind, t.id, f.path, f.quality, f.edition, f.size, parts}.Line())
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// Difference lists what is wanted and missing, with -, and what is there and not wanted,
// with +.
func Difference(want, got []string) []string {
	count := map[string]int{}
	for _, line := range want {
		count[line]++
	}
	for _, line := range got {
		count[line]--
	}
	var all []string
	for line, n := range count {
		switch {
		case n > 0:
			all = append(all, "- "+line)
		case n < 0:
			all = append(all, "+ "+line)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(a[2:], b[2:]) })
	return all
}
