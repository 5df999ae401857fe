package fakearr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// object is a JSON object that keeps the order of its members. Members that are nil
// are left out, as the applications do.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range o {
		if m.value == nil {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		value, err := plainJSON(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Fprintf(&b, "%q:%s", m.name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON encodes v without escaping what only HTML needs escaped.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// indented is how webhooks are written.
func indented(o object) ([]byte, error) {
	plain, err := plainJSON(o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, plain, "", "  ")
	return b.Bytes(), err
}

// text is s, or nothing when it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// list makes nil an empty list.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// each maps a list.
func each[T, R any](s []T, f func(T) R) []R {
	out := make([]R, 0, len(s))
	for _, v := range s {
		out = append(out, f(v))
	}
	return out
}

// exact is a time in a webhook.
func exact(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }

// seconds is a time in the API, which cuts fractions off.
func seconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
