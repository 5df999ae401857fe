package route_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/route"
	"github.com/hookarr/hookarr/sdk"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func imported() *sdk.Event {
	return &sdk.Event{
		ID: "0197a2c4-5b1e-7c3a-9d2f-1a2b3c4d5e6f", Source: "radarr-4k", Origin: sdk.OriginWebhook, App: "radarr",
		Time: time.Date(2026, 11, 23, 22, 15, 0, 0, time.UTC), Type: sdk.TypeMediaImported, Title: "Arrival (2016)",
		Media: &sdk.Media{Kind: "movie", Title: "Arrival", Year: 2016, Tags: []string{"4k", "kids"}, IDs: map[string]string{"tmdb": "329865"}},
		Files: []sdk.File{{SizeBytes: 41_000_000_000, Quality: "Bluray-2160p", Languages: []string{"English"}}},
	}
}

func targets(t *testing.T, routes []config.Route, source string, e *sdk.Event) []string {
	t.Helper()
	table, err := route.New(routes)
	require.NoError(t, err)
	normalized, err := json.Marshal(e)
	require.NoError(t, err)
	var got []string
	for _, m := range table.Match(source, e, normalized) {
		got = append(got, m.Target)
	}
	return got
}

func TestMatchTypes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		globs []string
		typ   sdk.Type
		want  bool
	}{
		{"none is all", nil, sdk.TypeMediaImported, true},
		{"none is not test", nil, sdk.TypeTest, false},
		{"none is not unknown", nil, sdk.TypeUnknown, false},
		{"star is all", []string{"*"}, sdk.TypeHealthIssue, true},
		{"star is types to come", []string{"*"}, "media.polished", true},
		{"star is not test", []string{"*"}, sdk.TypeTest, false},
		{"star is not unknown", []string{"*"}, sdk.TypeUnknown, false},
		{"star is not updated", []string{"*"}, sdk.TypeMediaUpdated, false},
		{"none is not updated", nil, sdk.TypeMediaUpdated, false},
		{"nor is a prefix", []string{"media.*", "*.updated"}, sdk.TypeMediaUpdated, false},
		{"updated by name", []string{"*", "media.updated"}, sdk.TypeMediaUpdated, true},
		{"test by name", []string{"*", "test"}, sdk.TypeTest, true},
		{"unknown by name", []string{"unknown"}, sdk.TypeUnknown, true},
		{"test by part of a name", []string{"t*", "????"}, sdk.TypeTest, false},
		{"prefix", []string{"media.*"}, sdk.TypeMediaUpgraded, true},
		{"other prefix", []string{"media.*"}, sdk.TypeFileDeleted, false},
		{"star stops at the dot", []string{"media*"}, sdk.TypeMediaImported, false},
		{"no deeper", []string{"media.*"}, "media.imported.again", false},
		{"not as a suffix", []string{"imported"}, sdk.TypeMediaImported, false},
		{"any first part", []string{"*.imported"}, sdk.TypeMediaImported, true},
		{"part of a segment", []string{"file.deleted*"}, sdk.TypeFileDeletedForUpgrade, true},
		{"exact", []string{"release.grabbed"}, sdk.TypeReleaseGrabbed, true},
		{"second of two", []string{"health.*", "release.grabbed"}, sdk.TypeReleaseGrabbed, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := targets(t, []config.Route{{Name: "r", Types: tt.globs, To: []string{"ops"}}}, "radarr", &sdk.Event{Type: tt.typ})
			require.Equal(t, tt.want, len(got) == 1)
		})
	}
}

func TestMatchSources(t *testing.T) {
	t.Parallel()
	tests := []struct {
		globs  []string
		source string
		want   bool
	}{
		{nil, "radarr", true},
		{[]string{"*"}, "radarr", true},
		{[]string{"radarr-*"}, "radarr-4k", true},
		{[]string{"radarr-*"}, "radarr", false},
		{[]string{"sonarr", "radarr"}, "radarr", true},
		{[]string{"sonarr"}, "radarr", false},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.globs, " ")+" "+tt.source, func(t *testing.T) {
			t.Parallel()
			got := targets(t, []config.Route{{Name: "r", From: tt.globs, To: []string{"ops"}}}, tt.source, imported())
			require.Equal(t, tt.want, len(got) == 1)
		})
	}
}

