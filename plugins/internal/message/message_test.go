package message_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

func described(t *testing.T, name string) message.Message {
	t.Helper()
	for _, c := range eventtest.Events() {
		if c.Name == name {
			return message.New(c.Event)
		}
	}
	require.Fail(t, "no such event", name)
	return message.Message{}
}

func values(m message.Message) map[string]string {
	all := map[string]string{}
	for _, f := range m.Fields {
		all[f.Name] = f.Value
	}
	return all
}

func TestEveryTypeHasItsOwnHeadline(t *testing.T) {
	t.Parallel()
	unknown := message.New(sdk.Event{})
	seen := map[string]sdk.Type{}
	for _, typ := range sdk.Types() {
		m := message.New(sdk.Event{Type: typ, Title: "x"})
		require.NotContains(t, seen, m.Headline, "%s and %s look alike", typ, seen[m.Headline])
		seen[m.Headline] = typ
		if typ != sdk.TypeUnknown {
			require.NotEqual(t, unknown.Headline, m.Headline)
			require.NotEqual(t, string(typ), m.Headline, "the type is no headline")
		}
	}
}

func TestUpgradeShowsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	m := described(t, "media_upgraded")
	require.Equal(t, "Movie upgraded", m.Headline)
	got := values(m)
	require.Equal(t, "WEBDL-1080p → Bluray-2160p", got["Quality"])
	require.Equal(t, "8.5 → 64 GiB", got["Size"])
	require.Equal(t, "FraMeSToR", got["Release group"])
	require.Equal(t, "DV HDR10, TrueHD Atmos, Remux Tier 01", got["Custom formats"])
	require.Equal(t, "+7350", got["Score"])
	require.Equal(t, "x265 3840×1600 DV HDR10", got["Video"])
	require.Equal(t, "TrueHD Atmos 7.1 (eng, ger)", got["Audio"])
}

func TestEpisodesInNoOrderAreNamedOnce(t *testing.T) {
	t.Parallel()
	var episodes []sdk.Episode
	for n := range 12 {
		number := 1 + (n*5)%12 // 1, 6, 11, 4, …
		special := 0
		episodes = append(episodes, sdk.Episode{Season: 1, Number: &number}, sdk.Episode{Season: 0, Number: &special})
	}
	m := message.New(sdk.Event{Type: sdk.TypeHealthRestored, Title: "x", Episodes: episodes})
	require.Equal(t, []string{"S00E00", "S01E01–E12"}, m.List)
}

func TestSizesGoToTheNextUnit(t *testing.T) {
	t.Parallel()
	m := message.New(sdk.Event{Type: sdk.TypeMediaImported, Title: "x", Files: []sdk.File{{Path: "/x", SizeBytes: 1<<30 - 1}}})
	require.Equal(t, "1.0 GiB", values(m)["Size"])
}

func TestManyFilesAreCountedNotListed(t *testing.T) {
	t.Parallel()
	m := described(t, "extreme_files")
	require.Len(t, m.List, 11)
	require.Equal(t, "… and 190 more", m.List[10])
	got := values(m)
	require.Equal(t, "200", got["Files"])
	require.Equal(t, "200 TiB", got["Size"])
	require.True(t, strings.HasSuffix(got["Quality"], "Quality-7, +192 more"), got["Quality"])
}

func TestLinksLeadToTheSeries(t *testing.T) {
	t.Parallel()
	m := described(t, "import_completed")
	require.Equal(t, []message.Link{
		{Name: "IMDb", URL: "https://www.imdb.com/title/tt11280740"},
		{Name: "TVDB", URL: "https://thetvdb.com/dereferrer/series/371980"},
		{Name: "TVmaze", URL: "https://www.tvmaze.com/shows/44933"},
	}, m.Links)
}

