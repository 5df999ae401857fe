package mediaserver

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// wanted is what a delivery's events come to.
type wanted struct {
	// titles are those of the changes, with the events that they come from.
	titles []title
	// changes have each path once, in the order of the events that spoke of it last.
	changes []change
	// pathless are the titles of events that say of no file where it is.
	pathless []string
}

// title is a title and its events, as indexes of the delivery's.
type title struct {
	Title
	events []int
}

// change is a Change with what is known of it beside.
type change struct {
	Change
	title int
	// label is how people know it: S01E03, or the file's name.
	label string
	// events are those that ask for it, as indexes of the delivery's.
	events []int
	// unproven says that nobody waits for it: the old file of an upgrade.
	unproven bool
	// size and formerly are the file's in bytes, now and before it was replaced at the same
	// path; zero is unknown.
	size, formerly int64

	library *Library
	// folder is the one to scan, before it is known whether it exists.
	folder string
}

// reader makes a wanted of events.
type reader struct {
	wanted
	paths pathmap.Map
	of    map[string]pathmap.Map // paths, by source
	byKey map[string]int         // titles
	at    map[string]int         // changes, by path
}

// read turns events, oldest first, into what they ask for. What is later overrules what is
// earlier: a file that was imported and then deleted is to be gone.
func read(events []sdk.Event, paths pathmap.Map) wanted {
	r := reader{paths: paths, of: map[string]pathmap.Map{}, byKey: map[string]int{}, at: map[string]int{}}
	for i := range events {
		r.event(i, &events[i])
	}
	return r.wanted
}

// keep leaves out what is gone, and reports whether there was any.
func (w *wanted) keep() bool {
	all := len(w.changes)
	w.changes = slices.DeleteFunc(w.changes, func(c change) bool { return c.Gone })
	return len(w.changes) < all
}

func (r *reader) event(i int, e *sdk.Event) {
	switch e.Type {
	case sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted, sdk.TypeFileRetagged:
		r.imported(i, e)
	case sdk.TypeFileRenamed:
		t := r.title(i, e)
		for _, moved := range e.RenamedFiles {
			if len(moved.From) > maxPath || len(moved.To) > maxPath {
				r.pathless = append(r.pathless, e.Title)
				continue
			}
			if moved.From != "" && moved.To != "" && moved.From != moved.To {
				r.add(i, e, t, change{Change: Change{Path: moved.From, Gone: true}})
			}
			if moved.To != "" {
				r.add(i, e, t, change{Change: Change{Path: moved.To}})
			}
		}
		if len(e.RenamedFiles) == 0 {
			r.pathless = append(r.pathless, e.Title)
		}
	case sdk.TypeFileDeleted:
		r.deleted(i, e, false)
	case sdk.TypeMediaDeleted:
		if e.FilesDeleted {
			r.deleted(i, e, true)
		}
	default:
	}
	// The deletion of a file for an upgrade is told before the new one is there. A scan then
	// would take the title out of the library, and what people have seen of it. The upgrade
	// itself is told too.
}

func (r *reader) imported(i int, e *sdk.Event) {
	t, named := r.title(i, e), false
	old := map[string]int64{}
	for _, f := range e.DeletedFiles {
		if path := pathOf(e, f); path != "" {
			old[path] = f.SizeBytes
		}
	}
	for _, f := range e.Files {
		path := pathOf(e, f)
		if path == "" {
			continue
		}
		named = true
		r.add(i, e, t, change{
			Change: Change{Path: path, Fresh: e.Type == sdk.TypeMediaImported},
			size:   f.SizeBytes, formerly: old[path],
		})
		delete(old, path)
	}
	if !named && e.Media != nil && ownFolder(e) != "" && len(e.DeletedFiles) == 0 {
		r.add(i, e, t, change{Change: Change{Path: e.Media.Path, Folder: true}})
		named = true
	}
	if !named {
		r.pathless = append(r.pathless, e.Title)
		return
	}
	// Where the old file was is scanned too, after the new one's folder. Nobody waits for
	// the server to notice.
	for _, f := range e.DeletedFiles {
		if path := pathOf(e, f); path != "" {
			if _, replaced := old[path]; replaced {
				r.add(i, e, t, change{Change: Change{Path: path, Gone: true}, unproven: true})
			}
		}
	}
}

