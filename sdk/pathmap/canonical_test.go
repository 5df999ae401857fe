package pathmap_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/sdk/pathmap"
)

func TestCanonical(t *testing.T) {
	t.Parallel()
	require.Equal(t, "/tv/Show", pathmap.Canonical("/tv//Show/"))
	require.NotEqual(t, pathmap.Canonical("/tv/show"), pathmap.Canonical("/tv/Show"))
	require.Equal(t, pathmap.Canonical(`D:\Media\TV`), pathmap.Canonical("d:/media/tv/"))
	require.Equal(t, pathmap.Canonical(`\\NAS\tv`), pathmap.Canonical("//nas/TV"))
	require.NotEqual(t, pathmap.Canonical("//nas/tv"), pathmap.Canonical("/nas/tv"))
	require.Equal(t, pathmap.Canonical("SMB://nas/tv"), pathmap.Canonical("smb://nas/tv/"))
	require.Equal(t, "../a", pathmap.Canonical("../a"))
}

func TestCanonicalFormsAreEqualAsPathsAre(t *testing.T) {
	t.Parallel()
	path := rapid.Custom(func(t *rapid.T) string {
		begin := rapid.SampledFrom([]string{"/", "//", `\\`, "C:/", `c:\`, "smb://", "SMB://"}).Draw(t, "begin")
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", "b", ".", "", "ſ", "s", "K", "k"}), 0, 4).Draw(t, "names")
		var b strings.Builder
		b.WriteString(begin)
		for i, n := range names {
			if i > 0 {
				b.WriteString(rapid.SampledFrom([]string{"/", `\`}).Draw(t, "separator"))
			}
			b.WriteString(n)
		}
		return b.String()
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := path.Draw(t, "a"), path.Draw(t, "b")
		if a == b && !pathmap.Absolute(a) {
			t.Skip("equals nothing, not even itself")
		}
		require.Equal(t, pathmap.Equal(a, b), pathmap.Canonical(a) == pathmap.Canonical(b), "%q %q", a, b)
	})
}
