package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Widths of what foreign text may take in a table, in characters.
const (
	titleWidth  = 60
	reasonWidth = 100
	whole       = 0
)

const (
	// gap is between the columns of a table, in cells of the terminal.
	gap = 2
	// comfortable is as far as a column is cut first to fit the terminal, and narrow in the
	// end.
	comfortable = 30
	narrow      = 12
	// known is as far as words of Hookarr's own are cut: they tell apart what is longer.
	known = 16
	// shortID is the least that is shown of an id. Its first 12 digits are the millisecond in
	// which it was made, which it shares with others, also with ones that a list does not
	// show: the deliveries of one event are made at once. The next 4 tell these apart.
	shortID = len("0197a2c4-5b1e-7c3a")
)

// wholeTime is a time as it is shown, and in its group what is shown of it where there is
// little room.
var wholeTime = regexp.MustCompile(`\b\d{4}-(\d\d-\d\d \d\d:\d\d):\d\d [A-Z0-9+-]+`)

// tell prints a line for people beside the output.
func (c *cli) tell(words ...any) {
	_, _ = fmt.Fprintln(c.err, words...) // whom could it be told
}

// say prints a line of the output.
func (c *cli) say(format string, args ...any) error {
	_, err := fmt.Fprintf(c.out, format+"\n", args...)
	return err
}

// show prints what a command found: as a table, the first row being its header, or as
// JSON if that was asked for.
func (c *cli) show(view any, rows [][]string) error {
	if c.json {
		return c.printJSON(view)
	}
	return c.table(rows...)
}

// table prints rows in columns. The first one may be a header, by which those columns are
// known that are cut where the terminal is narrow.
func (c *cli) table(rows ...[]string) error {
	l := layOut(rows)
	if c.width > 0 && len(rows) > 0 {
		l.drop(c.width, rows)
		l.fit(c.width, rows)
	}
	return l.print(c, rows)
}

