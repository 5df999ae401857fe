package pathmap_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/sdk/internal/config"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

func mapOf(t require.TestingT, pairs ...pathmap.Pair) pathmap.Map {
	m, err := pathmap.New(pairs)
	require.NoError(t, err)
	return m
}

func TestApplyAndInverse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pairs     []pathmap.Pair
		path, out string
		unmatched bool
	}{
		"a folder inside":         {[]pathmap.Pair{{From: "/tv", To: "/data/media/tv"}}, "/tv/Dark/Season 01", "/data/media/tv/Dark/Season 01", false},
		"the folder itself":       {[]pathmap.Pair{{From: "/tv", To: "/data/media/tv"}}, "/tv", "/data/media/tv", false},
		"no match in a name":      {[]pathmap.Pair{{From: "/mnt/media", To: "/data"}}, "/mnt/mediabackup/x", "/mnt/mediabackup/x", true},
		"no match in the middle":  {[]pathmap.Pair{{From: "/tv", To: "/data/tv"}}, "/mnt/tv/x", "/mnt/tv/x", true},
		"above the folder":        {[]pathmap.Pair{{From: "/mnt/media", To: "/data"}}, "/mnt", "/mnt", true},
		"longest first":           {[]pathmap.Pair{{From: "/m", To: "/a"}, {From: "/m/tv/x", To: "/c"}, {From: "/m/tv", To: "/b"}}, "/m/tv/Dark", "/b/Dark", false},
		"separators at the end":   {[]pathmap.Pair{{From: "/tv/", To: "/data//tv/"}}, "/tv//Dark/", "/data/tv/Dark", false},
		"from the root":           {[]pathmap.Pair{{From: "/", To: "/mnt/nas"}}, "/tv/Dark", "/mnt/nas/tv/Dark", false},
		"to the root":             {[]pathmap.Pair{{From: "/data", To: "/"}}, "/data/tv", "/tv", false},
		"POSIX minds case":        {[]pathmap.Pair{{From: "/TV", To: "/data"}}, "/tv/Dark", "/tv/Dark", true},
		"POSIX names have \\":     {[]pathmap.Pair{{From: "/tv", To: "/data"}}, `/tv/AC\DC`, `/data/AC\DC`, false},
		"drive to POSIX":          {[]pathmap.Pair{{From: `D:\Media\TV`, To: "/media/tv"}}, `d:\media\tv\Dark\Season 01`, "/media/tv/Dark/Season 01", false},
		"drive with slashes":      {[]pathmap.Pair{{From: `D:\Media`, To: "/media"}}, "D:/Media/Dark", "/media/Dark", false},
		"drive root":              {[]pathmap.Pair{{From: `D:\`, To: "/d"}}, `D:\Dark`, "/d/Dark", false},
		"to a drive":              {[]pathmap.Pair{{From: "/tv", To: "E:"}}, "/tv/Dark/Season 01", `E:\Dark\Season 01`, false},
		"to a drive with slashes": {[]pathmap.Pair{{From: "/tv", To: "E:/TV"}}, "/tv/Dark", "E:/TV/Dark", false},
		"UNC to drive":            {[]pathmap.Pair{{From: `\\NAS\Media`, To: `Z:\`}}, `\\nas\media\TV\Dark`, `Z:\TV\Dark`, false},
		"UNC with slashes":        {[]pathmap.Pair{{From: "//nas/media", To: "/m"}}, `\\NAS\media\x`, "/m/x", false},
		"to UNC":                  {[]pathmap.Pair{{From: "/movies", To: `\\nas\movies`}}, "/movies/Dune (2024)", `\\nas\movies\Dune (2024)`, false},
		"to an address":           {[]pathmap.Pair{{From: "/movies", To: "smb://nas/movies/"}}, "/movies/Dune", "smb://nas/movies/Dune", false},
		"from an address":         {[]pathmap.Pair{{From: "smb://nas/movies", To: "/m"}}, "SMB://nas/movies/Dune", "/m/Dune", false},
		"relative":                {[]pathmap.Pair{{From: "/", To: "/x"}}, "tv/Dark", "tv/Dark", true},
		"escape":                  {[]pathmap.Pair{{From: "/tv", To: "/data"}}, "/tv/../etc", "/tv/../etc", true},
		"another form":            {[]pathmap.Pair{{From: "/nas/tv", To: "/data"}}, `\\nas\tv\x`, `\\nas\tv\x`, true},
		"no pairs":                {nil, "/tv//Dark/", "/tv//Dark/", true},
		"of another source":       {[]pathmap.Pair{{From: "/tv", To: "/data", Source: "sonarr-4k"}}, "/tv/x", "/tv/x", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mapOf(t, test.pairs...)
			got, ok := m.Apply(test.path)
			require.Equal(t, test.out, got)
			require.Equal(t, !test.unmatched, ok)
			if ok {
				back, ok := m.Inverse(got)
				require.True(t, ok)
				require.True(t, pathmap.Equal(test.path, back), back)
			}
		})
	}
}

func TestMapsOfSources(t *testing.T) {
	t.Parallel()
	m := mapOf(t, pathmap.Pair{From: "/tv", To: "/all"}, pathmap.Pair{From: "/tv", To: "/4k", Source: "sonarr-4k"}, pathmap.Pair{From: "/tv/kids", To: "/kids"})
	for source, want := range map[string]string{"": "/all/x", "sonarr": "/all/x", "sonarr-4k": "/4k/x"} {
		got, _ := m.For(source).Apply("/tv/x")
		require.Equal(t, want, got, source)
	}
	got, _ := m.For("sonarr-4k").Apply("/tv/kids/x")
	require.Equal(t, "/kids/x", got, "the longest folder counts, whoever it is for")
	got, _ = m.For("sonarr-4k").For("sonarr").Apply("/tv/x")
	require.Equal(t, "/all/x", got)
	got, ok := m.For("sonarr").Inverse("/4k/x")
	require.False(t, ok)
	require.Equal(t, "/4k/x", got)
}

func TestPairsAreTidied(t *testing.T) {
	t.Parallel()
	m := mapOf(t, pathmap.Pair{From: "/tv//x/./", To: `D:\TV\`, Source: "s"}, pathmap.Pair{From: `\\nas\`, To: "/"})
	require.Equal(t, []pathmap.Pair{{From: "/tv/x", To: `D:\TV`, Source: "s"}, {From: `\\nas`, To: "/"}}, m.Pairs())
	var none pathmap.Map
	require.Empty(t, none.Pairs())
	_, ok := none.For("s").Apply("/tv")
	require.False(t, ok)
}

func TestProblemsNameTheKey(t *testing.T) {
	t.Parallel()
	const whole = `must be a whole path, such as /media/tv, D:\Media\TV or \\nas\tv`
	tests := map[string]struct {
		pairs []pathmap.Pair
		want  []string
	}{
		"empty":    {[]pathmap.Pair{{From: "", To: " "}}, []string{"map[0].from: must not be empty", "map[0].to: must not be empty"}},
		"relative": {[]pathmap.Pair{{From: "tv", To: "./x"}}, []string{"map[0].from: " + whole, "map[0].to: " + whole}},
		"drive alone as a name": {[]pathmap.Pair{{From: "D:TV", To: "DD:/TV"}, {From: `\\`, To: "/"}}, []string{
			"map[0].from: " + whole, "map[0].to: " + whole, "map[1].from: " + whole,
		}},
		"dots":              {[]pathmap.Pair{{From: "/tv/../x", To: "/x"}}, []string{"map[0].from: must be without .."}},
		"spaces":            {[]pathmap.Pair{{From: "/tv ", To: "/x", Source: " s"}}, []string{"map[0].from: has spaces around it", "map[0].source: has spaces around it"}},
		"twice":             {[]pathmap.Pair{{From: "/tv", To: "/x"}, {From: "/m", To: "/m"}, {From: "/tv/", To: "/y"}}, []string{"map[2].from: is that of map[0] too; remove one of them"}},
		"twice in any case": {[]pathmap.Pair{{From: `D:\TV`, To: "/x"}, {From: "d:/tv", To: "/y"}}, []string{"map[1].from: is that of map[0] too; remove one of them"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pathmap.New(test.pairs)
			require.EqualError(t, err, strings.Join(test.want, "\n"))
		})
	}
	mapOf(t, pathmap.Pair{From: "/tv", To: "/x"}, pathmap.Pair{From: "/tv", To: "/y", Source: "s"}, pathmap.Pair{From: "/TV", To: "/z"})
}

func TestPaths(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ clean, dir, base string }{
		"/tv//Dark/":          {"/tv/Dark", "/tv", "Dark"},
		"/":                   {"/", "/", ""},
		"///":                 {"/", "/", ""},
		"//":                  {"/", "/", ""},
		"/tv":                 {"/tv", "/", "tv"},
		`D:\TV\Dark`:          {`D:\TV\Dark`, `D:\TV`, "Dark"},
		`D:\TV`:               {`D:\TV`, `D:\`, "TV"},
		"D:":                  {`D:\`, `D:\`, ""},
		"d:/":                 {"d:/", "d:/", ""},
		`\\nas\tv\Dark`:       {`\\nas\tv\Dark`, `\\nas\tv`, "Dark"},
		`\\nas`:               {`\\nas`, `\\nas`, ""},
		"smb://nas/tv/Dark/":  {"smb://nas/tv/Dark", "smb://nas/tv", "Dark"},
		"smb://nas":           {"smb://nas", "smb://nas", ""},
		"tv/Dark/":            {"tv/Dark/", "tv/Dark/", ""},
		"":                    {"", "", ""},
		`/tv/What? \ Why://x`: {`/tv/What? \ Why:/x`, `/tv/What? \ Why:`, "x"},
	}
	for path, want := range tests {
		require.Equal(t, want.clean, pathmap.Clean(path), path)
		require.Equal(t, want.dir, pathmap.Dir(path), path)
		require.Equal(t, want.base, pathmap.Base(path), path)
		require.Equal(t, path != "" && path != "tv/Dark/", pathmap.Absolute(path), path)
	}
	require.Equal(t, "/tv/Dark/Season 01", pathmap.Join("/tv/", "Dark", "Season 01/"))
	require.Equal(t, `D:\TV\Dark\Season 01`, pathmap.Join(`D:\TV`, `Dark\Season 01`))
	require.Equal(t, `/tv/AC\DC`, pathmap.Join("/tv", `AC\DC`))
	require.Equal(t, "tv/Dark", pathmap.Join("tv", "Dark"))

	require.True(t, pathmap.Under("/mnt/media/x", "/mnt/media/"))
	require.True(t, pathmap.Under("/mnt/media", "/mnt/media"))
	require.False(t, pathmap.Under("/mnt/mediabackup", "/mnt/media"))
	require.False(t, pathmap.Under("/mnt", "/mnt/media"))
	require.True(t, pathmap.Under(`\\NAS\tv\x`, "//nas/TV"))
	require.False(t, pathmap.Under("", ""))
	require.True(t, pathmap.Equal(`D:\TV\`, "d:/tv"))
	require.False(t, pathmap.Equal("/TV", "/tv"))
	require.False(t, pathmap.Equal("/a/..", "/a/.."))
}

func TestCutSuffix(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b         string
		fold         bool
		restA, restB string
		shared       int
	}{
		"mounts":             {"/tv/Dark", "/data/media/tv/Dark", false, "/", "/data/media", 2},
		"nothing":            {"/tv/Dark", "/tv/dark", false, "/tv/Dark", "/tv/dark", 0},
		"fold":               {"/TV/Dark", "/data/tv/dark", true, "/", "/data", 2},
		"Windows folds":      {`D:\TV\Dark`, "/data/tv/dark", false, `D:\`, "/data", 2},
		"drives stay":        {`D:\TV`, `D:\TV`, false, `D:\`, `D:\`, 1},
		"servers stay":       {`\\nas\tv`, "/nas/tv", false, `\\nas`, "/nas", 1},
		"whole components":   {"/tv/Dark", "/x/The Dark", false, "/tv/Dark", "/x/The Dark", 0},
		"nothing to compare": {"tv/Dark", "/tv/Dark", false, "tv/Dark", "/tv/Dark", 0},
	}
	for name, test := range tests {
		a, b, n := pathmap.CutSuffix(test.a, test.b, test.fold)
		require.Equal(t, []any{test.restA, test.restB, test.shared}, []any{a, b, n}, name)
	}
}

// roots are drawn in every form.
func roots() *rapid.Generator[string] {
	name := rapid.StringMatching(`[A-Za-z0-9]{1,4}`)
	names := rapid.SliceOfN(name, 1, 4)
	return rapid.Custom(func(t *rapid.T) string {
		parts := names.Draw(t, "parts")
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			return "/" + strings.Join(parts, "/")
		case 1:
			return `D:\` + strings.Join(parts, `\`)
		case 2:
			return `\\` + strings.Join(parts, `\`)
		default:
			return "smb://" + strings.Join(parts, "/")
		}
	})
}

func TestApplyThenInverseIsTheSamePath(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// The folders of a server lie in none of another: else several paths go to one.
		var pairs []pathmap.Pair
		for range rapid.IntRange(1, 5).Draw(t, "pairs") {
			p := pathmap.Pair{From: roots().Draw(t, "from"), To: roots().Draw(t, "to")}
			if !slices.ContainsFunc(pairs, func(q pathmap.Pair) bool {
				return pathmap.Equal(p.From, q.From) || pathmap.Under(p.To, q.To) || pathmap.Under(q.To, p.To)
			}) {
				pairs = append(pairs, p)
			}
		}
		m := mapOf(t, pairs...)
		in := rapid.SampledFrom(pairs).Draw(t, "in")
		at := pathmap.Join(in.From, rapid.SliceOfN(rapid.StringMatching(`[A-Za-z0-9 .'()]{0,6}[a-z]`), 0, 4).Draw(t, "rest")...)
		there, ok := m.Apply(at)
		require.True(t, ok, "%s is in %s", at, in.From)
		back, ok := m.Inverse(there)
		require.True(t, ok, there)
		require.True(t, pathmap.Equal(at, back), "%s became %s and %s", at, there, back)
	})
}

func TestNoPrefixMatchesInsideAName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := roots().Draw(t, "from")
		at := from + rapid.StringMatching(`[A-Za-z0-9 _-]{1,5}`).Draw(t, "more")
		require.False(t, pathmap.Under(at, from), "%s under %s", at, from)
		got, ok := mapOf(t, pathmap.Pair{From: from, To: "/to"}).Apply(at)
		require.False(t, ok, "%s in %s", at, from)
		require.Equal(t, at, got)
	})
}

