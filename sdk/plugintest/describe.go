package plugintest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// schema is as much of a JSON Schema as the SDK makes for configurations.
type schema struct {
	Type        string            `json:"type"`
	Description string            `json:"description"`
	WriteOnly   bool              `json:"writeOnly"`
	Required    []string          `json:"required"`
	Properties  map[string]schema `json:"properties"`
	Items       *schema           `json:"items"`
	// Values is of maps; structs have false here.
	Values json.RawMessage `json:"additionalProperties"`
}

// values returns the schema of a map's values, or nil.
func (s schema) values() *schema {
	var v schema
	if len(s.Values) == 0 || json.Unmarshal(s.Values, &v) != nil {
		return nil
	}
	return &v
}

func readSchema(t *testing.T, data json.RawMessage) schema {
	t.Helper()
	var s schema
	require.NoError(t, json.Unmarshal(data, &s), "the schema of the configuration")
	require.Equal(t, "object", s.Type)
	return s
}

// checkDescription judges what a plugin says of itself.
func checkDescription(t *testing.T, p *Plugin, kind host.Kind) {
	t.Helper()
	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	again, err := p.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, d, again, "the description is not stable")
	require.Equal(t, kind, d.Kind)
	require.Regexp(t, `^[a-z0-9][a-z0-9-]{0,39}$`, d.Name)
	require.Regexp(t, `^\d+\.\d+\.\d+`, d.Version, "the version is not semantic")
	require.NotEmpty(t, d.Summary, "Info.Summary is for lists")
	require.Equal(t, sdk.ProtocolVersion, d.ProtocolVersion)
	checkDocumented(t, "", readSchema(t, d.ConfigSchema))
	_, err = p.client.CheckHealth(t.Context())
	require.NoError(t, err)
}

func checkDocumented(t *testing.T, at string, s schema) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		require.NotEmpty(t, p.Description, "the key %s%s needs a doc tag", at, name)
		checkDocumented(t, at+name+".", p)
	}
	if s.Items != nil {
		checkDocumented(t, at, *s.Items)
	}
	if v := s.values(); v != nil {
		checkDocumented(t, at, *v)
	}
}

// checkProblems makes a valid configuration wrong in every way that its schema
// tells, and wants each problem to name the key.
func checkProblems(t *testing.T, p *Plugin, valid json.RawMessage) {
	t.Helper()
	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	s := readSchema(t, d.ConfigSchema)
	problem := func(key, why string, change func(config map[string]any)) {
		t.Helper()
		config := map[string]any{}
		require.NoError(t, json.Unmarshal(valid, &config))
		change(config)
		problems, err := p.Configure(t.Context(), Config(t, config))
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(problems, func(p host.Problem) bool {
			return p.Key == key && p.Instance == Instance && p.Message != ""
		}), "%s: no problem names the key %s: %v", why, key, problems)
	}
	problem("no_such_key", "an unknown key", func(c map[string]any) { c["no_such_key"] = true })
	for _, key := range s.Required {
		problem(key, "a missing key", func(c map[string]any) { delete(c, key) })
	}
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		if s.Properties[key].Type != "" {
			problem(key, "a value of the wrong type", func(c map[string]any) { c[key] = wrongFor(s.Properties[key].Type) })
		}
	}
	// All at once, and not the first alone.
	config := map[string]any{"no_such_key": 1, "nor_this": 1}
	problems, err := p.Configure(t.Context(), Config(t, config))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(problems), 2+len(s.Required), "problems come all at once: %v", problems)
}

// checkOptions wants each key with options to be asked for before it is there, and the
// others to be refused with the names of these. That the endpoint of a suite knows no
// options is no fault.
func checkOptions(t *testing.T, p *Plugin, valid json.RawMessage) {
	t.Helper()
	d, err := p.Describe(t.Context())
	require.NoError(t, err)
	if !slices.Contains(d.Features, sdk.FeatureOptions) {
		_, err := p.optionsOf(t.Context(), valid, "any")
		require.ErrorIs(t, err, host.ErrUnsupported)
		return
	}
	known := d.OptionKeys()
	require.NotEmpty(t, known, "the feature options wants a key that has some")
	_, err = p.optionsOf(t.Context(), valid, "no_such_key")
	require.ErrorContains(t, err, "no_such_key", "a key without options")
	for _, k := range known {
		require.ErrorContains(t, err, k.Key, "the refusal of a key without options names those with some")
		config := map[string]any{}
		require.NoError(t, json.Unmarshal(valid, &config))
		if first, _, nested := strings.Cut(k.Key, "."); !nested {
			delete(config, first)
		}
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		_, err := p.optionsOf(ctx, Config(t, config), k.Key)
		cancel()
		if err != nil {
			require.Equal(t, codes.Aborted, status.Code(err), "options of %s: %v", k.Key, err)
			require.NotContains(t, err.Error(), k.Key+": ", "the options of %s cannot be asked for before it is there: leave it to Validate to refuse it", k.Key)
		}
	}
}

func wrongFor(schemaType string) any {
	if schemaType == "object" {
		return "not an object"
	}
	return map[string]any{"not": "expected"}
}

// secretsOf returns the values in a configuration that its schema marks as secret.
func secretsOf(t *testing.T, configSchema, config json.RawMessage) []string {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal(config, &value))
	var found []string
	var walk func(s schema, v any)
	walk = func(s schema, v any) {
		switch v := v.(type) {
		case string:
			// Shorter ones are not replaced: their letters are everywhere.
			if s.WriteOnly && len(v) >= 4 {
				found = append(found, v)
			}
		case []any:
			for _, item := range v {
				if s.Items != nil {
					walk(*s.Items, item)
				}
			}
		case map[string]any:
			for key, item := range v {
				if p, ok := s.Properties[key]; ok {
					walk(p, item)
				} else if values := s.values(); values != nil {
					walk(*values, item)
				}
			}
		}
	}
	walk(readSchema(t, configSchema), value)
	return found
}