// reasoned is table for a last column of sentences that are to be read in full: where the
// terminal has no room beside the row, they are below it.
func (c *cli) reasoned(rows [][]string) error {
	if c.width == 0 || layOut(rows).total() <= c.width {
		return c.table(rows...)
	}
	var bare [][]string
	for _, row := range rows {
		bare = append(bare, row[:len(row)-1])
	}
	l := layOut(bare)
	l.fit(c.width, bare)
	for i, row := range rows {
		if err := l.print(c, bare[i:i+1]); err != nil {
			return err
		}
		if reason := row[len(row)-1]; i > 0 && reason != "" {
			if err := c.say("  %s", reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// layout is how the columns of a table are printed.
type layout []column

type column struct {
	// full is the width of the widest cell, pad that of the widest that does not end its row.
	full, pad int
	// cut is that the terminal has not as much room; brief that times are without their
	// seconds; gone that there is nothing in the column.
	cut, brief, gone bool
}

func layOut(rows [][]string) layout {
	var l layout
	for _, row := range rows {
		for i, cell := range row {
			if i == len(l) {
				l = append(l, column{})
			}
			l[i].full = max(l[i].full, cells(cell))
			if i < len(row)-1 {
				l[i].pad = max(l[i].pad, cells(cell))
			}
		}
	}
	return l
}

// drop leaves columns out that say nothing, where the terminal has not room for all.
func (l layout) drop(width int, rows [][]string) {
	if l.total() <= width {
		return
	}
	for i := range l {
		l[i].gone = len(rows) > 1 && !slices.ContainsFunc(rows[1:], func(row []string) bool { return i < len(row) && row[i] != "" && row[i] != "-" })
	}
}

// fit makes a table as narrow as a terminal, as far as that goes: it cuts the widest of what
// others wrote, then the seconds of times, leaves out what other commands tell too, and in
// the end cuts the long words of Hookarr's own.
func (l layout) fit(width int, rows [][]string) {
	header := rows[0]
	l.cut(width, header, comfortable, isForeign)
	for i := range l {
		if l.total() > width && isTime(header[min(i, len(header)-1)]) {
			l.shortenTimes(i, rows)
		}
	}
	l.cut(width, header, narrow, isForeign)
	for _, name := range []string{"ATTEMPTS", "AUTH", "PLUGIN", "FREE"} {
		if i := slices.Index(header, name); i >= 0 && l.total() > width {
			l[i].gone = true
		}
	}
	l.cut(width, header, known, isLong)
}

// shortenTimes leaves the seconds, the year and the zone out of the times in a column.
func (l layout) shortenTimes(column int, rows [][]string) {
	c := &l[column]
	c.brief, c.full, c.pad = true, 0, 0
	for _, row := range rows {
		if column < len(row) {
			n := cells(c.format(row[column]))
			c.full = max(c.full, n)
			if column < len(row)-1 {
				c.pad = max(c.pad, n)
			}
		}
	}
}

// cut cuts the widest of some columns, but no further than to least.
func (l layout) cut(width int, header []string, least int, which func(column string) bool) {
	for l.total() > width {
		widest := -1
		for i, name := range header {
			if which(name) && !l[i].gone && l[i].full > least && (widest < 0 || l[i].full >= l[widest].full) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		l[widest].full--
		l[widest].cut = true
		l[widest].pad = min(l[widest].pad, l[widest].full)
	}
}

func (l layout) total() int {
	total := -gap
	for _, c := range l {
		if !c.gone {
			total += c.full + gap
		}
	}
	return total
}

// isForeign reports whether others write what is in a column.
func isForeign(column string) bool {
	switch column {
	case "TITLE", "REASON", "WHEN", "EXPRESSION", "COMMENT":
		return true
	default:
		return false
	}
}

// isLong reports whether a column has long words of Hookarr's own.
func isLong(column string) bool { return column == "TYPE" || column == "DELIVERIES" }

// isTime reports whether there may be times in a column.
func isTime(column string) bool {
	switch column {
	case "RECEIVED", "CREATED", "NEXT ATTEMPT", "BEGUN", "UNTIL", "SINCE", "LAST SEEN", "HISTORY READ TO", "SNAPSHOT", "STATE":
		return true
	default:
		return false
	}
}

func (l layout) print(c *cli, rows [][]string) error {
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i < len(l) && l[i].gone {
				continue
			}
			pad := 0
			if i < len(l) {
				cell, pad = l[i].format(cell), l[i].pad
			}
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", max(0, pad-cells(cell))+gap))
		}
		if err := c.say("%s", strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// format is what of a cell is printed.
func (c column) format(cell string) string {
	if c.brief {
		cell = wholeTime.ReplaceAllString(cell, "$1")
	}
	if c.cut {
		return cut(cell, c.full)
	}
	return cell
}

// cells is how many cells of a terminal a text takes.
func cells(text string) int {
	n := 0
	for _, r := range text {
		n += cellsOf(r)
	}
	return n
}

func cellsOf(r rune) int {
	switch kind := width.LookupRune(r).Kind(); {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// cut shortens a text to a number of cells.
func cut(text string, most int) string {
	if cells(text) <= most {
		return text
	}
	left := most - 1 // for the …
	for i, r := range text {
		if left -= cellsOf(r); left < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

// printJSON prints v with two spaces of indent.
func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printLine prints v as JSON in one line, for what has no end.
func (c *cli) printLine(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// time shows an instant in the user's zone, and nothing for none.
func (c *cli) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.zone()).Format(time.DateTime + " MST")
}

func (c *cli) zone() *time.Location {
	if c.local == nil {
		return time.Local
	}
	return c.local
}

// timeOf is time for an instant that may be none.
func (c *cli) timeOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return c.time(*t)
}

// shorten returns what is shown of each of a list of ids: as much as tells them apart.
func shorten(ids []string) func(id string) string {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	n := shortID
	for i := 1; i < len(ids); i++ {
		same := 0
		for same < min(len(ids[i-1]), len(ids[i])) && ids[i-1][same] == ids[i][same] {
			same++
		}
		n = max(n, same+1)
	}
	return func(id string) string { return strings.TrimSuffix(id[:min(n, len(id))], "-") }
}

// clean makes text of strangers fit to print: one line, nothing that a terminal would
// obey, at most width characters unless that is whole.
func clean(text string, width int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		default:
			return r
		}
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); width != whole && len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// cleanLines is clean for a text of several lines, whose blanks stay.
func cleanLines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r != utf8.RuneError && unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}

// counted is a number of things.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// orDash stands for an empty cell inside of a row.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// indented begins each line of a text with blanks.
func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}
