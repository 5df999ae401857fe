package pluginschema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginschema"
)

func TestNetworkKey(t *testing.T) {
	t.Parallel()
	schema := json.RawMessage(`{"$ref": "#/$defs/all", "$defs": {
		"all": {"properties": {
			"name": {}, "anything": true, "nothing": {"items": false},
			"base_url": {"x-hookarr-network": true}, "retries": {"x-hookarr-network": true},
			"lookup": {"properties": {"host": {"x-hookarr-network": true}, "on": {"x-hookarr-network": true}}},
			"servers": {"items": {"$ref": "#/$defs/server"}},
			"by_name": {"additionalProperties": {"$ref": "#/$defs/server"}},
			"headers": {"x-hookarr-network": true},
			"proxy": {"$ref": "#/$defs/proxy"},
			"via": {"$ref": "#/$defs/server", "x-hookarr-network": true}
		}},
		"server": {"properties": {"url": {"x-hookarr-network": true}, "next": {"$ref": "#/$defs/server"}}},
		"proxy": {"x-hookarr-network": true}
	}}`)
	for config, want := range map[string]string{
		`{}`:                                   "",
		`{"name": "http://nas", "other": "x"}`: "",
		`{"anything": {"url": "x"}, "nothing": ["x"]}`:              "",
		`{"base_url": "http://nas"}`:                                "base_url",
		`{"base_url": "", "retries": 0, "headers": {}}`:             "",
		`{"base_url": null, "lookup": {"on": false, "host": null}}`: "",
		`{"retries": 1}`:                              "retries",
		`{"lookup": {"host": "dns"}}`:                 "lookup.host",
		`{"lookup": "dns"}`:                           "",
		`{"lookup": {"on": true}}`:                    "lookup.on",
		`{"servers": [{}, {"url": "http://nas"}]}`:    "servers.1.url",
		`{"servers": {"url": "http://nas"}}`:          "",
		`{"servers": [{"next": {"url": "x"}}]}`:       "servers.0.next.url",
		`{"by_name": {"nas": {"url": "http://nas"}}}`: "by_name.nas.url",
		`{"by_name": {"nas": {"name": "nas"}}}`:       "",
		`{"headers": {"a": "b"}}`:                     "headers",
		`{"headers": ["a"]}`:                          "headers",
		`{"proxy": "http://nas"}`:                     "proxy",
		`{"via": {"name": "nas"}}`:                    "via",
		``:                                            "",
	} {
		require.Equal(t, want, pluginschema.NetworkKey(schema, json.RawMessage(config)), config)
	}
	require.Empty(t, pluginschema.NetworkKey(json.RawMessage(`{"properties": []}`), json.RawMessage(`{"base_url": "x"}`)), "a schema that is none")
	require.Empty(t, pluginschema.NetworkKey(nil, json.RawMessage(`{"base_url": "x"}`)))
}
