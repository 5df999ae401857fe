// Package manpage makes manual pages of pages of the documentation.
package manpage

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// Configuration returns the page hookarr.yaml(5) of docs/configuration.md. It bears a date and
// the version of Hookarr.
func Configuration(page, version string, date time.Time) []byte {
	header := fmt.Sprintf("%% \"HOOKARR.YAML\" \"5\" \"%s\" \"Hookarr %s\" \"Hookarr\"\n"+
		"# NAME\n\nhookarr.yaml - configuration of Hookarr\n\n# DESCRIPTION\n\n", date.Format("Jan 2006"), version)
	footer := "\n# FILES\n\n**./hookarr.yaml**\n: the configuration of a command without --config\n\n" +
		"**/etc/hookarr/hookarr.yaml**\n: the same where there is no ./hookarr.yaml, as packages install it\n\n" +
		"# SEE ALSO\n\n**hookarr(1)**, **hookarr-check(1)**, **hookarr-config(1)**, **hookarr-reload(1)**\n\n" +
		"https://github.com/hookarr/hookarr/tree/main/docs has the pages that are named here.\n"
	return md2man.Render([]byte(header + plain(page) + footer))
}

var (
	link    = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`)
	comment = regexp.MustCompile(`^<!--.*-->$`)
	rule    = regexp.MustCompile(`^\|[-| ]+\|$`)
)

// plain is a page without what only a browser shows: its title and for whom it is, links, and
// tables, whose rows are a list.
func plain(page string) string {
	var b strings.Builder
	fenced, table := false, false
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		switch {
		case fenced:
			b.WriteString(line + "\n")
			continue
		case strings.HasPrefix(line, "# "), strings.HasPrefix(line, "This page is for you"), comment.MatchString(line):
			continue
		case strings.HasPrefix(line, "- ") && strings.Contains(line, "](#"): // the contents
			continue
		case strings.HasPrefix(line, "## "):
			line = "# " + strings.ToUpper(strings.TrimPrefix(line, "## "))
		}
		line = link.ReplaceAllString(line, "$1")
		if !strings.HasPrefix(line, "|") {
			table = false
			b.WriteString(line + "\n")
			continue
		}
		if table && !rule.MatchString(line) {
			b.WriteString(entry(line))
		}
		table = true // its first line is the heads of its columns
	}
	return b.String()
}

// entry is a row of a table as one of a list: what the row is about, its meaning, its default.
func entry(row string) string {
	cells := strings.Split(strings.Trim(row, "| "), " | ")
	for i := range cells {
		cells[i] = strings.TrimSpace(strings.Trim(cells[i], "|"))
	}
	text := strings.Join(cells[1:2], "")
	if len(cells) > 2 && cells[2] != "" {
		text += "; default: " + cells[2]
	}
	return fmt.Sprintf("%s\n: %s\n\n", cells[0], text)
}
