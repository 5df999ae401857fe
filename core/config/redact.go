package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/sdk"
)

const redacted = "[redacted]"

// Schemas returns the JSON Schema of a plugin's settings, or nil when it is not
// known. Kind is source or target.
type Schemas func(kind, plugin string) json.RawMessage

// Redacted returns the whole configuration, defaults included, as YAML without
// secrets. In the settings of plugins it hides what came from the environment or a
// file and what the schema marks writeOnly; without a schema it hides every text and number.
// Schemas may be nil.
func (c *Config) Redacted(schemas Schemas) ([]byte, error) {
	r := redactor{config: c, schemas: schemas}
	out, err := yaml.Marshal(r.node("", reflect.ValueOf(*c)))
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return out, nil
}

type redactor struct {
	config  *Config
	schemas Schemas
}

// schema is the part of JSON Schema that says what is secret.
type schema struct {
	writeOnly  bool
	properties map[string]*schema
	items      *schema
	// additional is of the keys that are not in properties; nil for none and for anything.
	additional *schema
	// partial: a keyword may say elsewhere, or only of some values, that they are secret.
	partial bool
}

// isPublic reports whether a keyword says nothing of who may see a value, as annotations that
// begin with x- do not either.
func isPublic(keyword string) bool {
	switch keyword {
	case "$comment", "$defs", "$id", "$schema", "const", "contentEncoding", "contentMediaType", "default", "definitions",
		"deprecated", "description", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength",
		"maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "propertyNames",
		"readOnly", "required", "title", "type", "uniqueItems":
		return true
	}
	return strings.HasPrefix(keyword, "x-")
}

// UnmarshalJSON reads keywords by their exact names, which encoding/json does not.
func (s *schema) UnmarshalJSON(data []byte) error {
	var keywords map[string]json.RawMessage
	if err := json.Unmarshal(data, &keywords); err != nil {
		return err
	}
	for keyword, value := range keywords {
		var err error
		switch keyword {
		case "writeOnly":
			err = json.Unmarshal(value, &s.writeOnly)
		case "properties":
			err = json.Unmarshal(value, &s.properties)
		case "items":
			err = json.Unmarshal(value, &s.items)
		case "additionalProperties":
			if more := new(schema); json.Unmarshal(value, more) == nil {
				s.additional = more
			}
		default:
			s.partial = s.partial || !isPublic(keyword)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r redactor) node(key string, v reflect.Value) *yaml.Node {
	switch value := v.Interface().(type) {
	case sdk.Secret:
		return text(value.String())
	case time.Duration:
		return text(value.String())
	case netip.Prefix:
		return text(value.String())
	case Size:
		return text(value.String())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return r.node(key, v.Elem())
	case reflect.Struct:
		return r.section(key, v)
	case reflect.Slice:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			list.Content = append(list.Content, r.node(fmt.Sprintf("%s[%d]", key, i), v.Index(i)))
		}
		return list
	case reflect.Map:
		section := &yaml.Node{Kind: yaml.MappingNode}
		byName := func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }
		for _, name := range slices.SortedFunc(slices.Values(v.MapKeys()), byName) {
			section.Content = append(section.Content, text(name.String()), r.node(join(key, name.String()), v.MapIndex(name)))
		}
		return section
	default:
		return plain(v.Interface())
	}
}

func (r redactor) section(key string, v reflect.Value) *yaml.Node {
	section := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields(v.Type()) {
		value, child := v.Field(f.index), join(key, f.name)
		switch value.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.String, reflect.Struct:
			if value.IsZero() {
				continue
			}
		default: // a zero number means something, but for what others propose
			if value.IsZero() && v.Type() == reflect.TypeFor[Group]() {
				continue
			}
		}
		if f.typ == settingsType {
			section.Content = append(section.Content, text(f.name), r.setting(child, value.Interface(), r.schema(v)))
			continue
		}
		if f.open {
			section.Content = append(section.Content, r.node(key, value).Content...)
			continue
		}
		section.Content = append(section.Content, text(f.name), r.node(child, value))
	}
	return section
}

// schema returns that of the settings of a source or target, or nil.
func (r redactor) schema(v reflect.Value) *schema {
	if r.schemas == nil {
		return nil
	}
	var raw json.RawMessage
	switch section := v.Interface().(type) {
	case Source:
		raw = r.schemas("source", section.Plugin)
	case Target:
		raw = r.schemas("target", section.Plugin)
	}
	s := new(schema)
	if raw == nil || json.Unmarshal(raw, s) != nil {
		return nil
	}
	return s
}

// setting hides what it does not know to be public.
func (r redactor) setting(key string, v any, s *schema) *yaml.Node {
	if s != nil && s.partial {
		s = nil
	}
	if r.config.hidden[key] || s != nil && s.writeOnly {
		return text(redacted)
	}
	switch v := v.(type) {
	case map[string]any:
		section := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			section.Content = append(section.Content, text(name), r.setting(join(key, name), v[name], s.property(name)))
		}
		return section
	case []any:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for i, item := range v {
			list.Content = append(list.Content, r.setting(fmt.Sprintf("%s[%d]", key, i), item, s.item()))
		}
		return list
	case bool, nil:
	default:
		if s == nil {
			return text(redacted)
		}
	}
	return plain(v)
}

func (s *schema) property(name string) *schema {
	if s == nil {
		return nil
	}
	if p, ok := s.properties[name]; ok {
		return p
	}
	return s.additional
}

func (s *schema) item() *schema {
	if s == nil {
		return nil
	}
	return s.items
}

func text(s string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(s)
	return n
}

// plain returns the node of a value without secrets.
func plain(v any) *yaml.Node {
	n := new(yaml.Node)
	if err := n.Encode(v); err != nil {
		return text(redacted)
	}
	return n
}
