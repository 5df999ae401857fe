package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/config"
)

var update = flag.Bool("update", false, "write the golden files")

type common struct {
	Timeout sdk.Duration `json:"timeout" hookarr:"default=30s" doc:"Time for one request."`
}

type server struct {
	Host string `json:"host" hookarr:"required" doc:"Host."`
	Port int    `json:"port" hookarr:"default=443" jsonschema:"minimum=1,maximum=65535" doc:"Port."`
}

type settings struct {
	common

	URL     sdk.Secret            `json:"url" hookarr:"required" doc:"Where to send."`
	Format  string                `json:"format" hookarr:"default=standard,enum=standard|raw" doc:"Form of the body."`
	Types   []string              `json:"types" hookarr:"enum=a|b" doc:"Types."`
	Secrets []sdk.Secret          `json:"secrets" doc:"Keys."`
	Headers map[string]sdk.Secret `json:"headers" doc:"Headers."`
	TLS     struct {
		Verify bool `json:"verify" hookarr:"default=true" doc:"Check the certificate."`
	} `json:"tls" doc:"TLS."`
	Servers []server          `json:"servers" doc:"Servers."`
	ByName  map[string]server `json:"by_name" doc:"Servers by name."`
	Proxy   *server           `json:"proxy" doc:"Proxy."`
	Listen  netip.Addr        `json:"listen" doc:"Address."`
	Small   uint8             `json:"small" doc:"Small number."`
	Ratio   float64           `json:"ratio" doc:"Ratio."`
	Code    sdk.Secret        `json:"code" jsonschema:"pattern=^[0-9]+$" doc:"A code."`
	hidden  string
}

// Validate says which keys do not go together.
func (s *settings) Validate() error {
	if s.Format == "raw" && len(s.Secrets) > 0 {
		return errors.Join(sdk.Problem("secrets[0]", "does not go\nwith format raw"), errors.New("nor does this"))
	}
	return nil
}

func schemaOf(t *testing.T) *config.Schema {
	t.Helper()
	s, err := config.Of(reflect.TypeFor[settings]())
	require.NoError(t, err)
	return s
}

