package process

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxRecord bounds one record of the log with the end of its line, in bytes. A host cuts
// longer lines, and half a record is none.
const maxRecord = 16<<10 - 1

// Bounded returns a writer for a log of JSON that makes records fit which are too long
// for a host. Each Write is one record. What must not be shown is replaced before: the
// half of a secret is not known any more.
func Bounded(w io.Writer) io.Writer { return boundedWriter{w} }

type boundedWriter struct{ to io.Writer }

func (w boundedWriter) Write(p []byte) (int, error) {
	record := p
	if len(record) > maxRecord {
		record = shorten(record)
	}
	if _, err := w.to.Write(record); err != nil {
		return 0, err
	}
	return len(p), nil
}

// shorten returns a record with all that fits: level and message first, and of each value
// no more than half of the room that is left.
func shorten(record []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(record, &fields) != nil {
		return append(bytes.Clone(record[:maxRecord-1]), '\n')
	}
	var b bytes.Buffer
	b.WriteString(`{"truncated":true`)
	first := []string{"@level", "@message", "@timestamp"}
	rest := slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(key string) bool { return slices.Contains(first, key) })
	for _, key := range append(first, rest...) {
		name, err := json.Marshal(key)
		room := maxRecord - b.Len() - len(name) - len(",:}\n")
		if value, ok := fields[key]; err == nil && ok && room >= 4 {
			b.WriteByte(',')
			b.Write(name)
			b.WriteByte(':')
			b.Write(shortenValue(value, room/2))
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// shortenValue returns a value, or the beginning of its text, in limit bytes of JSON: two
// or more.
func shortenValue(value json.RawMessage, limit int) json.RawMessage {
	if len(value) <= limit {
		return value
	}
	text := string(value)
	_ = json.Unmarshal(value, &text)          // what is no string is cut as JSON
	for size := limit; ; size -= size/4 + 1 { // a character may take six bytes of JSON
		text = cut(text, size)
		if short, err := json.Marshal(text); err != nil || len(short) <= limit || text == "" {
			return short
		}
	}
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit = max(limit, 0); limit > 0 && !utf8.RuneStart(s[limit]); {
		limit--
	}
	return strings.ToValidUTF8(s[:limit], "\uFFFD")
}
