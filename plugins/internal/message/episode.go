package message

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

// maxRanges is the longest a line of ranges gets, so that no service cuts it.
const maxRanges = 150

// day is the date by which people know an episode, and whether they do.
func day(ep sdk.Episode) (time.Time, bool) {
	code := ep.Code
	if code == "" && ep.Number == nil {
		code = ep.AirDate
	}
	t, err := time.Parse(time.DateOnly, code)
	return t, err == nil
}

// episodeCode is the number or the date of an episode as titles have it, or empty.
func episodeCode(ep sdk.Episode) string {
	switch {
	case line(ep.Code) != "":
		return line(ep.Code)
	case ep.Number != nil:
		return fmt.Sprintf("S%02dE%02d", ep.Season, *ep.Number)
	default:
		return line(ep.AirDate)
	}
}

// episodeTitle is empty for what Sonarr calls an episode that nobody has named.
func episodeTitle(ep sdk.Episode) string {
	if t := line(ep.Title); t != "TBA" {
		return t
	}
	return ""
}

// episodeLine names an episode as titles do, by its number or its date.
func episodeLine(ep sdk.Episode) string { return joined(" ", episodeCode(ep), episodeTitle(ep)) }

// episodeKey tells an episode from others of its series.
func episodeKey(ep sdk.Episode) string {
	switch {
	case ep.Number != nil:
		return fmt.Sprintf("number %d/%d", ep.Season, *ep.Number)
	case ep.ID != "":
		return "id " + ep.ID
	default:
		return "name " + episodeLine(ep)
	}
}

// byPlace orders episodes by season and number, or by date.
func byPlace(a, b sdk.Episode) int {
	number := func(ep sdk.Episode) int {
		if ep.Number == nil {
			return 0
		}
		return *ep.Number
	}
	return cmp.Or(cmp.Compare(a.Season, b.Season), cmp.Compare(number(a), number(b)),
		cmp.Compare(a.AirDate, b.AirDate), cmp.Compare(episodeLine(a), episodeLine(b)), cmp.Compare(a.ID, b.ID))
}

// ranges name all of the episodes: those of a season in a line, with consecutive ones joined,
// then dates, then what has only a title. A single event may have them in any order.
func ranges(episodes []sdk.Episode) []string {
	episodes = slices.SortedFunc(slices.Values(episodes), byPlace)
	var lines []string
	var days, titles []string
	for i := 0; i < len(episodes); {
		ep := episodes[i]
		_, dated := day(ep)
		switch {
		case dated:
			last := i + lastOf(episodes[i:], nextDay)
			days = append(days, span(episodeCode(ep), episodeCode(episodes[last])))
			i = last + 1
		case ep.Number != nil:
			var runs []string
			season := ep.Season
			for i < len(episodes) && numbered(episodes[i]) && episodes[i].Season == season {
				last := i + lastOf(episodes[i:], nextNumber)
				runs = append(runs, span(numberCode(episodes[i]), numberCode(episodes[last])))
				i = last + 1
			}
			lines = append(lines, wrap(fmt.Sprintf("S%02d", season), runs)...)
		default:
			if s := episodeLine(ep); s != "" {
				titles = append(titles, s)
			}
			i++
		}
	}
	return slices.Concat(lines, wrap("", days), wrap("", titles))
}

func numbered(ep sdk.Episode) bool {
	_, dated := day(ep)
	return ep.Number != nil && !dated
}

func numberCode(ep sdk.Episode) string { return fmt.Sprintf("E%02d", *ep.Number) }

// lastOf is the index of the last of the episodes that follow one on the other.
func lastOf(episodes []sdk.Episode, next func(a, b sdk.Episode) bool) int {
	for i := range len(episodes) - 1 {
		if !next(episodes[i], episodes[i+1]) {
			return i
		}
	}
	return len(episodes) - 1
}

func nextNumber(a, b sdk.Episode) bool {
	return numbered(b) && a.Season == b.Season && (*b.Number == *a.Number || *b.Number == *a.Number+1)
}

func nextDay(a, b sdk.Episode) bool {
	first, _ := day(a)
	second, dated := day(b)
	return dated && (second.Equal(first) || second.Equal(first.AddDate(0, 0, 1)))
}

// span is "E01–E12", "2026-04-20 – 2026-04-24", or the one of both that are equal.
func span(first, last string) string {
	switch {
	case first == last:
		return first
	case strings.Contains(first, "-"):
		return first + " – " + last
	default:
		return first + "–" + last
	}
}

// wrap joins parts in lines that begin with prefix.
func wrap(prefix string, parts []string) []string {
	var lines []string
	for _, part := range parts {
		if n := len(lines) - 1; n >= 0 && Len(lines[n])+len(", ")+Len(part) <= maxRanges {
			lines[n] += ", " + part
		} else {
			lines = append(lines, prefix+part)
		}
	}
	return lines
}

// seasonsOf is "S02" or "S01–S03": the seasons of episodes that are in order.
func seasonsOf(episodes []sdk.Episode) string {
	if len(episodes) == 0 || slices.ContainsFunc(episodes, func(ep sdk.Episode) bool { return !numbered(ep) }) {
		return ""
	}
	code := func(ep sdk.Episode) string { return fmt.Sprintf("S%02d", ep.Season) }
	return span(code(episodes[0]), code(episodes[len(episodes)-1]))
}

// episodesTitle names a series with several episodes, and reports whether it names them
// all.
func episodesTitle(series string, episodes []sdk.Episode) (title string, all bool) {
	const longest = 60
	const longestTitle = 200
	placed := !slices.ContainsFunc(episodes, func(ep sdk.Episode) bool { return episodeCode(ep) == "" })
	if lines := ranges(episodes); placed && len(lines) == 1 && Len(lines[0]) <= longest {
		title = joined(" ", series, lines[0])
		return title, Len(title) <= longestTitle
	}
	return joined(" ", series, seasonsOf(episodes)), false
}

// albumLine is an album with its year.
func albumLine(a sdk.Album) string {
	title := line(a.Title)
	year, _, _ := strings.Cut(line(a.ReleaseDate), "-")
	if year == "" || title == "" {
		return title
	}
	return title + " (" + year + ")"
}

func albumKey(a sdk.Album) string { return cmp.Or(a.ID, albumLine(a)) }

func byRelease(a, b sdk.Album) int {
	return cmp.Or(cmp.Compare(a.ReleaseDate, b.ReleaseDate), cmp.Compare(a.Title, b.Title), cmp.Compare(a.ID, b.ID))
}

func trackKey(t sdk.Track) string { return cmp.Or(t.ID, t.Number+" "+t.Title) }

// many is a number of things: "3 episodes", "1 episode".
func many(n int, one string) string { return strconv.Itoa(n) + " " + plural(n, one, one+"s") }
