package arr_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
	"github.com/hookarr/hookarr/sdk"
)

func TestTolerantTypes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]arr.Name{
		`"Bluray-1080p"`:                      "Bluray-1080p",
		`"caf\u00e9"`:                         "café",
		`{"id":1,"name":"English"}`:           "English",
		`{"quality":{"id":7,"name":"DVD"}}`:   "DVD",
		`{"quality":{"name":{"quality":{}}}}`: "",
		`{"name":7,"quality":{"name":"DVD"}}`: "DVD",
		`null`:                                "",
		`7`:                                   "",
		`[]`:                                  "",
		"\"broken\xff\"":                      "broken\uFFFD",
		`{"Quality":{"name":"B"},"revision":"x"}`: "B",
	} {
		got := arr.Name("before")
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want, got, in)
	}
	for in, want := range map[string]arr.Names{
		`["a","b"]`:                    {"a", "b"},
		`"G_Freeleech, G_Internal"`:    {"G_Freeleech", "G_Internal"},
		`"0"`:                          nil,
		`""`:                           nil,
		`[{"id":1,"name":"English"}]`:  {"English"},
		`[null,1,{},[],"x",""," y\n"]`: {"x", "y"},
		`true`:                         nil,
		`null`:                         nil,
	} {
		got := arr.Names{"before"}
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want, got, in)
	}
	for in, want := range map[string]arr.ID{
		`12`: "12", `"12"`: "12", `"tt0012"`: "tt0012", `0`: "", `"0"`: "", `-1`: "", `null`: "", `{}`: "", `" 7 "`: "7",
	} {
		got := arr.ID("before")
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want, got, in)
	}
	for in, want := range map[string]arr.Printed{
		`12`: "12", `"A1"`: "A1", `0`: "0", `"0"`: "0", `null`: "", `{}`: "", `true`: "", `" 7 "`: "7",
	} {
		got := arr.Printed("before")
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want, got, in)
	}
	for in, want := range map[string]float64{
		`5`: 5, `"5"`: 5, `5.1`: 5.1, `"5.1"`: 5.1, `-3`: -3, `1e999`: 0, `"NaN"`: 0, `"Inf"`: 0, `true`: 0, `null`: 0, `{}`: 0, `""`: 0,
	} {
		got := arr.Number(9)
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.InDelta(t, want, float64(got), 0, in)
	}
	for in, want := range map[string]arr.Bool{
		`true`: true, `"True"`: true, `"true"`: true, `false`: false, `"False"`: false, `1`: false, `null`: false, `{}`: false,
	} {
		got := !want
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want, got, in)
	}
}

func TestNumberIsExact(t *testing.T) {
	t.Parallel()
	require.Equal(t, int64(1<<53), arr.Number(1<<53).Int())
	require.Zero(t, arr.Number(1e300).Int())
	require.Zero(t, arr.Number(-1e300).Int())
	require.Equal(t, int64(-50), arr.Number(-50).Int())
	require.Zero(t, arr.Number(-50).Size())
}

func TestDeletedFiles(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]arr.DeletedFiles{
		`true`:         {Known: true, All: true},
		`false`:        {Known: true},
		`"True"`:       {Known: true, All: true},
		`null`:         {},
		`[]`:           {Known: true},
		`[{"id":"7"}]`: {Known: true, All: true, Files: []arr.File{{ID: "7"}}},
	} {
		var got arr.DeletedFiles
		require.NoError(t, json.Unmarshal([]byte(in), &got), in)
		require.Equal(t, want.Known, got.Known, in)
		require.Equal(t, want.All, got.All, in)
		require.Len(t, got.Files, len(want.Files), in)
		for i, f := range want.Files {
			require.Equal(t, f, got.Files[i], in)
		}
	}
}

func TestListKeepsTenThousand(t *testing.T) {
	t.Parallel()
	const over = 20_000
	values := strings.Repeat(`{"a]":[1,"]\\\"[",{}],"id":1},`, over) + "{}"
	var p struct {
		Files, More arr.List[arr.File]
		Names       arr.Names
		Last        string
	}
	body := `{"files":[` + values + `], "more":[` + values + `],"names":"` + strings.Repeat("a,", over) + `","last":"x"}`
	require.NoError(t, arr.Unmarshal([]byte(body), &p))
	require.Len(t, p.Files, 10_000)
	require.Len(t, p.More, 10_000)
	require.Len(t, p.Names, 10_000)
	require.EqualValues(t, "1", p.Files[9_999].ID)
	require.Equal(t, "x", p.Last)

	broken := strings.Replace(body, "{}]", "{]]", 1)
	require.ErrorContains(t, arr.Unmarshal([]byte(broken), &p), "the body is not JSON")
}

func TestListSurvivesAnOddValue(t *testing.T) {
	t.Parallel()
	var p struct{ Images arr.List[arr.Image] }
	require.NoError(t, arr.Unmarshal([]byte(`{"images":[{"coverType":"poster"},7,{"coverType":["x"],"remoteUrl":"u"}]}`), &p))
	require.Equal(t, arr.List[arr.Image]{{CoverType: "poster"}, {}, {RemoteURL: "u"}}, p.Images)
}

