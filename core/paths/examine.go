package paths

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Examine makes a report. It asks nobody.
func Examine(e Evidence) Report {
	x := examination{Evidence: e, common: common(e.Sources, e.Server.Titles)}
	for _, s := range e.Sources {
		for _, f := range s.Roots {
			x.roots = append(x.roots, rootOf{s.Name, f})
		}
	}
	x.used, _ = mapOf(e.Server.Map) // the plugin has checked it
	return x.report()
}

type examination struct {
	Evidence

	common []commonTitle
	roots  []rootOf
	// used is the map in use, and best the proposed one, or else the one in use.
	used, best pathmap.Map
}

func (x *examination) report() Report {
	r := Report{
		Target: x.Target, Plugin: x.Plugin, Map: x.used.Pairs(), Proposed: []Proposal{}, Disagreements: []Disagreement{},
		Sources: x.asked(), Titles: Titles{Found: len(x.common), Right: countAgreeing(x.common, x.used)},
	}
	for _, s := range r.Sources {
		r.Titles.Asked += s.Titles
	}
	x.propose(&r)
	r.Titles.Agree = countAgreeing(x.common, x.best)
	r.Disagreements = x.disagreements()
	r.Roots = x.reaches(len(r.Proposed) > 0)
	r.Libraries = x.libraries()
	r.Events = x.storedEvents()
	r.Verdict = x.verdict(&r)
	r.Summary = summary(&r)
	r.YAML = yamlOf(r.Proposed)
	return r
}

func (x *examination) asked() []Asked {
	all := []Asked{}
	for _, s := range x.Sources {
		a := Asked{Name: s.Name, Titles: len(s.Titles), Silent: s.Silent, Problem: s.Problem}
		for i := range x.common {
			if x.common[i].source == s.Name {
				a.Found++
			}
		}
		all = append(all, a)
	}
	return all
}

// propose finds the map that would do. What the titles do not decide is decided by the
// names of folders, for root folders that reach no library otherwise.
func (x *examination) propose(r *Report) {
	x.best = x.used
	pairs := x.used.Pairs()
	p := proposer{common: x.common, roots: x.roots, libraries: x.Server.Roots}
	proven := p.pairs()
	if m, ok := mapOf(proven); ok && countAgreeing(x.common, m) > r.Titles.Right {
		pairs, x.best = x.kept(proven), m
	}
	proposed := make([]Proposal, 0, len(pairs))
	for _, pair := range pairs {
		proposed = append(proposed, x.proposal(pair))
	}
	for _, root := range x.roots {
		pair, why, ok := x.guess(root, pairs)
		if !ok {
			continue
		}
		if _, ok := mapOf(append(slices.Clone(pairs), pair)); ok {
			pairs = append(pairs, pair)
			proposed = append(proposed, Proposal{Pair: pair, Why: why})
		}
	}
	x.best, _ = mapOf(pairs)
	if sameMap(x.best.Pairs(), x.used.Pairs()) {
		return
	}
	slices.SortFunc(proposed, func(a, b Proposal) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.From, b.From))
	})
	r.Proposed = proposed
}

func sameMap(a, b []pathmap.Pair) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p pathmap.Pair) bool {
		return !slices.ContainsFunc(b, func(q pathmap.Pair) bool { return p.Source == q.Source && samePlaces(p, q) })
	})
}

// kept adds to proven pairs those in use that lead root folders into a library of which no
// title says anything.
func (x *examination) kept(proven []pathmap.Pair) []pathmap.Pair {
	pairs := slices.Clone(proven)
	for _, used := range x.used.Pairs() {
		decided := slices.ContainsFunc(x.common, func(w commonTitle) bool {
			return (used.Source == "" || used.Source == w.source) && pathmap.Under(w.Path, used.From)
		})
		alone, _ := mapOf([]pathmap.Pair{used})
		if decided || !slices.ContainsFunc(x.roots, func(r rootOf) bool {
			at, mapped := alone.For(r.source).Apply(r.Path)
			return mapped && inLibrary(at, r.Kind, x.Server.Roots) != nil
		}) {
			continue
		}
		if _, ok := mapOf(append(slices.Clone(pairs), used)); ok {
			pairs = append(pairs, used)
		}
	}
	return pairs
}

