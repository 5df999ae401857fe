package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// refusedConfigs returns what the plugins refuse of the configuration, each with its
// key, so that nothing starts half.
func (a *App) refusedConfigs() error {
	var problems []error
	for _, s := range a.plugins.Status() {
		for _, p := range s.Problems {
			key := fmt.Sprintf("%ss.%s.config", s.Kind, p.Instance)
			if p.Key != "" {
				key += "." + p.Key
			}
			problems = append(problems, fmt.Errorf("%s: %s: %s", a.config.File, key, p.Message))
		}
	}
	return errors.Join(problems...)
}

// sickPlugins returns the states of plugins that are not ready, by name.
func (a *App) sickPlugins() map[string]string {
	sick := map[string]string{}
	for _, s := range a.plugins.Status() {
		if s.State == pluginhost.Ready {
			continue
		}
		sick[fmt.Sprintf("%s-%s", s.Kind, s.Plugin)] = string(s.State)
	}
	return sick
}

// histories returns how to catch up with the sources whose plugins can.
func (a *App) histories() map[string]config.Catchup {
	histories := map[string]config.Catchup{}
	for name, s := range a.config.Sources {
		d, _ := a.plugins.Describe(host.KindSource, s.Plugin)
		if s.Catchup.Enabled && slices.Contains(d.Features, sdk.FeatureHistory) {
			histories[name] = s.Catchup
		}
	}
	return histories
}

// quarantined returns the targets whose plugin has been given up, and why.
func (a *App) quarantined() map[string]string {
	targets := map[string]string{}
	for _, s := range a.plugins.Status() {
		if s.Kind != host.KindTarget || s.State != pluginhost.Quarantined && s.State != pluginhost.Refused {
			continue
		}
		for name, t := range a.config.Targets {
			if t.Plugin == s.Plugin {
				targets[name] = fmt.Sprintf("plugin %s is %s: %s", s.Plugin, s.State, s.Reason)
			}
		}
	}
	return targets
}
