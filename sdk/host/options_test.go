package host_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func optionKeys(schema string) []host.OptionKey {
	return host.Description{Features: []sdk.Feature{sdk.FeatureOptions}, ConfigSchema: json.RawMessage(schema)}.OptionKeys()
}

func TestOptionKeys(t *testing.T) {
	t.Parallel()
	schema := `{"properties": {
		"any": true, "none": {"type": "string"},
		"channel": {"$ref": "#/$defs/channel"},
		"posts": {"$ref": "#/$defs/posts"},
		"library": {"$ref": "#/definitions/name", "x-hookarr-options": true, "description": "A library."},
		"around": {"$ref": "#/$defs/around"}, "elsewhere": {"$ref": "https://example.com/schema"}
	}, "$defs": {
		"channel": {"x-hookarr-options": true, "description": "A channel."},
		"posts": {"properties": {"channel": {"$ref": "#/$defs/channel"}, "replies": {"$ref": "#/$defs/posts"}}},
		"around": {"$ref": "#/$defs/around"}
	}, "definitions": {"name": {"description": "A name."}}}`
	require.Equal(t, []host.OptionKey{
		{Key: "channel", Description: "A channel."}, {Key: "library", Description: "A library."}, {Key: "posts.channel", Description: "A channel."},
	}, optionKeys(schema), "a section that holds itself is not gone into again")
	require.Empty(t, host.Description{ConfigSchema: json.RawMessage(schema)}.OptionKeys(), "without the feature")
}

// TestOptionKeysAreBounded in number and time, whatever the schema.
func TestOptionKeysAreBounded(t *testing.T) {
	t.Parallel()
	doubled := []string{`"d0": {"x-hookarr-options": true}`}
	for i := range 30 {
		doubled = append(doubled, fmt.Sprintf(`"d%d": {"properties": {"a": {"$ref": "#/$defs/d%d"}, "b": {"$ref": "#/$defs/d%d"}}}`, i+1, i, i))
	}
	require.Less(t, len(optionKeys(`{"$ref": "#/$defs/d30", "$defs": {`+strings.Join(doubled, ",")+`}}`)), 1000)
	require.Empty(t, optionKeys(`{"properties": {"a": {"x-hookarr-options": true}}, "description": "`+strings.Repeat("x", 1<<20)+`"}`))
}
