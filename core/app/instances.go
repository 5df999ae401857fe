package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk/host"
)

// PluginSettings returns what a configuration says of single plugins, for the plugin host.
func PluginSettings(c *config.Config) func(kind host.Kind, name string) pluginhost.Settings {
	return func(kind host.Kind, name string) pluginhost.Settings {
		p := c.Plugins.Of(string(kind), name)
		return pluginhost.Settings{Memory: int64(p.Memory), Sandbox: pluginhost.SandboxMode(p.Sandbox)}
	}
}

// Instances lists the sources and targets of a configuration for the plugin host, in
// the order of their names. The error names every one that is left out.
func Instances(c *config.Config) ([]pluginhost.Instance, error) {
	var instances []pluginhost.Instance
	var problems []error
	add := func(kind host.Kind, plugin, name string, settings map[string]any) {
		if settings == nil {
			settings = map[string]any{}
		}
		raw, err := json.Marshal(settings)
		if err != nil {
			problems = append(problems, fmt.Errorf("%ss.%s.config: %w", kind, name, err))
			return
		}
		instances = append(instances, pluginhost.Instance{Kind: kind, Plugin: plugin, Name: name, Config: raw})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		add(host.KindSource, c.Sources[name].Plugin, name, c.Sources[name].Config)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		add(host.KindTarget, c.Targets[name].Plugin, name, c.Targets[name].Config)
	}
	return instances, errors.Join(problems...)
}