func FuzzPaths(f *testing.F) {
	for _, seed := range []string{"/tv", `D:\TV`, `\\nas\tv`, "//nas/tv", "smb://nas/tv", "", "..", "C:", "x:y", "/a/../b", "\x00/", "///"} {
		f.Add(seed, "/tv/Dark")
	}
	f.Fuzz(func(t *testing.T, from, at string) {
		clean := pathmap.Clean(at)
		require.Equal(t, clean, pathmap.Clean(clean), "a clean path stays as it is")
		if pathmap.Absolute(at) {
			require.True(t, pathmap.Absolute(clean), clean)
			dir := pathmap.Dir(at)
			if base := pathmap.Base(at); base != "" {
				require.Equal(t, clean, pathmap.Join(dir, base))
			}
		}
		m, err := pathmap.New([]pathmap.Pair{{From: from, To: "/to/here"}})
		if err != nil {
			return
		}
		got, ok := m.Apply(at)
		require.Equal(t, pathmap.Under(at, from), ok)
		if !ok {
			require.Equal(t, at, got)
			return
		}
		require.True(t, pathmap.Under(got, "/to/here"), got)
	})
}

type settings struct {
	URL string         `json:"url" hookarr:"required"`
	Map []pathmap.Pair `json:"map" doc:"Where the server has the folders of applications."`
}