// A list names episodes by what the title names them by.
func TestListsNameEpisodesAsTitlesDo(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"2026-04-23 A Guest", "2026-04-24 Another Guest"}, described(t, "import_dated").List)
	for want, ep := range map[string]sdk.Episode{
		"S01E12 (12) A Real Hero": {Season: 1, Number: new(12), Code: "S01E12 (12)", Title: "A Real Hero", AirDate: "2023-11-24"},
		"S01E00 Unaired Pilot":    {Season: 1, Number: new(0), Title: "Unaired Pilot", AirDate: "2020-01-05"},
		"S00E03 A Special":        {Number: new(3), Title: "A Special"},
		"2024-07-30 A Scene":      {Season: 2024, Title: "A Scene", AirDate: "2024-07-30"},
		"A Scene":                 {Season: 2024, Title: "A Scene"},
	} {
		m := message.New(sdk.Event{Episodes: []sdk.Episode{ep}})
		require.Equal(t, []string{want}, m.List)
		m = message.New(sdk.Event{Title: "Series " + want, Episodes: []sdk.Episode{ep}})
		require.Empty(t, m.List, "the title has it")
	}
}

func TestRenamesLeaveOutWhatStaysTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, want string }{
		{"/movies/Dune (2024)/a.mkv", "/movies/Dune (2024)/b.mkv", "a.mkv → b.mkv"},
		{"/movies/Dune/a.mkv", "/movies/Dune (2024)/a.mkv", "Dune/a.mkv → Dune (2024)/a.mkv"},
		{`C:\Movies\a.mkv`, `C:\Movies\b.mkv`, "a.mkv → b.mkv"},
		{"/a/b", "/a/b", "b"},
		{"", "/a/b", "/a/b"},
		{"/a/", "/a/", ""},
	} {
		m := message.New(sdk.Event{RenamedFiles: []sdk.Rename{{From: c.from, To: c.to}}})
		require.Equal(t, c.want, strings.Join(m.List, "\n"))
	}
}

func TestHealthSaysWhatIsWrongOnce(t *testing.T) {
	t.Parallel()
	warning := described(t, "health_warning")
	require.Equal(t, "Health warning", warning.Headline)
	require.Empty(t, warning.Summary, "the text has it")
	require.Equal(t, "Indexers unavailable due to failures: Nyx", warning.Text)
	require.Equal(t, []message.Link{{Name: "Wiki", URL: "https://wiki.servarr.com/radarr/system#indexers"}}, warning.Links)
	failure := described(t, "health_error")
	require.Equal(t, "Health error", failure.Headline)
	require.Equal(t, "Missing root folder: /movies", failure.Text)
}

// Old versions and rare events do not say how much of a title they are about.
func TestHeadlinesOfWhatIsNotTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    sdk.Event
		want string
	}{
		{sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{Kind: "series"}}, "Episodes imported"},
		{sdk.Event{Type: sdk.TypeReleaseGrabbed, Media: &sdk.Media{Kind: "author"}}, "Books grabbed"},
		{sdk.Event{Type: sdk.TypeReleaseGrabbed, Media: &sdk.Media{Kind: "artist"}}, "Music grabbed"},
		{sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{Kind: "artist"}, Tracks: make([]sdk.Track, 1)}, "Track imported"},
		{sdk.Event{Type: sdk.TypeMediaImported, Media: &sdk.Media{Kind: "podcast"}}, "Item imported"},
		{sdk.Event{Type: sdk.TypeMediaAdded, Media: &sdk.Media{Kind: "series"}}, "Series added"},
		{sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "AlbumDelete", Media: &sdk.Media{Kind: "artist"}}, "Album deleted"},
		{sdk.Event{Type: sdk.TypeMediaDeleted, NativeType: "ArtistDelete", Media: &sdk.Media{Kind: "artist"}}, "Artist deleted"},
		{sdk.Event{Type: sdk.TypeHealthIssue, Health: &sdk.Health{Level: "notice"}}, "Health notice"},
		{sdk.Event{Type: "shelf.tidied"}, "Shelf tidied"},
		{sdk.Event{Type: sdk.TypeLibraryAvailable}, "Item available on the media server"},
		{sdk.Event{Type: sdk.TypeUnknown}, "Event"},
	} {
		require.Equal(t, c.want, message.New(c.e).Headline)
	}
	m := message.New(sdk.Event{Type: sdk.TypeMediaDeleted, FilesKept: true})
	require.Equal(t, "kept", values(m)["Files"])
}

func TestLinksOfOtherKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, service, id, want string
	}{
		{"author", "goodreads", "38550", "https://www.goodreads.com/author/show/38550"},
		{"book", "goodreads", "8134945", "https://www.goodreads.com/work/8134945"},
		{"book", "goodreads_edition", "7235533", "https://www.goodreads.com/book/show/7235533"},
		{"request", "tvdb", "371980", "https://thetvdb.com/dereferrer/series/371980"},
		{"scene", "stash", "00000000-0000-4000-8000-000000000000", "https://stashdb.org/scenes/00000000-0000-4000-8000-000000000000"},
		{"series", "anilist", "154587", "https://anilist.co/anime/154587"},
	} {
		m := message.New(sdk.Event{Media: &sdk.Media{Kind: c.kind, IDs: map[string]string{c.service: c.id}}})
		require.Len(t, m.Links, 1, c.kind)
		require.Equal(t, c.want, m.Links[0].URL)
	}
}

func TestIdsThatAreNoneMakeNoLinks(t *testing.T) {
	t.Parallel()
	require.Empty(t, described(t, "extreme_injection").Links)
	m := message.New(sdk.Event{Media: &sdk.Media{IDs: map[string]string{"tmdb": "0", "imdb": ""}}})
	require.Empty(t, m.Links)
}

func TestAnyEventHasWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := message.New(eventtest.Any().Draw(t, "event"))
		require.NotEmpty(t, m.Headline)
		require.NotEmpty(t, m.Title)
		texts := []string{m.Headline, m.Title, m.Summary, m.Text, m.Footer}
		for _, f := range m.Fields {
			require.NotEmpty(t, f.Name)
			require.NotEmpty(t, f.Value)
			texts = append(texts, f.Value)
		}
		for _, item := range m.List {
			require.NotEmpty(t, item)
			texts = append(texts, item)
		}
		require.LessOrEqual(t, len(m.List), 11, "one episode at most is drawn")
		for _, s := range texts {
			require.Equal(t, strings.TrimSpace(s), s)
			require.True(t, utf8.ValidString(s))
			require.False(t, strings.ContainsAny(s, "\x00\x07\u202E"))
		}
	})
}

func TestFitCutsAtTheEndOfARune(t *testing.T) {
	t.Parallel()
	escape := func(_, r rune) string {
		if r == '&' {
			return "&amp;"
		}
		return string(r)
	}
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"abcd", 1, "…"},
		{"abcd", 0, ""},
		{"ab cd", 4, "ab…"},
		{"a😀", 3, "a😀"},
		{"a😀b", 3, "a…"},
		{"a😀bc", 4, "a😀…"},
		{"a&b", 7, "a&amp;b"},
		{"a&b", 6, "a…"},
		{"a&bc", 7, "a&amp;…"},
		{"\xff\xfe", 2, "\uFFFD\uFFFD"},
	} {
		require.Equal(t, c.want, message.Fit(c.in, c.limit, escape), "%q in %d", c.in, c.limit)
	}
}

func TestFitNeverExceedsItsLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, limit := rapid.String().Draw(t, "s"), rapid.IntRange(-1, 40).Draw(t, "limit")
		got := message.Fit(s, limit, message.Plain)
		require.LessOrEqual(t, message.Len(got), max(limit, 0))
		require.True(t, utf8.ValidString(got))
		if message.Len(s) <= limit && utf8.ValidString(s) {
			require.Equal(t, s, got)
		}
	})
}

func TestWebURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" https://a.example/b ":                          "https://a.example/b",
		"http://radarr:7878/movie/1?a=b#c":               "http://radarr:7878/movie/1?a=b#c",
		"http://[fd00::1]:7878/":                         "http://[fd00::1]:7878/",
		"https://user:secret@a.example/b":                "https://a.example/b",
		"https://a.example/b c":                          "https://a.example/b%20c",
		"https://a.example/x)[y](z)|<w>\"`\\":            "https://a.example/x%29%5By%5D%28z%29%7C%3Cw%3E%22%60%5C",
		"https://a.example/?q=a|b>c":                     "https://a.example/?q=a%7Cb%3Ec",
		"https://a.example/ü":                            "https://a.example/%C3%BC",
		"/MediaCover/1/poster.jpg":                       "",
		"//a.example/b":                                  "",
		"javascript:alert(1)":                            "",
		"http://":                                        "",
		"http://:80/":                                    "",
		"https://a b.example/":                           "",
		"https://a.example/%zz":                          "",
		"https://a.example/\nb":                          "",
		"https://a.example/" + strings.Repeat("a", 2000): "",
		"": "",
	} {
		require.Equal(t, want, message.WebURL(in), "%q", in)
	}
}
