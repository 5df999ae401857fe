package paths_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/core/paths"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// title is one with an id that both sides know.
func title(kind, name, path string) sdk.FolderTitle {
	return sdk.FolderTitle{Kind: kind, Title: name, IDs: map[string]string{"tmdb": name}, Path: path}
}

// titles are some in a folder, with the separator that it has.
func titles(kind, folder, prefix string, n int) []sdk.FolderTitle {
	var all []sdk.FolderTitle
	for i := range n {
		name := fmt.Sprintf("%s %d", prefix, i)
		all = append(all, title(kind, name, pathmap.Join(folder, name)))
	}
	return all
}

func source(name, kind string, roots []string, held ...[]sdk.FolderTitle) paths.Source {
	s := paths.Source{Name: name}
	for _, root := range roots {
		s.Roots = append(s.Roots, sdk.Folder{Path: root, Kind: kind})
	}
	for _, some := range held {
		s.Titles = append(s.Titles, some...)
	}
	return s
}

func library(name, kind, path string) sdk.Folder {
	return sdk.Folder{Path: path, Library: name, Kind: kind}
}

func server(libraries []sdk.Folder, held ...[]sdk.FolderTitle) sdk.Folders {
	f := sdk.Folders{Roots: libraries}
	for _, some := range held {
		f.Titles = append(f.Titles, some...)
	}
	return f
}

func examine(e paths.Evidence) paths.Report {
	e.Target = "plex"
	return paths.Examine(e)
}

func pairs(r paths.Report) []pathmap.Pair {
	var all []pathmap.Pair
	for _, p := range r.Proposed {
		all = append(all, p.Pair)
	}
	return all
}

type libraries = []sdk.Folder

