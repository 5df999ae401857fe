package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Problem is one thing wrong with a configuration. It is an error, so that an
// author can return it.
type Problem struct {
	// Key is the dotted path of the setting: schedule[0], or tls.cert_file. Empty
	// is the whole.
	Key string
	// Message is one line for people that reads well after the key.
	Message string
}

// Error returns key and message.
func (p *Problem) Error() string {
	if p.Key == "" {
		return p.Message
	}
	return p.Key + ": " + p.Message
}

// Problems returns the problems that an author's error stands for: those that were
// made as such and joined, or else the error itself as one. A nil error is none.
func Problems(err error) []Problem {
	if err == nil {
		return nil
	}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok && isJoin(joined.Error(), joined.Unwrap()) {
		var problems []Problem
		for _, e := range joined.Unwrap() {
			problems = append(problems, Problems(e)...)
		}
		return problems
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return []Problem{{Key: p.Key, Message: line(p.Message)}}
	}
	return []Problem{{Message: line(err.Error())}}
}

// isJoin reports whether an error is errors.Join's, of whose parts each stands for
// itself, and not a sentence of fmt.Errorf's around several.
func isJoin(text string, parts []error) bool {
	lines := make([]string, 0, len(parts))
	for _, p := range parts {
		lines = append(lines, p.Error())
	}
	return text == strings.Join(lines, "\n")
}

// explain returns the problems that the schema found, for people.
func (s *Schema) explain(err error) []Problem {
	ve, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []Problem{{Message: "is not valid"}}
	}
	problems := s.explainOne(ve)
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return slices.Compact(problems)
}

func (s *Schema) explainOne(ve *jsonschema.ValidationError) []Problem {
	var problems []Problem
	for _, cause := range ve.Causes {
		problems = append(problems, s.explainOne(cause)...)
	}
	if len(ve.Causes) > 0 {
		return problems
	}
	at := ve.InstanceLocation
	switch k := ve.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := keys(schemaAt(s.tree, at))
		for _, key := range k.Properties {
			problems = append(problems, Problem{Key: path(append(slices.Clone(at), key)), Message: "is an unknown key" + suggest(key, known)})
		}
		return problems
	case *kind.Required:
		for _, key := range k.Missing {
			problems = append(problems, Problem{Key: path(append(slices.Clone(at), key)), Message: "is required"})
		}
		return problems
	}
	return []Problem{{Key: path(at), Message: s.describe(ve)}}
}

// describe says what is wrong with one value, and never the value.
func (s *Schema) describe(ve *jsonschema.ValidationError) string {
	at := schemaAt(s.tree, ve.InstanceLocation)
	if at != nil && at.Format == FormatDuration {
		return "needs a duration such as 30s, 5m, 1h30m, 7d or 2w"
	}
	switch k := ve.ErrorKind.(type) {
	case *kind.Type:
		want := make([]string, 0, len(k.Want))
		for _, w := range k.Want {
			want = append(want, typeName(w))
		}
		return fmt.Sprintf("needs %s, not %s", strings.Join(want, " or "), typeName(k.Got))
	case *kind.Enum:
		want := make([]string, 0, len(k.Want))
		for _, w := range k.Want {
			want = append(want, fmt.Sprint(w))
		}
		return "must be one of " + strings.Join(want, ", ")
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MinItems:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d entries", k.Want)
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.Format:
		return "is not a valid " + k.Want
	}
	if holdsSecret(at) {
		return "is not valid"
	}
	return line(ve.DetailedOutput().Error.String())
}

func typeName(t string) string {
	switch t {
	case "string":
		return "a string"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "a set of keys"
	default:
		return t
	}
}

// path writes a location the way people do: servers[0].url.
func path(at []string) string {
	var b strings.Builder
	for i, part := range at {
		switch _, err := strconv.Atoi(part); {
		case err == nil && i > 0:
			b.WriteString("[" + part + "]")
		case i > 0:
			b.WriteString("." + part)
		default:
			b.WriteString(part)
		}
	}
	return b.String()
}

// schemaAt returns the schema of the value at a location, or nil.
func schemaAt(s *reflector.Schema, at []string) *reflector.Schema {
	for _, part := range at {
		if s == nil {
			return nil
		}
		p, ok := property(s, part)
		switch {
		case ok:
			s = p
		case s.Items != nil:
			s = s.Items
		default:
			s = s.AdditionalProperties
		}
	}
	return s
}

func keys(s *reflector.Schema) []string {
	var names []string
	if s != nil && s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			names = append(names, p.Key)
		}
	}
	return names
}

// holdsSecret reports whether a value's schema is, or has in it, one of a secret.
func holdsSecret(s *reflector.Schema) bool {
	if s == nil {
		return false
	}
	if s.WriteOnly || holdsSecret(s.Items) || holdsSecret(s.AdditionalProperties) {
		return true
	}
	return slices.ContainsFunc(keys(s), func(name string) bool {
		p, _ := property(s, name)
		return holdsSecret(p)
	})
}

// suggest names the known key that an unknown one was meant to be, if one is near,
// and otherwise all of them if they are few.
func suggest(key string, known []string) string {
	near := nearest(key, known)
	switch {
	case near != "":
		return fmt.Sprintf("; did you mean %s?", near)
	case len(known) > 0 && len(known) <= 12:
		return "; there are " + strings.Join(known, ", ")
	default:
		return ""
	}
}

// nearest returns the known word that another was meant to be, or nothing.
func nearest(word string, known []string) string {
	best, least := "", 1+len(word)/3
	for _, k := range known {
		if d := distance(word, k); d <= least {
			best, least = k, d-1
		}
	}
	return best
}

// distance is Levenshtein's, without regard to case.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// line puts a message on one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }
