package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting is a key with its value in effect and where that was set.
type Setting struct {
	// Key is dotted: targets.ops.retry.max_age. A list of texts is one setting.
	Key string
	// Value is without secrets.
	Value  string
	Origin Origin
}

// Origin is where a key was set. Without a file it was not: the value is the default.
type Origin struct {
	// File is the configuration file, or the variable ($HOOKARR_LISTEN) or flag
	// (--listen).
	File string
	// Line is 0 when File is none.
	Line int
	// Key is the one that was written, which may be the twin KEY_file of a secret, or what
	// stands for several keys, such as group: off.
	Key string
}

// String returns the origin as file:line, or as default.
func (o Origin) String() string {
	switch {
	case o.File == "":
		return "default"
	case o.Line == 0:
		return o.File
	default:
		return fmt.Sprintf("%s:%d", o.File, o.Line)
	}
}

// Settings returns the whole configuration as Redacted does, key by key in the order of the
// documentation, with where each was set.
func (c *Config) Settings(schemas Schemas) []Setting {
	r := redactor{config: c, schemas: schemas}
	var all []Setting
	c.flatten(&all, "", r.node("", reflect.ValueOf(*c)))
	return all
}

func (c *Config) flatten(all *[]Setting, key string, n *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode && len(n.Content) > 0:
		for i := 0; i+1 < len(n.Content); i += 2 {
			c.flatten(all, join(key, n.Content[i].Value), n.Content[i+1])
		}
	case n.Kind == yaml.SequenceNode && !isPlainList(n):
		for i, item := range n.Content {
			c.flatten(all, fmt.Sprintf("%s[%d]", key, i), item)
		}
	default:
		*all = append(*all, Setting{Key: key, Value: oneLine(n), Origin: c.Origin(key)})
	}
}

func isPlainList(n *yaml.Node) bool {
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			return false
		}
	}
	return true
}

// oneLine is the value of a node that is no section.
func oneLine(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "{}"
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return "[]"
		}
		values := make([]string, len(n.Content))
		for i, item := range n.Content {
			values[i] = item.Value
		}
		return strings.Join(values, ", ")
	default:
		return n.Value
	}
}

// Origin returns where a key, or the secret of this key, was set.
func (c *Config) Origin(key string) Origin {
	o := &c.origin
	own, given := o.place(key)
	// Of a secret and its twin, the one of the later layer holds.
	if twin, ok := o.place(key + fileSuffix); ok && (!given || o.layerOf(twin.Key) > o.layerOf(key)) {
		return twin
	}
	if given {
		return own
	}
	// What a list or a section was given as a whole: dir: ./plugins, group: off, and the
	// entries of a list in the environment.
	for k := parent(key); k != ""; k = parent(k) {
		if place, ok := o.place(k); ok {
			if o.hasBelow(k) {
				break
			}
			return place
		}
	}
	return Origin{}
}

func (o *origin) place(key string) (Origin, bool) {
	if name, ok := o.names[key]; ok {
		return Origin{File: name, Key: key}, true
	}
	if line, ok := o.lines[key]; ok {
		return Origin{File: o.file, Line: line, Key: key}, true
	}
	return Origin{}, false
}

// hasBelow reports whether a key that is a part of another was given.
func (o *origin) hasBelow(key string) bool {
	below := func(k string) bool { return k != key && within(k, key) }
	for k := range o.lines {
		if below(k) {
			return true
		}
	}
	for k := range o.names {
		if below(k) {
			return true
		}
	}
	return false
}
