package rows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// replacement stands for what not every database can hold in a text.
const replacement = "\uFFFD"

// CanonicalText replaces what not every database can hold.
func CanonicalText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, replacement), "\x00", replacement)
}

// CanonicalJSON returns a JSON value without spaces, its objects ordered by their keys.
func CanonicalJSON(value []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("decode JSON: %w", err)
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(cleaned(v)); err != nil {
		return "", fmt.Errorf("encode JSON: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// cleaned applies CanonicalText to every text of a value.
func cleaned(v any) any {
	switch v := v.(type) {
	case string:
		return CanonicalText(v)
	case []any:
		for i := range v {
			v[i] = cleaned(v[i])
		}
	case map[string]any:
		for key, value := range v {
			if clean := CanonicalText(key); clean != key {
				delete(v, key)
				key = clean
			}
			v[key] = cleaned(value)
		}
	}
	return v
}

// Size is about how many bytes a row takes.
func (r Row) Size() int {
	n := 8 * len(r)
	for _, value := range r {
		switch value := value.(type) {
		case string:
			n += len(value)
		case []byte:
			n += len(value)
		}
	}
	return n
}
