package sdk

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Unit is what an endpoint counts a text's length in.
type Unit int

// The units. Most APIs mean Runes by characters; JavaScript's and Java's count UTF16,
// where an emoji is two.
const (
	Runes Unit = iota
	Bytes
	UTF16
)

// Cut returns the beginning of s that has at most limit units, and never a part of a
// rune. What is not UTF-8 becomes U+FFFD first.
func Cut(s string, limit int, unit Unit) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if len(s) <= limit { // no unit is smaller than a byte
		return s
	}
	for i, r := range s {
		switch unit {
		case Bytes:
			limit -= utf8.RuneLen(r)
		case UTF16:
			limit -= utf16.RuneLen(r)
		default:
			limit--
		}
		if limit < 0 {
			return s[:i]
		}
	}
	return s
}
