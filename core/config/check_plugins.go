package config

import (
	"maps"
	"slices"
	"strings"
)

// minPluginMemory is twice what a plugin of the SDK holds before it has done anything.
const minPluginMemory = 32 * MiB

// plugins checks what is set for single plugins; goos is the system that they run on.
func (k checker) plugins(goos string) {
	used := map[string]bool{}
	for _, s := range k.Sources {
		used["source-"+s.Plugin] = true
	}
	for _, t := range k.Targets {
		used["target-"+t.Plugin] = true
	}
	for _, name := range slices.Sorted(maps.Keys(k.Plugins.ByName)) {
		p, key := k.Plugins.ByName[name], "plugins."+name
		if kind, plugin, _ := strings.Cut(name, "-"); !used[name] && !k.isBroken(kind+"s") {
			k.warn(key, "no %s is of plugin %s%s", kind, plugin, Suggest(name, slices.Collect(maps.Keys(used))))
		}
		k.oneOf(key+".sandbox", p.Sandbox, SandboxAuto, SandboxOn, SandboxOff)
		switch {
		case p.Memory != 0 && p.Memory < minPluginMemory:
			k.problem(key+".memory", "want %s or more, or 0 for no bound", minPluginMemory)
		case p.Memory != 0 && goos != "linux":
			k.warn(key+".memory", "has no effect here: what a plugin holds is watched on Linux alone")
		}
	}
}
