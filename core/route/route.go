// Package route decides which targets an event goes to. It does no I/O.
package route

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/calendar"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
)

// Table is the routes of a configuration, ready to match. Its methods may be called
// concurrently.
type Table struct {
	routes []route
	// env is the type of what expressions see.
	env     reflect.Type
	overrun func(route string)
	// groups and powers are those of targets, by name.
	groups map[string]*groupBy
	powers map[string]Powers
	// now is the time by which digests are due.
	now func() time.Time
}

// Match is a target that an event goes to, and the route that says so.
type Match struct {
	Route  string
	Target string
	// Grouping says how the delivery is gathered with those of other events.
	Grouping event.Grouping
}

type route struct {
	config.Route
	when   *condition // nil is always true
	group  *groupBy
	digest *calendar.Times
}

// Problem is one thing wrong with a route. Key is its place in the configuration:
// routes[0].when.
type Problem struct {
	Key     string
	Message string
}

// Error returns the key and what is wrong.
func (p *Problem) Error() string { return p.Key + ": " + p.Message }

// New compiles the routes. The error joins every [*Problem] there is.
func New(routes []config.Route) (*Table, error) {
	t := &Table{routes: make([]route, 0, len(routes)), env: environment(), now: time.Now}
	var problems []error
	for i, c := range routes {
		compiled := route{Route: c}
		add := func(key, format string, args ...any) {
			problems = append(problems, &Problem{Key: fmt.Sprintf("routes[%d].%s", i, key), Message: fmt.Sprintf(format, args...)})
		}
		for j, glob := range c.From {
			if _, err := path.Match(glob, ""); err != nil {
				add(fmt.Sprintf("from[%d]", j), `%q is no pattern: write a source's name, or * and ? for parts of names`, glob)
			}
		}
		for j, glob := range c.Types {
			if _, err := path.Match(segments(glob), ""); err != nil {
				add(fmt.Sprintf("types[%d]", j), `%q is no pattern: write an event type, or "media.*"`, glob)
			}
		}
		if strings.TrimSpace(c.When) != "" {
			when, err := compile(c.When, t.env)
			if err != nil {
				add("when", "%s", err)
			}
			compiled.when = when
		}
		group, err := t.compileGroup(c.Group)
		if err != nil {
			add("group.by", "%s", err)
		}
		compiled.group = group
		if c.Digest != nil {
			times, err := c.Digest.Calendar()
			if err != nil {
				add("digest", "%s", err)
			}
			compiled.digest = &times
		}
		t.routes = append(t.routes, compiled)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return t, nil
}

// OnOverrun has f called with the name of a route whose expression took more than its
// budget, each time it does. Call it before the first Match.
func (t *Table) OnOverrun(f func(route string)) { t.overrun = f }

// Match returns the targets of an event from a source, in the order of the routes.
// A target that several routes name is returned once, with the first of them.
// Normalized is the event by the published schema; it is read only when a route's
// expression needs it. An expression that cannot be evaluated, because it speaks of
// a part that the event does not have or takes too long, is no match.
func (t *Table) Match(source string, e *sdk.Event, normalized []byte) []Match {
	var matches []Match
	facts := facts{env: t.env, normalized: normalized}
	for i := range t.routes {
		r := &t.routes[i]
		if !matchesSource(r.From, source) || !matchesType(r.Types, string(e.Type)) {
			continue
		}
		if r.when != nil {
			holds, err := r.when.holds(&facts)
			if err != nil && t.overrun != nil {
				t.overrun(r.Name)
			}
			if !holds {
				continue
			}
		}
		for _, target := range r.To {
			if !slices.ContainsFunc(matches, func(m Match) bool { return m.Target == target }) {
				matches = append(matches, Match{Route: r.Name, Target: target, Grouping: t.grouping(r, target, source, e, &facts)})
			}
		}
	}
	return matches
}

// Lint returns what is probably a mistake: sources that no route takes events from,
// and patterns that match no source or no event type of this version. SuggestType ends the
// message about such a pattern with what was probably meant.
func (t *Table) Lint(sources []string, suggestType func(pattern string) string) []Problem {
	var problems []Problem
	for i, r := range t.routes {
		for j, glob := range r.From {
			if glob != sdk.SourceHookarr && !slices.ContainsFunc(sources, func(s string) bool { return matchesSource([]string{glob}, s) }) {
				problems = append(problems, Problem{
					Key:     fmt.Sprintf("routes[%d].from[%d]", i, j),
					Message: fmt.Sprintf("%q matches no source%s", glob, config.Suggest(glob, sources)),
				})
			}
		}
		for j, glob := range r.Types {
			if !slices.ContainsFunc(sdk.Types(), func(typ sdk.Type) bool { return matchesType([]string{glob}, string(typ)) }) {
				problems = append(problems, Problem{
					Key:     fmt.Sprintf("routes[%d].types[%d]", i, j),
					Message: fmt.Sprintf("%q matches no event type%s", glob, suggestType(glob)),
				})
			}
		}
	}
	for _, source := range sources {
		if !slices.ContainsFunc(t.routes, func(r route) bool { return matchesSource(r.From, source) }) {
			problems = append(problems, Problem{
				Key:     "sources." + source,
				Message: "no route takes its events: they are stored and go nowhere",
			})
		}
	}
	return problems
}

// LintTypes returns the routes that ask for event types of which none of their sources
// makes one. The types are those that each source may make; one that is not in the map may
// make any. Patterns that match no type at all are Lint's.
func (t *Table) LintTypes(sources []string, types map[string][]sdk.Type) []Problem {
	var problems []Problem
	for i, r := range t.routes {
		comes := func(source string) bool {
			made, known := types[source]
			if source == sdk.SourceHookarr {
				made, known = []sdk.Type{sdk.TypeTargetHeld, sdk.TypeTargetResumed, sdk.TypeDeliveryDead, sdk.TypePathsApart, sdk.TypeSpaceLow, sdk.TypeSpaceRestored, sdk.TypeInstalled}, true
			}
			// Targets tell of libraries under the name of any source.
			told := append([]sdk.Type{sdk.TypeLibraryAvailable, sdk.TypeLibraryMissing, sdk.TypeLibraryRemoved}, made...)
			return !known || slices.ContainsFunc(told, func(typ sdk.Type) bool { return matchesType(r.Types, string(typ)) })
		}
		from := slices.DeleteFunc(append(slices.Clone(sources), sdk.SourceHookarr), func(s string) bool { return !matchesSource(r.From, s) })
		exists := slices.ContainsFunc(sdk.Types(), func(typ sdk.Type) bool { return matchesType(r.Types, string(typ)) })
		if exists && len(from) > 0 && !slices.ContainsFunc(from, comes) {
			problems = append(problems, Problem{
				Key:     fmt.Sprintf("routes[%d].types", i),
				Message: "none of the route's sources tells of such an event: nothing is sent",
			})
		}
	}
	return problems
}

func matchesSource(globs []string, source string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(glob string) bool { return match(glob, source) })
}

// byName are the types that are for those who ask for them by name: tests, what nobody
// understood, and changes of metadata, of which an application may make thousands in a day.
func byName(typ string) bool {
	switch sdk.Type(typ) {
	case sdk.TypeTest, sdk.TypeUnknown, sdk.TypeMediaUpdated:
		return true
	default:
		return false
	}
}

// matchesType: some types are for those who ask for them by name, and what Hookarr tells of itself for patterns that begin with its name.
func matchesType(globs []string, typ string) bool {
	if own := sdk.SourceHookarr + "."; strings.HasPrefix(typ, own) {
		return slices.ContainsFunc(globs, func(glob string) bool {
			return strings.HasPrefix(glob, own) && match(segments(glob), segments(typ))
		})
	}
	byNameOnly := byName(typ)
	if len(globs) == 0 {
		return !byNameOnly
	}
	return slices.ContainsFunc(globs, func(glob string) bool {
		switch {
		case byNameOnly:
			return glob == typ
		case glob == "*":
			return true
		default:
			return match(segments(glob), segments(typ))
		}
	})
}

// segments makes path.Match, whose wildcards stop at slashes, stop at dots.
func segments(s string) string { return strings.ReplaceAll(s, ".", "/") }

// match is path.Match of a pattern that New has checked.
func match(glob, name string) bool {
	ok, err := path.Match(glob, name)
	return ok && err == nil
}
