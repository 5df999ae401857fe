package config

// Plugins says where the plugin binaries are.
type Plugins struct {
	// Dir are the directories; the first that has a binary of a name wins.
	Dir []string `koanf:"dir"`
	// Lock is the file of pinned checksums; a missing file pins nothing.
	Lock string `koanf:"lock"`
	// ByName are the settings of single plugins, by kind and name: target-discord.
	ByName map[string]Plugin `koanf:",open"`
}

// Of returns the settings of a plugin, which are the defaults when none are given. Kind is
// source or target.
func (p Plugins) Of(kind, name string) Plugin {
	if given, ok := p.ByName[kind+"-"+name]; ok {
		return given
	}
	var plugin Plugin
	plugin.setDefaults()
	return plugin
}

// Plugin says what the process of a plugin may take.
type Plugin struct {
	// Memory is how much it may hold before another takes its place; 0 is no bound.
	Memory Size `koanf:"memory"`
	// Sandbox is auto, on or off.
	Sandbox string `koanf:"sandbox"`
}

// What Plugin.Sandbox says.
const (
	// SandboxAuto keeps those plugins in a sandbox that can do their work in one.
	SandboxAuto = "auto"
	// SandboxOn starts the plugin in a sandbox or not at all.
	SandboxOn = "on"
	// SandboxOff starts the plugin without one.
	SandboxOff = "off"
)
