package paths

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// commonTitle is a title that an application and the server have.
type commonTitle struct {
	source string
	sdk.FolderTitle

	// server are the places where the server has it: more than one in two libraries.
	server []string
}

// agrees reports whether a map leads the title to a place where the server has it.
func (w *commonTitle) agrees(m pathmap.Map) bool {
	at, _ := m.For(w.source).Apply(w.Path)
	return slices.ContainsFunc(w.server, func(place string) bool { return pathmap.Equal(at, place) })
}

func countAgreeing(common []commonTitle, m pathmap.Map) int {
	n := 0
	for i := range common {
		if common[i].agrees(m) {
			n++
		}
	}
	return n
}

// common are the titles of applications that the server has, found by their ids.
func common(sources []Source, found []sdk.FolderTitle) []commonTitle {
	byID := map[string][]*sdk.FolderTitle{}
	for i := range found {
		for service, id := range found[i].IDs {
			byID[service+" "+id] = append(byID[service+" "+id], &found[i])
		}
	}
	var all []commonTitle
	for _, s := range sources {
		for _, t := range s.Titles {
			w := commonTitle{source: s.Name, FolderTitle: t}
			for service, id := range t.IDs {
				for _, place := range byID[service+" "+id] {
					if place.Path != "" && sameKind(place.Kind, t.Kind) && !slices.Contains(w.server, place.Path) {
						w.server = append(w.server, place.Path)
					}
				}
			}
			if len(w.server) > 0 {
				slices.Sort(w.server) // ids come in no order
				all = append(all, w)
			}
		}
	}
	return all
}

// sameKind reports whether titles of one kind can be in a folder for another. Empty is any.
func sameKind(a, b string) bool {
	family := func(kind string) string {
		switch kind {
		case "scene":
			return "movie" // Whisparr's movies
		case "album", "track":
			return "artist"
		case "book":
			return "author"
		case "episode", "season":
			return "series"
		}
		return kind
	}
	return a == "" || b == "" || family(a) == family(b)
}

// proposer looks for the fewest pairs that lead the most titles right.
type proposer struct {
	common    []commonTitle
	roots     []rootOf
	libraries []sdk.Folder
}

type rootOf struct {
	source string
	sdk.Folder
}

// mapOf is the map of pairs that do not contradict each other. That of others is none.
func mapOf(pairs []pathmap.Pair) (pathmap.Map, bool) {
	m, err := pathmap.New(pairs)
	return m, err == nil
}

// pairs are those that the titles speak for: without sources where one map does for all.
func (p *proposer) pairs() []pathmap.Pair {
	joint := p.greedy()
	m, _ := mapOf(joint)
	best := countAgreeing(p.common, m)
	var keyed []pathmap.Pair
	for _, source := range p.sources() {
		own := proposer{libraries: p.libraries}
		for _, w := range p.common {
			if w.source == source {
				own.common = append(own.common, w)
			}
		}
		for _, r := range p.roots {
			if r.source == source {
				own.roots = append(own.roots, r)
			}
		}
		for _, pair := range own.greedy() {
			pair.Source = source
			keyed = append(keyed, pair)
		}
	}
	m, ok := mapOf(keyed)
	most := countAgreeing(p.common, m)
	if !ok || most <= best {
		return joint
	}
	return p.shared(keyed, most)
}

func (p *proposer) sources() []string {
	var names []string
	for i := range p.common {
		if !slices.Contains(names, p.common[i].source) {
			names = append(names, p.common[i].source)
		}
	}
	return names
}

// shared takes the source from the first pair that does for all without, and so on. Where
// one folder is two, both pairs keep theirs.
func (p *proposer) shared(keyed []pathmap.Pair, most int) []pathmap.Pair {
	for i := range keyed {
		if keyed[i].Source == "" || slices.ContainsFunc(keyed, func(q pathmap.Pair) bool {
			return pathmap.Equal(q.From, keyed[i].From) && !pathmap.Equal(q.To, keyed[i].To)
		}) {
			continue
		}
		open := pathmap.Pair{From: keyed[i].From, To: keyed[i].To}
		tried := append(slices.DeleteFunc(slices.Clone(keyed), func(q pathmap.Pair) bool { return samePlaces(q, open) }), open)
		if m, ok := mapOf(tried); ok && countAgreeing(p.common, m) >= most {
			return p.shared(tried, most)
		}
	}
	return keyed
}

func samePlaces(a, b pathmap.Pair) bool {
	return pathmap.Equal(a.From, b.From) && pathmap.Equal(a.To, b.To)
}

// candidate is a pair that leads at least one title right.
type candidate struct {
	pathmap.Pair

	of pathmap.Map
	// reached is how many root folders it leads into a library, above that it is no part of
	// a root folder, and depth how many names From has.
	reached, depth int
	above          bool
}

