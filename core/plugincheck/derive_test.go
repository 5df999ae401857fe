package plugincheck

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestConfigurationIsDerived: from each way in which a schema says what a value may be.
func TestConfigurationIsDerived(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{
		"type": "object",
		"properties": {
			"webhook_url": {"type": "string", "writeOnly": true},
			"api_url": {"type": "string", "default": "https://api.example/"},
			"avatar_url": {"type": "string"},
			"token": {"type": "string", "writeOnly": true, "minLength": 80},
			"short": {"type": "string", "writeOnly": true, "maxLength": 20},
			"mode": {"enum": ["a", "b"]},
			"example": {"type": "string", "examples": ["-100123"]},
			"times": {"type": "integer", "minimum": 7},
			"from": {"type": "string"},
			"path": {"type": "string"},
			"wait": {"type": "string", "format": "go-duration"},
			"to": {"type": "array", "items": {"type": "string"}},
			"host": {"type": "string"},
			"port": {"type": "integer"},
			"nested": {"$ref": "#/$defs/nested"},
			"left_out": {"type": "string"}
		},
		"required": ["webhook_url", "mode", "example", "times", "from", "path", "wait", "to", "host", "nested"],
		"additionalProperties": false,
		"$defs": {"nested": {"type": "object", "properties": {"on": {"type": "boolean"}, "off": {"type": "boolean"}}, "required": ["on"]}}
	}`))
	require.NoError(t, err)
	d := deriver{schema: s, public: "http://127.0.0.1:1/hooks", secret: "http://127.0.0.1:1/hooks/TOKEN", dir: "/tmp/x", deadPort: 9, word: "WORD"}
	got, err := json.MarshalIndent(d.derive(true), "", "  ")
	require.NoError(t, err)
	require.JSONEq(t, `{
		"webhook_url": "http://127.0.0.1:1/hooks/TOKEN", "api_url": "http://127.0.0.1:1/hooks",
		"token": "hookarr-check-WORDxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "short": "hookarr-check-WORD",
		"mode": "a", "example": "-100123", "times": 7, "from": "check@example.com", "path": "/tmp/x/file", "wait": "30s",
		"to": ["check@example.com"], "host": "127.0.0.1", "port": 9, "nested": {"on": false}
	}`, string(got))
}

// TestConfigurationIsMended: optional keys go that a plugin refuses, and what it misses comes.
func TestConfigurationIsMended(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "properties": {"url": {"type": "string"}, "token": {"type": "string"}, "user": {"type": "string"}}, "required": ["url"]}`))
	require.NoError(t, err)
	d := deriver{schema: s, public: "http://127.0.0.1:1/hooks"}
	config, refused := map[string]any{"url": "x", "token": "y"}, map[string]bool{}
	require.True(t, d.mend(config, []string{"token", "user"}, refused))
	require.Equal(t, map[string]any{"url": "x", "user": "check"}, config)
	require.False(t, d.mend(config, []string{"token", "url", "", "no.such"}, refused), "what was refused does not come again")
}

// TestConfigurationIsFilled with the check's endpoint, whose URL is secret where the key is.
func TestConfigurationIsFilled(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "properties": {
		"url": {"type": "string", "writeOnly": true}, "urls": {"type": "array", "items": {"type": "string"}}, "path": {"type": "string"}
	}}`))
	require.NoError(t, err)
	d := deriver{schema: s, public: "http://127.0.0.1:7/hooks", secret: "http://127.0.0.1:7/hooks/TOKEN", dir: "/tmp/x"}
	got, err := d.fill(json.RawMessage(`{"url": "${URL}/a", "urls": ["${URL}", "smtp://${HOST}:${PORT}"], "path": "${DIR}/a", "n": 1234567890123456789}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"url": "http://127.0.0.1:7/hooks/TOKEN/a", "urls": ["http://127.0.0.1:7/hooks", "smtp://127.0.0.1:7"], "path": "/tmp/x/a", "n": 1234567890123456789}`, string(got))
	require.Equal(t, []string{"http://127.0.0.1:7/hooks/TOKEN/a"}, s.secretsOf(got))
	got, err = d.fill(json.RawMessage(`null`))
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(got))
	_, err = d.fill(json.RawMessage(`[]`))
	require.ErrorContains(t, err, "the configuration is no object")
}

// TestOfflineConfig is without the keys of the network, wherever they are, and keeps all digits.
func TestOfflineConfig(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "required": ["lookup"], "properties": {
		"base_url": {"type": "string", "x-hookarr-network": true}, "n": {"type": "integer"},
		"lookup": {"$ref": "#/$defs/lookup"}, "list": {"type": "array", "items": {"$ref": "#/$defs/lookup"}},
		"by_name": {"type": "object", "additionalProperties": {"$ref": "#/$defs/lookup"}}
	}, "$defs": {"lookup": {"type": "object", "properties": {"host": {"type": "string", "x-hookarr-network": true}, "on": {"type": "boolean"}}}}}`))
	require.NoError(t, err)
	c := &check{schema: s, config: json.RawMessage(`{"base_url": "x", "n": 1234567890123456789, "lookup": {"host": "x", "on": true},
		"list": [{"host": "x"}], "by_name": {"a.b": {"host": "x", "on": true}}}`)}
	got, err := c.offlineConfig(false)
	require.NoError(t, err)
	require.JSONEq(t, `{"by_name":{"a.b":{"on":true}},"list":[{}],"lookup":{"on":true},"n":1234567890123456789}`, string(got))
	require.Contains(t, string(got), "1234567890123456789")
	got, err = c.offlineConfig(true)
	require.NoError(t, err)
	require.JSONEq(t, `{"lookup":{"on":true}}`, string(got))
}

