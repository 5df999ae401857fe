package sdk_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/internal/config"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// The published schema is what sdk.Event says; -update writes it anew.
func TestEventSchemaIsTheEvents(t *testing.T) {
	t.Parallel()
	tree, err := config.Published(reflect.TypeFor[sdk.Event]())
	require.NoError(t, err)
	tree.Title = "Hookarr event, version 1"
	tree.Description = "One thing that happened in an application. Keys are added, never renamed or removed; " +
		"one that does not apply is absent. Sizes are bytes, times UTC, ids strings."
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(tree))
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		require.NoError(t, os.WriteFile("schema/event.v1.json", b.Bytes(), 0o644))
		return
	}
	require.Equal(t, string(sdk.EventSchema()), b.String())
	require.NotContains(t, b.String(), `"description": ""`)
}

func TestEventsFitTheirSchema(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(sdk.EventSchema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("event.json", doc))
	schema, err := c.Compile("event.json")
	require.NoError(t, err)
	for _, e := range plugintest.Events() {
		data, err := json.Marshal(e)
		require.NoError(t, err)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(value), e.Type)
	}
	for _, bad := range []string{`{}`, `{"id":1}`, `[]`} {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(bad)))
		require.NoError(t, err)
		require.Error(t, schema.Validate(value), bad)
	}
}
