package generic

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

func decode(t *testing.T, c config, body string) sdk.Event {
	t.Helper()
	e, err := arrtest.Decode(decoder{c}, []byte(body), nil)
	require.NoError(t, err)
	return e
}

func sample(t *testing.T, name string) sdk.Event {
	t.Helper()
	return decode(t, requests(), string(arrtest.Sample(t, name)))
}

func TestDecodeEveryKind(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sample  string
		native  string
		want    sdk.Type
		title   string
		summary string
	}{
		{"pending", "MEDIA_PENDING", sdk.TypeManualInteractionRequired, "Dune: Part Two (2024)", "A request waits for approval."},
		{"approved", "MEDIA_APPROVED", sdk.TypeMediaAdded, "Dune: Part Two (2024)", "The request was approved."},
		{"available", "MEDIA_AVAILABLE", sdk.TypeMediaImported, "Dune: Part Two (2024)", "Dune: Part Two (2024)"},
		{"test", "TEST_NOTIFICATION", sdk.TypeTest, "Test", "It works"},
		{"flagged_test", "MEDIA_PENDING", sdk.TypeTest, "Dune: Part Two (2024)", "A request waits for approval."},
		{"unknown_word", "ISSUE_CREATED", sdk.TypeUnknown, "A request", "A request waits for approval."},
		{"nothing_known", "", sdk.TypeUnknown, "A request", "A request"},
		{"array", "", sdk.TypeUnknown, "A request", "A request"},
		{"string", "", sdk.TypeUnknown, "A request", "A request"},
		{"odd_types", "MEDIA_PENDING", sdk.TypeUnknown, "Dune, Arrakis", "Dune, Arrakis"},
	}
	for _, tt := range tests {
		e := sample(t, tt.sample)
		require.Equal(t, tt.want, e.Type, tt.sample)
		require.Equal(t, tt.native, e.NativeType, tt.sample)
		require.Equal(t, tt.title, e.Title, tt.sample)
		require.Equal(t, tt.summary, e.Summary, tt.sample)
		require.Equal(t, "requests", e.App, tt.sample)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	e := sample(t, "pending")
	require.Equal(t, "Requests", e.Instance)
	require.Equal(t, "https://requests.example/request/12", e.URL)
	require.Equal(t, "requests:12", e.CorrelationKey)
	require.Equal(t, &sdk.Media{
		Kind: "movie", ID: "7", Title: "Dune: Part Two", Year: 2024, Path: "/movies/Dune", Overview: "Paul Atreides unites with the Fremen.",
		IDs: map[string]string{"tmdb": "693134", "imdb": "tt15239678"}, Poster: "https://image.example/dune.jpg",
	}, e.Media)

	odd := sample(t, "odd_types")
	require.Equal(t, "http://requests.example/12", odd.URL, "without credentials")
	require.Empty(t, odd.Media.Poster)
	require.Zero(t, odd.Media.Year)
	require.Equal(t, "7.5", odd.Media.Title)
}

func TestFixedType(t *testing.T) {
	t.Parallel()
	c := config{App: "backup", Type: "app.updated"}
	e := decode(t, c, `{"ok":true}`)
	require.Equal(t, sdk.Event{App: "backup", Type: sdk.TypeAppUpdated, Title: "backup", Summary: "backup"}, e)
	c.TestPath, c.TestValue = "kind", "Test"
	require.Equal(t, sdk.TypeTest, decode(t, c, `{"kind":"TEST"}`).Type)
}

func TestValuesThatAreNoStrings(t *testing.T) {
	t.Parallel()
	c := config{App: "x", TypePath: "code", Types: map[string]string{"3": "health.issue", "true": "health.restored"}}
	require.Equal(t, sdk.TypeHealthIssue, decode(t, c, `{"code":3}`).Type)
	require.Equal(t, sdk.TypeHealthRestored, decode(t, c, `{"code":true}`).Type)
	require.Equal(t, sdk.TypeUnknown, decode(t, c, `{"code":null}`).Type)
}

