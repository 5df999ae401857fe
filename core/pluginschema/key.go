package pluginschema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// AnyValue is the Type of a key whose schema says nothing of it.
const AnyValue = "any value"

// Settings is what an instance of a plugin can be configured with.
type Settings struct {
	Keys []Key
	// Example is a whole configuration in JSON, where the schema has one.
	Example json.RawMessage
}

// Key is one key. Its texts are the plugin's own.
type Key struct {
	Name string
	// Path is dotted, with [] for each entry of a list and KEY for each key of a map:
	// templates.KEY.fields[].name.
	Path string
	// Title is a few words, and Group the heading that the key is shown under. Both may be
	// empty.
	Title, Group string
	Description  string
	// Required keys have to be there, and the values of Secret ones are never shown.
	Required, Secret bool
	// Advanced keys are for few people; Deprecated ones are to be left out.
	Advanced, Deprecated bool
	// Network is that an instance which has the key uses the network, though the plugin
	// says that it does not.
	Network bool
	// Options is that the plugin can list the values.
	Options bool
	// Type is what the value may be, in words: "list of text", "1 to 5". Choices are the
	// only values, or the only entries of a list, in JSON.
	Type    string
	Choices []json.RawMessage
	// JSONType is the schema's own word, such as array; empty where it has none or several.
	JSONType string
	// Default and Example are JSON; nil is none.
	Default, Example json.RawMessage
	// Keys are those of a section, or of each section of a list or map.
	Keys []Key
}

// Read reads a plugin's schema. Its error reads well after "the schema".
func Read(raw json.RawMessage) (Settings, error) {
	root, err := parse(raw)
	if err != nil {
		return Settings{}, err
	}
	r := reader{root: root}
	if root = r.resolve(root); len(root.Type) > 0 && !slices.Contains(root.Type, "object") {
		return Settings{}, fmt.Errorf("is that of a value of the type %.40q, and a configuration is an object", root.Type[0])
	}
	keys, err := r.keys(root, "", nil)
	return Settings{Keys: keys, Example: firstOf(first(root.Examples))}, err
}

// Groups returns the headings of keys in their order; the empty one is first, if it is there.
func Groups(keys []Key) []string {
	var groups []string
	for _, k := range keys {
		if !slices.Contains(groups, k.Group) {
			groups = append(groups, k.Group)
		}
	}
	slices.SortStableFunc(groups, func(a, b string) int {
		return cmp.Compare(min(len(a), 1), min(len(b), 1))
	})
	return groups
}

// reader goes through a schema and counts the keys.
type reader struct {
	root  *node
	count int
}

// keys returns those of a section at a path. What the section is in itself is in outer,
// which a schema may come back to by a reference.
func (r *reader) keys(n *node, path string, outer []*node) ([]Key, error) {
	if slices.Contains(outer, n) {
		return nil, nil
	}
	var keys []Key
	for _, p := range n.Properties {
		if r.count++; r.count > maxKeys {
			return nil, fmt.Errorf("has more than %d keys", maxKeys)
		}
		if err := checkName(p.name); err != nil {
			return nil, err
		}
		k, err := r.key(p, path+p.name, append(slices.Clone(outer), n))
		if err != nil {
			return nil, err
		}
		k.Required = slices.Contains(n.Required, p.name)
		keys = append(keys, k)
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return cmp.Compare(a.rank(), b.rank()) })
	return keys, nil
}

// rank is where a key stands among those of its section.
func (k Key) rank() int {
	switch {
	case k.Deprecated:
		return 2
	case k.Advanced:
		return 1
	default:
		return 0
	}
}