func TestTheMapIsFoundByTitles(t *testing.T) {
	t.Parallel()
	movies, shows := libraries{library("Movies", "movie", "/data/movies")}, libraries{library("Movies", "movie", "/data/movies"), library("Shows", "series", "/data/tv")}
	tests := map[string]struct {
		sources []paths.Source
		server  sdk.Folders
		want    []pathmap.Pair
		verdict paths.Verdict
		agree   int
	}{
		"equal paths": {
			[]paths.Source{source("radarr", "movie", []string{"/data/movies/"}, titles("movie", "/data/movies", "M", 5))},
			server(movies, titles("movie", "/data/movies", "M", 5)), nil, paths.Right, 5,
		},
		"different mounts": {
			[]paths.Source{source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 5))},
			server(movies, titles("movie", "/data/movies", "M", 5)),
			[]pathmap.Pair{{From: "/movies", To: "/data/movies"}},
			paths.Wrong, 5,
		},
		"two applications with mounts of their own": {
			[]paths.Source{
				source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 5)),
				source("sonarr", "series", []string{"/tv"}, titles("series", "/tv", "S", 4)),
			},
			server(shows, titles("movie", "/data/movies", "M", 5), titles("series", "/data/tv", "S", 4)),
			[]pathmap.Pair{{From: "/movies", To: "/data/movies"}, {From: "/tv", To: "/data/tv"}},
			paths.Wrong, 9,
		},
		"one pair for several root folders": {
			[]paths.Source{
				source("radarr", "movie", []string{"/mnt/media/movies"}, titles("movie", "/mnt/media/movies", "M", 5)),
				source("sonarr", "series", []string{"/mnt/media/tv"}, titles("series", "/mnt/media/tv", "S", 4)),
			},
			server(shows, titles("movie", "/data/movies", "M", 5), titles("series", "/data/tv", "S", 4)),
			[]pathmap.Pair{{From: "/mnt/media", To: "/data"}},
			paths.Wrong, 9,
		},
		"a new root folder without titles is reached too": {
			[]paths.Source{source("radarr", "movie", []string{"/mnt/media/movies", "/mnt/media/kids"}, titles("movie", "/mnt/media/movies", "M", 5))},
			server(append(libraries{library("Kids", "movie", "/data/kids")}, movies...), titles("movie", "/data/movies", "M", 5)),
			[]pathmap.Pair{{From: "/mnt/media", To: "/data"}},
			paths.Wrong, 5,
		},
		"a folder of titles elsewhere": {
			[]paths.Source{source("sonarr", "series", []string{"/tv"}, titles("series", "/tv", "S", 6), titles("series", "/tv/anime", "A", 3))},
			server(libraries{library("Shows", "series", "/data/tv"), library("Anime", "series", "/anime")}, titles("series", "/data/tv", "S", 6), titles("series", "/anime", "A", 3)),
			[]pathmap.Pair{{From: "/tv", To: "/data/tv"}, {From: "/tv/anime", To: "/anime"}},
			paths.Wrong, 9,
		},
		"one that is the same and one that is not": {
			[]paths.Source{source("radarr", "movie", []string{"/data/movies", "/data/kids"}, titles("movie", "/data/movies", "M", 5), titles("movie", "/data/kids", "K", 5))},
			server(libraries{library("Movies", "movie", "/data/movies"), library("Kids", "movie", "/kids")}, titles("movie", "/data/movies", "M", 5), titles("movie", "/kids", "K", 5)),
			[]pathmap.Pair{{From: "/data/kids", To: "/kids"}},
			paths.Wrong, 10,
		},
		"Windows and Docker": {
			[]paths.Source{source("radarr", "movie", []string{`D:\Media\Movies\`}, titles("movie", `D:\Media\Movies`, "M", 5))},
			server(movies, titles("movie", "/data/movies", "M", 5)),
			[]pathmap.Pair{{From: `D:\Media\Movies`, To: "/data/movies"}},
			paths.Wrong, 5,
		},
		"Docker and UNC": {
			[]paths.Source{source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 5))},
			server(libraries{library("Movies", "movie", `\\NAS\Media\Movies`)}, titles("movie", `\\NAS\Media\Movies`, "M", 5)),
			[]pathmap.Pair{{From: "/movies", To: `\\NAS\Media\Movies`}},
			paths.Wrong, 5,
		},
		"UNC and drive": {
			[]paths.Source{source("radarr", "movie", []string{`\\nas\media\movies`}, titles("movie", `\\nas\media\movies`, "M", 5))},
			server(libraries{library("Movies", "movie", `M:\`)}, titles("movie", `M:\`, "M", 5)),
			[]pathmap.Pair{{From: `\\nas\media\movies`, To: `M:\`}},
			paths.Wrong, 5,
		},
		"Windows paths in another case are the same": {
			[]paths.Source{source("radarr", "movie", []string{`d:\media\movies`}, titles("movie", `d:\media\movies`, "M", 5))},
			server(libraries{library("Movies", "movie", `D:\Media\Movies`)}, titles("movie", `D:\Media\Movies`, "M", 5)),
			nil, paths.Right, 5,
		},
		"case of folders": {
			[]paths.Source{source("radarr", "movie", []string{"/Media/Movies"}, titles("movie", "/Media/Movies", "M", 5))},
			server(libraries{library("Movies", "movie", "/media/movies")}, titles("movie", "/media/movies", "M", 5)),
			[]pathmap.Pair{{From: "/Media/Movies", To: "/media/movies"}},
			paths.Wrong, 5,
		},
		"instances with the same folder": {
			[]paths.Source{
				source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 5)),
				source("radarr-4k", "movie", []string{"/movies"}, titles("movie", "/movies", "U", 3)),
			},
			server(libraries{library("Movies", "movie", "/data/hd"), library("4K", "movie", "/data/uhd")}, titles("movie", "/data/hd", "M", 5), titles("movie", "/data/uhd", "U", 3)),
			[]pathmap.Pair{{From: "/movies", To: "/data/hd", Source: "radarr"}, {From: "/movies", To: "/data/uhd", Source: "radarr-4k"}},
			paths.Wrong, 8,
		},
		"only what differs has a source": {
			[]paths.Source{
				source("radarr", "movie", []string{"/movies", "/kids"}, titles("movie", "/movies", "M", 5), titles("movie", "/kids", "K", 3)),
				source("radarr-4k", "movie", []string{"/movies"}, titles("movie", "/movies", "U", 3)),
			},
			server(libraries{library("Movies", "movie", "/data/hd"), library("4K", "movie", "/data/uhd"), library("Kids", "movie", "/data/kids")},
				titles("movie", "/data/hd", "M", 5), titles("movie", "/data/uhd", "U", 3), titles("movie", "/data/kids", "K", 3)),
			[]pathmap.Pair{{From: "/kids", To: "/data/kids"}, {From: "/movies", To: "/data/hd", Source: "radarr"}, {From: "/movies", To: "/data/uhd", Source: "radarr-4k"}},
			paths.Wrong, 11,
		},
		"the same movie in two libraries": {
			[]paths.Source{
				source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 5)),
				source("radarr-4k", "movie", []string{"/movies-4k"}, titles("movie", "/movies-4k", "M", 5), titles("movie", "/movies-4k", "U", 1)),
			},
			server(libraries{library("Movies", "movie", "/data/movies"), library("4K", "movie", "/data/movies-4k")},
				titles("movie", "/data/movies", "M", 5), titles("movie", "/data/movies-4k", "M", 5), titles("movie", "/data/movies-4k", "U", 1)),
			[]pathmap.Pair{{From: "/movies", To: "/data/movies"}, {From: "/movies-4k", To: "/data/movies-4k"}},
			paths.Wrong, 11,
		},
		"no title on the server, folders called alike": {
			[]paths.Source{source("radarr", "movie", []string{"/mnt/Movies"}, titles("movie", "/mnt/Movies", "M", 5))},
			server(shows),
			[]pathmap.Pair{{From: "/mnt/Movies", To: "/data/movies"}},
			paths.Unproven, 0,
		},
		"no title on the server, one folder of the kind": {
			[]paths.Source{source("radarr", "movie", []string{"/films"})},
			server(shows),
			[]pathmap.Pair{{From: "/films", To: "/data/movies"}},
			paths.Unproven, 0,
		},
		"nothing to go by": {
			[]paths.Source{source("radarr", "movie", []string{"/films", "/more"})},
			server(shows), nil, paths.Unproven, 0,
		},
		"no source": {nil, server(movies), nil, paths.Unproven, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := examine(paths.Evidence{Sources: test.sources, Server: test.server})
			require.Equal(t, test.want, pairs(r), r.Summary)
			require.Equal(t, test.verdict, r.Verdict, r.Summary)
			require.Equal(t, test.agree, r.Titles.Agree, r.Summary)
			require.NotEmpty(t, r.Summary)
			if test.verdict == paths.Wrong {
				require.Empty(t, r.Disagreements)
				// What is proposed is right once it is in use.
				test.server.Map = pairs(r)
				again := examine(paths.Evidence{Sources: test.sources, Server: test.server})
				require.Equal(t, paths.Right, again.Verdict, again.Summary)
				require.Empty(t, again.Proposed)
				require.Empty(t, again.Problems())
				for _, root := range again.Roots {
					require.NotEmpty(t, root.Library, root.Path)
				}
			}
		})
	}
}

func TestExceptionsAreNamed(t *testing.T) {
	t.Parallel()
	held := titles("movie", "/movies", "M", 20)
	there := titles("movie", "/data/movies", "M", 20)
	there[3].Path = "/data/kids/M 3"               // in another library of the kind
	there[5].Path = "/data/movies/M 5 (2021)"      // under another name
	there[7].Path = "/data/movies/m 7"             // in another case
	there[9].IDs = map[string]string{"tmdb": "no"} // not matched
	r := examine(paths.Evidence{
		Sources: []paths.Source{source("radarr", "movie", []string{"/movies"}, held)},
		Server:  server(libraries{library("Movies", "movie", "/data/movies"), library("Kids", "movie", "/data/kids")}, there),
	})
	require.Equal(t, []pathmap.Pair{{From: "/movies", To: "/data/movies"}}, pairs(r))
	require.Equal(t, paths.Titles{Asked: 20, Found: 19, Agree: 16}, r.Titles)
	require.Equal(t, []paths.Disagreement{
		{Source: "radarr", Title: "M 3", Path: "/movies/M 3", Mapped: "/data/movies/M 3", Server: "/data/kids/M 3", How: "is in library Kids, and the map leads into Movies"},
		{Source: "radarr", Title: "M 5", Path: "/movies/M 5", Mapped: "/data/movies/M 5", Server: "/data/movies/M 5 (2021)", How: "the folder has another name on the server"},
		{Source: "radarr", Title: "M 7", Path: "/movies/M 7", Mapped: "/data/movies/M 7", Server: "/data/movies/m 7", How: "differs in case alone"},
	}, r.Disagreements)
	require.Equal(t, []string{"radarr /movies"}, r.Libraries[0].FedBy)
	require.Empty(t, r.Libraries[1].FedBy, "no root folder leads there")
}

func TestRootFoldersAndLibrariesThatDoNotMeet(t *testing.T) {
	t.Parallel()
	radarr := source("radarr", "movie", []string{"/data/movies", "/data/tv", "/other"}, titles("movie", "/data/movies", "M", 5))
	radarr.Roots = append(radarr.Roots, sdk.Folder{Path: "/DATA/Movies", Kind: "movie"}, sdk.Folder{Path: `\data\movies`, Kind: "movie"},
		sdk.Folder{Path: "/data/movies/gone", Kind: "movie", Problem: "not accessible to Radarr"})
	s := server(libraries{library("Movies", "movie", "/data/movies"), library("Shows", "series", "/data/tv"), {Path: "/data/gone", Kind: "movie", Library: "Movies", Problem: "empty"}},
		titles("movie", "/data/movies", "M", 5))
	radarr.Roots = append(radarr.Roots, sdk.Folder{Path: "/Films", Kind: "movie"})
	s.Map = []pathmap.Pair{{From: "/unrelated", To: "/x"}, {From: "/films", To: "/data/movies"}}
	r := examine(paths.Evidence{Sources: []paths.Source{radarr, {Name: "sonarr", Problem: "no answer"}}, Server: s})
	require.Equal(t, paths.Incomplete, r.Verdict, r.Summary)
	said := map[string]string{}
	for _, root := range r.Roots {
		said[root.Path] = root.Problem
	}
	require.Equal(t, map[string]string{
		"/data/movies": "", "/data/movies/gone": "not accessible to Radarr",
		"/data/tv":     "reaches no library for its kind, as /data/tv is in Shows, which is for series and not movie",
		"/Films":       "reaches no library, as the pair from /films differs from it in case",
		"/other":       "reaches no library, as the server has none in or above /other",
		"/DATA/Movies": "reaches no library, as /DATA/Movies differs from /data/movies in case alone",
		`\data\movies`: "reaches no library, as \\data\\movies differs from /data/movies in its separators alone",
	}, said)
	require.Contains(t, r.Problems(), "source sonarr could not be asked: no answer")
	require.Contains(t, r.Problems(), "root folder /data/movies/gone of radarr: not accessible to Radarr")
	require.Contains(t, r.Problems(), "library folder /data/gone: empty")
	require.Equal(t, []paths.Asked{{Name: "radarr", Titles: 5, Found: 5}, {Name: "sonarr", Problem: "no answer"}}, r.Sources)
}

func TestStoredEventsAreTried(t *testing.T) {
	t.Parallel()
	e := paths.Evidence{
		Sources: []paths.Source{source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 3))},
		Server:  server(libraries{library("Movies", "movie", "/data/movies")}, titles("movie", "/data/movies", "M", 3)),
	}
	for i := range 15 {
		e.Events = append(e.Events, paths.Event{ID: strconv.Itoa(i), Source: "radarr", Path: fmt.Sprintf("/movies/M %d", i)})
	}
	e.Events = append(e.Events, paths.Event{ID: "download", Source: "radarr", Path: "/downloads/M"}, paths.Event{ID: "there", Source: "radarr", Path: "/data/movies/X"})
	e.Events = append(e.Events, e.Events[0])
	e.Events[1].Path = "/movies/M 0" // of the same title
	r := examine(e)
	require.Equal(t, 18, r.Events.Tried)
	require.Equal(t, 17, r.Events.Missed)
	require.Equal(t, 1, r.Events.Then)
	require.Len(t, r.Events.Examples, 10)
	require.Equal(t, "/movies/M 0", r.Events.Examples[0].Mapped)
	require.Equal(t, "/movies/M 2", r.Events.Examples[1].Mapped, "a path is shown once")
}

func TestWhatIsInUseAndNotSpokenOfStays(t *testing.T) {
	t.Parallel()
	e := paths.Evidence{
		Sources: []paths.Source{
			source("radarr", "movie", []string{"/movies"}, titles("movie", "/movies", "M", 3)),
			source("sonarr", "series", []string{"/tv"}),
		},
		Server: server(libraries{library("Movies", "movie", "/data/movies"), library("Series", "series", "/data/series"), library("More", "series", "/data/tv")}, titles("movie", "/data/movies", "M", 3)),
	}
	e.Server.Map = []pathmap.Pair{{From: "/tv", To: "/data/series"}, {From: "/movies", To: "/data/films"}, {From: "/old", To: "/gone"}}
	r := examine(e)
	require.Equal(t, []pathmap.Pair{{From: "/movies", To: "/data/movies"}, {From: "/tv", To: "/data/series"}}, pairs(r))
	require.Equal(t, "3 of 3 titles agree with the proposed map, and 0 with the one in use", r.Summary)
	require.Contains(t, r.Problems(), r.Summary)
	require.Contains(t, r.Trouble(), "titles prove another path map than the one in use")
	require.Equal(t, "map:\n  - {from: '/movies', to: '/data/movies'} # 3 titles are there\n  - {from: '/tv', to: '/data/series'} # is in the map now; no title tells\n", r.YAML)
}

func TestTheYAMLIsReadAsItIsMeant(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{`D:\Media\It's "new"`, "/a/{b}, [c] # d: e", "/a/100% !x &y *z", "/line\nbreak", "/ünï/映画", "/tab\tand\u2028more"} {
		e := paths.Evidence{
			Sources: []paths.Source{source("radarr", "movie", []string{folder}, titles("movie", folder, "M", 3))},
			Server:  server(libraries{library("Movies", "movie", "/m")}, titles("movie", "/m", "M", 3)),
		}
		r := examine(e)
		var got struct {
			Map []struct{ From, To, Source string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(r.YAML), &got), r.YAML)
		require.Len(t, got.Map, 1, r.YAML)
		require.Equal(t, pathmap.Clean(folder), got.Map[0].From)
		require.Equal(t, "/m", got.Map[0].To)
	}
	e := paths.Evidence{
		Sources: []paths.Source{source("radarr", "movie", []string{"/a/${HOME}"}, titles("movie", "/a/${HOME}", "M", 3))},
		Server:  server(libraries{library("Movies", "movie", "/m")}, titles("movie", "/m", "M", 3)),
	}
	require.Contains(t, examine(e).YAML, "from: '/a/$${HOME}'")
}

// TestAnyMapIsFound that places every root folder somewhere.
func TestAnyMapIsFound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]{1,5}`)
		folder := func(label string) string {
			parts := rapid.SliceOfN(name, 1, 3).Draw(t, label)
			return rapid.SampledFrom([]string{"/" + strings.Join(parts, "/"), `D:\` + strings.Join(parts, `\`), `\\` + strings.Join(append([]string{"nas"}, parts...), `\`)}).Draw(t, label+" form")
		}
		var roots []string
		var there []sdk.Folder
		var held, found []sdk.FolderTitle
		for i := range rapid.IntRange(1, 4).Draw(t, "roots") {
			from, to := folder("from"), folder("to")
			overlaps := false
			for j := range roots {
				overlaps = overlaps || pathmap.Under(from, roots[j]) || pathmap.Under(roots[j], from) || pathmap.Under(to, there[j].Path) || pathmap.Under(there[j].Path, to)
			}
			if overlaps {
				continue
			}
			roots, there = append(roots, from), append(there, library("L", "movie", to))
			for n := range 3 {
				id := fmt.Sprintf("Movie %d %d", i, n)
				held, found = append(held, title("movie", id, pathmap.Join(from, id))), append(found, title("movie", id, pathmap.Join(to, id)))
			}
		}
		e := paths.Evidence{Sources: []paths.Source{source("radarr", "movie", roots, held)}, Server: server(there, found)}
		r := examine(e)
		require.Equal(t, len(held), r.Titles.Agree, "%+v", r)
		require.LessOrEqual(t, len(r.Proposed), len(roots))
	})
}
