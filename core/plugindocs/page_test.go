package plugindocs_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/core/plugindocs"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a page with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func page(t *testing.T, d host.Description) string {
	t.Helper()
	got, err := plugindocs.Page(d)
	require.NoError(t, err)
	for range 20 { // nothing of it depends on the order of a map
		again, err := plugindocs.Page(d)
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	return got
}

// used returns the part of a page that is a configuration.
func used(t *testing.T, page string) map[string]any {
	t.Helper()
	_, rest, ok := strings.Cut(page, "```yaml\n")
	require.True(t, ok)
	part, _, ok := strings.Cut(rest, "```\n")
	require.True(t, ok)
	require.LessOrEqual(t, strings.Count(part, "\n"), 6)
	var config map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(part), &config), part)
	return config
}

func TestTarget(t *testing.T) {
	t.Parallel()
	got := page(t, host.Description{
		Name: "sample", Kind: host.KindTarget, Version: "1.2.3", Summary: "Shows events somewhere.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureRaw, sdk.FeatureTest, sdk.FeaturePreview, sdk.FeatureVerify, sdk.FeatureFolders, "options", "later"},
		Defaults: sdk.Defaults{
			Concurrency: 1, Rate: 0.5, FoldUpgrades: true,
			Group: sdk.GroupDefaults{By: "download", Wait: 90 * time.Second, MaxWait: time.Hour, Max: 9},
		},
		ConfigSchema: json.RawMessage(`{"type":"object","required":["token","to","server"],"properties":{
			"token":{"type":"string","writeOnly":true,"minLength":1,"description":"A token.","title":"Token","examples":["tk_1"]},
			"to":{"type":"array","items":{"type":"string","examples":["me@example.com"]},"description":"Who gets it.","x-hookarr-options":true},
			"server":{"type":"object","description":"Where.","required":["host","login"],"x-hookarr-group":"Connection","properties":{
				"old":{"type":"string","deprecated":true,"description":"Use host."},
				"rare":{"type":"integer","x-hookarr-advanced":true,"description":"A number.","minimum":1,"maximum":5},
				"host":{"type":"string","description":"Its host."},
				"login":{"type":"string","writeOnly":true,"description":"A login."}}},
			"look":{"type":"string","enum":["small","large"],"default":"small","description":"How.","x-hookarr-group":"Looks","title":"Look"},
			"timeout":{"type":"string","format":"go-duration","default":"30s","examples":["30s","1h30m"],"description":"How long.","x-hookarr-advanced":true},
			"hosts":{"type":"array","items":{"type":"string","enum":["a","b"]},"description":"Which.","x-hookarr-group":"Connection"},
			"by_type":{"type":"object","additionalProperties":{"type":"object","properties":{"title":{"type":"string","description":"A title."}}},"description":"By type."},
			"quiet":{"type":"boolean","default":false,"description":"Whether."},
			"gone":{"type":"string","deprecated":true,"description":"Use look."}}}`),
	})
	golden(t, "target.golden.md", got)
	require.Equal(t, map[string]any{
		"targets": map[string]any{"sample": map[string]any{"plugin": "sample", "config": map[string]any{
			"token": "${SAMPLE_TOKEN}", "to": []any{"me@example.com"}, "server": map[string]any{"host": "HOST", "login": "${SAMPLE_LOGIN}"},
		}}},
		"routes": []any{map[string]any{"name": "sample", "from": []any{"*"}, "types": []any{"*"}, "to": []any{"sample"}}},
	}, used(t, got))
}

func TestSource(t *testing.T) {
	t.Parallel()
	got := page(t, host.Description{
		Name: "my-app", Kind: host.KindSource, Version: "0.1.0", Summary: "Decodes what an application sends.", Offline: true,
		Features:   []sdk.Feature{sdk.FeatureFetch, sdk.FeatureHistory, sdk.FeatureConnect, sdk.FeatureSnapshot, sdk.FeatureFolders},
		EventTypes: []sdk.EventType{{Type: sdk.TypeMediaImported, Native: []string{"Download", "Upgrade|d"}}, {Type: sdk.TypeTest}},
		ConfigSchema: json.RawMessage(`{"examples":[{"base_url":"http://nas:7878","auth":{"api_key":"secret"},"map":{"a":"b"},"true":true}],"properties":{
			"auth":{"properties":{"api_key":{"type":"string","writeOnly":true}}},
			"base_url":{"type":"string","x-hookarr-network":true,"description":"Where it is."},
			"map":{"type":"object","additionalProperties":{"type":"string"}}}}`),
	})
	golden(t, "source.golden.md", got)
	require.Equal(t, map[string]any{"sources": map[string]any{"my-app": map[string]any{
		"plugin": "my-app",
		"auth":   []any{map[string]any{"basic": map[string]any{"username": "my-app", "password": "${MY_APP_PASSWORD}"}}},
		"config": map[string]any{
			"base_url": "http://nas:7878", "auth": map[string]any{"api_key": "${MY_APP_API_KEY}"}, "map": map[string]any{"a": "b"}, "true": true,
		},
	}}}, used(t, got))
}