func (x *examination) proposal(pair pathmap.Pair) Proposal {
	m, _ := mapOf([]pathmap.Pair{pair})
	n := 0
	for i := range x.common {
		w := &x.common[i]
		if _, mapped := m.For(w.source).Apply(w.Path); mapped && w.agrees(m) {
			n++
		}
	}
	why := "is in the map now; no title tells"
	if n == 1 {
		why = "1 title is there"
	} else if n > 1 {
		why = fmt.Sprintf("%d titles are there", n)
	}
	return Proposal{Pair: pair, Titles: n, Why: why}
}

// guess returns a pair for a root folder that reaches no library with the pairs so far: to
// the one library folder whose path ends alike, or the only one for what is in it.
func (x *examination) guess(root rootOf, pairs []pathmap.Pair) (pair pathmap.Pair, why string, ok bool) {
	m, _ := mapOf(pairs)
	at, _ := m.For(root.source).Apply(root.Path)
	if inLibrary(at, root.Kind, x.Server.Roots) != nil || !pathmap.Absolute(root.Path) {
		return pathmap.Pair{}, "", false
	}
	var fitting, alike []sdk.Folder
	longest := 0
	for _, l := range x.Server.Roots {
		if !sameKind(l.Kind, root.Kind) {
			continue
		}
		fitting = append(fitting, l)
		switch _, _, shared := pathmap.CutSuffix(root.Path, l.Path, true); {
		case shared == 0, shared < longest:
		case shared > longest:
			longest, alike = shared, []sdk.Folder{l}
		default:
			alike = append(alike, l)
		}
	}
	pair = pathmap.Pair{From: pathmap.Clean(root.Path)}
	switch {
	case len(alike) == 1:
		pair.To, why = pathmap.Clean(alike[0].Path), "both folders are called "+pathmap.Base(alike[0].Path)+"; no title proves it"
	case len(fitting) == 1 && root.Kind != "" && fitting[0].Kind != "" && x.only(root):
		pair.To, why = pathmap.Clean(fitting[0].Path), "the server has no other folder of the kind "+root.Kind+"; no title proves it"
	default:
		return pathmap.Pair{}, "", false
	}
	return pair, why, pair.From != "/"
}

// only reports whether no other root folder is for the same kind of titles.
func (x *examination) only(root rootOf) bool {
	return !slices.ContainsFunc(x.roots, func(r rootOf) bool {
		return sameKind(r.Kind, root.Kind) && (r.source != root.source || !pathmap.Equal(r.Path, root.Path))
	})
}

func (x *examination) verdict(r *Report) Verdict {
	unreached := slices.ContainsFunc(r.Roots, func(f Root) bool { return f.Library == "" })
	switch {
	case r.Titles.Agree > r.Titles.Right:
		return Wrong
	case r.Titles.Right == 0:
		return Unproven
	case unreached:
		return Incomplete
	default:
		return Right
	}
}

func summary(r *Report) string {
	t := r.Titles
	agree := fmt.Sprintf("%d of %d titles agree", t.Agree, t.Found)
	switch r.Verdict {
	case Wrong:
		now := "the one in use"
		if len(r.Map) == 0 {
			now = "no map, as now"
		}
		return fmt.Sprintf("%s with the proposed map, and %d with %s", agree, t.Right, now)
	case Incomplete:
		return agree + ", and a root folder reaches no library"
	case Right:
		if len(r.Map) == 0 {
			return agree + ": the paths are the same on both sides, and no map is needed"
		}
		return agree + " with the map in use"
	default:
		switch {
		case !slices.ContainsFunc(r.Sources, func(s Asked) bool { return !s.Silent }):
			return "no source that knows root folders sends events to this target: give those of applications base_url and api_key"
		case t.Asked == 0:
			return "no application named a title that has files: nothing to compare"
		case t.Found == 0:
			return fmt.Sprintf("the server has none of %d titles by their ids: what is said below is by the names of folders alone", t.Asked)
		default:
			return fmt.Sprintf("the server has %d titles, all of them where no map leads", t.Found)
		}
	}
}
