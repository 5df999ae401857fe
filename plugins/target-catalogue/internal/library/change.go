package library

import (
	"slices"
	"strings"
)

// changes are what the event changed, for those who follow.
func (a *application) changes() []Change {
	var gone, fresh []Change
	add := func(to *[]Change, c Change) {
		c.Event, c.Time = a.event.ID, a.version.Time()
		slices.Sort(c.Fields)
		c.Fields = slices.Compact(c.Fields)
		*to = append(*to, c)
	}
	partsChanged := map[Key][]string{}
	for _, p := range a.parts {
		if p.row.Held != p.was || (p.row.Held && len(p.fields) > 0) {
			partsChanged[p.row.Title] = append(partsChanged[p.row.Title], p.row.Kind+"s")
		}
	}
	for key, t := range a.titles {
		fields := append(slices.Clone(t.fields), partsChanged[key]...)
		switch {
		case t.row.Held && !t.was:
			add(&fresh, Change{Op: OpAdded, Title: key})
		case !t.row.Held && t.was:
			add(&gone, Change{Op: OpRemoved, Title: key})
		case t.row.Held && len(fields) > 0:
			add(&fresh, Change{Op: OpUpdated, Title: key, Fields: fields})
		}
	}
	for id, f := range a.files {
		c := Change{Title: f.row.Title(), File: id, Path: f.row.Path}
		switch {
		case f.row.Held && !f.was:
			c.Op = OpFileAdded
			add(&fresh, c)
		case !f.row.Held && f.was:
			c.Op, c.Path = OpFileRemoved, f.before
			add(&gone, c)
		case f.row.Held && f.row.Path != f.before:
			c.Op, c.OldPath, c.Fields = OpRenamed, f.before, f.fields
			add(&fresh, c)
		case f.row.Held && len(f.fields) > 0:
			c.Op, c.Fields = OpFileUpdated, f.fields
			add(&fresh, c)
		}
	}
	order := func(x, y Change) int {
		return strings.Compare(x.Op+"\n"+x.Title.Kind+"\n"+x.Title.ID+"\n"+x.File, y.Op+"\n"+y.Title.Kind+"\n"+y.Title.ID+"\n"+y.File)
	}
	slices.SortFunc(gone, order)
	slices.SortFunc(fresh, order)
	return append(gone, fresh...)
}
