package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	reflector "github.com/invopop/jsonschema"
)

// OptionKeys returns the dotted paths of the keys that have options, in the order of the
// struct.
func (s *Schema) OptionKeys() []string { return optionKeys(s.tree, nil) }

func optionKeys(s *reflector.Schema, at []string) []string {
	var found []string
	if s.Extras[keywordOptions] == true {
		found = append(found, strings.Join(at, "."))
	}
	for _, name := range keys(s) {
		p, _ := property(s, name)
		found = append(found, optionKeys(p, append(slices.Clone(at), name))...)
	}
	return found
}

// CheckOptions reports the keys that have options and are in a list or a map: nobody could
// ask for them, for they have no paths of their own.
func (s *Schema) CheckOptions() error { return checkOptions(s.tree, nil, false) }

func checkOptions(s *reflector.Schema, at []string, listed bool) error {
	if s == nil {
		return nil
	}
	var errs []error
	if listed && s.Extras[keywordOptions] == true {
		errs = append(errs, fmt.Errorf("the key %s has options and is in a list or a map: only a key outside of them can have some", strings.Join(at, ".")))
	}
	for _, name := range keys(s) {
		p, _ := property(s, name)
		errs = append(errs, checkOptions(p, append(slices.Clone(at), name), listed))
	}
	return errors.Join(append(errs, checkOptions(s.Items, at, true), checkOptions(s.AdditionalProperties, at, true))...)
}

// beside returns the problems that are not of a key or what is inside of it.
func beside(key string, problems []Problem) []Problem {
	return slices.DeleteFunc(problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Key, key)
		return ok && key != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// remove takes a key out of an object.
func remove(object map[string]any, key string) {
	path := strings.Split(key, ".")
	for ; len(path) > 1; path = path[1:] {
		object, _ = object[path[0]].(map[string]any)
	}
	delete(object, path[0])
}
