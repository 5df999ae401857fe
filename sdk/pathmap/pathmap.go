// Package pathmap turns the paths of one machine into those of another that has the same
// files elsewhere: of an application's container into a media server's.
//
// A map is pairs of folders. A path that is in the folder From of a pair, by whole
// components, is in its folder To; the longest From decides. Paths may be of POSIX
// (/media/tv), of Windows (D:\Media\TV, \\nas\tv) or addresses (smb://nas/tv), and a pair
// may lead from one form to another. There are no patterns.
package pathmap

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk/internal/config"
)

// Key is the key that problems of pairs are named by: a plugin that is configured with
// pairs has them in a field `Map []pathmap.Pair` with this key.
const Key = "map"

// Pair says that what an application has in one folder, a server has in another.
type Pair struct {
	From   string `json:"from" hookarr:"required" doc:"A folder as the application writes it: /tv"`
	To     string `json:"to" hookarr:"required" doc:"The same folder as the server has it: /data/media/tv"`
	Source string `json:"source,omitempty" doc:"The name of the source that the pair is for alone, where two applications have different folders of one name."`
}

// Map is a set of pairs. It is immutable; the zero value has none and leaves every path
// as it is.
type Map struct {
	pairs []pair // as they were given
	// forward and back are the order to try them in for Apply and Inverse.
	forward, back []pair
}

type pair struct {
	source   string
	from, to path
}

func (p pair) forward() (from, to path) { return p.from, p.to }
func (p pair) back() (from, to path)    { return p.to, p.from }

// New returns the map of some pairs. The error joins problems by the keys of a
// configuration, such as map[1].from, and is meant to be returned by its Validate.
func New(pairs []Pair) (Map, error) {
	var problems []error
	var m Map
	for i, given := range pairs {
		p := pair{source: given.Source, from: parse(given.From), to: parse(given.To)}
		for _, side := range []struct{ key, text string }{{"from", given.From}, {"to", given.To}} {
			if fault := faultOf(side.text); fault != "" {
				problems = append(problems, problem(i, side.key, fault))
			}
		}
		if strings.TrimSpace(given.Source) != given.Source {
			problems = append(problems, problem(i, "source", "has spaces around it"))
		}
		for j, other := range m.pairs {
			if other.source == p.source && same(other.from, p.from) {
				problems = append(problems, problem(i, "from", fmt.Sprintf("is that of %s[%d] too; remove one of them", Key, j)))
				break
			}
		}
		m.pairs = append(m.pairs, p)
	}
	if err := errors.Join(problems...); err != nil {
		return Map{}, err
	}
	return m.For(""), nil
}

func problem(i int, side, message string) error {
	return &config.Problem{Key: fmt.Sprintf("%s[%d].%s", Key, i, side), Message: message}
}

// faultOf says what is wrong with one side of a pair, or nothing.
func faultOf(text string) string {
	p := parse(text)
	switch {
	case strings.TrimSpace(text) == "":
		return "must not be empty"
	case strings.TrimSpace(text) != text:
		return "has spaces around it"
	case p.form == relative:
		return `must be a whole path, such as /media/tv, D:\Media\TV or \\nas\tv`
	case !p.usable():
		return "must be without .."
	}
	return ""
}

func same(a, b path) bool { return len(a.parts) == len(b.parts) && a.startsWith(b) }

// For returns the map of one source: its own pairs, and those that are for every source.
// Of two with the same folder its own counts. The map of no source, the empty name, is
// that of a new Map.
func (m Map) For(source string) Map {
	of := Map{pairs: m.pairs}
	for _, p := range m.pairs {
		if p.source == source || p.source == "" {
			of.forward = append(of.forward, p)
		}
	}
	of.back = slices.Clone(of.forward)
	order := func(pairs []pair, side func(pair) path) {
		slices.SortStableFunc(pairs, func(a, b pair) int {
			return cmp.Or(cmp.Compare(len(side(b).parts), len(side(a).parts)), strings.Compare(b.source, a.source))
		})
	}
	order(of.forward, func(p pair) path { return p.from })
	order(of.back, func(p pair) path { return p.to })
	return of
}

// Pairs returns the pairs, written without doubled and trailing separators.
func (m Map) Pairs() []Pair {
	pairs := make([]Pair, len(m.pairs))
	for i, p := range m.pairs {
		pairs[i] = Pair{From: p.from.String(), To: p.to.String(), Source: p.source}
	}
	return pairs
}

// Apply returns where the server has what an application has at a path. A path that is in
// no folder of the map, or is not absolute or has a part "..", is returned as it is, with
// false. A mapped path ends in no separator, and has those of the pair's To.
func (m Map) Apply(path string) (string, bool) { return move(m.forward, path, pair.forward) }

// Inverse returns where an application has what the server has at a path, like Apply. Of
// several pairs with the same To the first counts.
func (m Map) Inverse(path string) (string, bool) { return move(m.back, path, pair.back) }

func move(pairs []pair, text string, sides func(pair) (from, to path)) (string, bool) {
	at := parse(text)
	for _, p := range pairs {
		if from, to := sides(p); at.startsWith(from) {
			return to.with(slices.Concat(to.parts, at.parts[len(from.parts):])).String(), true
		}
	}
	return text, false
}
