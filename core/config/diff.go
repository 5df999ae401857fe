package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Change is a key that two configurations set differently.
type Change struct {
	// Key is dotted: targets.ops.retry.max_age. Of a source, target or route that one of
	// them lacks, and of a plugin's settings, it is the whole's.
	Key string `json:"key"`
	// What is added, removed or changed.
	What ChangeKind `json:"what"`
	// Was and Is are the values, where they are texts or numbers and no secrets.
	Was string `json:"was,omitempty"`
	Is  string `json:"is,omitempty"`
}

// ChangeKind says what became of a key.
type ChangeKind string

// The kinds of change.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// String returns the change as one line.
func (c Change) String() string {
	if c.Was == "" && c.Is == "" {
		return c.Key + ": " + string(c.What)
	}
	return fmt.Sprintf("%s: %s → %s", c.Key, c.Was, c.Is)
}

// Diff returns what is has otherwise than was, in the order of the keys.
func Diff(was, is *Config) []Change {
	var changes []Change
	diff(&changes, "", reflect.ValueOf(*was), reflect.ValueOf(*is))
	slices.SortStableFunc(changes, func(a, b Change) int { return strings.Compare(a.Key, b.Key) })
	return changes
}

func diff(changes *[]Change, key string, was, is reflect.Value) {
	if reflect.DeepEqual(was.Interface(), is.Interface()) {
		return
	}
	add := func(key string, what ChangeKind) { *changes = append(*changes, Change{Key: key, What: what}) }
	switch {
	case was.Type() == settingsType:
		add(key, Changed)
	case was.Type() == reflect.TypeFor[[]Route]():
		diffRoutes(changes, key, was.Interface().([]Route), is.Interface().([]Route)) //nolint:forcetypeassert // of this type
	case isSection(was.Type()):
		for _, f := range fields(was.Type()) {
			child := join(key, f.name)
			if f.open {
				child = key
			}
			diff(changes, child, was.Field(f.index), is.Field(f.index))
		}
	case was.Kind() == reflect.Pointer && !was.IsNil() && !is.IsNil() && isSection(was.Type().Elem()):
		diff(changes, key, was.Elem(), is.Elem())
	case was.Kind() == reflect.Map:
		for _, name := range was.MapKeys() {
			child := join(key, name.String())
			if other := is.MapIndex(name); other.IsValid() {
				diff(changes, child, was.MapIndex(name), other)
			} else {
				add(child, Removed)
			}
		}
		for _, name := range is.MapKeys() {
			if !was.MapIndex(name).IsValid() {
				add(join(key, name.String()), Added)
			}
		}
	default:
		switch was.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Interface:
			add(key, Changed)
		default: // a Secret prints as what stands for it
			c := Change{Key: key, What: Changed, Was: fmt.Sprint(was.Interface()), Is: fmt.Sprint(is.Interface())}
			if c.Was == c.Is {
				c.Was, c.Is = "", ""
			}
			*changes = append(*changes, c)
		}
	}
}

// diffRoutes compares routes by name, and then their order.
func diffRoutes(changes *[]Change, key string, was, is []Route) {
	named := func(routes []Route) (names []string, by map[string]Route) {
		by = make(map[string]Route, len(routes))
		for i, r := range routes {
			name := r.Name
			if name == "" {
				name = fmt.Sprintf("[%d]", i)
			}
			names, by[name] = append(names, name), r
		}
		return names, by
	}
	wasNames, wasBy := named(was)
	isNames, isBy := named(is)
	before := len(*changes)
	for _, name := range wasNames {
		if r, ok := isBy[name]; ok {
			diff(changes, join(key, name), reflect.ValueOf(wasBy[name]), reflect.ValueOf(r))
		} else {
			*changes = append(*changes, Change{Key: join(key, name), What: Removed})
		}
	}
	for _, name := range isNames {
		if _, ok := wasBy[name]; !ok {
			*changes = append(*changes, Change{Key: join(key, name), What: Added})
		}
	}
	if len(*changes) == before {
		*changes = append(*changes, Change{Key: key + " (order)", What: Changed})
	}
}

// Hash is of everything that is not secret, in 48 bits, which a metric holds exactly: what
// differs between two nodes differs here, but for secrets and for the file's directory.
func (c *Config) Hash() uint64 {
	visible, err := c.asWritten().Redacted(nil)
	if err != nil {
		return 0
	}
	return hashed(visible)
}

// HashWithout is a hash as Hash is, of what is left without some keys.
func (c *Config) HashWithout(keys []string) uint64 {
	var tree map[string]any
	visible, err := c.asWritten().Redacted(nil)
	if err == nil {
		err = yaml.Unmarshal(visible, &tree)
	}
	if err != nil {
		return 0
	}
	for _, key := range keys {
		within := tree
		words := strings.Split(key, ".")
		for _, word := range words[:len(words)-1] {
			within, _ = within[word].(map[string]any)
		}
		last := words[len(words)-1]
		delete(within, last)
		delete(within, strings.TrimSuffix(last, "_file")) // what is read from the file
	}
	if visible, err = yaml.Marshal(tree); err != nil {
		return 0
	}
	return hashed(visible)
}

func hashed(visible []byte) uint64 {
	sum := sha256.Sum256(visible)
	return binary.BigEndian.Uint64(append([]byte{0, 0}, sum[:6]...))
}

// Overruled are the keys that the environment and flags set, which the file does not decide.
func (c *Config) Overruled() []string { return slices.Sorted(maps.Keys(c.origin.names)) }
