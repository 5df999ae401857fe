package series

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
)

// maxParts is the most numbers, ranges and dates that a label spells out.
const maxParts = 3

// label names the series and the episodes for people: "Severance S02E03 - Who Is
// Alive?", "Severance S02E01-E10 (10 episodes)". It is empty without a series.
func (p *Payload) label(app arr.App) string {
	switch {
	case p.Series == nil || p.Series.Title == "":
		return ""
	case len(p.Episodes) == 0:
		return p.name()
	case len(p.Episodes) == 1:
		e := &p.Episodes[0]
		return arr.Join(" - ", arr.Join(" ", p.Series.Title, p.code(e)), e.title())
	}
	codes := p.codes()
	label := arr.Join(" ", p.Series.Title, codes)
	if n := len(p.Episodes); n > maxParts || codes == "" {
		label += fmt.Sprintf(" (%d %s)", n, noun(app))
	}
	return label
}

// noun is what people call the episodes.
func noun(app arr.App) string {
	if app == arr.Whisparr {
		return "scenes"
	}
	return "episodes"
}

// title is empty for what Sonarr calls an episode that nobody has named.
func (e *Episode) title() string {
	if t := arr.OneLine(e.Title); t != "TBA" {
		return t
	}
	return ""
}

// daily says that the episodes are known by the date they aired.
func (p *Payload) daily(e *Episode) bool {
	return arr.Date(e.AirDate) != "" && (e.EpisodeNumber == nil || p.is("daily"))
}

// is reports whether the series is of a type. Nothing is known of one that is not there.
func (p *Payload) is(typ string) bool {
	return p.Series != nil && strings.EqualFold(p.Series.Type, typ)
}

// code is the episode's date, or its number, which anime has of the whole series too.
// It is empty for a scene without a date.
func (p *Payload) code(e *Episode) string {
	switch {
	case p.daily(e):
		return arr.Date(e.AirDate)
	case e.EpisodeNumber == nil:
		return ""
	}
	code := fmt.Sprintf("S%02dE%02d", e.season(), e.number())
	if n := e.AbsoluteEpisodeNumber.Int(); n > 0 && p.is("anime") {
		code += fmt.Sprintf(" (%d)", n)
	}
	return code
}

// codes are the episodes' dates or ranges of numbers, or seasons where that would be
// too long. They are empty for scenes of which one has no date.
func (p *Payload) codes() string {
	all := slices.Clone(p.Episodes)
	slices.SortFunc(all, func(a, b Episode) int {
		return cmp.Or(cmp.Compare(a.season(), b.season()), cmp.Compare(a.number(), b.number()), cmp.Compare(a.AirDate, b.AirDate))
	})
	if !slices.ContainsFunc(all, func(e Episode) bool { return !p.daily(&e) }) {
		return dates(all)
	}
	if slices.ContainsFunc(all, func(e Episode) bool { return e.EpisodeNumber == nil }) {
		return ""
	}
	if ranges := ranges(all); len(ranges) <= maxParts {
		return strings.Join(ranges, ", ")
	}
	return seasons(all)
}

// ranges are the runs of consecutive numbers of a season: S01E01-E03, E05, S02E01.
func ranges(sorted []Episode) []string {
	var all []string
	season := -1
	for i := 0; i < len(sorted); {
		first, last := &sorted[i], &sorted[i]
		for i++; i < len(sorted) && sorted[i].season() == first.season() && sorted[i].number() <= last.number()+1; i++ {
			last = &sorted[i]
		}
		s := fmt.Sprintf("E%02d", first.number())
		if last.number() != first.number() {
			s += fmt.Sprintf("-E%02d", last.number())
		}
		if first.season() != season {
			season = first.season()
			s = fmt.Sprintf("S%02d", season) + s
		}
		all = append(all, s)
	}
	return all
}

func seasons(sorted []Episode) string {
	first, last := sorted[0].season(), sorted[len(sorted)-1].season()
	if first == last {
		return fmt.Sprintf("S%02d", first)
	}
	return fmt.Sprintf("S%02d-S%02d", first, last)
}

func dates(episodes []Episode) string {
	var all []string
	for i := range episodes {
		all = append(all, arr.Date(episodes[i].AirDate))
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) <= maxParts {
		return strings.Join(all, ", ")
	}
	return all[0] + " to " + all[len(all)-1]
}
