// Package fields leaves fields of events out, by dotted paths such as media.overview or
// files.media_info, where files is a list.
package fields

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Set is fields by name. One without fields of its own stands for all that is in it.
type Set map[string]Set

// Parse returns the fields at paths, which an event may have by the published schema, or
// a problem for each that it never has. The paths are configured under key.
func Parse(key string, paths []string) (Set, error) {
	set := Set{}
	var problems []error
	for i, path := range paths {
		names := strings.Split(path, ".")
		if err := known(names); err != nil {
			problems = append(problems, sdk.Problem(fmt.Sprintf("%s[%d]", key, i), err.Error()))
			continue
		}
		set.add(names)
	}
	return set, errors.Join(problems...)
}

// add keeps the wider of two paths of which one is in the other.
func (s Set) add(names []string) {
	within, given := s[names[0]]
	switch {
	case len(names) == 1:
		s[names[0]] = nil
	case given && within == nil:
	default:
		if !given {
			within = Set{}
			s[names[0]] = within
		}
		within.add(names[1:])
	}
}

// known reports a path that no event has, with the field that was probably meant.
func known(names []string) error {
	t := reflect.TypeFor[sdk.Event]()
	for i, name := range names {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() == reflect.Map && name != "" {
			t = t.Elem()
			continue
		}
		all := jsonFields(t)
		next, ok := all[name]
		if !ok {
			within := strings.Join(names[:i], ".")
			if len(all) == 0 {
				return fmt.Errorf("%s has no fields; write %s", within, within)
			}
			return fmt.Errorf("%q is no field of %s%s", name, cmp.Or(within, "an event"), suggest(name, all))
		}
		t = next
	}
	return nil
}

// jsonFields are the types of a struct's fields by their names in JSON. What is written
// otherwise than by its fields, such as a time, has none.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return nil
	}
	all := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = f.Type
	}
	return all
}

// suggest names the field that is nearest to an unknown one, if one is near.
func suggest(name string, all map[string]reflect.Type) string {
	best, least := "", 1+len(name)/3
	for field := range all {
		d := distance(name, field)
		if d < least || d == least && (best == "" || field < best) {
			best, least = field, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is Levenshtein's: the letters to insert, delete or replace on the way from a
// to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// Filter is what is left of an event: only some fields if there are any in Only, and none
// of those in Omit.
type Filter struct{ Only, Omit Set }

// Empty reports whether nothing is left out.
func (f Filter) Empty() bool { return len(f.Only)+len(f.Omit) == 0 }

// Apply returns an event without what is left out. Fields keep their order and are
// written as they came, whether this version knows them or not. Without a set it returns
// data itself.
func (f Filter) Apply(data []byte) ([]byte, error) {
	var err error
	if len(f.Only) > 0 {
		if data, err = filtered(data, f.Only, true); err != nil {
			return nil, err
		}
	}
	if len(f.Omit) > 0 {
		if data, err = filtered(data, f.Omit, false); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// filtered keeps the fields of a set, or all others.
func filtered(data []byte, s Set, keep bool) ([]byte, error) {
	var b bytes.Buffer
	if err := write(&b, data, s, keep); err != nil {
		return nil, fmt.Errorf("leave fields of the event out: %w", err)
	}
	return b.Bytes(), nil
}

// write goes into objects and the elements of lists; anything else has no fields, and is
// written as it is.
func write(b *bytes.Buffer, data []byte, s Set, keep bool) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' && data[0] != '[' {
		b.Write(data)
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	b.WriteByte(data[0])
	begin := b.Len()
	for dec.More() {
		end := b.Len()
		if end > begin {
			b.WriteByte(',')
		}
		if data[0] == '[' {
			if err := writeElement(b, dec, s, keep); err != nil {
				return err
			}
			continue
		}
		written, err := writeField(b, dec, s, keep)
		if err != nil {
			return err
		}
		if !written {
			b.Truncate(end)
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	b.WriteByte(data[0] + 2) // the brace or bracket that closes
	return nil
}

func writeElement(b *bytes.Buffer, dec *json.Decoder, s Set, keep bool) error {
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return err
	}
	if len(value) > 0 && value[0] == '[' {
		b.Write(value) // No event has lists of lists, and reading each level anew takes time.
		return nil
	}
	return write(b, value, s, keep)
}

// writeField writes the next field of an object, or reports that it is left out.
func writeField(b *bytes.Buffer, dec *json.Decoder, s Set, keep bool) (written bool, err error) {
	key, err := dec.Token()
	if err != nil {
		return false, err
	}
	name, ok := key.(string)
	if !ok {
		return false, fmt.Errorf("%v is no name of a field", key)
	}
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return false, err
	}
	within, listed := s[name]
	if within == nil && listed != keep {
		return false, nil
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return false, err
	}
	b.Write(quoted)
	b.WriteByte(':')
	if within == nil {
		b.Write(value)
		return true, nil
	}
	return true, write(b, value, within, keep)
}
