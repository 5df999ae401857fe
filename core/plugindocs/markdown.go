package plugindocs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/core/excerpt"
)

// The bounds of what a plugin says, in bytes.
const (
	maxText = 2 << 10
	maxCode = 200
)

// line returns what of a plugin's text can be printed on one line, at most so many bytes of it.
func line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, excerpt.Of(s, most))
	return strings.Join(strings.Fields(s), " ")
}

// listed is what would begin a list, a heading or a quotation.
var listed = regexp.MustCompile(`^(?:[-+=#]|\d+[.)])`)

// text returns a plugin's text as Markdown that shows it as it is, also in a table.
func text(s string) string {
	s = line(s, maxText)
	if begin := listed.FindString(s); begin != "" {
		last := len(begin) - 1
		return begin[:last] + `\` + begin[last:] + escape(s[last+1:])
	}
	return escape(s)
}

func escape(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case strings.ContainsRune("\\`*[]<>|~$&", r), r == '_' && !insideWord(runes, i):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// insideWord reports whether a rune has letters or digits on both sides.
func insideWord(runes []rune, i int) bool {
	isWord := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	return isWord(i-1) && isWord(i+1)
}

// code returns a plugin's text as code. What ends code or a cell of a table is written as
// HTML has it.
func code(s string) string {
	s = line(s, maxCode)
	if s != "" && !strings.ContainsAny(s, "`|") {
		return "`" + s + "`"
	}
	var b strings.Builder
	for _, r := range s {
		if r > unicode.MaxASCII || unicode.IsLetter(r) || unicode.IsDigit(r) || r == ' ' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return "<code>" + b.String() + "</code>"
}

// literal is a value of JSON as a configuration has it.
func literal(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		if s == "" {
			return code(`""`)
		}
		return code(s)
	}
	return code(string(v))
}