func TestMatchWhen(t *testing.T) {
	t.Parallel()
	tests := []struct {
		when string
		want bool
	}{
		{`event.media.year >= 2000`, true},
		{`event.media.year == 2016`, true},
		{`event.media.year % 2 == 1`, false},
		{`event.type == "media.imported" and event.source startsWith "radarr"`, true},
		{`event.type in ["media.imported", "media.upgraded"]`, true},
		{`"4k" in event.media.tags`, true},
		{`"hdr" in event.media.tags`, false},
		{`event.media.ids["tmdb"] == "329865"`, true},
		{`event.media.ids.tmdb == "329865"`, true},
		{`event.media.ids["imdb"] == ""`, true},
		{`any(event.files, .size_bytes > 40e9)`, true},
		{`all(event.files, "English" in .languages)`, true},
		{`len(event.episodes) == 0`, true},
		{`event.time.Hour() >= 22`, true},
		{`event.title matches "^Arr.*2016.$"`, true},
		// What is absent: a scalar is its zero value, a part is no match.
		{`event.upgrade`, false},
		{`not event.upgrade`, true},
		{`event.summary == ""`, true},
		{`event.health.level == "error"`, false},
		{`event.health.level != "error"`, false},
		{`event.health?.level == "error"`, false},
		{`event.health == nil`, true},
		{`event.files[3].quality == ""`, false},
		{"  ", true},
	}
	for _, tt := range tests {
		t.Run(tt.when, func(t *testing.T) {
			t.Parallel()
			got := targets(t, []config.Route{{Name: "r", When: tt.when, To: []string{"ops"}}}, "radarr-4k", imported())
			require.Equal(t, tt.want, len(got) == 1)
		})
	}
}

// A plugin of a newer version may send fields that this version does not know.
func TestMatchIgnoresNewFields(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{{Name: "r", When: "event.media.year >= 2000", To: []string{"ops"}}})
	require.NoError(t, err)
	e := imported()
	require.Len(t, table.Match("radarr", e, []byte(`{"type":"media.imported","mood":"good","media":{"year":2016,"stars":[5]}}`)), 1)
	require.Empty(t, table.Match("radarr", e, []byte(`{"type":"media.imported"}`)), "media is absent")
	require.Empty(t, table.Match("radarr", e, []byte(`not JSON`)))
}

func TestMatchReadsTheEventOnlyForExpressions(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{
		{Name: "plain", To: []string{"ops"}},
		{Name: "other", From: []string{"sonarr"}, When: "event.upgrade", To: []string{"news"}},
	})
	require.NoError(t, err)
	require.Equal(t, []route.Match{{Route: "plain", Target: "ops"}}, table.Match("radarr", imported(), nil))
}

func TestMatchOncePerTarget(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{
		{Name: "grabs", Types: []string{"release.grabbed"}, To: []string{"ops"}},
		{Name: "imports", Types: []string{"media.*"}, To: []string{"news", "ops", "news"}},
		{Name: "all", To: []string{"ops", "archive"}},
	})
	require.NoError(t, err)
	require.Equal(t, []route.Match{
		{Route: "imports", Target: "news"},
		{Route: "imports", Target: "ops"},
		{Route: "all", Target: "archive"},
	}, table.Match("radarr", imported(), nil))
}

