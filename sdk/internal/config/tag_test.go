package config_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/config"
)

// part has old keys, in whatever holds it.
type part struct {
	ID  string `json:"id" hookarr:"title=Library,options" doc:"Id of a library."`
	Old string `json:"old" hookarr:"deprecated" doc:"Use id."`
}

type shown struct {
	Zeta     string          `json:"zeta" hookarr:"title='Who, and when',group=Connection" doc:"Z."`
	Alpha    int             `json:"alpha" hookarr:"default=3,advanced,group='Limits, all of them'" doc:"A."`
	URL      sdk.Secret      `json:"url" hookarr:"network,title=The API's URL" doc:"U."`
	Channels []string        `json:"channels" hookarr:"options,enum=a|b" doc:"C."`
	Gone     string          `json:"gone" hookarr:"deprecated,default=x" doc:"Use\nzeta."`
	Silent   bool            `json:"silent" hookarr:"deprecated"`
	Nested   part            `json:"nested" hookarr:"group=Parts" doc:"N."`
	List     []part          `json:"list" doc:"L."`
	ByName   map[string]part `json:"by_name" doc:"B."`
	Pointer  *part           `json:"pointer" doc:"P."`
	Whole    *part           `json:"whole" hookarr:"deprecated" doc:"Use nested."`
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	s, err := config.Of(reflect.TypeFor[shown]())
	require.NoError(t, err)
	var got strings.Builder
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(s.JSON()))
	if *update {
		require.NoError(t, os.WriteFile("testdata/keywords.golden.json", []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/keywords.golden.json")
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())

	var c shown
	require.Empty(t, s.Decode([]byte(`{"zeta":"z","list":[{"id":"1","old":"2"}]}`), &c), "a deprecated key works as before")
	require.Equal(t, 3, c.Alpha)
	require.Equal(t, "x", c.Gone)
	require.Equal(t, []part{{"1", "2"}}, c.List)
}

func TestDeprecated(t *testing.T) {
	t.Parallel()
	s, err := config.Of(reflect.TypeFor[shown]())
	require.NoError(t, err)
	tests := map[string]struct {
		config string
		want   []config.Problem
	}{
		"none, for a default is not configured": {`{"zeta":"z","nested":{"id":"1"}}`, nil},
		"null is absent":                        {`{"gone":null}`, nil},
		"one":                                   {`{"gone":"y"}`, []config.Problem{{Key: "gone", Message: "is deprecated. Use zeta."}}},
		"without words":                         {`{"silent":false}`, []config.Problem{{Key: "silent", Message: "is deprecated"}}},
		"a whole": {
			`{"whole":{"old":"x"}}`,
			[]config.Problem{{Key: "whole", Message: "is deprecated. Use nested."}},
		},
		"everywhere": {
			`{"nested":{"old":""},"list":[{},{"old":"x"}],"by_name":{"a.b":{"old":"x"},"c":{}},"pointer":{"old":"x"},"unknown":1}`,
			[]config.Problem{
				{Key: "by_name.a.b.old", Message: "is deprecated. Use id."},
				{Key: "list[1].old", Message: "is deprecated. Use id."},
				{Key: "nested.old", Message: "is deprecated. Use id."},
				{Key: "pointer.old", Message: "is deprecated. Use id."},
			},
		},
		"of another type": {`{"nested":["old"],"list":{"old":1},"by_name":3}`, nil},
		"no object":       {`[1]`, nil},
		"no JSON":         {`{`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, s.Deprecated([]byte(test.config)))
		})
	}
}

func TestOfRefusesBadOptions(t *testing.T) {
	t.Parallel()
	text, secret := reflect.TypeFor[string](), reflect.TypeFor[sdk.Secret]()
	tests := map[string]struct {
		tag  string
		typ  reflect.Type
		want string
	}{
		"unknown, and one is near": {
			"deprecatd", text,
			`field A: the tag hookarr:"deprecatd": unknown option "deprecatd"; did you mean deprecated? ` +
				`there are required, advanced, deprecated, network, options, default, enum, title, group, and a value with a comma is quoted: title='a, b'`,
		},
		"unknown, and none is near":    {"colour", text, `unknown option "colour"; there are required,`},
		"a comma in a value":           {"title=Look, and feel", text, `unknown option " and feel"; there are required, advanced, deprecated, network, options, default, enum, title, group, and a value with a comma is quoted`},
		"an option of another case":    {"Required", text, "did you mean required?"},
		"none":                         {"", text, `unknown option ""`},
		"none at the end":              {"required,", text, `unknown option ""`},
		"an open quote":                {"title='a, b", text, "the value of title begins with a quote and does not end with one"},
		"something after a quote":      {"title='a's", text, "the value of title begins with a quote"},
		"no value":                     {"title", text, "the option title needs a value: title=…"},
		"an empty value":               {"group=", text, `the group "" needs 1 to 60 characters`},
		"spaces around a value":        {"title= a", text, `the title " a" needs`},
		"two lines":                    {"title=a\nb", text, `the title "a\nb" needs`},
		"a long value":                 {"group=" + strings.Repeat("x", 61), text, "needs 1 to 60 characters"},
		"a value where there is none":  {"advanced=true", text, "the option advanced takes no value"},
		"twice":                        {"title=a,title=b", text, "the option title is there twice"},
		"required and deprecated":      {"required,deprecated", text, "field A: a key cannot be required and deprecated"},
		"deprecated and required":      {"deprecated,required", text, "field A: a key cannot be required and deprecated"},
		"options of a section":         {"options", reflect.TypeFor[part](), "options are for a text or a number"},
		"options of a secret":          {"options", secret, "options are for a text or a number"},
		"options of secrets in a list": {"options", reflect.SliceOf(secret), "options are for a text or a number"},
		"options of a switch":          {"options", reflect.TypeFor[bool](), "options are for a text or a number"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := structOf(reflect.StructField{Name: "A", Type: test.typ, Tag: reflect.StructTag(`json:"a" hookarr:` + quote(t, test.tag))})
			_, err := of(config)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func of(c any) (*config.Schema, error) { return config.Of(reflect.TypeOf(c)) }

func quote(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return string(b)
}
