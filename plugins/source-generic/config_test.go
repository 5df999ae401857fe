package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestConfigurationProblems(t *testing.T) {
	t.Parallel()
	p := plugintest.StartSource(t, info(), newSource, requests())
	tests := map[string]map[string]string{
		`{}`:                                  {"type": "is required, or type_path and types"},
		`{"type":"media.add"}`:                {"type": "is not an event type; there are test, release.grabbed, media.imported"},
		`{"type":"test","type_path":"a"}`:     {"type": "and type_path exclude each other; remove one", "types": "and type_path need each other"},
		`{"type":"test","types":{"A":"b.c"}}`: {"types": "and type_path need each other", "types.A": "is not an event type"},
		`{"type":"test","test_path":"a"}`:     {"test_value": "and test_path need each other"},
		`{"type":"test","test_value":"a"}`:    {"test_value": "and test_path need each other"},
		`{"type":"test","app":"My App"}`:      {"app": "needs a name of a-z, 0-9 and -"},
		`{"type":"test","media":{"id_path":"a"}}`: {
			"media.kind": "is required beside other keys of media",
		},
		`{"type":"test","title_path":"$.a","url_path":"/a/b","summary_path":".a","instance_path":"a.","correlation_path":" a","fingerprint_paths":["a","$[0]"],"media":{"kind":"movie","ids":{"tmdb":"$.x"}}}`: {
			"title_path":           "is in the syntax of JSONPath; write data.title for $.data.title",
			"url_path":             "is in the syntax of JSON Pointer; write data.title for /data/title",
			"summary_path":         "begins or ends with a dot",
			"instance_path":        "begins or ends with a dot",
			"correlation_path":     "has spaces around it or characters that do not print",
			"fingerprint_paths[1]": "is in the syntax of JSONPath",
			"media.ids.tmdb":       "is in the syntax of JSONPath",
		},
		`{"type":"test","titel_path":"a","media":{"kind":"movie","yeer_path":"a"}}`: {
			"titel_path":      "is an unknown key; did you mean title_path?",
			"media.yeer_path": "is an unknown key; did you mean year_path?",
		},
	}
	for config, want := range tests {
		problems, err := p.Configure(t.Context(), json.RawMessage(config))
		require.NoError(t, err)
		require.Len(t, problems, len(want), "%s: %v", config, problems)
		for _, problem := range problems {
			require.Contains(t, want, problem.Key, config)
			require.Contains(t, problem.Message, want[problem.Key], config)
		}
	}
	for _, config := range []string{
		`{"type":"test"}`,
		`{"type_path":"a","types":{"some.word":"media.added"}}`,
		`{"type":"media.added","title_path":"items.#(a==\"b\").name","media":{"kind":"movie"}}`,
		`{"type":"media.added","title_path":"a b.c d|@reverse.0"}`,
	} {
		problems, err := p.Configure(t.Context(), json.RawMessage(config))
		require.NoError(t, err)
		require.Empty(t, problems, config)
	}
}