// deleted reads a deletion: of the files that it names, or of a title with its folder.
func (r *reader) deleted(i int, e *sdk.Event, whole bool) {
	t := r.title(i, e)
	if folder := ownFolder(e); whole && folder != "" {
		r.add(i, e, t, change{Change: Change{Path: folder, Gone: true, Folder: true}})
		return
	}
	named := false
	for _, f := range e.DeletedFiles {
		if path := pathOf(e, f); path != "" {
			r.add(i, e, t, change{Change: Change{Path: path, Gone: true}})
			named = true
		}
	}
	if !named {
		r.pathless = append(r.pathless, e.Title)
	}
}

// add asks for a change, in the place of whatever was asked of its path before.
func (r *reader) add(i int, e *sdk.Event, t int, c change) {
	c.Path = r.path(e, c.Path)
	c.title, c.Title, c.events = t, r.titles[t].Title, []int{i}
	c.label = labelOf(e, c.Path)
	if before, ok := r.at[c.Path]; ok {
		b := &r.changes[before]
		if b.Gone == c.Gone {
			// The same is told twice, as by each import and the end of all. The first says
			// more of it, a later size is newer.
			b.events = append(b.events, i)
			b.size = cmp.Or(c.size, b.size)
			b.unproven = b.unproven && c.unproven
			return
		}
		c.events = append(slices.Clone(b.events), i)
		c.Fresh = c.Fresh && b.Fresh
		*b = c
		return
	}
	r.at[c.Path] = len(r.changes)
	r.changes = append(r.changes, c)
}

// path is the server's, for an application's.
func (r *reader) path(e *sdk.Event, path string) string {
	m, ok := r.of[e.Source]
	if !ok {
		m = r.paths.For(e.Source)
		r.of[e.Source] = m
	}
	to, _ := m.Apply(path)
	return to
}

// title returns the index of an event's title.
func (r *reader) title(i int, e *sdk.Event) int {
	t := Title{Title: e.Title}
	if m := e.Media; m != nil {
		t = Title{Kind: m.Kind, Title: m.Title, Year: m.Year, IDs: m.IDs}
		if folder := ownFolder(e); folder != "" {
			t.Path = r.path(e, folder)
		}
	}
	key := strings.Join([]string{t.Kind, t.Title, strconv.Itoa(t.Year), t.Path}, "\x00")
	at, ok := r.byKey[key]
	if !ok {
		at = len(r.titles)
		r.byKey[key] = at
		r.titles = append(r.titles, title{Title: t})
	}
	r.titles[at].events = append(r.titles[at].events, i)
	return at
}

// ownFolder is the folder that belongs to the event's title alone, or nothing. An album
// and a book have their maker's.
func ownFolder(e *sdk.Event) string {
	if e.Media == nil || e.Media.Kind == "book" || e.Media.Kind == "artist" && len(e.Albums) > 0 && e.Type == sdk.TypeMediaDeleted ||
		len(e.Media.Path) > maxPath {
		return ""
	}
	return e.Media.Path
}

// pathOf is the path of a file on the application's disk, or nothing.
func pathOf(e *sdk.Event, f sdk.File) string {
	path := f.Path
	if path == "" && f.RelativePath != "" && e.Media != nil && e.Media.Path != "" {
		path = pathmap.Join(e.Media.Path, f.RelativePath)
	}
	if len(path) > maxPath {
		return ""
	}
	return path
}

// labelOf is how people know a file: by its one episode, or by its name.
func labelOf(e *sdk.Event, path string) string {
	if len(e.Episodes) == 1 && len(e.Files)+len(e.DeletedFiles) <= 2 {
		ep := e.Episodes[0]
		switch {
		case ep.Code != "":
			return ep.Code
		case ep.Number != nil:
			return fmt.Sprintf("S%02dE%02d", ep.Season, *ep.Number)
		}
	}
	return cmp.Or(pathmap.Base(path), path)
}