func (s *settings) Validate() error {
	_, err := pathmap.New(s.Map)
	return err
}

func TestPairsAreConfigured(t *testing.T) {
	t.Parallel()
	schema, err := config.Of(reflect.TypeFor[settings]())
	require.NoError(t, err)
	var s settings
	require.Empty(t, schema.Decode([]byte(`{"url":"u","map":[{"from":"/tv","to":"/data/tv"},{"from":"/tv","to":"/x","source":"sonarr-4k"}]}`), &s))
	require.Equal(t, []pathmap.Pair{{From: "/tv", To: "/data/tv"}, {From: "/tv", To: "/x", Source: "sonarr-4k"}}, s.Map)
	for given, want := range map[string]config.Problem{
		`[{"from":"/tv"}]`:                                         {Key: "map[0].to", Message: "is required"},
		`[{"from":"/tv","to":""}]`:                                 {Key: "map[0].to", Message: "must not be empty"},
		`[{"form":"/tv","from":"/tv","to":"/x"}]`:                  {Key: "map[0].form", Message: "is an unknown key; did you mean from?"},
		`[{"from":"/tv","to":"/x"},{"from":"/tv//","to":"/data"}]`: {Key: "map[1].from", Message: "is that of map[0] too; remove one of them"},
	} {
		require.Equal(t, []config.Problem{want}, schema.Decode([]byte(`{"url":"u","map":`+given+`}`), &settings{}), given)
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, root, want string }{
		{"/tv/Show//a.mkv", "/tv/", "Show/a.mkv"},
		{"/tv", "/tv", ""},
		{"/tv/a", "/", "tv/a"},
		{`d:\TV\Show\a.mkv`, `D:/tv`, `Show\a.mkv`},
		{`C:\k\a`, "C:\\\u212a", "a"},
		{`C:\k`, "C:\\\u212a", ""},
		{"smb://nas/tv/a", "SMB://nas/tv", "a"},
	} {
		got, ok := pathmap.Within(c.path, c.root)
		require.True(t, ok, c)
		require.Equal(t, c.want, got, c)
	}
	for _, c := range [][2]string{{"/tv2", "/tv"}, {"/tv/../a", "/tv"}, {"a", ""}} {
		_, ok := pathmap.Within(c[0], c[1])
		require.False(t, ok, c)
	}
}
