package store

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
)

// FuzzContains finds every part of a text in it, whatever its case.
func FuzzContains(f *testing.F) {
	f.Add("before ", "AMÉLIE ſK", " after")
	f.Add("\xff", "日本", "\xc3")
	f.Fuzz(func(t *testing.T, before, word, after string) {
		before, word = strings.ToValidUTF8(before, ""), strings.ToValidUTF8(word, "")
		text := []byte(before + word + after)
		require.True(t, newWord(word).in(text))
		require.True(t, newWord(string(text)).in(text))
	})
}

// FuzzHasFields reads what a decoder has stored.
func FuzzHasFields(f *testing.F) {
	f.Add([]byte(`{"media":{"title":"Dune","":[{"a":1e3}]}}`), "media.title", "dune")
	f.Add([]byte(`{"":{}}`), "", "")
	f.Add([]byte(`[[[`), "a..b", "")
	f.Fuzz(func(t *testing.T, object []byte, path, value string) {
		if hasFields(object, []Field{{Path: path, Value: value}}) {
			require.NoError(t, json.NewDecoder(bytes.NewReader(object)).Decode(new(any)))
		}
	})
}

// FuzzPrefixRange holds the range of a prefix to the ids that begin with it.
func FuzzPrefixRange(f *testing.F) {
	f.Add("019a0000-0")
	f.Add("F")
	f.Fuzz(func(t *testing.T, prefix string) {
		first, last, ok := event.PrefixRange(prefix)
		if !ok {
			return
		}
		digits := strings.ReplaceAll(strings.ToLower(prefix), "-", "")
		for _, id := range []uuid.UUID{first, last} {
			require.True(t, strings.HasPrefix(strings.ReplaceAll(id.String(), "-", ""), digits))
		}
		require.LessOrEqual(t, strings.Compare(first.String(), last.String()), 0)
	})
}

func TestHasFields(t *testing.T) {
	t.Parallel()

	object := []byte(`{"media":{"title":"Dune","year":2021,"tags":["a","B"]},"episodes":[{"season":1},{"season":2}],"url":null,"upgrade":false}`)
	for field, want := range map[Field]bool{
		{"media.title", "DUNE"}: true, {"media.year", "2021"}: true, {"media.tags", "b"}: true, {"episodes.season", "2"}: true, {"upgrade", "false"}: true,
		{"media.title", "Du"}: false, {"media", ""}: false, {"url", ""}: false, {"url", "<nil>"}: false, {"episodes", "1"}: false, {"none", ""}: false, {"", ""}: false,
		{"media.title.x", "Dune"}: false,
	} {
		require.Equal(t, want, hasFields(object, []Field{field}), "%v", field)
		require.False(t, hasFields(object[:len(object)-1], []Field{field}), "cut")
	}
}