func TestSchema(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	enc := json.NewEncoder(&got)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(schemaOf(t).JSON()))
	if *update {
		require.NoError(t, os.WriteFile("testdata/schema.golden.json", []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/schema.golden.json")
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	var c settings
	problems := schemaOf(t).Decode([]byte(`{"url":"u","servers":[{"host":"a"},{"host":"b","port":1}],"by_name":{"x":{"host":"c"}},
		"proxy":{"host":"p"},"format":null,"listen":"::1","small":7}`), &c)
	require.Empty(t, problems)
	require.Equal(t, sdk.Duration(30*time.Second), c.Timeout)
	require.Equal(t, "standard", c.Format, "a null is an absent key")
	require.True(t, c.TLS.Verify)
	require.Equal(t, []server{{"a", 443}, {"b", 1}}, c.Servers)
	require.Equal(t, map[string]server{"x": {"c", 443}}, c.ByName)
	require.Equal(t, &server{"p", 443}, c.Proxy)
	require.Equal(t, netip.MustParseAddr("::1"), c.Listen)
	require.Empty(t, c.hidden)

	c = settings{}
	require.Empty(t, schemaOf(t).Decode([]byte(`{"url":"u","timeout":"0s","tls":{"verify":false},"format":"raw"}`), &c))
	require.Zero(t, c.Timeout, "what is configured is no default")
	require.False(t, c.TLS.Verify)
	require.Equal(t, "raw", c.Format)
	require.Nil(t, c.Proxy)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config string
		want   []config.Problem
	}{
		"not JSON":  {`{"url":`, []config.Problem{{"", "is not JSON"}}},
		"no object": {`["url"]`, []config.Problem{{"", "needs a set of keys, not a list"}}},
		"empty":     {`{}`, []config.Problem{{"url", "is required"}}},
		"null":      {`{"url":null}`, []config.Problem{{"url", "is required"}}},
		"no value":  {`{"url":""}`, []config.Problem{{"url", "must not be empty"}}},
		"all at once": {`{"ulr":"x","format":"raw2","types":["a","c"],"timeout":"soon","servers":[{"host":"a"},{"prt":1}],"ratio":"1"}`, []config.Problem{
			{"format", "must be one of standard, raw"},
			{"ratio", "needs a number, not a string"},
			{"servers[1].host", "is required"},
			{"servers[1].prt", "is an unknown key; did you mean port?"},
			{"timeout", "needs a duration such as 30s, 5m, 1h30m, 7d or 2w"},
			{"types[1]", "must be one of a, b"},
			{"ulr", "is an unknown key; did you mean url?"},
			{"url", "is required"},
		}},
		"nested":            {`{"url":"u","by_name":{"x":{}},"proxy":{"port":0,"host":"h"}}`, []config.Problem{{"by_name.x.host", "is required"}, {"proxy.port", "must be at least 1"}}},
		"unknown":           {`{"url":"u","servers":[{"host":"a","quux":1}]}`, []config.Problem{{"servers[0].quux", "is an unknown key; there are host, port"}}},
		"case":              {`{"url":"u","Format":"raw"}`, []config.Problem{{"Format", "is an unknown key; did you mean format?"}}},
		"secret type":       {`{"url":5}`, []config.Problem{{"url", "needs a string, not a number"}}},
		"secret pattern":    {`{"url":"u","code":"hunter2"}`, []config.Problem{{"code", "is not valid"}}},
		"range and form":    {`{"url":"u","small":300,"listen":"nowhere"}`, []config.Problem{{"listen", `ParseAddr("nowhere"): unable to parse IP`}, {"small", "does not fit a Go uint8"}}},
		"number of seconds": {`{"url":"u","timeout":30}`, []config.Problem{{"timeout", "needs a duration such as 30s, 5m, 1h30m, 7d or 2w"}}},
		"validate":          {`{"url":"u","format":"raw","secrets":["s"]}`, []config.Problem{{"secrets[0]", "does not go with format raw"}, {"", "nor does this"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c settings
			require.Equal(t, test.want, schemaOf(t).Decode([]byte(test.config), &c))
		})
	}
}

type tree struct {
	Name     string           `json:"name"`
	Children map[string]*tree `json:"children"`
}

type list []list

type Ring struct {
	*Ring

	Name string `json:"name"`
}

type one struct {
	A string `json:"a"`
}

type other struct {
	A int `json:"a"`
}

// structOf returns a struct that go vet would not let pass.
func structOf(fields ...reflect.StructField) any {
	return reflect.New(reflect.StructOf(fields)).Elem().Interface()
}

// TestOfAllowsAFieldThatHidesAnother, which a configuration has from elsewhere.
// What a type reads from text may be anywhere, and its key is named in full.
func TestProblemsOfTextsInMapsAndLists(t *testing.T) {
	t.Parallel()
	type part struct {
		From netip.Addr   `json:"from"`
		To   []netip.Addr `json:"to"`
		Key  sdk.Secret   `json:"key"`
	}
	type parts struct {
		ByType map[string]part `json:"by_type"`
	}
	s, err := config.Of(reflect.TypeFor[parts]())
	require.NoError(t, err)
	var c parts
	require.Empty(t, s.Decode([]byte(`{"by_type":{"media.*":{"from":"::1","to":["::2"]}}}`), &c))
	require.Equal(t, "::2", c.ByType["media.*"].To[0].String())

	require.Equal(t, []config.Problem{
		{Key: "by_type.*.to[1]", Message: `ParseAddr("there"): unable to parse IP`},
		{Key: "by_type.media.*.from", Message: `ParseAddr("here"): unable to parse IP`},
	}, s.Decode([]byte(`{"by_type":{"media.*":{"from":"here"},"*":{"to":["::1","there"]}}}`), &c))
	require.Equal(t, []config.Problem{
		{Key: "by_type.*.form", Message: "is an unknown key; did you mean from?"},
	}, s.Decode([]byte(`{"by_type":{"*":{"form":"::1"}}}`), &c))
}

func TestOfAllowsAFieldThatHidesAnother(t *testing.T) {
	t.Parallel()
	var c struct {
		common

		Timeout sdk.Duration `json:"timeout" hookarr:"default=5s"`
	}
	s, err := config.Of(reflect.TypeOf(c))
	require.NoError(t, err)
	require.Empty(t, s.Decode([]byte(`{}`), &c))
	require.Equal(t, sdk.Duration(5*time.Second), c.Timeout)
}

func TestOfRefusesBadTags(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config any
		want   string
	}{
		"no struct": {"", "is not a struct"},
		"option": {struct {
			A string `json:"a" hookarr:"requierd"`
		}{}, `unknown option "requierd"`},
		"default of another type": {struct {
			A int `json:"a" hookarr:"default=x"`
		}{}, "field A: the default x: "},
		"required and default": {struct {
			A int `json:"a" hookarr:"required,default=1"`
		}{}, "field A: a required key has no use for a default"},
		"two fields with one key": {structOf(
			reflect.StructField{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
			reflect.StructField{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
		), "field B: the key x is that of field A too"},
		"a name that is another's key": {struct {
			A int `json:"B"`
			B int
		}{}, "field B: the key B is that of field A too"},
		"two embedded fields with one key": {structOf(
			reflect.StructField{Name: "One", Type: reflect.TypeFor[one](), Anonymous: true},
			reflect.StructField{Name: "Other", Type: reflect.TypeFor[other](), Anonymous: true},
		), "field config_test.other.A: the key a is that of field A too"},
		"nanoseconds": {struct {
			A time.Duration `json:"a"`
		}{}, "field A: a time.Duration is configured in nanoseconds: use sdk.Duration"},
		"list of nanoseconds": {struct {
			A []struct {
				B map[string][]time.Duration `json:"b"`
			} `json:"a"`
		}{}, "field B: a time.Duration is configured in nanoseconds"},
		"recursive": {tree{}, "field config_test.tree.Children: the type config_test.tree holds itself"},
		"recursive list": {struct {
			A list `json:"a"`
		}{}, "field A: the type config_test.list holds itself"},
		"recursive by embedding": {Ring{}, "field config_test.Ring.Ring: the type config_test.Ring holds itself"},
		"recursive inside": {struct {
			A []tree `json:"a"`
		}{}, "field config_test.tree.Children: the type config_test.tree holds itself"},
		"default not in enum": {struct {
			A string `json:"a" hookarr:"default=c,enum=a|b"`
		}{}, "not in enum"},
		"type": {struct {
			A func() `json:"a"`
		}{}, "unsupported type"},
		"deep": {struct {
			A []struct {
				B sdk.Duration `json:"b" hookarr:"default=5"`
			} `json:"a"`
		}{}, "is not a duration"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Of(reflect.TypeOf(test.config))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestProblemsOfErrors(t *testing.T) {
	t.Parallel()
	a, b := sdk.Problem("a", "is bad"), errors.New("b is\tbad")
	tests := map[string]struct {
		err  error
		want []config.Problem
	}{
		"none":     {nil, nil},
		"one":      {b, []config.Problem{{"", "b is bad"}}},
		"wrapped":  {fmt.Errorf("check: %w", a), []config.Problem{{"a", "is bad"}}},
		"joined":   {errors.Join(a, errors.Join(b, nil)), []config.Problem{{"a", "is bad"}, {"", "b is bad"}}},
		"both":     {fmt.Errorf("check: %w", errors.Join(a, b)), []config.Problem{{"a", "is bad"}, {"", "b is bad"}}},
		"sentence": {fmt.Errorf("%w, because %w", errors.New("x"), errors.New("y")), []config.Problem{{"", "x, because y"}}},
	}
	for name, test := range tests {
		require.Equal(t, test.want, config.Problems(test.err), name)
	}
}
