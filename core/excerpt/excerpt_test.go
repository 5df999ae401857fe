package excerpt_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/excerpt"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "abcd": "abcd", "abcde": "abcd…", "abcéd": "abc…", "\xff\xff\xff\xffx": "…", "ab\n": "ab\n"} {
		require.Equal(t, want, excerpt.Of(text, 4), "%q", text)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"a\r\nb": "a  b", "\x1b[31mred": " [31…", "a\xffb": "ab", "\x00\u0085": "  "} {
		require.Equal(t, want, excerpt.Line(text, 4), "%q", text)
	}
	require.Equal(t, strings.Repeat("é", 2)+"…", excerpt.Line(strings.Repeat("é", 5), 4))
}
