package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"

	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Decode reads data into the struct that into points to and returns everything
// that is wrong with it. A null is the same as an absent key.
func (s *Schema) Decode(data []byte, into any) []Problem {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return []Problem{{Message: "is not JSON"}}
	}
	doc = withoutNulls(doc)
	if err := s.check.Validate(doc); err != nil {
		return s.explain(err)
	}
	fill(s.typ, s.tree, doc)
	object, _ := doc.(map[string]any)
	if problems := s.decode(object, into); len(problems) > 0 {
		return problems
	}
	if v, ok := into.(interface{ Validate() error }); ok {
		return Problems(v.Validate())
	}
	return nil
}

// decode reads a checked object. What the schema cannot say, such as the range of
// an integer type or the form of an address, comes out here. A decoder stops at its
// first error, so each key is then tried alone.
func (s *Schema) decode(object map[string]any, into any) []Problem {
	err := unmarshal(object, into)
	if err == nil {
		return nil
	}
	var problems []Problem
	for _, key := range slices.Sorted(maps.Keys(object)) {
		one := map[string]any{key: object[key]}
		if err := unmarshal(one, reflect.New(s.typ).Interface()); err != nil {
			problems = append(problems, s.decodeProblem(key, err))
		}
	}
	if len(problems) == 0 {
		problems = []Problem{{Message: line(err.Error())}}
	}
	return problems
}

func unmarshal(v, into any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

func (s *Schema) decodeProblem(key string, err error) Problem {
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if te.Field != "" {
			key = te.Field
		}
		return Problem{Key: key, Message: "does not fit a Go " + te.Type.String()}
	}
	if p, ok := property(s.tree, key); ok && holdsSecret(p) {
		return Problem{Key: key, Message: "is not valid"}
	}
	return Problem{Key: key, Message: line(err.Error())}
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
