package generic

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/sdk"
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

// documented is the configuration of a source in an example of the documentation.
func documented(t *testing.T, source string) config {
	t.Helper()
	page, err := os.ReadFile("../../docs/webhooks.md")
	require.NoError(t, err)
	for block := range strings.SplitSeq(string(page), "```yaml\n") {
		block, _, _ = strings.Cut(block, "```")
		var example struct {
			Sources map[string]struct{ Config map[string]any }
		}
		if !strings.Contains(block, source+":") || yaml.Unmarshal([]byte(block), &example) != nil {
			continue
		}
		raw, err := json.Marshal(example.Sources[source].Config)
		require.NoError(t, err)
		var c config
		require.NoError(t, json.Unmarshal(raw, &c))
		require.NoError(t, c.Validate())
		return c
	}
	require.Fail(t, "the page has no such example", source)
	return config{}
}

// A request that was approved may fail, and fail again.
func TestTheDocumentedRequestsFailTwice(t *testing.T) {
	t.Parallel()
	c := documented(t, "requests")
	var all []sdk.Event
	for _, body := range []string{
		`{"notification_type":"MEDIA_APPROVED","event":"Movie Request Approved","subject":"Dune (2021)","message":"Sand.","request":{"request_id":"7"}}`,
		`{"notification_type":"MEDIA_FAILED","event":"Movie Request Failed","subject":"Dune (2021)","message":"No space.","request":{"request_id":"7"}}`,
		`{"notification_type":"MEDIA_FAILED","event":"Movie Request Failed","subject":"Dune (2021)","message":"No route.","request":{"request_id":"7"}}`,
	} {
		e := decode(t, c, body)
		for _, before := range all {
			require.False(t, e.Fingerprint != "" && e.Fingerprint == before.Fingerprint, "%s is taken for %s", e.Summary, before.Summary)
			require.Equal(t, before.CorrelationKey, e.CorrelationKey)
		}
		all = append(all, e)
	}
	require.Equal(t, sdk.TypeDownloadFailed, all[2].Type)
}
