package library

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Field is a value as JSON, and the version of the event that said it.
type Field struct {
	Value json.RawMessage
	Said  Version
}

// Fields are those of a title, a part or a file, by name.
type Fields map[string]Field

// null is a value that was said to be none.
const null = "null"

// Text returns a field of text, or empty.
func (f Fields) Text(name string) string { return Decoded[string](f[name].Value) }

// Raw returns a field's JSON, or nil where there is no value.
func (f Fields) Raw(name string) json.RawMessage {
	if v := f[name].Value; string(v) != null {
		return v
	}
	return nil
}

// Decoded returns what a value is, or zero where it is something else.
func Decoded[T any](raw json.RawMessage) (v T) {
	if len(raw) == 0 {
		return v
	}
	var read T
	if err := json.Unmarshal(raw, &read); err != nil {
		return v
	}
	return read
}

// take takes over what was said later than what is known. It returns the names of the
// fields with another value, in order.
func (f *Fields) take(v Version, said statement) []string {
	var changed []string
	for name, value := range said {
		old := (*f)[name]
		if old.Said >= v {
			continue
		}
		if *f == nil {
			*f = Fields{}
		}
		(*f)[name] = Field{Value: value, Said: v}
		if !bytes.Equal(value, old.Value) && (old.Value != nil || string(value) != null) {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed
}

// forget drops what was said up to a version: of another that had the same row number, since
// an application whose backup was restored gives its numbers once more.
func (f Fields) forget(floor Version) (forgot bool) {
	for name, field := range f {
		if field.Said <= floor {
			delete(f, name)
			forgot = true
		}
	}
	return forgot
}

// MarshalJSON writes the fields by version, since one event mostly said many.
func (f Fields) MarshalJSON() ([]byte, error) {
	by := map[Version]map[string]json.RawMessage{}
	for name, field := range f {
		if by[field.Said] == nil {
			by[field.Said] = map[string]json.RawMessage{}
		}
		by[field.Said][name] = field.Value
	}
	return json.Marshal(by)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Fields) UnmarshalJSON(data []byte) error {
	var by map[Version]map[string]json.RawMessage
	if err := json.Unmarshal(data, &by); err != nil {
		return fmt.Errorf("read fields: %w", err)
	}
	*f = Fields{}
	for v, fields := range by {
		for name, value := range fields {
			(*f)[name] = Field{Value: value, Said: v}
		}
	}
	return nil
}

// statement is what an event says of one thing, by field.
type statement map[string]json.RawMessage

// say adds a value that is there. An absent one says nothing: most events know only part
// of a title.
func (s statement) say(name string, value any) {
	if v := reflect.ValueOf(value); !v.IsValid() || v.IsZero() || (v.Kind() == reflect.Slice && v.Len() == 0) {
		return
	}
	if raw, err := json.Marshal(value); err == nil { // all of it came as JSON
		s[name] = raw
	}
}

// clear says of fields that they have no value, unless they have.
func (s statement) clear(names ...string) {
	for _, name := range names {
		if _, ok := s[name]; !ok {
			s[name] = json.RawMessage(null)
		}
	}
}
