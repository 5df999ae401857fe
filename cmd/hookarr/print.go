package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// Widths of what foreign text may take in a table, in characters.
const (
	titleWidth  = 60
	reasonWidth = 100
	whole       = 0
)

// tell prints a line for people beside the output.
func (c *cli) tell(words ...any) {
	_, _ = fmt.Fprintln(c.err, words...) // whom could it be told
}

// show prints what a command found: as a table, the first row being its header, or as
// JSON if that was asked for.
func (c *cli) show(view any, rows [][]string) error {
	if c.json {
		return c.printJSON(view)
	}
	return c.table(rows...)
}

func (c *cli) table(rows ...[]string) error {
	var aligned bytes.Buffer
	tw := tabwriter.NewWriter(&aligned, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(tw, strings.Join(row, "\t")) // Flush tells
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(aligned.String()) {
		if _, err := fmt.Fprintln(c.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// printJSON prints v with two spaces of indent.
func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// time shows an instant in the user's zone, and nothing for none.
func (c *cli) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	local := c.local
	if local == nil {
		local = time.Local
	}
	return t.In(local).Format(time.DateTime + " MST")
}

// timeOf is time for an instant that may be none.
func (c *cli) timeOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return c.time(*t)
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

// orDash stands for an empty cell inside of a row.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
