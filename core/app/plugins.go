package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk/host"
)

// refused returns what the plugins refuse of the configuration, each with its key, by the
// name of the source or target.
func (a *App) refused(kind host.Kind) map[string][]string {
	refused := map[string][]string{}
	for _, s := range a.plugins.Status() {
		for _, p := range s.Problems {
			if s.Kind == kind {
				key := pluginhost.ConfigKey(s.Kind, p.Instance, p.Key)
				refused[p.Instance] = append(refused[p.Instance], fmt.Sprintf("%s: %s", key, p.Message))
			}
		}
	}
	return refused
}

// tellRefused logs what the plugins refuse. It keeps nothing else from working: events of
// such a source wait for their decoder, and such a target is on hold.
func (a *App) tellRefused(ctx context.Context) {
	for _, kind := range []host.Kind{host.KindSource, host.KindTarget} {
		for name, problems := range a.refused(kind) {
			for _, p := range problems {
				a.log.ErrorContext(ctx, "configuration refused by the plugin: mend it and reload",
					slog.String("file", a.config.File), slog.String("name", name), slog.String("problem", p))
			}
		}
	}
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

// quarantined returns the targets whose plugin has been given up, or refuses their
// configuration, and why.
func (a *App) quarantined() map[string]string {
	targets := map[string]string{}
	for name, problems := range a.refused(host.KindTarget) {
		targets[name] = "the plugin refuses the configuration: " + strings.Join(problems, "; ")
	}
	for _, s := range a.plugins.Status() {
		if s.Kind != host.KindTarget || s.State != pluginhost.Quarantined && s.State != pluginhost.Refused {
			continue
		}
		for name, t := range a.current.Load().config.Targets {
			if t.Plugin == s.Plugin {
				targets[name] = fmt.Sprintf("plugin %s is %s: %s", s.Plugin, s.State, s.Reason)
			}
		}
	}
	return targets
}
