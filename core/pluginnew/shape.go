package pluginnew

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"
)

const (
	// maxFields bounds the fields of a body's struct, and maxDepth how deep structs nest:
	// who needs more writes it.
	maxFields = 150
	maxDepth  = 4
)

// field is a key of a body and the Go field that reads it.
type field struct {
	key, name string
	// path is that of the key in the body, expr that of the field in Go.
	path, expr string
	depth      int
	// typ is the Go type; of a struct, or a list of structs, members have the fields.
	typ     string
	members []*field
	// value is that of a scalar, as text.
	value string
}

// shape is what fields a body has.
type shape struct {
	fields  []*field
	count   int
	omitted []string
}

func shapeOf(payload []byte) *shape {
	s := &shape{}
	s.fields = s.members("", "b", 1, []gjson.Result{gjson.ParseBytes(payload)})
	return s
}

// members are the fields that objects have, each by the first that has it.
func (s *shape) members(path, expr string, depth int, objects []gjson.Result) []*field {
	var fields []*field
	names, seen := map[string]bool{}, map[string]bool{}
	for _, object := range objects {
		// Of a key that is there twice, the last value counts, as for encoding/json.
		var keys []string
		values := map[string]gjson.Result{}
		object.ForEach(func(k, v gjson.Result) bool {
			key := textOf(k)
			if _, again := values[key]; !again {
				keys = append(keys, key)
			}
			values[key] = v
			return true
		})
		for _, key := range keys {
			if seen[key] {
				continue
			}
			seen[key] = true
			at := join(path, cmp.Or(key, `""`))
			if s.count == maxFields || !taggable(key) {
				s.omitted = append(s.omitted, at)
				continue
			}
			s.count++
			f := &field{key: key, name: goName(key), path: at, depth: depth, value: textOf(values[key])}
			for n := 2; names[f.name]; n++ {
				f.name = goName(key) + strconv.Itoa(n)
			}
			names[f.name] = true
			f.expr = expr + "." + f.name
			s.read(f, values[key])
			fields = append(fields, f)
		}
	}
	return fields
}

// read gives a field the type of a value.
func (s *shape) read(f *field, v gjson.Result) {
	f.typ = "json.RawMessage"
	items := v.Array()
	switch {
	case v.IsObject() && f.depth < maxDepth && len(v.Map()) > 0:
		f.typ, f.members = "struct", s.members(f.path, f.expr, f.depth+1, []gjson.Result{v})
	case v.IsArray() && f.depth < maxDepth && len(items) > 0 && all(items, gjson.Result.IsObject):
		f.typ, f.members = "[]struct", s.members(f.path+"[]", "", f.depth+1, items)
	case v.IsArray() && len(items) > 0 && all(items, isString):
		f.typ = "[]string"
	case isString(v):
		f.typ = "string"
	case v.IsBool():
		f.typ = "bool"
	case v.Type == gjson.Number:
		f.typ = numberType(f.key, v.Raw)
	}
}

func all(items []gjson.Result, is func(gjson.Result) bool) bool {
	return !slices.ContainsFunc(items, func(v gjson.Result) bool { return !is(v) })
}

func isString(v gjson.Result) bool { return v.Type == gjson.String }

// numberType is text for ids, which are no numbers to reckon with and may come as strings.
func numberType(key, raw string) string {
	if w := words(key); len(w) > 0 && (w[len(w)-1] == "id" || strings.HasSuffix(w[len(w)-1], "id") && len(w) == 1) {
		return "text"
	}
	if _, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return "int64"
	}
	return "float64"
}

// taggable reports whether encoding/json takes a key from a tag.
func taggable(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r)
	})
}

// goName is an exported name that says what a key says.
func goName(key string) string {
	var name strings.Builder
	for _, w := range words(key) {
		if slices.Contains([]string{"id", "url", "ip", "uuid", "api", "http", "html", "json", "imdb", "tmdb", "tvdb"}, w) {
			name.WriteString(strings.ToUpper(w))
			continue
		}
		r := []rune(w)
		name.WriteString(string(unicode.ToUpper(r[0])) + string(r[1:]))
	}
	if first := []rune(name.String()); len(first) == 0 || !unicode.IsUpper(first[0]) {
		return "Key" + name.String() // digits, and scripts without capitals
	}
	return name.String()
}

// structCode is the Go code of a struct with fields.
func structCode(fields []*field) string {
	var b strings.Builder
	b.WriteString("struct {\n")
	for _, f := range fields {
		typ := f.typ
		if f.members != nil {
			typ = strings.TrimSuffix(typ, "struct") + structCode(f.members)
		}
		tag := f.key
		if tag == "-" {
			tag = "-,"
		}
		fmt.Fprintf(&b, "%s %s `json:%q`\n", f.name, typ, tag)
	}
	return b.String() + "}"
}

// walk calls visit for the fields of structs, but not those of lists, those of one depth
// before those below.
func walk(fields []*field, visit func(*field)) {
	for len(fields) > 0 {
		var below []*field
		for _, f := range fields {
			visit(f)
			if f.typ == "struct" {
				below = append(below, f.members...)
			}
		}
		fields = below
	}
}
