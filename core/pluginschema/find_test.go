package pluginschema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginschema"
)

func TestFind(t *testing.T) {
	t.Parallel()
	s := read(t, `{"properties":{
		"url":{"type":"string"},"url_path":{"type":"string"},
		"templates":{"type":"object","additionalProperties":{"type":"object","properties":{"title":{"type":"string"},"old":{"deprecated":true}}}},
		"servers":{"type":"array","deprecated":true,"items":{"type":"object","properties":{"host":{"type":"string"}}}},
		"tls":{"type":"object","x-hookarr-advanced":true,"properties":{"ca":{"type":"string"}}}}}`)
	for setting, want := range map[string]string{
		"url": "url", "url_path": "url_path", "templates": "templates", "templates.media.*.title": "templates.KEY.title",
		"templates.*.old": "templates.KEY.old", "templates.media.*.other": "templates", "servers[3].host": "servers[].host",
		"servers": "servers", "tls.ca": "tls.ca", "tls.ca.more": "tls.ca",
	} {
		k, ok := pluginschema.Find(s.Keys, setting)
		require.True(t, ok, setting)
		require.Equal(t, want, k.Path, setting)
		require.Equal(t, want == "templates.KEY.old" || setting[0] == 's', k.Deprecated, setting)
		require.Equal(t, setting[:2] == "tl", k.Advanced, setting)
	}
	for _, setting := range []string{"", "ur", "urls", "tls2.ca"} {
		_, ok := pluginschema.Find(s.Keys, setting)
		require.False(t, ok, setting)
	}
}
