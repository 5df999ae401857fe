package sdk_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestCut(t *testing.T) {
	t.Parallel()
	const text = "aé漢🎬z" // 1, 2, 3, 4 and 1 bytes; the fourth has two units of UTF-16
	for unit, want := range map[sdk.Unit][]string{
		sdk.Runes: {"", "a", "aé", "aé漢", "aé漢🎬", text, text},
		sdk.UTF16: {"", "a", "aé", "aé漢", "aé漢", "aé漢🎬", text, text},
		sdk.Bytes: {"", "a", "a", "aé", "aé", "aé", "aé漢", "aé漢", "aé漢", "aé漢", "aé漢🎬", text, text},
	} {
		for limit, cut := range want {
			require.Equal(t, cut, sdk.Cut(text, limit, unit), "%d of unit %d", limit, unit)
		}
	}
	require.Empty(t, sdk.Cut("x", -1, sdk.Runes))
	require.Equal(t, "a\uFFFD", sdk.Cut("a\xff\xfeb", 2, sdk.Runes))
}

func FuzzCut(f *testing.F) {
	f.Add("aé漢🎬z\xff", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		whole := strings.ToValidUTF8(s, "\uFFFD")
		for unit, length := range map[sdk.Unit]func(string) int{
			sdk.Runes: utf8.RuneCountInString,
			sdk.Bytes: func(s string) int { return len(s) },
			sdk.UTF16: func(s string) int { return len(utf16.Encode([]rune(s))) },
		} {
			got := sdk.Cut(s, limit, unit)
			require.True(t, strings.HasPrefix(whole, got))
			require.LessOrEqual(t, length(got), max(limit, 0))
			if rest := whole[len(got):]; rest != "" {
				_, size := utf8.DecodeRuneInString(rest)
				require.Greater(t, length(whole[:len(got)+size]), limit, "more would fit")
			}
		}
	})
}