// TestHostilePlugin has a page that shows what the plugin says, and does none of it.
func TestHostilePlugin(t *testing.T) {
	t.Parallel()
	evil := "a|b `c` <script>alert(1)</script> [x](javascript:1) ![p](http://t.example/p.png) **b** _i_ ~~s~~ $x$ &lt; \\| \x1b[31m\u202ered\r\n\n# Title\n```\n--- \xff"
	schema, err := json.Marshal(map[string]any{
		"required": []string{"|", "`", "-"},
		"properties": map[string]any{
			"|":         map[string]any{"type": "string", "description": evil, "title": evil, "x-hookarr-group": evil, "default": evil, "enum": []any{evil, "`"}},
			"`":         map[string]any{"type": "string", "examples": []any{"```\n# x: {"}, "description": strings.Repeat("x", 100_000)},
			"-":         map[string]any{"type": "string", "writeOnly": true, "description": "1. not a list"},
			"</td>|*x*": map[string]any{"type": "string", "description": "- not a list", "deprecated": true},
		},
		"examples": []any{map[string]any{"`": "```\n# x: {", "|": evil, "${X}: y": "#"}},
	})
	require.NoError(t, err)
	d := host.Description{
		Name: "evil", Kind: host.KindSource, Version: evil, Summary: "# " + evil, ConfigSchema: schema,
		Features: []sdk.Feature{sdk.Feature(evil)}, EventTypes: []sdk.EventType{{Type: sdk.Type(evil), Native: []string{evil}}},
		Defaults: sdk.Defaults{Group: sdk.GroupDefaults{By: evil}},
	}
	got := page(t, d)
	golden(t, "hostile.golden.md", got)
	head, block, _ := strings.Cut(got, "```yaml\n")
	_, tail, _ := strings.Cut(block, "\n```\n") // nothing in a block of code means anything
	require.NotRegexp(t, `[^\\](<script|\]\(java|\*\*b)`, head+tail)
	require.NotContains(t, got, "\x1b")
	require.NotContains(t, got, "\u202e")
	require.Less(t, len(got), 20_000)
	require.Len(t, used(t, got), 1)
	for l := range strings.Lines(got) {
		if strings.HasPrefix(l, "|") {
			bars := strings.Count(l, "|") - strings.Count(l, `\|`)
			require.Contains(t, []int{3, 5}, bars, "a row has 2 or 4 cells: %s", l)
		}
		require.False(t, strings.HasPrefix(l, "# ") && l != "# source-evil\n", l)
	}
	require.Equal(t, 2, strings.Count(got, "\n```"), "one block of code")
}

func TestIndex(t *testing.T) {
	t.Parallel()
	golden(t, "index.golden.md", plugindocs.Index([]host.Description{
		{Name: "slack", Kind: host.KindTarget, Summary: "Posts | to <Slack>."},
		{Name: "radarr", Kind: host.KindSource, Summary: "Decodes."},
		{Name: "discord", Kind: host.KindTarget},
	}))
}

func TestBadSchemas(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		"":                             "it gives no schema of its configuration",
		"<html>":                       "the schema of its configuration is no JSON object, as a JSON Schema is",
		`{"properties":{"a\nb":{}}}`:   `the schema of its configuration has the key "a\nb", whose name has characters that cannot be printed on a line`,
		strings.Repeat(" ", 5_000_000): "the schema of its configuration has 4.8 MiB, and 1.0 MiB are read at most",
	} {
		_, err := plugindocs.Page(host.Description{Name: "x", Kind: host.KindTarget, ConfigSchema: json.RawMessage(schema)})
		require.EqualError(t, err, want)
	}
}