// TestWrongConfigurationsKeepDigits of what is not wrong in them.
func TestWrongConfigurationsKeepDigits(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "properties": {"n": {"type": "integer"}}}`))
	require.NoError(t, err)
	c := &check{schema: s, config: json.RawMessage(`{"n": 1234567890123456789}`)}
	c.endpoint, err = newEndpoint(t.Context())
	require.NoError(t, err)
	t.Cleanup(c.endpoint.close)
	c.deadPort, err = holdDeadPort(t.Context())
	require.NoError(t, err)
	t.Cleanup(c.deadPort.close)
	got, err := json.Marshal(c.wrongConfigs()[0].config)
	require.NoError(t, err)
	require.Equal(t, `{"n":1234567890123456789,"no_such_key":true}`, string(got))
}

// TestUnknownKeywordsAreWarnedOf, and nothing else about them.
func TestUnknownKeywordsAreWarnedOf(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "additionalProperties": false, "properties": {
		"a": {"type": "string", "description": "A.", "x-hookarr-groop": "G", "x-hookarr-group": "G", "x-other": 1}
	}}`))
	require.NoError(t, err)
	wrong, warnings := s.judge()
	require.Empty(t, wrong)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0], "a has the unknown keyword x-hookarr-groop: there are x-hookarr-advanced, x-hookarr-group,")
}

// TestSchemaThatRefersToItselfEnds.
func TestSchemaThatRefersToItselfEnds(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "additionalProperties": false, "properties": {"self": {"$ref": "#", "description": "Itself."}}, "required": ["self"]}`))
	require.NoError(t, err)
	wrong, _ := s.judge()
	require.Empty(t, wrong)
	require.NotEmpty(t, deriver{schema: s}.derive(true))
}

// TestSchemaIsWalkedOnce, however often a section refers to itself, and the values of a section that
// needs itself have an end.
func TestSchemaIsWalkedOnce(t *testing.T) {
	t.Parallel()
	s, err := readSchema([]byte(`{"type": "object", "additionalProperties": false, "required": ["any"], "properties": {"any": {"$ref": "#/$defs/any", "description": "Any."}},
		"$defs": {"any": {"type": "object", "additionalProperties": false, "required": ["a", "b", "c", "d"], "properties": {
			"a": {"$ref": "#/$defs/any", "description": "A."}, "b": {"$ref": "#/$defs/any", "description": "B."},
			"c": {"$ref": "#/$defs/any", "description": "C."}, "d": {"$ref": "#/$defs/any", "description": "D."}, "e": {"type": "string"}
		}}}}`))
	require.NoError(t, err)
	wrong, _ := s.judge()
	require.EqualError(t, errors.Join(wrong...), "any.e has no description")
	require.Equal(t, "keys: 6, secrets: 0, required: any", s.summary())
	config, err := json.Marshal(deriver{schema: s}.derive(true))
	require.NoError(t, err)
	require.Less(t, len(config), 100_000)
}

// TestSchemaIsBounded as the one that Hookarr shows.
func TestSchemaIsBounded(t *testing.T) {
	t.Parallel()
	_, err := readSchema([]byte(`{"type": "object", "description": "` + strings.Repeat("x", 1<<20) + `"}`))
	require.ErrorContains(t, err, "its schema has 1.0 MiB, and 1.0 MiB are read at most")
}

// TestSecretsAreFoundInEverySpelling, also inside of what is encoded with them.
func TestSecretsAreFoundInEverySpelling(t *testing.T) {
	t.Parallel()
	const secret = `pa ss/w"ord-of-somebody+~`
	for _, said := range []string{
		`x pa ss/w"ord-of-somebody+~ y`, `{"a":"pa ss/w\"ord-of-somebody+~"}`, "pa+ss%2Fw%22ord-of-somebody%2B~", "pa%20ss%2Fw%22ord-of-somebody+~",
		"cGEgc3MvdyJvcmQtb2Ytc29tZWJvZHkrfg==", "cGEgc3MvdyJvcmQtb2Ytc29tZWJvZHkrfg",
		"7061207373 2f 70612073732f77226f72642d6f662d736f6d65626f64792b7e", "70612073732F77226F72642D6F662D736F6D65626F64792B7E",
		"Basic dTpwYSBzcy93Im9yZC1vZi1zb21lYm9keSt+", "dXNlcjpwYSBzcy93Im9yZC1vZi1zb21lYm9keSt-", "dXNwYSBzcy93Im9yZC1vZi1zb21lYm9keSt+",
	} {
		w := &watch{sizes: map[string]int{}}
		w.secret(secret)
		w.look("a line", []byte(said))
		require.Len(t, w.leaks, 1, said)
	}
	w := &watch{sizes: map[string]int{}}
	w.secret(secret)
	w.secret("short")
	w.look("a line", []byte("short of somebody"))
	require.Empty(t, w.leaks)
}
