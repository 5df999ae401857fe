// Package excerpt shortens what others say, for logs and for rows that people read.
package excerpt

import (
	"strings"
	"unicode"
)

// Of returns the beginning of a text of at most so many bytes, and "…" where it goes on.
func Of(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// Line returns the beginning of a text as Of does, on one line.
func Line(text string, most int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(Of(text, most), ""))
}
