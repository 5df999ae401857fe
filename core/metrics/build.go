package metrics

import "github.com/prometheus/client_golang/prometheus"

// Build is what a program was made of.
type Build struct{ Version, Go, Commit string }

// Collector tells the build.
func (b Build) Collector() prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hookarr_build_info", Help: "1; the labels tell what the program was built from.",
		ConstLabels: prometheus.Labels{"version": b.Version, "go_version": b.Go, "commit": b.Commit},
	})
	info.Set(1)
	return info
}