func FuzzLists(f *testing.F) {
	for _, body := range []string{`{"files":[{},{"id":1}]}`, `{"files":["\\\"]", [`, `]`, `"`, `{"a":"\\`, `[[],{}]`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want, got struct{ Files arr.List[arr.File] }
		if json.Unmarshal(body, &want) == nil && len(body) > 0 && body[0] == '{' {
			require.NoError(t, arr.Unmarshal(body, &got))
			require.Equal(t, want, got)
		}
	})
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ folder, relative, full, want string }{
		{"/movies/Dune", "Dune.mkv", "/downloads/x", "/movies/Dune/Dune.mkv"},
		{"/movies/Dune/", "sub/Dune.mkv", "", "/movies/Dune/sub/Dune.mkv"},
		{`C:\Movies\Dune`, "Dune.mkv", "", `C:\Movies\Dune\Dune.mkv`},
		{`\\nas\films\Dune\`, `sub\Dune.mkv`, "", `\\nas\films\Dune\sub\Dune.mkv`},
		{`/movies/AC\DC`, `a\b.mkv`, "", `/movies/AC\DC/a\b.mkv`},
		{"", "Dune.mkv", "/x/Dune.mkv", "/x/Dune.mkv"},
		{"/movies/Dune", "", "/x/Dune.mkv", "/x/Dune.mkv"},
		{"/movies/Dune", "", "", ""},
	} {
		require.Equal(t, tt.want, arr.Path(tt.folder, tt.relative, tt.full))
	}
	for path, want := range map[string]string{
		"/movies/Dune (2021)": "Dune (2021)", "/movies/Dune/": "Dune", `C:\Movies\Dune\`: "Dune", `/m/AC\DC`: `AC\DC`, "": "", "/": "",
	} {
		require.Equal(t, want, arr.Base(path))
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"IndexerStatusCheck": "indexer status check",
		"PTPOldSettings":     "PTP old settings",
		"missingFromDisk":    "missing from disk",
		"manual":             "manual",
		"Some Words":         "some words",
		"Update2Check":       "update2 check",
		"":                   "",
	} {
		require.Equal(t, want, arr.Words(in))
	}
	require.Equal(t, "one line", arr.OneLine(" one\r\n\tline\x00\u202e "))
	require.Equal(t, strings.Repeat("ü", 300)+"…", arr.OneLine(strings.Repeat("ü", 301)))
	require.Equal(t, strings.Repeat("ü", 300), arr.OneLine(strings.Repeat("ü", 300)+" \n"))
	require.Equal(t, "Élan", arr.Capital("élan"))
	require.Equal(t, "24 GiB", arr.Bytes(26091871234))
	require.Empty(t, arr.Bytes(-1))
}

func TestKeys(t *testing.T) {
	t.Parallel()
	require.NotEqual(t, arr.Fingerprint("k", "a", "bc"), arr.Fingerprint("k", "ab", "c"))
	require.NotEqual(t, arr.Fingerprint("a", "x"), arr.Fingerprint("b", "x"))
	require.Len(t, arr.Fingerprint("k", "a"), 32)
	require.Empty(t, arr.Fingerprint("k", "", ""))
	require.Equal(t, "movie:1:file:2", arr.Key("movie", "1", "file", "2"))
	require.Empty(t, arr.Key("download", ""))
	long := arr.Key("download", strings.Repeat("x", 1000))
	require.Regexp(t, "^download:[0-9a-f]{32}$", long)
	require.NotEqual(t, long, arr.Key("download", strings.Repeat("x", 1001)))
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://radarr.example":            "https://radarr.example/movie/1",
		"http://nas:7878/radarr/":           "http://nas:7878/radarr/movie/1",
		"https://user:pass@radarr.example/": "https://radarr.example/movie/1",
		"https://radarr.example/?a=b#c":     "https://radarr.example/movie/1",
		"radarr.example":                    "",
		"/radarr":                           "",
		"javascript:alert(1)":               "",
		"file:///etc/passwd":                "",
		"":                                  "",
		"http://[broken":                    "",
	} {
		require.Equal(t, want, arr.Page(in, "movie", "1"), in)
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		image arr.Image
		want  string
	}{
		{arr.Image{CoverType: "Poster", URL: "/MediaCover/1/poster.jpg", RemoteURL: "https://image.example/p.jpg"}, "https://image.example/p.jpg"},
		{arr.Image{CoverType: "poster", URL: "https://image.example/old.jpg"}, "https://image.example/old.jpg"},
		{arr.Image{CoverType: "poster", URL: "/MediaCover/1/poster.jpg"}, ""},
		{arr.Image{CoverType: "banner", RemoteURL: "https://image.example/b.jpg"}, ""},
	} {
		require.Equal(t, tt.want, arr.Picture([]arr.Image{tt.image}, "poster"))
	}
}

// TestSonarrCanEmbedThePayload is how the other applications use the package: their
// own fields hide the markers of the same name.
func TestSonarrCanEmbedThePayload(t *testing.T) {
	t.Parallel()
	var p struct {
		arr.Payload
		Series struct{ Title string }
	}
	require.NoError(t, arr.Unmarshal([]byte(`{"series":{"title":"Dark"},"eventType":"Grab","instanceName":"Sonarr"}`), &p))
	e, err := p.Event(arr.Sonarr, sdk.Request{}, "")
	require.NoError(t, err)
	require.Equal(t, "Dark", p.Series.Title)
	require.Equal(t, "sonarr", e.App)
	_, err = p.Event(arr.Radarr, sdk.Request{}, "")
	require.EqualError(t, err, "this looks like Sonarr: point it at a source with plugin sonarr")
}