func TestTextIsFit(t *testing.T) {
	t.Parallel()
	c := config{App: "x", Type: "media.added", TitlePath: "t", Media: media{Kind: "movie", OverviewPath: "t"}}
	e := decode(t, c, "{\"t\":\"a\xffb\\n\\u0000c\"}")
	require.Equal(t, "a\uFFFDb c", e.Title)
	require.NotContains(t, e.Media.Overview, "\xff")
	e = decode(t, c, `{"t":[`+strings.Repeat(`"a",`, 100_000)+`"a"]}`)
	require.Equal(t, strings.Repeat("a, ", maxItems-1)+"a", e.Title)
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	arrtest.Fingerprints(t, decoder{requests()}, map[string]arrtest.Change{
		"in other words":   arrtest.Same("pending", func(m map[string]any) { m["message"] = "x" }),
		"other request":    arrtest.Other("pending", func(m map[string]any) { arrtest.Object(m, "request")["id"] = 13 }),
		"other value":      arrtest.Other("pending", func(m map[string]any) { arrtest.Object(m, "media")["type"] = "tv" }),
		"other type":       arrtest.Other("pending", func(m map[string]any) { m["notification_type"] = "MEDIA_APPROVED" }),
		"other word":       arrtest.Other("unknown_word", func(m map[string]any) { m["notification_type"] = "ISSUE_CLOSED" }),
		"one value lacks":  arrtest.Other("pending", func(m map[string]any) { delete(arrtest.Object(m, "media"), "type") }),
		"number or string": arrtest.Same("pending", func(m map[string]any) { arrtest.Object(m, "request")["id"] = "12" }),
	})
	for _, name := range []string{"no_request", "nothing_known", "test", "flagged_test"} {
		require.Empty(t, sample(t, name).Fingerprint, name)
		require.Empty(t, sample(t, name).CorrelationKey, name)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                            "the body is empty",
		" ":                           "the body is empty",
		"payload=1":                   "the body is not JSON: invalid character 'p' looking for beginning of value",
		`{"a":`:                       "the body is not JSON: unexpected end of JSON input",
		`{}{}`:                        "the body is not JSON: invalid character '{' after top-level value",
		strings.Repeat("[", 1<<20):    "exceeded max depth",
		strings.Repeat("1", 32<<20+1): "the body has 33554433 bytes, more than 33554432",
	} {
		_, err := arrtest.Decode(decoder{requests()}, []byte(body), nil)
		require.ErrorContains(t, err, want)
		_, ok := sdk.AsInvalid(err)
		require.True(t, ok)
	}
}

func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Dune", decode(t, requests(), "\uFEFF"+`{"subject":"Dune"}`).Title)
}

func TestMemory(t *testing.T) { //nolint:paralleltest // it measures the process's allocations
	arrtest.Memory(t, decoder{requests()}, map[string][]byte{
		"array":   arrtest.Fill(`{"subject":[`, `1,`, `]}`),
		"objects": arrtest.Fill(`{"subject":[`, `{},`, `]}`),
		"keys":    arrtest.Fill(`{"subject":1`, `,"a":1`, `}`),
	})
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(f, err)
		for _, path := range []string{"subject", "extra.#.name", `extra.#(name=="seasons").value`, "@values.0", `a\.b`} {
			f.Add(body, path)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		c := requests()
		c.TitlePath, c.FingerprintPaths = path, []string{path}
		if c.Validate() != nil {
			return
		}
		e, err := arrtest.Decode(decoder{c}, body, nil)
		if err != nil {
			_, ok := sdk.AsInvalid(err)
			require.True(t, ok, "%v", err)
			return
		}
		require.NotEmpty(t, e.Title)
		require.NotContains(t, e.Title+e.Summary, "\n")
		again, err := arrtest.Decode(decoder{c}, body, nil)
		require.NoError(t, err)
		require.Equal(t, e, again)
		_, err = json.Marshal(e)
		require.NoError(t, err)
	})
}
