package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	reflector "github.com/invopop/jsonschema"
)

// The keywords that Hookarr adds to JSON Schema: what people are shown, and what hosts
// act on.
const (
	keywordGroup    = "x-hookarr-group"
	keywordAdvanced = "x-hookarr-advanced"
	keywordNetwork  = "x-hookarr-network"
	keywordOptions  = "x-hookarr-options"
)

// option is one part of a hookarr tag.
type option struct {
	word, value string
	// valued is whether the word has a value, which may be empty.
	valued bool
}

// readTag returns the options of a hookarr tag, which commas join. A value that has a
// comma itself is in single quotes, and has none of these inside.
func readTag(tag string) ([]option, error) {
	var options []option
	for rest, more := tag, true; more; {
		var o option
		if end := strings.IndexAny(rest, "=,"); end < 0 || rest[end] == ',' {
			o.word, rest, more = strings.Cut(rest, ",")
		} else if o.word, o.valued, rest = rest[:end], true, rest[end+1:]; strings.HasPrefix(rest, "'") {
			value, after, closed := strings.Cut(rest[1:], "'")
			if !closed || after != "" && after[0] != ',' {
				return nil, fmt.Errorf("the value of %s begins with a quote and does not end with one", o.word)
			}
			o.value = value
			_, rest, more = strings.Cut(after, ",")
		} else {
			o.value, rest, more = strings.Cut(rest, ",")
		}
		if err := checkOption(o); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(options, func(other option) bool { return other.word == o.word }) {
			return nil, fmt.Errorf("the option %s is there twice", o.word)
		}
		options = append(options, o)
	}
	return options, nil
}

func checkOption(o option) error {
	valued := []string{"default", "enum", "title", "group"}
	plain := []string{"required", "advanced", "deprecated", "network", "options"}
	switch {
	case slices.Contains(valued, o.word) && !o.valued:
		return fmt.Errorf("the option %s needs a value: %s=…", o.word, o.word)
	case slices.Contains(plain, o.word) && o.valued:
		return fmt.Errorf("the option %s takes no value", o.word)
	case slices.Contains(valued, o.word), slices.Contains(plain, o.word):
		return nil
	}
	known := slices.Concat(plain, valued)
	meant := ""
	if near := nearest(o.word, known); near != "" {
		meant = "did you mean " + near + "? "
	}
	return fmt.Errorf("unknown option %q; %sthere are %s, and a value with a comma is quoted: title='a, b'", o.word, meant, strings.Join(known, ", "))
}

// annotateField carries the tags `doc:"…"` and `hookarr:"…"` of a field into the schema of
// its key, and of the struct that has it.
func annotateField(parent, p *reflector.Schema, name string, f reflect.StructField) error {
	p.Description = f.Tag.Get("doc")
	tag, ok := f.Tag.Lookup("hookarr")
	if !ok {
		return nil
	}
	options, err := readTag(tag)
	if err != nil {
		return fmt.Errorf("the tag hookarr:%q: %w", tag, err)
	}
	for _, o := range options {
		if err := annotateOption(parent, p, name, o); err != nil {
			return err
		}
	}
	switch required := slices.Contains(parent.Required, name); {
	case required && p.Default != nil:
		return errors.New("a required key has no use for a default: leave one of them out")
	case required && p.Deprecated:
		return errors.New("a key cannot be required and deprecated: nobody could leave it out")
	}
	return checkDefault(p, f.Type)
}

func annotateOption(parent, p *reflector.Schema, name string, o option) error {
	item := p
	if p.Items != nil {
		item = p.Items
	}
	switch o.word {
	case "required":
		parent.Required = append(parent.Required, name)
		requireContent(p)
	case "enum":
		for text := range strings.SplitSeq(o.value, "|") {
			item.Enum = append(item.Enum, literal(item.Type, text))
		}
	case "default":
		p.Default = literal(p.Type, o.value)
	case "title":
		p.Title = o.value
		return checkWords(o)
	case "group":
		extend(p, keywordGroup, o.value)
		return checkWords(o)
	case "advanced":
		extend(p, keywordAdvanced, true)
	case "deprecated":
		p.Deprecated = true
	case "network":
		extend(p, keywordNetwork, true)
	case "options":
		if item.WriteOnly || !slices.Contains([]string{"string", "integer", "number"}, item.Type) {
			return errors.New("options are for a text or a number that is no secret, or for a list of them")
		}
		extend(p, keywordOptions, true)
	}
	return nil
}

// checkWords holds what people read to one line of a few words.
func checkWords(o option) error {
	const most = 60 // bytes
	if o.value == "" || o.value != strings.TrimSpace(o.value) || len(o.value) > most || strings.ContainsFunc(o.value, unicode.IsControl) {
		return fmt.Errorf("the %s %q needs 1 to %d characters on one line, without spaces around them", o.word, o.value, most)
	}
	return nil
}

func extend(s *reflector.Schema, keyword string, value any) {
	if s.Extras == nil {
		s.Extras = map[string]any{}
	}
	s.Extras[keyword] = value
}

// checkDefault reports a default that the field could not be configured to.
func checkDefault(p *reflector.Schema, t reflect.Type) error {
	if p.Default == nil {
		return nil
	}
	text, ok := p.Default.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(p.Default); err != nil {
			return fmt.Errorf("the default %v: %w", p.Default, err)
		}
	}
	if err := json.Unmarshal(text, reflect.New(t).Interface()); err != nil {
		return fmt.Errorf("the default %s: %w", text, err)
	}
	if len(p.Enum) > 0 && !slices.ContainsFunc(p.Enum, func(v any) bool { return reflect.DeepEqual(v, p.Default) }) {
		return fmt.Errorf("the default %v is not in enum", p.Default)
	}
	return nil
}

// requireContent makes a required key need more than to be there: an environment
// variable that is not set gives an empty string.
func requireContent(p *reflector.Schema) {
	one := uint64(1)
	switch p.Type {
	case "string":
		p.MinLength = &one
	case "array":
		p.MinItems = &one
	}
}

// literal reads a tag's value: text for strings, JSON for everything else.
func literal(schemaType, text string) any {
	if schemaType == "string" {
		return text
	}
	return json.RawMessage(text)
}
