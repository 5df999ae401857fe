package message

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// digestMax is how many titles a digest names.
const digestMax = 20

// deed counts what happened to the parts of a title, or to titles.
type deed struct {
	words
	// noun is what it happened to when that is not the title itself.
	noun string
	n    int
}

// entry is a title of a digest.
type entry struct {
	title, line, instance string
	severity              Severity
}

// digest describes events of many titles: problems first, then what happened in its
// order.
func digest(events []sdk.Event, parts [][]sdk.Event) Message {
	var entries []entry
	var sum []deed
	bytes := int64(0)
	m := Message{Emoji: "📋", Title: many(len(events), "event") + " of " + many(len(parts), "title")}
	for _, part := range parts {
		s := storyOf(part)
		style, deeds := styleOf(s), deedsOf(part)
		for _, d := range deeds {
			sum = tallied(sum, d)
		}
		if arrival(s.Event) {
			bytes += total(s.Files)
		}
		entries = append(entries, entry{name(s), digestLine(s, style, deeds), instance(s.Event), style.severity()})
		m.Severity = max(m.Severity, style.severity())
	}
	slices.SortStableFunc(sum, func(a, b deed) int { return cmp.Compare(a.rank(), b.rank()) })
	m.Headline = "Digest: " + sumWords(sum)
	m.Color = colorOf(m.Severity)
	m.List, m.gist = digestList(entries)
	if s := size(bytes); s != "" {
		m.Fields = []Field{{Name: "Imported", Value: s, Weight: Main}}
	}
	m.Footer = sources(events)
	m.Time = events[len(events)-1].Time.UTC()
	return m
}

// digestList names the titles, those with problems first, and the first of them in a
// line.
func digestList(entries []entry) (lines []string, gist string) {
	const inLine = 3
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Compare(max(b.severity, SeverityGood), max(a.severity, SeverityGood))
	})
	times := map[string]int{}
	for _, e := range entries {
		times[e.line]++
	}
	// The same may have happened in two instances of an application.
	whole := set[string]{key: func(s string) string { return s }}
	titles := set[string]{key: func(s string) string { return s }}
	for _, e := range entries {
		titles.add([]string{e.title})
		if times[e.line] > 1 && e.instance != "" {
			e.line += " (" + e.instance + ")"
		}
		whole.add([]string{e.line})
	}
	lines = whole.all()
	if more := len(lines) - digestMax; more > 0 {
		lines = append(lines[:digestMax:digestMax], fmt.Sprintf("… and %s more", many(more, "title")))
	}
	named := titles.all()
	first := named[:min(len(named), inLine)]
	for i, t := range first {
		first[i] = short(t, digestCause)
	}
	gist = strings.Join(first, ", ")
	if more := len(named) - len(first); more > 0 {
		gist += fmt.Sprintf(" and %d more", more)
	}
	return lines, gist
}

// digestLine is a title and what happened to it.
func digestLine(s story, style style, deeds []deed) string {
	what := titleWords(deeds)
	text := ""
	if style.severity() >= SeverityWarning {
		text = style.emoji + " "
		if cause := cause(s); cause != "" {
			what = joined(": ", what, short(cause, digestCause))
		}
	}
	return line(text + joined(": ", name(s), what))
}

// digestCause is the longest that a line says of what is wrong.
const digestCause = 120

// name is what a digest calls a title.
func name(s story) string {
	t := title(s, styleOf(s).headline)
	if m := s.Media; m != nil && line(m.Title) != "" && (len(s.Episodes) > 0 || len(s.Albums) > 0) {
		return line(m.Title)
	}
	return t
}

// sources names the instances that reported events.
func sources(events []sdk.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, instance(e))
	}
	return names(all)
}

// deedsOf counts what happened to the parts of a title, in the order of the first event
// of each kind. What was grabbed and came, or came and was upgraded, counts once, and so
// does trouble that is over, or that is back.
func deedsOf(events []sdk.Event) []deed {
	came := map[string]words{} // by unit
	over, stands := false, false
	for _, e := range events {
		over = isRelief(e) || over && !isIssue(e)
		stands = isIssue(e) || stands && !isRelief(e)
		if !arrival(e) {
			continue
		}
		for _, unit := range units(e) {
			if _, known := came[unit]; !known || e.Type != sdk.TypeImportCompleted {
				came[unit] = wordsOf(e)
			}
		}
	}
	var deeds []deed
	seen := map[string]bool{}
	for _, e := range events {
		if isIssue(e) && over || isRelief(e) && stands || e.Type == sdk.TypeFileDeletedForUpgrade && len(came) > 0 {
			continue
		}
		w := wordsOf(e)
		for _, unit := range units(e) {
			arrived, known := came[unit]
			switch {
			case arrival(e):
				w = arrived
			case e.Type == sdk.TypeReleaseGrabbed && known:
				continue
			}
			if key := w.one + "\x00" + unit; !seen[key] {
				seen[key] = true
				deeds = tallied(deeds, deed{words: w, noun: unitNoun(e), n: 1})
			}
		}
	}
	// What came is said first.
	slices.SortStableFunc(deeds, func(a, b deed) int { return cmp.Compare(a.rank(), b.rank()) })
	return deeds
}

// rank is the place of a deed among others.
func (d deed) rank() int {
	switch d.one {
	case "imported":
		return 0
	case "upgraded":
		return 1
	default:
		return 2
	}
}

// isIssue reports whether an event is of trouble that another one ends.
func isIssue(e sdk.Event) bool {
	return e.Type == sdk.TypeHealthIssue || e.Type == sdk.TypeTargetHeld || e.Type == sdk.TypeSpaceLow
}

// isRelief reports whether an event is of the end of trouble.
func isRelief(e sdk.Event) bool {
	return e.Type == sdk.TypeHealthRestored || e.Type == sdk.TypeTargetResumed || e.Type == sdk.TypeSpaceRestored
}

func tallied(deeds []deed, d deed) []deed {
	for i := range deeds {
		if deeds[i].one == d.one {
			deeds[i].n += d.n
			return deeds
		}
	}
	return append(deeds, d)
}

// sumWords joins counts over all titles: "18 imported, 3 upgraded, 1 health issue".
func sumWords(deeds []deed) string {
	parts := make([]string, 0, len(deeds))
	for _, d := range deeds {
		parts = append(parts, fmt.Sprintf("%d %s", d.n, plural(d.n, d.one, d.many)))
	}
	return strings.Join(parts, ", ")
}

// titleWords joins what happened to a title: "12 episodes imported, 2 upgraded".
func titleWords(deeds []deed) string {
	var parts []string
	for i, d := range deeds {
		switch {
		case d.noun == "":
			parts = append(parts, d.alone)
		case i == 0 || deeds[i-1].noun != d.noun:
			parts = append(parts, many(d.n, d.noun)+" "+d.alone)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", d.n, d.alone))
		}
	}
	return joined(", ", parts...)
}

// unitNoun is what the units of an event are called, or empty for the title itself.
func unitNoun(e sdk.Event) string {
	switch {
	case len(e.Episodes) == 0 && len(e.Albums) == 0:
		return ""
	case e.Type == sdk.TypeFileDeleted:
		return "file"
	default:
		return strings.ToLower(noun(e))
	}
}
