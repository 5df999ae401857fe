package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

const envPrefix = "HOOKARR_"

// envKey returns the key that an environment variable sets: the rules are in the
// package's documentation.
func envKey(variable string) (key string, ok bool) {
	if variable != strings.ToUpper(variable) {
		return "", false
	}
	words := strings.Split(strings.ToLower(strings.TrimPrefix(variable, envPrefix)), "__")
	t := reflect.TypeFor[Config]()
	for len(words) > 0 {
		if key, t, ok = envField(key, t, words[0]); !ok {
			return "", false
		}
		words = words[1:]
		if open, ok := openField(t); ok && len(words) > 0 {
			t = open.typ
		}
		switch {
		case isSettable(t):
			return key, len(words) == 0
		case t == settingsType:
			return join(key, strings.Join(words, ".")), len(words) > 0
		case t.Kind() == reflect.Map && len(words) > 1:
			key, t, words = join(key, strings.ReplaceAll(words[0], "_", "-")), t.Elem(), words[1:]
		default:
			return "", false
		}
	}
	return "", false
}

// envField finds the field of t, or of a section inside it, that words joined by
// underscores name.
func envField(key string, t reflect.Type, words string) (string, reflect.Type, bool) {
	for _, f := range fields(t) {
		switch {
		case words == f.name:
			return join(key, f.name), f.typ, true
		case words == f.name+fileSuffix && isSecret(f.typ):
			return join(key, words), reflect.TypeFor[string](), true
		}
		if rest, ok := strings.CutPrefix(words, f.name+"_"); ok && isSection(f.typ) {
			if found, typ, ok := envField(join(key, f.name), f.typ, rest); ok {
				return found, typ, true
			}
		}
	}
	return "", nil, false
}

var (
	secretType   = reflect.TypeFor[sdk.Secret]()
	settingsType = reflect.TypeFor[map[string]any]()
	groupType    = reflect.TypeFor[Group]()
)

// isSettable reports whether one string can hold a t.
func isSettable(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		return !isSection(t.Elem())
	}
	return t.Kind() != reflect.Map && !isSection(t)
}

// isSection reports whether t is a section of the configuration.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && len(fields(t)) > 0 || t == reflect.TypeFor[None]()
}

func isSecret(t reflect.Type) bool {
	return t == secretType || t.Kind() == reflect.Slice && t.Elem() == secretType
}

// field is a key of a section. Its type is what a pointer points to.
type field struct {
	name  string
	typ   reflect.Type
	index int
	// open is of a map with every key that is a plugin's. They stand beside the other keys
	// of the section, and the name stands for them in messages.
	open bool
}

// takes reports whether the field is what a key of the section sets.
func (f field) takes(key string) bool {
	if !f.open {
		return f.name == key
	}
	kind, name, _ := strings.Cut(key, "-")
	return (kind == "source" || kind == "target") && NamePattern.MatchString(name)
}

// openField returns the field of a section that takes more than one key.
func openField(t reflect.Type) (f field, ok bool) {
	all := fields(t)
	i := slices.IndexFunc(all, func(f field) bool { return f.open })
	if i < 0 {
		return field{}, false
	}
	return all[i], true
}

// fields returns the keys of a section in the order of the documentation.
func fields(t reflect.Type) []field {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var fs []field
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("koanf"), ",")
		open := option == "open"
		if open {
			name = "source-NAME, target-NAME"
		}
		if name != "" && name != "-" {
			typ := t.Field(i).Type
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			fs = append(fs, field{name: name, typ: typ, index: i, open: open})
		}
	}
	return fs
}
