package message

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// ellipsis marks a cut.
const ellipsis = "…"

// Escape returns what stands for r in a service's markup; prev is the rune before
// it, or a line break at the beginning.
type Escape func(prev, r rune) string

// Plain is the Escape of a service, or a part of a message, without markup.
func Plain(_, r rune) string { return string(r) }

// Code is the Escape inside a code span, which ends at a backquote.
func Code(_, r rune) string {
	if r == '`' {
		return "ˋ"
	}
	return string(r)
}

// Fit escapes s and cuts it at the end of a rune, so that the result, ellipsis
// included, has at most limit characters. Services do not say what they call a
// character; UTF-16 code units are the strictest reading that is in use.
func Fit(s string, limit int, escape Escape) string {
	var b strings.Builder
	used, cut, prev := 0, 0, '\n'
	for _, r := range s {
		piece := escape(prev, r)
		n := Len(piece)
		if used+n > limit {
			if limit < Len(ellipsis) {
				return ""
			}
			return strings.TrimRightFunc(b.String()[:cut], unicode.IsSpace) + ellipsis
		}
		b.WriteString(piece)
		used += n
		if used+Len(ellipsis) <= limit {
			cut = b.Len()
		}
		prev = r
	}
	return b.String()
}

// Len counts the UTF-16 code units of s.
func Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// line makes one trimmed line of s, without control characters and without those
// that turn the direction of the text that follows.
func line(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// firstLine is the first of the candidates that is not empty.
func firstLine(candidates ...string) string {
	for _, s := range candidates {
		if s = line(s); s != "" {
			return s
		}
	}
	return ""
}

// paragraphs is line for a text whose line breaks matter; empty lines are dropped.
func paragraphs(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = line(l); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n")
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), TurnsText(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// TurnsText reports whether r turns the direction of the text that follows: an embedding,
// an override or an isolate. What ends them may be cut off.
func TurnsText(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}
