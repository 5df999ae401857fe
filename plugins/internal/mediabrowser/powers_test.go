package mediabrowser_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/jellyfin"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/plugins/internal/mediaserver"
	"github.com/hookarr/hookarr/sdk"
)

func TestATestLooksAndDoesNothing(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		version := map[string]string{"jellyfin": "Jellyfin 12.0.0", "emby": "Emby 4.9.1.80"}[brand.Kind]
		receipt, err := b.target.Test(t.Context(), delivery(sdk.Event{Type: sdk.TypeTest}))
		require.NoError(t, err)
		require.Equal(t, version+` on media; libraries: "Shows" (/data/tv), "Movies" (/data/movies), "Music" (/data/music)`, receipt.Excerpt)
		require.Equal(t, `/data/music of the library "Music": not seen by the server`, receipt.Fallback)
		require.Empty(t, b.fake.Refreshes())

		anchored := setup(t, brand, change{config: func(c *mediabrowser.Config) { c.Anchors = []string{"/data/.mounted"} }})
		_, err = anchored.target.Test(t.Context(), delivery(sdk.Event{Type: sdk.TypeTest}))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassMisconfigured, class)
		require.ErrorContains(t, err, "anchor /data/.mounted")

		empty := setup(t, brand, change{server: func(s *jellyfin.Settings) { s.Libraries = nil }})
		_, err = empty.target.Test(t.Context(), delivery(sdk.Event{Type: sdk.TypeTest}))
		require.ErrorContains(t, err, "has no libraries")
	})
}

func TestOptionsAreTheLibraries(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{config: func(c *mediabrowser.Config) { c.Libraries = []string{"Shows"} }})
		found, err := b.target.Options(t.Context(), "libraries")
		require.NoError(t, err)
		require.Equal(t, []sdk.Option{
			{Value: "Shows", Label: "series in /data/tv"}, {Value: "Movies", Label: "movie in /data/movies"}, {Value: "Music", Label: "artist in /data/music"},
		}, found)
	})
}

func TestFoldersOfTitlesAreFoundByIDs(t *testing.T) {
	t.Parallel()
	brands(t, func(t *testing.T, brand mediabrowser.Brand) {
		b := setup(t, brand, change{})
		found, err := b.target.Folders(t.Context(), sdk.FoldersQuery{Titles: []sdk.FolderTitle{
			{Kind: "series", Title: "Fargo", Year: 2014, IDs: map[string]string{"tvdb": "269613"}, Path: "/tv/Fargo (2014)"},
			{Kind: "series", Title: "Fargo", Year: 2014, IDs: map[string]string{"tvdb": "1"}, Path: "/tv/Fargo (2014)"},
			{Kind: "movie", Title: "Der Wüstenplanet", Year: 2021, IDs: map[string]string{"imdb": "tt1160419"}, Path: "/movies/Dune (2021)"},
			{Kind: "movie", Title: "Nothing", Year: 2021, IDs: map[string]string{"imdb": "tt2"}},
		}})
		require.NoError(t, err)
		require.Equal(t, []sdk.Folder{
			{Path: "/data/tv", Library: "Shows", Kind: "series"},
			{Path: "/data/movies", Library: "Movies", Kind: "movie"},
			{Path: "/data/music", Library: "Music", Kind: "artist", Problem: "not seen by the server"},
		}, found.Roots)
		var paths []string
		for _, title := range found.Titles {
			paths = append(paths, title.Path)
		}
		require.Equal(t, []string{"/data/tv/Fargo (2014)", "/data/movies/Dune (2021)"}, paths)
		require.Len(t, found.Map, 3)
	})
}

func TestScopes(t *testing.T) {
	t.Parallel()
	l := mediaserver.Library{Roots: []string{"/data/tv", "/data/tv/anime", `D:\Media`}}
	for name, tc := range map[string]struct {
		c    mediaserver.Change
		want string
	}{
		"an episode":              {mediaserver.Change{Path: "/data/tv/A/Season 1/a.mkv", Title: mediaserver.Title{Kind: "series", Path: "/data/tv/A"}}, "/data/tv/A"},
		"in a nested folder":      {mediaserver.Change{Path: "/data/tv/x/A/Season 1/a.mkv", Title: mediaserver.Title{Kind: "series", Path: "/data/tv/x/A"}}, "/data/tv/x/A"},
		"in a nested root":        {mediaserver.Change{Path: "/data/tv/anime/A/a.mkv", Title: mediaserver.Title{Kind: "series", Path: "/data/tv/anime/A"}}, "/data/tv/anime/A"},
		"of no known folder":      {mediaserver.Change{Path: "/data/tv/A/Season 1/a.mkv", Title: mediaserver.Title{Kind: "series"}}, "/data/tv/A"},
		"the series":              {mediaserver.Change{Path: "/data/tv/A", Folder: true, Gone: true, Title: mediaserver.Title{Kind: "series", Path: "/data/tv/A"}}, "/data/tv/A"},
		"a file in the root":      {mediaserver.Change{Path: "/data/tv/a.mkv", Title: mediaserver.Title{Kind: "series"}}, "/data/tv"},
		"the series is elsewhere": {mediaserver.Change{Path: "/data/tv/A/a.mkv", Title: mediaserver.Title{Kind: "series", Path: "/tv/A"}}, "/data/tv/A"},
		"a movie":                 {mediaserver.Change{Path: "/data/tv/A/a.mkv", Title: mediaserver.Title{Kind: "movie", Path: "/data/tv/A"}}, "/data/tv"},
		"Windows":                 {mediaserver.Change{Path: `D:\Media\A\S1\a.mkv`, Title: mediaserver.Title{Kind: "series"}}, `D:\Media\A`},
	} {
		require.Equal(t, tc.want, (*mediabrowser.Server)(nil).Scope(l, tc.c), name)
	}
}
