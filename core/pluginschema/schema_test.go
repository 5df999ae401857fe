package pluginschema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginschema"
)

func read(t *testing.T, schema string) pluginschema.Settings {
	t.Helper()
	s, err := pluginschema.Read(json.RawMessage(schema))
	require.NoError(t, err)
	return s
}

func TestKeysAreInTheirOrder(t *testing.T) {
	t.Parallel()
	s := read(t, `{"type":"object","required":["zeta"],"properties":{
		"old":{"type":"string","deprecated":true,"x-hookarr-advanced":true},
		"rare":{"type":"string","x-hookarr-advanced":true,"x-hookarr-group":"B"},
		"zeta":{"type":"string","title":"Zeta","x-hookarr-group":"B","x-hookarr-options":true},
		"alpha":{"type":"string"},
		"more":{"type":"string","x-hookarr-group":"A","x-hookarr-network":true}}}`)
	var names []string
	for _, k := range s.Keys {
		names = append(names, k.Name)
	}
	require.Equal(t, []string{"zeta", "alpha", "more", "rare", "old"}, names)
	require.Equal(t, []string{"", "B", "A"}, pluginschema.Groups(s.Keys))
	require.Equal(t, pluginschema.Key{
		Name: "zeta", Path: "zeta", Title: "Zeta", Group: "B", Required: true, Options: true, Type: "text", JSONType: "string",
	}, s.Keys[0])
	require.True(t, s.Keys[2].Network)
	require.True(t, s.Keys[3].Advanced)
	require.True(t, s.Keys[4].Deprecated)
}

func TestTypesInWords(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`{"type":"string"}`:                                               "text",
		`{"type":"string","minLength":1}`:                                 "text",
		`{"type":"string","maxLength":80}`:                                "text of at most 80 characters",
		`{"type":"string","minLength":8,"maxLength":80}`:                  "text of 8 to 80 characters",
		`{"type":"string","format":"go-duration"}`:                        "duration",
		`{"type":"string","writeOnly":true}`:                              "secret",
		`{"type":"integer"}`:                                              "number",
		`{"type":"integer","minimum":0}`:                                  "number of at least 0",
		`{"type":"number","maximum":2.5}`:                                 "number of at most 2.5",
		`{"type":"integer","minimum":1,"maximum":5}`:                      "1 to 5",
		`{"type":"boolean"}`:                                              "true or false",
		`{"type":["string","null"]}`:                                      "text",
		`{"type":["integer","string"]}`:                                   "number or text",
		`{"type":["array","array"],"items":{"type":["string","string"]}}`: "list of text",
		`{"type":["a","b","c","d","e","f","g","string"]}`:                 "any value",
		`{"type":"array","items":{"type":"integer"}}`:                     "list of number",
		`{"type":"array","items":{"type":"string","writeOnly":true}}`:     "list of secret",
		`{"type":"array"}`:                                                "list",
		`{"type":"object","additionalProperties":{"type":"number"}}`:      "number by key",
		`{"type":"object","additionalProperties":true}`:                   "section",
		`{"type":"object","properties":{},"additionalProperties":false}`:  "section",
		`{"$ref":"#/$defs/port"}`:                                         "1 to 5",
		`{"$ref":"#/definitions/name"}`:                                   "text",
		`{"$ref":"#/$defs/around"}`:                                       "any value",
		`{"$ref":"https://example.com/schema"}`:                           "any value",
		`{"type":"array","items":{"$ref":"#/$defs/list"}}`:                "list of list of list of list of any value",
		`{"anyOf":[{"type":"string"}]}`:                                   "any value",
		`{"type":"colour"}`:                                               "any value",
		`{"properties":{"a":{}}}`:                                         "section",
		`{}`:                                                              "any value",
		`true`:                                                            "any value",
	}
	for schema, want := range tests {
		root := fmt.Sprintf(`{"properties":{"k":%s},"$defs":{"port":{"type":"integer","minimum":1,"maximum":5},
			"around":{"$ref":"#/$defs/around"},"list":{"type":"array","items":{"type":"array","items":{"type":"array","items":{"type":"array"}}}}},
			"definitions":{"name":{"type":"string"}}}`, schema)
		require.Equal(t, want, read(t, root).Keys[0].Type, schema)
	}
}