// An expression cannot take the process with it.
func TestMatchBoundsExpressions(t *testing.T) {
	t.Parallel()
	require.Empty(t, targets(t, []config.Route{
		{Name: "memory", When: `len(map(1..5000000, #)) > 0`, To: []string{"a"}},
		{Name: "nested", When: `all(1..1000, all(1..1000, all(1..1000, # > 0)))`, To: []string{"b"}},
		{Name: "index", When: `[1, 2][event.media.year] > 0`, To: []string{"c"}},
		{Name: "division", When: `event.media.year % len(event.episodes) == 0`, To: []string{"d"}},
	}, "radarr", imported()))
}

func TestNewNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := route.New([]config.Route{
		{When: `event.media.yeer >= 2000`},
		{When: `event.titel == "x"`},
		{When: `event.media.year`},
		{When: `event.media.year > "2000"`},
		{When: `event.media.year >=`},
		{When: "event.upgrade and\n  evnt.title == ''"},
		{When: `now() > event.time`},
		{When: `getenv("HOME") != ""`},
		{When: `event.nothing.like.it == 1`},
		{When: strings.Repeat("event.upgrade or ", 300) + "false"},
		{From: []string{"radarr", "[", "a-"}, Types: []string{"media.[", "*"}},
		{When: `event.upgrade`},
		{When: `event.type = "test"`},
	})
	require.Error(t, err)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	for _, e := range joined.Unwrap() {
		_, ok := errors.AsType[*route.Problem](e)
		require.True(t, ok, e)
	}
	golden(t, "problems.txt", err.Error()+"\n")
}

func TestLint(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{
		{From: []string{"radar", "sonarr-*"}, Types: []string{"media.*", "media.importd", "grab.*", "test", "*"}, To: []string{"ops"}},
	})
	require.NoError(t, err)
	var got strings.Builder
	for _, p := range table.Lint([]string{"radarr", "sonarr-4k"}, func(pattern string) string { return ", nor does " + pattern + "s" }) {
		got.WriteString(p.Error() + "\n")
	}
	golden(t, "lint.txt", got.String())
}

func TestLintTypes(t *testing.T) {
	t.Parallel()
	types := map[string][]sdk.Type{
		"radarr":   {sdk.TypeMediaImported, sdk.TypeTest},
		"prowlarr": {sdk.TypeReleaseGrabbed},
	}
	for name, c := range map[string]struct {
		from, types []string
		quiet       bool
	}{
		"one source does":              {nil, []string{"release.*"}, true},
		"all types":                    {[]string{"prowlarr"}, nil, true},
		"a star":                       {[]string{"prowlarr"}, []string{"*"}, true},
		"not this source":              {[]string{"prowlarr"}, []string{"media.*"}, false},
		"no source":                    {[]string{"*arr"}, []string{"file.*", "download.failed"}, false},
		"one of the types":             {[]string{"prowlarr"}, []string{"file.*", "release.grabbed"}, true},
		"by name only":                 {[]string{"radarr"}, []string{"test"}, true},
		"a source that may make any":   {[]string{"generic"}, []string{"file.*"}, true},
		"any among others":             {nil, []string{"file.*"}, true},
		"told by targets":              {[]string{"prowlarr"}, []string{"library.*"}, true},
		"of Hookarr itself":            {nil, []string{"hookarr.*"}, true},
		"of Hookarr, from another":     {[]string{"radarr"}, []string{"hookarr.*"}, false},
		"from Hookarr, of another":     {[]string{"hookarr"}, []string{"media.*"}, false},
		"no source at all, lint tells": {[]string{"gone"}, []string{"media.*"}, true},
		"no type at all, lint tells":   {[]string{"radarr"}, []string{"media.importd"}, true},
	} {
		table, err := route.New([]config.Route{{From: c.from, Types: c.types, To: []string{"ops"}}})
		require.NoError(t, err)
		found := table.LintTypes([]string{"radarr", "prowlarr", "generic"}, types)
		if c.quiet {
			require.Empty(t, found, name)
			continue
		}
		require.Len(t, found, 1, name)
		require.Equal(t, "routes[0].types", found[0].Key)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func FuzzWhen(f *testing.F) {
	for _, seed := range []string{"event.media.year >= 2000", "true", "event.files[0].size_bytes > 1 ? true : false", "let x = 1; x == 1", "$env == nil"} {
		f.Add(seed)
	}
	normalized, err := json.Marshal(imported())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, when string) {
		table, err := route.New([]config.Route{{Name: "r", When: when, To: []string{"ops"}}})
		if err != nil {
			require.ErrorContains(t, err, "routes[0].when: ")
			return
		}
		first := table.Match("radarr", imported(), normalized)
		require.Equal(t, first, table.Match("radarr", imported(), normalized))
	})
}

