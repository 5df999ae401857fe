package mediaserver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// libraryCache keeps a server's libraries for a while.
type libraryCache struct {
	mu   sync.Mutex
	libs []Library
	read time.Time
}

// drop has the libraries read again, whenever they were read last.
func (c *libraryCache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = time.Time{}
}

// keep is how long libraries are used without another look.
const keep = 10 * time.Minute

// libraries returns those that the configuration lets in. With fresh they are read again,
// unless they were within the last Refetch.
func (t *Target) libraries(ctx context.Context, fresh bool) ([]Library, error) {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	for {
		age := time.Since(t.cache.read)
		old := t.cache.read.IsZero() || age >= t.options.Refetch
		if t.cache.read.IsZero() || age > keep || fresh && old {
			libs, err := t.server.Libraries(ctx)
			if err == nil {
				libs, err = usable(libs)
			}
			if err != nil {
				return nil, fmt.Errorf("read the libraries of %s: %w", t.options.Name, err)
			}
			t.cache.libs, t.cache.read, old = libs, time.Now(), false
		}
		libs, err := t.chosen(t.cache.libs)
		if err == nil || !old {
			return libs, err
		}
		fresh = true // one was renamed, perhaps
	}
}

// maxRoots bounds the folders of all libraries: each path is compared with all of them.
const maxRoots = 2000

// usable leaves out folders that can be none.
func usable(libs []Library) ([]Library, error) {
	n := 0
	for i := range libs {
		l := &libs[i]
		l.Roots = slices.DeleteFunc(l.Roots, func(root string) bool { return len(root) > maxPath })
		if n += 1 + len(l.Roots); n > maxRoots {
			return nil, fmt.Errorf("more than %d libraries and folders of libraries", maxRoots)
		}
	}
	return libs, nil
}

// chosen are the libraries that the configuration names, or all.
func (t *Target) chosen(all []Library) ([]Library, error) {
	if len(t.config.Libraries) == 0 {
		return all, nil
	}
	var libs []Library
	for _, name := range t.config.Libraries {
		i := slices.IndexFunc(all, func(l Library) bool { return l.Name == name })
		if i < 0 {
			return nil, sdk.Misconfigured(fmt.Errorf("%s has no library %q; it has %s: change libraries", t.options.Name, name, listLibraries(all)))
		}
		libs = append(libs, all[i])
	}
	return libs, nil
}

// place finds the library of each change. It returns what no library has.
func (t *Target) place(ctx context.Context, w *wanted) (unplaced []*change, err error) {
	libs, err := t.libraries(ctx, false)
	if err != nil {
		return nil, err
	}
	unplaced = t.placeIn(w, libs)
	if len(unplaced) == 0 {
		return nil, nil
	}
	if libs, err = t.libraries(ctx, true); err != nil {
		return nil, err
	}
	return t.placeIn(w, libs), nil
}

func (t *Target) placeIn(w *wanted, libs []Library) (unplaced []*change) {
	for i := range w.changes {
		c := &w.changes[i]
		if c.library = libraryOf(libs, c.Change); c.library == nil {
			unplaced = append(unplaced, c)
			continue
		}
		c.folder = t.scope(*c.library, c.Change)
	}
	return unplaced
}

// scope is the folder to scan for a change: the one that a file is in.
func (t *Target) scope(l Library, c Change) string {
	if s, ok := t.server.(Scoper); ok {
		return s.Scope(l, c)
	}
	if c.Folder {
		return c.Path
	}
	return pathmap.Dir(c.Path)
}

// libraryOf is the library with the deepest root that has a path, of those for the title's
// kind.
func libraryOf(libs []Library, c Change) *Library {
	var best *Library
	depth := -1
	for i := range libs {
		if !holds(libs[i], c.Title.Kind) {
			continue
		}
		if root := libs[i].Root(c.Path); root != "" && len(root) > depth {
			best, depth = &libs[i], len(root)
		}
	}
	return best
}

// holds reports whether a library is for a kind of media. An event that says none may be of
// any.
func holds(l Library, kind string) bool {
	return kind == "" || len(l.Kinds) == 0 || slices.Contains(l.Kinds, kind)
}

// unplacedError says which path no library has, and what may be meant. It is permanent,
// unless the server has no libraries at all, as one may that is starting.
func (t *Target) unplacedError(ctx context.Context, all []*change) error {
	libs, err := t.libraries(ctx, false)
	if err != nil {
		return err
	}
	c := all[0]
	what := fmt.Sprintf("no library of %s has %s", t.options.Name, c.Path)
	if n := len(all) - 1; n > 0 {
		what += fmt.Sprintf(" and %d more", n)
	}
	if l := libraryOf(libs, Change{Path: c.Path}); l != nil {
		return sdk.Permanent(fmt.Errorf("%s: library %q has the folder and is not for what is called %s", what, l.Name, c.Title.Kind))
	}
	if len(libs) == 0 {
		return fmt.Errorf("%s: it has no libraries", what)
	}
	what += ": it has " + listLibraries(libs)
	if l, root, from := nearest(libs, c.Change); l != nil {
		what += fmt.Sprintf("; nearest is %q: if %s is %s there, map it", l.Name, from, root)
	}
	return sdk.Permanent(fmt.Errorf("%s; `hookarr paths %s` proposes the map", what, t.instance))
}

// nearest guesses the library that a path belongs to: the one whose root ends in the most
// names that the path has side by side. It returns that root, and what it would be on the
// application's side.
func nearest(libs []Library, c Change) (l *Library, root, from string) {
	most := 0
	names := split(c.Path)
	for i := range libs {
		if !holds(libs[i], c.Title.Kind) {
			continue
		}
		for _, r := range libs[i].Roots {
			ends := split(r)
			for n := len(ends); n > most; n-- {
				at := indexFold(names[:max(len(names)-1, 0)], ends[len(ends)-n:])
				if at < 0 {
					continue
				}
				most, l, root = n, &libs[i], r
				from = c.Path
				for range len(names) - at - n {
					from = pathmap.Dir(from)
				}
			}
		}
	}
	return l, root, from
}

// split returns the names of a path, whatever its separators are.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
}

// indexFold is where some names are among others, without regard to case, or -1.
func indexFold(names, some []string) int {
	for i := 0; i+len(some) <= len(names); i++ {
		if slices.EqualFunc(names[i:i+len(some)], some, strings.EqualFold) {
			return i
		}
	}
	return -1
}

// listLibraries names libraries and their folders.
func listLibraries(libs []Library) string {
	const most = 8
	var all []string
	for _, l := range libs[:min(len(libs), most)] {
		all = append(all, fmt.Sprintf("%q (%s)", l.Name, strings.Join(l.Roots, ", ")))
	}
	if n := len(libs) - most; n > 0 {
		all = append(all, fmt.Sprintf("%d more", n))
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
