package pluginhost

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/sandbox"
	"github.com/hookarr/hookarr/sdk/host"
)

const networkSchema = `{"properties": {"name": {}, "base_url": {"x-hookarr-network": true}}}`

func TestSandboxFor(t *testing.T) {
	t.Parallel()
	offline := host.Description{Offline: true, ConfigSchema: json.RawMessage(networkSchema)}
	plain := []Instance{{Kind: host.KindSource, Plugin: "radarr", Name: "movies", Config: json.RawMessage(`{}`)}}
	with := func(in Instance) []Instance { return append(slices.Clone(plain), in) }
	reaching := with(Instance{Kind: host.KindSource, Plugin: "radarr", Name: "uhd", Config: json.RawMessage(`{"base_url": "http://nas"}`)})
	others := with(Instance{Kind: host.KindSource, Plugin: "sonarr", Name: "tv", Config: json.RawMessage(`{"base_url": "http://nas"}`)})
	for name, tt := range map[string]struct {
		mode      SandboxMode
		kind      host.Kind
		desc      host.Description
		instances []Instance
		support   sandbox.Support
		want      Sandbox
	}{
		"a decoder":              {"", host.KindSource, offline, plain, sandbox.Support{}, Sandbox{SandboxedOn, ""}},
		"one that nobody uses":   {SandboxAuto, host.KindSource, offline, nil, sandbox.Support{}, Sandbox{SandboxedOn, ""}},
		"another's network":      {SandboxAuto, host.KindSource, offline, others, sandbox.Support{}, Sandbox{SandboxedOn, ""}},
		"network of an instance": {SandboxAuto, host.KindSource, offline, reaching, sandbox.Support{}, Sandbox{SandboxedOff, "the plugin uses the network for sources.uhd.config.base_url"}},
		"no promise":             {SandboxAuto, host.KindSource, host.Description{}, plain, sandbox.Support{}, Sandbox{SandboxedOff, "the plugin does not promise to do without network and files"}},
		"a target":               {SandboxAuto, host.KindTarget, offline, plain, sandbox.Support{}, Sandbox{SandboxedOff, "a target has something to reach"}},
		"switched off":           {SandboxOff, host.KindSource, offline, plain, sandbox.Support{}, Sandbox{SandboxedOff, "plugins.source-radarr.sandbox is off"}},
		"switched on":            {SandboxOn, host.KindSource, host.Description{}, reaching, sandbox.Support{}, Sandbox{SandboxedOn, ""}},
		"a target, switched on":  {SandboxOn, host.KindTarget, host.Description{}, nil, sandbox.Support{}, Sandbox{SandboxedOn, ""}},
		"a kernel without":       {SandboxAuto, host.KindSource, offline, plain, sandbox.Support{Missing: "it is old"}, Sandbox{SandboxUnsupported, "it is old"}},
		"none wanted or there":   {SandboxAuto, host.KindSource, offline, reaching, sandbox.Support{Missing: "it is old"}, Sandbox{SandboxedOff, "the plugin uses the network for sources.uhd.config.base_url"}},
		"a kernel with gaps":     {SandboxAuto, host.KindSource, offline, plain, sandbox.Support{Gaps: []string{"a", "b"}}, Sandbox{SandboxedOn, "a; b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := New(Options{
				probe:    func() sandbox.Support { return tt.support },
				Settings: func(host.Kind, string) Settings { return Settings{Sandbox: tt.mode} },
			})
			require.Equal(t, tt.want, h.Sandbox(tt.kind, "radarr", tt.desc, tt.instances))
		})
	}
}