func BenchmarkMatch(b *testing.B) {
	normalized, err := json.Marshal(imported())
	require.NoError(b, err)
	for name, when := range map[string]string{"plain": "", "when": "event.media.year >= 2000"} {
		b.Run(name, func(b *testing.B) {
			table, err := route.New([]config.Route{{Name: "r", From: []string{"radarr-*"}, Types: []string{"media.*"}, When: when, To: []string{"ops"}}})
			require.NoError(b, err)
			e := imported()
			b.ReportAllocs()
			for b.Loop() {
				table.Match("radarr-4k", e, normalized)
			}
		})
	}
}

// Two nested loops over a large season would keep its sender waiting for 20 s.
func TestExpressionsHaveABudget(t *testing.T) {
	t.Parallel()
	e := imported()
	e.Files = nil
	for i := range 10_000 {
		e.Files = append(e.Files, sdk.File{ID: strconv.Itoa(i), Path: "/tv/" + strconv.Itoa(i)})
	}
	e.DeletedFiles = e.Files
	normalized, err := json.Marshal(e)
	require.NoError(t, err)
	for when, within := range map[string]bool{
		`any(event.files, .id == "9999")`:                                                           true,
		`all(event.files, .size_bytes == 0) and count(event.files, .path != "") == 10000`:           true,
		`let some = filter(event.files, .id == "9999"); all(event.files, any(some, .id == "9999"))`: true,
		`len(groupBy(event.files, .id)) == 10000 and sum(event.files, .size_bytes) == 0`:            true,
		`all(event.files, {let f = #; none(event.files, .id == f.id + "x")})`:                       false,
		`none(event.files, {let f = #; count(event.files, .path == f.id) > 0})`:                     false,
		`all(event.files, event.files == event.deleted_files)`:                                      false,
	} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			table, err := route.New([]config.Route{
				{Name: "slow", When: when, To: []string{"ops"}}, {Name: "other", When: "any(event.files, true)", To: []string{"phone"}},
			})
			require.NoError(t, err)
			var overrun []string
			table.OnOverrun(func(route string) { overrun = append(overrun, route) })
			matches := table.Match("sonarr", e, normalized)
			if within {
				require.Empty(t, overrun)
				require.Len(t, matches, 2)
				return
			}
			require.Equal(t, []string{"slow"}, overrun)
			require.Equal(t, []route.Match{{Route: "other", Target: "phone"}}, matches, "each has a budget of its own")
		})
	}
}

// What has changed of a title is for expressions.
func TestWhenFieldsHaveChanged(t *testing.T) {
	t.Parallel()
	table, err := route.New([]config.Route{{
		Name: "unmonitored", Types: []string{"media.updated"}, When: `"monitored" in event.fields and not event.media.monitored`, To: []string{"ops"},
	}})
	require.NoError(t, err)
	monitored := false
	for _, tt := range []struct {
		fields []string
		want   int
	}{{[]string{"monitored", "overview"}, 1}, {[]string{"overview"}, 0}, {nil, 0}} {
		e := sdk.Event{Type: sdk.TypeMediaUpdated, Fields: tt.fields, Media: &sdk.Media{Monitored: &monitored}}
		normalized, err := json.Marshal(e)
		require.NoError(t, err)
		require.Len(t, table.Match("radarr", &e, normalized), tt.want, "%v", tt.fields)
	}
}