func TestKeysInKeys(t *testing.T) {
	t.Parallel()
	s := read(t, `{"$defs":{"login":{"type":"object","description":"A login.","required":["user"],"properties":{
			"user":{"type":"string","examples":["me"]},"password":{"type":"string","writeOnly":true},"friend":{"$ref":"#/$defs/login"}}}},
		"properties":{
			"login":{"$ref":"#/$defs/login","description":"Who."},
			"logins":{"type":"array","items":{"$ref":"#/$defs/login"}},
			"by_host":{"type":"object","additionalProperties":{"type":"array","items":{"$ref":"#/$defs/login"}}},
			"tags":{"type":"array","items":{"type":"string","enum":["a","b"],"examples":["a"]},"default":null},
			"tokens":{"type":"object","additionalProperties":{"type":"string","writeOnly":true}}}}`)
	paths := map[string]pluginschema.Key{}
	var walk func([]pluginschema.Key)
	walk = func(keys []pluginschema.Key) {
		for _, k := range keys {
			paths[k.Path] = k
			walk(k.Keys)
		}
	}
	walk(s.Keys)
	require.Len(t, paths, 5+3*3)
	require.Equal(t, "Who.", paths["login"].Description)
	require.Equal(t, "A login.", paths["login.friend"].Description, "a section that holds itself is not gone into again")
	require.True(t, paths["by_host.KEY[].user"].Required)
	require.True(t, paths["logins[].password"].Secret)
	require.False(t, paths["logins"].Secret)
	require.True(t, paths["tokens"].Secret)
	require.Len(t, paths["tags"].Choices, 2)
	require.JSONEq(t, `["a"]`, string(paths["tags"].Example))
	require.Nil(t, paths["tags"].Default)
	require.JSONEq(t, `"me"`, string(paths["login.user"].Example))
}

func TestBadSchemas(t *testing.T) {
	t.Parallel()
	key := func(name string) string {
		quoted, err := json.Marshal(name)
		require.NoError(t, err)
		return fmt.Sprintf(`{"properties":{"ok":{"type":"object","properties":{%s:{}}}}}`, quoted)
	}
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprintf(`"k%d":{}`, i)
	}
	doubled := []string{`"d0":{"type":"string"}`}
	for i := range 15 {
		doubled = append(doubled, fmt.Sprintf(`"d%d":{"properties":{"a":{"$ref":"#/$defs/d%d"},"b":{"$ref":"#/$defs/d%d"}}}`, i+1, i, i))
	}
	tests := map[string]struct{ schema, want string }{
		"nothing":            {"", "is no JSON object, as a JSON Schema is"},
		"no JSON":            {"<html>", "is no JSON object"},
		"a list":             {"[]", "is no JSON object"},
		"cut off":            {`{"properties":{`, "is no JSON: "},
		"two":                {`{} {}`, "is no JSON Schema: invalid character '{' after top-level value"},
		"of a text":          {`{"type":"string"}`, `is that of a value of the type "string", and a configuration is an object`},
		"of another kind":    {`{"properties":[]}`, "is no JSON Schema: properties are no object"},
		"a number as a type": {`{"properties":{"a":{"type":3}}}`, "is no JSON Schema: cannot unmarshal number"},
		"5 MB":               {`{"description":"` + strings.Repeat("x", 5_000_000) + `"}`, "has 4.8 MiB, and 1.0 MiB are read at most"},
		"deep":               {strings.Repeat(`{"items":`, 100_000) + "{}" + strings.Repeat("}", 100_000), "is nested deeper than 64 levels"},
		"deep in a default":  {`{"default":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + "}", "is nested deeper than 64 levels"},
		"many keys":          {`{"properties":{` + strings.Join(many, ",") + `}}`, "has more than 1000 keys"},
		"keys that double":   {`{"$defs":{` + strings.Join(doubled, ",") + `},"$ref":"#/$defs/d15"}`, "has more than 1000 keys"},
		"a list of itself":   {`{"$defs":{"l":{"items":{"$ref":"#/$defs/l"}}},"properties":{"a":{"$ref":"#/$defs/l"}}}`, "has the key a, which lists and maps hold without end"},
		"a key without name": {key(""), "has a key without a name"},
		"a newline":          {key("a\nb"), `has the key "a\nb", whose name has characters that cannot be printed on a line`},
		"an escape":          {key("a\x1b[31m"), `has the key "a\x1b[31m"`},
		"a reversed text":    {key("a\u202eb"), `has the key "a\u202eb"`},
		"a line separator":   {key("a\u2028b"), `has the key "a\u2028b"`},
		"no text":            {"{\"properties\":{\"a\xff\":{}}}", `has the key "a\ufffd"`},
		"a long name":        {key(strings.Repeat("x", 101)), `has the key "` + strings.Repeat("x", 40) + `"…, whose name is longer than 100 bytes`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pluginschema.Read(json.RawMessage(test.schema))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"$ref":"#/$defs/b"},"c":{"type":"array","items":{"type":"string"}}},"$defs":{"b":{"type":["string","null"]}}}`))
	f.Add([]byte(`{"properties":{"a":true,"b":{"additionalProperties":{"additionalProperties":false}}}}`))
	f.Fuzz(func(t *testing.T, schema []byte) {
		s, err := pluginschema.Read(schema)
		if err == nil {
			for _, k := range s.Keys {
				require.NotEmpty(t, k.Name)
				require.NotEmpty(t, k.Type)
			}
		}
	})
}
