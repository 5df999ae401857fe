package app

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/metrics"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// unknownSource is how requests that lead to no source are counted.
const unknownSource = "unknown"

// metrics are what /metrics tells: what the process counts, of what is configured, and what
// the database holds.
func (a *App) metrics() prometheus.Gatherer {
	held := prometheus.NewRegistry()
	held.MustRegister(
		metrics.Build{Version: a.program.Version, Go: a.program.Go, Commit: a.program.Commit}.Collector(),
		&metrics.Database{
			Store: a.store, Names: func() metrics.Names { return namesOf(a.current.Load().config) },
			Snapshots: func() []string { return slices.Sorted(maps.Keys(a.current.Load().snapshots)) },
			Free:      a.space.free,
			Open:      func() bool { return a.servers.state.Load() == nil },
		},
	)
	counted := metrics.Configured(a.registry, func() metrics.Names {
		n := namesOf(a.current.Load().config)
		n.Sources = append(n.Sources, unknownSource, sdk.SourceHookarr)
		return n
	})
	return prometheus.Gatherers{counted, held}
}

// namesOf are the names in a configuration, those of plugins with their kind.
func namesOf(c *config.Config) metrics.Names {
	n := metrics.Names{Sources: slices.Sorted(maps.Keys(c.Sources)), Targets: slices.Sorted(maps.Keys(c.Targets))}
	for _, r := range c.Routes {
		n.Routes = append(n.Routes, r.Name)
	}
	for _, s := range c.Sources {
		n.Plugins = append(n.Plugins, string(host.KindSource)+"-"+s.Plugin)
	}
	for _, t := range c.Targets {
		n.Plugins = append(n.Plugins, string(host.KindTarget)+"-"+t.Plugin)
	}
	return n
}

// expect has what is counted of a generation's sources and routes begin at 0.
func (a *App) expect(g *generation) {
	n := namesOf(g.config)
	a.intake.Expect(n.Sources)
	a.overruns.expect(n.Routes)
}
