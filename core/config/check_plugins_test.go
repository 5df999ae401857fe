package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pluginsBase = `
plugins: {dir: ./plugins, target-chat: {memory: 200MiB}}
targets: {chat: {plugin: chat}}
routes: [{name: all, to: [chat]}]
sources: {radarr: {plugin: radarr, auth: [{header: {name: X-Key, value: a-first-secret-of-tests}}]}}
`

func TestPluginSettings(t *testing.T) {
	t.Parallel()
	c := loadText(t, t.TempDir(), pluginsBase)
	require.Empty(t, c.Warnings)
	require.Equal(t, Plugin{Memory: 200 * MiB, Sandbox: SandboxAuto}, c.Plugins.Of("target", "chat"))
	require.Equal(t, Plugin{Sandbox: SandboxAuto}, c.Plugins.Of("source", "radarr"), "what is not given is the default")
	for _, none := range []string{"0", "0MiB"} {
		c := loadText(t, t.TempDir(), strings.Replace(pluginsBase, "200MiB", none, 1))
		require.Zero(t, c.Plugins.Of("target", "chat").Memory)
	}
}

func TestPluginSettingsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"HOOKARR_PLUGINS__TARGET_DISCORD__MEMORY":      "plugins.target-discord.memory",
		"HOOKARR_PLUGINS__SOURCE_RADARR_4K__SANDBOX":   "plugins.source-radarr-4k.sandbox",
		"HOOKARR_PLUGINS_DIR":                          "plugins.dir",
		"HOOKARR_PLUGINS__TARGET_DISCORD":              "",
		"HOOKARR_PLUGINS__TARGET_DISCORD__COLOUR":      "",
		"HOOKARR_PLUGINS__TARGET_DISCORD__MEMORY__MAX": "",
	} {
		key, ok := envKey(variable)
		require.Equal(t, want != "", ok, variable)
		if ok {
			require.Equal(t, want, key)
		}
	}
	c, err := Loader{Environ: func() []string {
		return []string{"HOOKARR_PLUGINS__TARGET_CHAT__MEMORY=1GiB", "HOOKARR_PLUGINS__SOURCE_RADARR__SANDBOX=off"}
	}}.Load(loadText(t, t.TempDir(), pluginsBase).File)
	require.NoError(t, err)
	require.Equal(t, map[string]Plugin{
		"target-chat": {Memory: GiB, Sandbox: "auto"}, "source-radarr": {Sandbox: "off"},
	}, c.Plugins.ByName)
	require.Equal(t, "$HOOKARR_PLUGINS__TARGET_CHAT__MEMORY", c.Origin("plugins.target-chat.memory").String())
	require.Equal(t, "default", c.Origin("plugins.target-chat.sandbox").String())
	c, err = Loader{Environ: func() []string { return []string{"HOOKARR_PLUGINS__TARGET_CHAT__MEMORY=0"} }}.Load(c.File)
	require.NoError(t, err)
	require.Zero(t, c.Plugins.ByName["target-chat"].Memory)
}

// TestPluginSettingsOfNobody warns of settings that nothing reads.
func TestPluginSettingsOfNobody(t *testing.T) {
	t.Parallel()
	c := loadText(t, t.TempDir(), strings.Replace(pluginsBase, "target-chat:", "target-chatt:", 1))
	require.Len(t, c.Warnings, 1)
	require.Equal(t, `plugins.target-chatt: no target is of plugin chatt; did you mean "target-chat"?`, c.Warnings[0].Key+": "+c.Warnings[0].Message)
	require.Equal(t, 2, c.Warnings[0].Line)
}

// TestMemoryIsWatchedOnLinux says so where it is not.
func TestMemoryIsWatchedOnLinux(t *testing.T) {
	t.Parallel()
	for goos, want := range map[string][]string{
		"linux":  nil,
		"darwin": {"plugins.target-chat.memory: has no effect here: what a plugin holds is watched on Linux alone"},
	} {
		c := loadText(t, t.TempDir(), pluginsBase)
		d := &decoder{origin: &c.origin}
		checker{Config: c, decoder: d}.plugins(goos)
		var got []string
		for _, w := range d.warnings {
			got = append(got, w.Key+": "+w.Message)
		}
		require.Equal(t, want, got, goos)
		require.Empty(t, d.problems)
	}
}

func TestDiffOfPluginSettings(t *testing.T) {
	t.Parallel()
	diffed := func(edit ...string) (got []string) {
		dir := t.TempDir()
		for _, c := range Diff(loadText(t, dir, pluginsBase), loadText(t, dir, strings.NewReplacer(edit...).Replace(pluginsBase))) {
			got = append(got, c.String())
		}
		return got
	}
	require.Equal(t, []string{"plugins.target-chat.memory: 200MiB → 300MiB"}, diffed("200MiB", "300MiB"))
	require.Equal(t, []string{"plugins.target-chat.sandbox: auto → off"}, diffed("200MiB", "200MiB, sandbox: off"))
	require.Equal(t, []string{"plugins.source-radarr: added", "plugins.target-chat: removed"}, diffed("target-chat:", "source-radarr:"))
}
