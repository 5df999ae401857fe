package message

import (
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Look is how much of a message is shown, and how its picture is.
type Look string

// The looks.
const (
	// LookCompact is one or two lines: what happened to what, and the facts in a line.
	LookCompact Look = "compact"
	// LookStandard is what most people want to know. The empty look is it too.
	LookStandard Look = "standard"
	// LookRich is everything: media info, names of releases, paths, ids.
	LookRich Look = "rich"
	// LookPoster is a large picture with few facts.
	LookPoster Look = "poster"
)

// Looks returns every look, in the order of the documentation.
func Looks() []Look { return []Look{LookCompact, LookStandard, LookRich, LookPoster} }

// Check returns a problem of the configuration's key for what is no look.
func (l Look) Check(key string) error {
	if l == "" || slices.Contains(Looks(), l) {
		return nil
	}
	names := make([]string, 0, len(Looks()))
	for _, look := range Looks() {
		names = append(names, string(look))
	}
	return sdk.Problem(key, "is none of "+strings.Join(names, ", "))
}

// Weight says in which looks a field is shown.
type Weight int

// The weights.
const (
	// Usual is a field of the looks standard and rich.
	Usual Weight = iota
	// Main is one of poster too.
	Main
	// Detail is one of rich alone.
	Detail
)

// What the looks leave of long texts, in characters.
const (
	standardText = 300
	posterText   = 200
	// standardLinks is how many pages are worth a row.
	standardLinks = 3
)

// In returns the message as it is shown in a look. A look that is not known is
// [LookStandard].
func (m Message) In(look Look) Message {
	switch look {
	case LookRich:
	case LookCompact:
		m.Summary = joined(" · ", m.Summary, m.named, m.gist)
		m.Text, m.List, m.Fields, m.Links, m.Image, m.Footer = "", nil, nil, nil, "", ""
	case LookPoster:
		m.Large = m.Image != ""
		m.Text = m.trimmed(posterText)
		m.Fields = m.weighing(Main)
		m.Links = nil
	default:
		m.Text = m.trimmed(standardText)
		m.Fields = m.weighing(Main, Usual)
		m.Links = m.Links[:min(len(m.Links), standardLinks)]
	}
	return m
}

// trimmed is the text with a plot cut. What is wrong stays as it is.
func (m Message) trimmed(limit int) string {
	if m.wrong {
		return m.Text
	}
	return Fit(m.Text, limit, Plain)
}

func (m Message) weighing(weights ...Weight) []Field {
	var fields []Field
	for _, f := range m.Fields {
		if slices.Contains(weights, f.Weight) {
			fields = append(fields, f)
		}
	}
	return fields
}

// joined is the parts that are not empty, separated.
func joined(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}
