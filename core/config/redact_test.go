package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

const webhookSchema = `{"properties":{
	"url":{"type":"string"},
	"secrets":{"type":"array","items":{"type":"string","writeOnly":true}},
	"headers":{"type":"object","additionalProperties":{"type":"string"}},
	"nested":{"type":"array","items":{"properties":{"token":{"writeOnly":true},"name":{}}}},
	"login":{"writeOnly":true,"properties":{"user":{}}}
}}`

func schemas(kind, plugin string) json.RawMessage {
	switch kind + "-" + plugin {
	case "target-webhook":
		return json.RawMessage(webhookSchema)
	case "target-broken":
		return json.RawMessage(`{"properties":[]}`)
	default:
		return nil
	}
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	c, err := config.Loader{Environ: fullEnviron}.Load("testdata/full.yaml")
	require.NoError(t, err)
	known, err := c.Redacted(schemas)
	require.NoError(t, err)
	golden(t, "testdata/redacted.txt", string(known))
	unknown, err := c.Redacted(nil)
	require.NoError(t, err)
	golden(t, "testdata/redacted-unknown.txt", string(unknown))
}

func TestRedactedHidesSecrets(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("S3CRET-from-a-file"), 0o600))
	c, err := load(t, `
database: {url: "postgres://u:S3CRET@h/d"}
sources:
  radarr: {plugin: radarr, config: {key: S3CRET}, auth: [{hmac: {preset: github, secrets: [S3CRET-0123456789]}}]}
targets:
  plain: {plugin: webhook, config: {secrets: [S3CRET], nested: [{token: S3CRET, name: shown}], login: {user: S3CRET}, odd: S3CRET}}
  from-outside: {plugin: webhook, config: {url: "http://shown/${WHERE}", headers: {a_file: `+file+`}, nested: [{name_file: `+file+`}]}}
  from-variables: {plugin: broken, config: {url: S3CRET, list: [[S3CRET]]}}
routes: [{name: a, to: [plain, from-outside, from-variables]}]
`, "WHERE=S3CRET", "HOOKARR_TARGETS__PLAIN__CONFIG__URL=http://shown-by-schema/")
	require.NoError(t, err)
	out, err := c.Redacted(schemas)
	require.NoError(t, err)
	require.NotContains(t, string(out), "S3CRET")
	require.Contains(t, string(out), "name: shown")
}

// TestRedactedHidesWhatASchemaSaysElsewhere: whether it is secret is in what it refers to.
func TestRedactedHidesWhatASchemaSaysElsewhere(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}
targets: {ops: {plugin: webhook, config: {ref: S3CRET, any: S3CRET, one: [S3CRET], all: {a: S3CRET}, if: S3CRET, list: [S3CRET], case: S3CRET, tuple: [S3CRET],
  patterns: {a: S3CRET}, dependent: {a: S3CRET}, pin: 271828, refpin: 271828, plain: shown, count: 7}}}
routes: [{name: a, to: [ops]}]
`)
	require.NoError(t, err)
	out, err := c.Redacted(func(string, string) json.RawMessage {
		return json.RawMessage(`{"$defs":{"secret":{"type":"string","writeOnly":true}},"properties":{
			"ref":{"$ref":"#/$defs/secret"},"any":{"anyOf":[{"$ref":"#/$defs/secret"},{"type":"null"}]},
			"one":{"oneOf":[{"items":{"$ref":"#/$defs/secret"}}]},"all":{"allOf":[{}],"properties":{"a":{"type":"string"}}},
			"if":{"type":"string","if":{},"then":{"writeOnly":true}},"list":{"items":{"$ref":"#/$defs/secret"}},
			"case":{"writeOnly":true,"WriteOnly":false},"tuple":{"prefixItems":[{"writeOnly":true}],"items":{}},
			"patterns":{"patternProperties":{"a":{"writeOnly":true}},"additionalProperties":{}},
			"dependent":{"dependentSchemas":{"a":{"properties":{"a":{"writeOnly":true}}}},"additionalProperties":{}},
			"refpin":{"$ref":"#/$defs/secret"},"plain":{"type":"string","x-hookarr-group":"A"},"count":{"type":"integer"}}}`)
	})
	require.NoError(t, err)
	require.NotContains(t, string(out), "S3CRET")
	require.NotContains(t, string(out), "271828")
	require.Contains(t, string(out), "plain: shown")
	require.Contains(t, string(out), "count: 7")
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"timeout", "retry", "concurrency", "to", "tls"}
	for word, want := range map[string]string{
		"timout":      `; did you mean "timeout"?`,
		"tiemout":     `; did you mean "timeout"?`,
		"Retry":       `; did you mean "retry"?`,
		"concurency":  `; did you mean "concurrency"?`,
		"too":         `; did you mean "to"?`,
		"":            "",
		"destination": "",
		"tom":         `; did you mean "to"?`,
		"ops":         "",
		"timeout":     "",
	} {
		require.Equal(t, want, config.Suggest(word, known), word)
	}
}