func (r *reader) key(p property, path string, outer []*node) (Key, error) {
	n := r.resolve(p.node)
	own := p.node // what it says beside a reference comes first
	k := Key{
		Name: p.name, Path: path, Type: r.words(n, 0),
		Title: cmp.Or(own.Title, n.Title), Group: cmp.Or(own.Group, n.Group), Description: cmp.Or(own.Description, n.Description),
		Advanced: own.Advanced || n.Advanced, Deprecated: own.Deprecated || n.Deprecated, Secret: own.WriteOnly,
		Network: own.Network || n.Network, Options: own.Options || n.Options,
		Default: firstOf(own.Default, n.Default), Example: firstOf(first(own.Examples), first(n.Examples)),
	}
	if len(n.Type) == 1 {
		k.JSONType = n.Type[0]
	}
	inner, below, secret := n, path, own.WriteOnly || n.WriteOnly
	for next := r.entries(n); next != nil; next = r.entries(next) {
		inner, below, secret = next, below+suffix(inner), secret || next.WriteOnly
		if len(below) > maxPath {
			return Key{}, fmt.Errorf("has the key %s, which lists and maps hold without end", k.Name)
		}
	}
	k.Secret, k.Choices = secret, inner.Enum
	if k.Example == nil && n.Items != nil && len(inner.Examples) > 0 && below == path+suffix(n) {
		k.Example = json.RawMessage("[" + string(inner.Examples[0]) + "]")
	}
	var err error
	k.Keys, err = r.keys(inner, below+".", outer)
	return k, err
}

// entries returns the schema of what is in a list or map, or nil.
func (r *reader) entries(n *node) *node {
	switch {
	case n.Items != nil:
		return r.resolve(n.Items)
	case n.isMap():
		return r.resolve(n.AdditionalProperties)
	default:
		return nil
	}
}

// suffix is what the path of a list or map goes on with.
func suffix(n *node) string {
	if n.Items != nil {
		return "[]"
	}
	return ".KEY"
}

// isMap reports whether a section has keys of any name.
func (n *node) isMap() bool {
	return len(n.Properties) == 0 && n.AdditionalProperties != nil && !n.AdditionalProperties.boolean
}

// resolve follows references to definitions of the same document. One that leads nowhere,
// or around, says nothing.
func (r *reader) resolve(n *node) *node {
	for range maxDepth {
		if n == nil {
			break
		}
		if n.Ref == "" {
			return n
		}
		defs := r.root.Defs
		name, ok := strings.CutPrefix(n.Ref, "#/$defs/")
		if !ok {
			defs = r.root.Definitions
			name, _ = strings.CutPrefix(n.Ref, "#/definitions/")
		}
		n = defs[name]
	}
	return &node{}
}

// words say what a value may be. Lists and maps in it are followed to a depth.
func (r *reader) words(n *node, depth int) string {
	if n.WriteOnly {
		return "secret"
	}
	if depth > 3 {
		return AnyValue
	}
	var all []string
	for _, t := range n.Type {
		switch t {
		case "null":
			// The same as an absent key.
		case "string":
			all = append(all, n.textWords())
		case "integer", "number":
			all = append(all, n.numberWords())
		case "boolean":
			all = append(all, "true or false")
		case "array":
			if n.Items == nil {
				all = append(all, "list")
			} else {
				all = append(all, "list of "+r.words(r.resolve(n.Items), depth+1))
			}
		case "object":
			if n.isMap() {
				all = append(all, r.words(r.resolve(n.AdditionalProperties), depth+1)+" by key")
			} else {
				all = append(all, "section")
			}
		}
	}
	switch {
	case len(all) > 0:
	case len(n.Properties) > 0:
		return "section"
	default:
		return AnyValue
	}
	return strings.Join(all, " or ")
}

// textWords and numberWords say what a text or a number may be.
func (n *node) textWords() string {
	if n.Format == "go-duration" {
		return "duration"
	}
	least, most := n.MinLength.String(), n.MaxLength.String()
	if least == "0" || least == "1" {
		least = ""
	}
	return "text" + bounds(" of ", least, most, " characters")
}

func (n *node) numberWords() string {
	least, most := n.Minimum.String(), n.Maximum.String()
	if least != "" && most != "" {
		return least + " to " + most
	}
	return "number" + bounds(" of ", least, most, "")
}

// bounds puts limits into words, of which either may be empty.
func bounds(before, least, most, after string) string {
	switch {
	case least != "" && most != "":
		return before + least + " to " + most + after
	case least != "":
		return before + "at least " + least + after
	case most != "":
		return before + "at most " + most + after
	default:
		return ""
	}
}

func first(all []json.RawMessage) json.RawMessage {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// firstOf returns the first that there is. A null stands for none.
func firstOf(all ...json.RawMessage) json.RawMessage {
	for _, v := range all {
		if v != nil && string(v) != "null" {
			return v
		}
	}
	return nil
}
