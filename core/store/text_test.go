package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
)

func TestCleanText(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]string{
		"":                 "",
		"Amélie 🎬":         "Amélie 🎬",
		"a\x00b":           "a\uFFFDb",
		"a\xffb":           "a\uFFFDb",
		"\xff\x00\xf0\x9f": "\uFFFD\uFFFD\uFFFD",
	} {
		require.Equal(t, want, store.CleanText(in))
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("a\x00\xffb")
	f.Fuzz(func(t *testing.T, s string) {
		clean := store.CleanText(s)
		require.True(t, utf8.ValidString(clean))
		require.NotContains(t, clean, "\x00")
		if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
			require.Equal(t, s, clean)
		}
	})
}

func TestShortKey(t *testing.T) {
	t.Parallel()

	require.Equal(t, "id:msg_1", store.ShortKey("id:msg_1"))
	long := "id:" + strings.Repeat("é", 10_000)
	short := store.ShortKey(long)
	require.Less(t, len(short), 256)
	require.True(t, strings.HasPrefix(short, "id:é"))
	require.True(t, utf8.ValidString(short))
	require.NotEqual(t, short, store.ShortKey(long+"x"))
}

func TestStory(t *testing.T) {
	t.Parallel()

	require.Empty(t, store.Story("id:1", "health.issue", "disk"), "a signed id is freed by time alone")
	require.Empty(t, store.Story("fp:1", "health.issue", ""))
	require.Equal(t, store.Story("fp:1", "health.issue", "disk"), store.Story("body:2", "health.issue", "disk"))
	require.NotEqual(t, store.Story("fp:1", "health.issue", "disk"), store.Story("fp:1", "health.issue", "net"))
}
