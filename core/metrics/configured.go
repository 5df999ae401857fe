package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Names are those of a configuration.
type Names struct{ Sources, Targets, Routes, Plugins []string }

// Configured gathers from g what is told of a configuration's own. What has left it is not
// told any more, though calls that were under way then have counted since; one that comes
// back goes on where it was.
func Configured(g prometheus.Gatherer, names func() Names) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := g.Gather()
		n := names()
		known := map[string]map[string]bool{"source": set(n.Sources), "target": set(n.Targets), "route": set(n.Routes), "plugin": set(n.Plugins)}
		for _, f := range families {
			f.Metric = slices.DeleteFunc(f.GetMetric(), func(m *dto.Metric) bool {
				return slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool {
					values, bounded := known[l.GetName()]
					return bounded && !values[l.GetValue()]
				})
			})
		}
		return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return len(f.GetMetric()) == 0 }), err
	})
}

func set(names []string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}