// greedy takes the pair that leads the most of the titles right that no former one does,
// until there is none.
func (p *proposer) greedy() []pathmap.Pair {
	all := p.candidates()
	var chosen []pathmap.Pair
	for {
		m, _ := mapOf(chosen)
		right := countAgreeing(p.common, m)
		var left []commonTitle
		for i := range p.common {
			if !p.common[i].agrees(m) || len(chosen) == 0 {
				left = append(left, p.common[i])
			}
		}
		best, most := -1, 0
		for i := range all {
			if n := p.gain(&all[i], left, chosen, right); n > 0 && (best < 0 || n > most || n == most && better(&all[i], &all[best])) {
				best, most = i, n
			}
		}
		if best < 0 {
			return p.needed(chosen)
		}
		chosen = append(chosen, all[best].Pair)
	}
}

// gain is how many of the titles that are left a candidate leads right, or zero when it
// does not go with those that were chosen.
func (p *proposer) gain(c *candidate, left []commonTitle, chosen []pathmap.Pair, right int) int {
	n := countAgreeing(left, c.of)
	if n == 0 || n == 1 && !c.above && p.under(c.From) {
		// One title in a folder of a root folder of which others are elsewhere is an
		// exception, not a rule.
		return 0
	}
	if m, ok := mapOf(append(slices.Clone(chosen), c.Pair)); !ok || len(chosen) > 0 && countAgreeing(p.common, m) <= right {
		return 0
	}
	return n
}

// under reports whether other titles than those in a folder are in its root folder.
func (p *proposer) under(folder string) bool {
	for _, r := range p.roots {
		if pathmap.Under(folder, r.Path) {
			return slices.ContainsFunc(p.common, func(w commonTitle) bool {
				return w.source == r.source && pathmap.Under(w.Path, r.Path) && !pathmap.Under(w.Path, folder)
			})
		}
	}
	return false
}

// better decides between candidates for as many titles: more root folders reached, no part
// of a root folder, and then the smaller folder.
func better(a, b *candidate) bool {
	order := cmp.Or(
		cmp.Compare(a.reached, b.reached), boolean(a.above)-boolean(b.above), cmp.Compare(a.depth, b.depth),
		strings.Compare(b.From, a.From), strings.Compare(b.To, a.To),
	)
	return order > 0
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// candidates are the pairs that single titles speak for: of the folders that they are in,
// as far up as these are called the same on both sides.
func (p *proposer) candidates() []candidate {
	var all []candidate
	seen := map[pathmap.Pair]bool{}
	for i := range p.common {
		w := &p.common[i]
		for _, place := range w.server {
			_, _, shared := pathmap.CutSuffix(w.Path, place, false)
			pair := pathmap.Pair{From: pathmap.Clean(w.Path), To: pathmap.Clean(place)}
			for range shared {
				pair = pathmap.Pair{From: pathmap.Dir(pair.From), To: pathmap.Dir(pair.To)}
				// A pair for the root of a file system would be for everything.
				if pair.From == "/" || seen[pair] {
					continue
				}
				seen[pair] = true
				if m, ok := mapOf([]pathmap.Pair{pair}); ok {
					all = append(all, p.judged(pair, m))
				}
			}
		}
	}
	return all
}

func (p *proposer) judged(pair pathmap.Pair, m pathmap.Map) candidate {
	c := candidate{Pair: pair, of: m, above: true}
	for at := pair.From; pathmap.Base(at) != ""; at = pathmap.Dir(at) {
		c.depth++
	}
	for _, r := range p.roots {
		at, mapped := m.Apply(r.Path)
		if mapped && inLibrary(at, r.Kind, p.libraries) != nil {
			c.reached++
		}
		if pathmap.Under(pair.From, r.Path) && !pathmap.Equal(pair.From, r.Path) {
			c.above = false
		}
	}
	return c
}

// needed leaves out pairs without which as many titles are right.
func (p *proposer) needed(pairs []pathmap.Pair) []pathmap.Pair {
	m, _ := mapOf(pairs)
	right := countAgreeing(p.common, m)
	for i := range pairs {
		without := slices.Delete(slices.Clone(pairs), i, i+1)
		if m, ok := mapOf(without); ok && countAgreeing(p.common, m) >= right {
			return p.needed(without)
		}
	}
	return pairs
}

// inLibrary returns the library folder that a path is in, or that is in it, of a kind that
// fits; the one that fits best.
func inLibrary(path, kind string, libraries []sdk.Folder) *sdk.Folder {
	var found *sdk.Folder
	for i := range libraries {
		l := &libraries[i]
		if !sameKind(l.Kind, kind) {
			continue
		}
		if pathmap.Under(path, l.Path) && (found == nil || !pathmap.Under(path, found.Path) || len(l.Path) > len(found.Path)) {
			found = l
		} else if found == nil && pathmap.Under(l.Path, path) {
			found = l
		}
	}
	return found
}
