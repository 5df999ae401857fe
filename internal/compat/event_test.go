package compat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// schema is the part of JSON Schema that readers of events rely on.
type schema struct {
	Type       any               `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Required   []string          `json:"required"`
	// More is that of further properties: a schema, or false.
	More json.RawMessage `json:"additionalProperties"`
}

// TestEventsHaveWhatTheyFirstHad: whoever reads events by the schema as it was first
// published reads those of today.
func TestEventsHaveWhatTheyFirstHad(t *testing.T) {
	t.Parallel()
	first := readSchema(t, filepath.Join("testdata", "event.v1.first.json"))
	today := readSchema(t, filepath.Join("..", "..", "sdk", "schema", "event.v1.json"))
	require.NotEmpty(t, first.Properties)
	require.Empty(t, missing("event", first, today))

	// The comparison sees what it is there to see.
	delete(today.Properties, "title")
	id := today.Properties["id"]
	id.Type = "integer"
	today.Properties["id"] = id
	today.Required = slices.DeleteFunc(today.Required, func(key string) bool { return key == "source" })
	require.ElementsMatch(t, []string{
		"event.title is gone", "event.id is integer, and was string", "event.source need not be there any more",
	}, missing("event", first, today))
}

func readSchema(t *testing.T, file string) schema {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var s schema
	require.NoError(t, json.Unmarshal(data, &s))
	return s
}

// missing says what of a former schema another does not have.
func missing(at string, former, s schema) (found []string) {
	if former.Type != nil && former.Type != s.Type {
		return []string{at + " is " + typeName(s.Type) + ", and was " + typeName(former.Type)}
	}
	for key, was := range former.Properties {
		is, ok := s.Properties[key]
		if !ok {
			found = append(found, at+"."+key+" is gone")
			continue
		}
		found = append(found, missing(at+"."+key, was, is)...)
	}
	for _, key := range former.Required {
		if _, ok := s.Properties[key]; ok && !slices.Contains(s.Required, key) {
			found = append(found, at+"."+key+" need not be there any more")
		}
	}
	if former.Items != nil {
		if s.Items == nil {
			return append(found, at+" has no items any more")
		}
		found = append(found, missing(at+"[]", *former.Items, *s.Items)...)
	}
	var wasMore, isMore schema
	if json.Unmarshal(former.More, &wasMore) == nil {
		_ = json.Unmarshal(s.More, &isMore) // false is a schema without anything
		found = append(found, missing(at+".*", wasMore, isMore)...)
	}
	return found
}

func typeName(v any) string {
	s, _ := v.(string)
	return s
}
