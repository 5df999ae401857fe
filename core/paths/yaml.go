package paths

import (
	"strconv"
	"strings"
	"unicode"
)

// yamlOf writes a map as it stands in the configuration of a target, under config.
func yamlOf(proposed []Proposal) string {
	if len(proposed) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("map:\n")
	for _, p := range proposed {
		b.WriteString("  - {from: " + quoted(p.From) + ", to: " + quoted(p.To))
		if p.Source != "" {
			b.WriteString(", source: " + quoted(p.Source))
		}
		b.WriteString("}")
		b.WriteString(" # " + strings.Map(printable, p.Why) + "\n")
	}
	return b.String()
}

// quoted writes a text so that YAML reads it as it is: in single quotes, where a backslash
// is one, unless what cannot be printed needs the escapes of double quotes. The name of a
// variable would begin with ${, which $${ is not.
func quoted(s string) string {
	s = strings.ReplaceAll(s, "${", "$${")
	if strings.ContainsFunc(s, func(r rune) bool { return printable(r) != r }) {
		return strconv.QuoteToASCII(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}
