package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Decode reads data into the struct that into points to and returns everything
// that is wrong with it. A null is the same as an absent key.
func (s *Schema) Decode(data []byte, into any) []Problem { return s.DecodeDraft(data, "", into) }

// DecodeDraft is Decode for a configuration that is being written: what is wrong with one
// key is no problem, and where its value cannot be read the key is taken for absent. With
// an empty key it is Decode.
func (s *Schema) DecodeDraft(data []byte, key string, into any) []Problem {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return []Problem{{Message: "is not JSON"}}
	}
	doc = withoutNulls(doc)
	object, _ := doc.(map[string]any)
	if err := s.check.Validate(doc); err != nil {
		if problems := beside(key, s.explain(err)); len(problems) > 0 {
			return problems
		}
		remove(object, key)
	}
	fill(s.typ, s.tree, doc)
	if found := s.decode(object, into); len(found) > 0 {
		if problems := beside(key, found); len(problems) > 0 {
			return problems
		}
		remove(object, key)
		fill(s.typ, s.tree, doc)
		reflect.ValueOf(into).Elem().SetZero()
		if problems := s.decode(object, into); len(problems) > 0 {
			return problems
		}
	}
	if v, ok := into.(interface{ Validate() error }); ok {
		return beside(key, Problems(v.Validate()))
	}
	return nil
}

// Deprecated returns a warning for each key in data that its author wants to be rid of.
func (s *Schema) Deprecated(data []byte) []Problem {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	return deprecated(s.tree, nil, withoutNulls(doc))
}

func deprecated(s *reflector.Schema, at []string, v any) []Problem {
	if s == nil {
		return nil
	}
	if s.Deprecated {
		return []Problem{{Key: path(at), Message: strings.TrimSuffix("is deprecated. "+line(s.Description), ". ")}}
	}
	var warnings []Problem
	part := func(s *reflector.Schema, key string, v any) {
		warnings = append(warnings, deprecated(s, append(slices.Clone(at), key), v)...)
	}
	switch parts := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			if p, ok := property(s, key); ok {
				part(p, key, parts[key])
			} else {
				part(s.AdditionalProperties, key, parts[key])
			}
		}
	case []any:
		for i, item := range parts {
			part(s.Items, strconv.Itoa(i), item)
		}
	}
	return warnings
}

// decode reads a checked object. What the schema cannot say, such as the range of
// an integer type or the form of an address, comes out here.
func (s *Schema) decode(object map[string]any, into any) []Problem {
	err := unmarshal(object, into)
	if err == nil {
		return nil
	}
	problems := undecodable(s.typ, s.tree, nil, object)
	if len(problems) == 0 {
		problems = []Problem{{Message: line(err.Error())}}
	}
	return problems
}

// undecodable returns what in v, which is at a location, is not of type t. A decoder stops
// at its first error and names no key, so every part is tried alone.
func undecodable(t reflect.Type, s *reflector.Schema, at []string, v any) []Problem {
	err := unmarshal(v, reflect.New(t).Interface())
	if err == nil || s == nil {
		return nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var problems []Problem
	part := func(t reflect.Type, s *reflector.Schema, key string, v any) {
		problems = append(problems, undecodable(t, s, append(slices.Clone(at), key), v)...)
	}
	switch parts := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(parts)) {
			if t.Kind() == reflect.Map {
				part(t.Elem(), s.AdditionalProperties, key, parts[key])
			} else if p, f, ok := fieldOf(t, s, key); ok {
				part(f.Type, p, key, parts[key])
			}
		}
	case []any:
		for i, item := range parts {
			if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
				part(t.Elem(), s.Items, strconv.Itoa(i), item)
			}
		}
	}
	if len(problems) == 0 && len(at) > 0 {
		problems = []Problem{{Key: path(at), Message: decodeMessage(s, err)}}
	}
	return problems
}

// fieldOf returns the field of a struct type that has a key, and its schema.
func fieldOf(t reflect.Type, s *reflector.Schema, key string) (*reflector.Schema, reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return nil, reflect.StructField{}, false
	}
	for name, f := range fields(t) {
		if p, ok := property(s, name); ok && name == key {
			return p, f, true
		}
	}
	return nil, reflect.StructField{}, false
}

func unmarshal(v, into any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func decodeMessage(s *reflector.Schema, err error) string {
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "does not fit a Go " + te.Type.String()
	}
	if holdsSecret(s) {
		return "is not valid"
	}
	return line(err.Error())
}

// fill puts the defaults into v, which is valid by s, the schema of t.
func fill(t reflect.Type, s *reflector.Schema, v any) {
	if s == nil {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		fill(t.Elem(), s, v)
	case reflect.Slice, reflect.Array:
		items, _ := v.([]any)
		for _, item := range items {
			fill(t.Elem(), s.Items, item)
		}
	case reflect.Map:
		values, _ := v.(map[string]any)
		for _, value := range values {
			fill(t.Elem(), s.AdditionalProperties, value)
		}
	case reflect.Struct:
		object, ok := v.(map[string]any)
		if !ok {
			return
		}
		for name, f := range fields(t) {
			p, ok := property(s, name)
			if !ok {
				continue
			}
			value, present := object[name]
			switch {
			case present:
				fill(f.Type, p, value)
			case p.Default != nil:
				object[name] = p.Default
			case f.Type.Kind() == reflect.Struct && p.Properties != nil:
				// The struct is there whether its key is or not.
				inner := map[string]any{}
				if fill(f.Type, p, inner); len(inner) > 0 {
					object[name] = inner
				}
			}
		}
	default:
	}
}

// withoutNulls drops what YAML makes of a key with nothing behind it.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
				continue
			}
			v[key] = withoutNulls(value)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return v
}
