// Package config turns an instance's JSON into the author's struct. The struct's
// tags are the only declaration: the JSON Schema, the checks, the defaults and the
// list of secrets all come from them.
package config

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// FormatDuration is the schema format of a Go duration string.
const FormatDuration = "go-duration"

// Schema is what one struct type says of its configuration. It is immutable.
type Schema struct {
	typ   reflect.Type
	tree  *reflector.Schema
	json  json.RawMessage
	check *jsonschema.Schema
}

// Of reads the tags of a struct type. An error is a mistake of the author's.
func Of(t reflect.Type) (*Schema, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("the configuration %s is not a struct", t)
	}
	if err := checkTypes(t); err != nil {
		return nil, err
	}
	tree, err := schemaOf(&reflector.Reflector{RequiredFromJSONSchemaTags: true}, t)
	if err != nil {
		return nil, err
	}
	s := &Schema{typ: t, tree: tree}
	if s.json, err = json.Marshal(tree); err != nil {
		return nil, fmt.Errorf("write the schema of %s: %w", t, err)
	}
	if s.check, err = compile(s.json); err != nil {
		return nil, fmt.Errorf("compile the schema of %s: %w", t, err)
	}
	return s, nil
}

// JSON returns the JSON Schema (2020-12).
func (s *Schema) JSON() json.RawMessage { return s.json }

// Published returns the JSON Schema of a struct that is written for others to read:
// a key without omitempty is required, and keys may be added later.
func Published(t reflect.Type) (*reflector.Schema, error) {
	return schemaOf(&reflector.Reflector{AllowAdditionalProperties: true}, t)
}

// schemaOf returns the JSON Schema of a struct type by its tags.
func schemaOf(r *reflector.Reflector, t reflect.Type) (tree *reflector.Schema, err error) {
	// The reflector panics for types that JSON cannot hold, such as functions.
	defer func() {
		if r := recover(); r != nil {
			tree, err = nil, fmt.Errorf("the type %s: %v", t, r)
		}
	}()
	r.Anonymous, r.DoNotReference, r.Mapper = true, true, textSchema
	tree = r.ReflectFromType(t)
	return tree, annotate(t, tree)
}

func compile(schema []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		return nil, err
	}
	const url = "hookarr:///config.json"
	c := jsonschema.NewCompiler()
	c.RegisterFormat(&jsonschema.Format{Name: FormatDuration, Validate: validateDuration})
	c.AssertFormat()
	if err := c.AddResource(url, doc); err != nil {
		return nil, err
	}
	return c.Compile(url)
}

func validateDuration(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	_, err := ParseDuration(s)
	return err
}

// textSchema gives types that read themselves from text, such as netip.Addr, the
// schema of a string. The reflector knows only their fields.
func textSchema(t reflect.Type) *reflector.Schema {
	if t == reflect.TypeFor[time.Time]() || hasSchema(t) || !readsText(t) {
		return nil
	}
	return &reflector.Schema{Type: "string"}
}

// describesItself reports whether a type is configured as something else than its
// fields.
func describesItself(t reflect.Type) bool { return hasSchema(t) || readsText(t) }

func hasSchema(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[interface{ JSONSchema() *reflector.Schema }]())
}

func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// annotate carries the tags of t into its schema, and those of the types in it.
func annotate(t reflect.Type, s *reflector.Schema) error {
	if s == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return annotate(t.Elem(), s)
	case reflect.Slice, reflect.Array:
		return annotate(t.Elem(), s.Items)
	case reflect.Map:
		return annotate(t.Elem(), s.AdditionalProperties)
	case reflect.Struct:
		var errs []error
		for name, f := range fields(t) {
			p, ok := property(s, name)
			if !ok {
				continue
			}
			if err := annotateField(s, p, name, f); err != nil {
				errs = append(errs, fmt.Errorf("field %s: %w", fieldName(t, f), err))
			}
			errs = append(errs, annotate(f.Type, p))
		}
		return errors.Join(errs...)
	default:
		return nil
	}
}

func property(s *reflector.Schema, name string) (*reflector.Schema, bool) {
	if s.Properties == nil {
		return nil, false
	}
	return s.Properties.Get(name)
}

// fields yields the fields that encoding/json knows of a struct, by their keys.
func fields(t reflect.Type) iter.Seq2[string, reflect.StructField] {
	return func(yield func(string, reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if key, _ := keyOf(f); key != "" && !yield(key, f) {
				return
			}
		}
	}
}
