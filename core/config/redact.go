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
// file and what the schema marks writeOnly; without a schema it hides every text.
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
	WriteOnly            bool               `json:"writeOnly"`
	Properties           map[string]*schema `json:"properties"`
	Items                *schema            `json:"items"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`

	// These may say elsewhere, or only of some values, that it is secret.
	Ref   json.RawMessage `json:"$ref"`
	AllOf json.RawMessage `json:"allOf"`
	AnyOf json.RawMessage `json:"anyOf"`
	OneOf json.RawMessage `json:"oneOf"`
	If    json.RawMessage `json:"if"`
}

// isPlain reports whether a schema says all that it says of a value itself.
func (s *schema) isPlain() bool {
	return len(s.Ref)+len(s.AllOf)+len(s.AnyOf)+len(s.OneOf)+len(s.If) == 0
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
	if s != nil && !s.isPlain() {
		s = nil
	}
	if r.config.hidden[key] || s != nil && s.WriteOnly {
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
			list.Content = append(list.Content, r.setting(fmt.Sprintf("%s[%d]", key, i), item, s.items()))
		}
		return list
	case string:
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
	if p, ok := s.Properties[name]; ok {
		return p
	}
	p := new(schema)
	if json.Unmarshal(s.AdditionalProperties, p) != nil {
		return nil
	}
	return p
}

func (s *schema) items() *schema {
	if s == nil {
		return nil
	}
	return s.Items
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
