package paths

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

const (
	// maxDisagreements and maxExamples bound what is listed.
	maxDisagreements = 20
	maxExamples      = 10
)

func (x *examination) disagreements() []Disagreement {
	all := []Disagreement{}
	for i := range x.common {
		w := &x.common[i]
		if w.agrees(x.best) {
			continue
		}
		at, _ := x.best.For(w.source).Apply(w.Path)
		d := Disagreement{Source: w.source, Title: w.Title, Path: w.Path, Mapped: at, Server: w.server[0]}
		d.How = x.how(at, d.Server)
		all = append(all, d)
	}
	return all[:min(len(all), maxDisagreements)]
}

// how says how two paths for one title differ.
func (x *examination) how(mapped, server string) string {
	if difference := nearly(mapped, server); difference != "" {
		return "differs in " + difference + " alone"
	}
	if pathmap.Equal(pathmap.Dir(mapped), pathmap.Dir(server)) {
		return "the folder has another name on the server"
	}
	there, here := inLibrary(server, "", x.Server.Roots), inLibrary(mapped, "", x.Server.Roots)
	switch {
	case there != nil && here != nil && there.Library != here.Library:
		return fmt.Sprintf("is in library %s, and the map leads into %s", there.Library, here.Library)
	case here == nil:
		return "the map leads into no library"
	default:
		return "is in another folder"
	}
}

// nearly says how two paths differ that are the same but for case or separators, or nothing.
func nearly(a, b string) string {
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '\\' })
	}
	x, y := split(a), split(b)
	switch {
	case pathmap.Equal(a, b), !slices.EqualFunc(x, y, strings.EqualFold):
		return ""
	case slices.Equal(x, y):
		return "its separators"
	case strings.EqualFold(pathmap.Clean(a), pathmap.Clean(b)):
		return "case"
	default:
		return "case and separators"
	}
}

func (x *examination) reaches(proposed bool) []Root {
	all := []Root{}
	for _, f := range x.roots {
		root := Root{Source: f.source, Path: f.Path, Kind: f.Kind, FreeBytes: f.FreeBytes, Reach: x.reach(f, x.used)}
		if proposed {
			root.Then = new(x.reach(f, x.best))
		}
		all = append(all, root)
	}
	return all
}

// reach is where a map leads a root folder.
func (x *examination) reach(root rootOf, m pathmap.Map) Reach {
	at, _ := m.For(root.source).Apply(root.Path)
	r := Reach{Mapped: pathmap.Clean(at), Problem: root.Problem}
	if l := inLibrary(at, root.Kind, x.Server.Roots); l != nil {
		r.Library = cmp.Or(l.Library, l.Path)
		return r
	}
	r.Problem = cmp.Or(r.Problem, x.unreached(root.Path, r.Mapped, root.Kind, m))
	return r
}

// unreached says why a root folder that a map leads to at is in no library.
func (x *examination) unreached(path, at, kind string, m pathmap.Map) string {
	for _, l := range x.Server.Roots {
		if difference := nearly(at, l.Path); difference != "" {
			return fmt.Sprintf("reaches no library, as %s differs from %s in %s alone", at, l.Path, difference)
		}
	}
	for _, p := range m.Pairs() {
		if difference := nearly(path, p.From); difference != "" {
			return fmt.Sprintf("reaches no library, as the pair from %s differs from it in %s", p.From, difference)
		}
	}
	if l := inLibrary(at, "", x.Server.Roots); l != nil {
		return fmt.Sprintf("reaches no library for its kind, as %s is in %s, which is for %s and not %s", at, cmp.Or(l.Library, l.Path), l.Kind, kind)
	}
	if !pathmap.Absolute(at) {
		return "reaches no library, as it is no whole path"
	}
	return "reaches no library, as the server has none in or above " + at
}

func (x *examination) libraries() []Library {
	all := []Library{}
	for _, f := range x.Server.Roots {
		l := Library{Name: f.Library, Path: f.Path, Kind: f.Kind, FedBy: []string{}, Problem: f.Problem}
		for _, root := range x.roots {
			at, _ := x.best.For(root.source).Apply(root.Path)
			if sameKind(root.Kind, f.Kind) && (pathmap.Under(at, f.Path) || pathmap.Under(f.Path, at)) {
				l.FedBy = append(l.FedBy, root.source+" "+root.Path)
			}
		}
		all = append(all, l)
	}
	return all
}

// tried applies both maps to stored events.
func (x *examination) storedEvents() StoredEvents {
	found := StoredEvents{Tried: len(x.Events), Examples: []MissedEvent{}}
	misses := func(e *Event, m pathmap.Map) (string, bool) {
		at, _ := m.For(e.Source).Apply(e.Path)
		return at, !slices.ContainsFunc(x.Server.Roots, func(l sdk.Folder) bool { return pathmap.Under(at, l.Path) })
	}
	for i := range x.Events {
		e := &x.Events[i]
		if at, missed := misses(e, x.used); missed {
			found.Missed++
			shown := slices.ContainsFunc(found.Examples, func(m MissedEvent) bool { return m.Source == e.Source && m.Path == e.Path })
			if len(found.Examples) < maxExamples && !shown {
				found.Examples = append(found.Examples, MissedEvent{*e, at})
			}
		}
		if _, missed := misses(e, x.best); missed {
			found.Then++
		}
	}
	return found
}
