package pluginhost

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are labelled with the plugin's kind and name: target-discord.
type metrics struct {
	restarts *prometheus.CounterVec
	up       *prometheus.GaugeVec
	calls    *prometheus.HistogramVec
	stuck    *prometheus.CounterVec
	cpu      *prometheus.CounterVec
	excesses *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	factory := promauto.With(r)
	return &metrics{
		restarts: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_plugin_restarts_total",
			Help: "Times that a plugin's process had to be started again.",
		}, []string{"plugin"}),
		up: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hookarr_plugin_up",
			Help: "1 while a plugin takes calls.",
		}, []string{"plugin"}),
		calls: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "hookarr_plugin_call_seconds",
			Help:    "Time of calls to plugins, without waiting for one that starts.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"plugin", "method"}),
		stuck: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_plugin_stuck_calls_total",
			Help: "Calls that a plugin still worked on 10 s after their deadline, by its own account.",
		}, []string{"plugin"}),
		cpu: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_plugin_cpu_seconds_total",
			Help: "CPU time of a plugin's processes and their children.",
		}, []string{"plugin"}),
		excesses: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_plugin_excesses_total",
			Help: "Times that a plugin's process was replaced or ended because it took too much.",
		}, []string{"plugin", "limit"}),
	}
}

// memory collects what the plugins' processes hold when it is asked for.
type memory struct {
	status func() []Status
	bytes  *prometheus.Desc
}

func newMemory(status func() []Status) memory {
	return memory{status, prometheus.NewDesc("hookarr_plugin_resident_memory_bytes",
		"Resident memory of a plugin's process and its children, without pages of files.", []string{"plugin"}, nil)}
}

// Describe implements prometheus.Collector.
func (m memory) Describe(to chan<- *prometheus.Desc) { to <- m.bytes }

// Collect implements prometheus.Collector. A plugin without a process has no value.
func (m memory) Collect(to chan<- prometheus.Metric) {
	for _, s := range m.status() {
		if s.Memory > 0 {
			to <- prometheus.MustNewConstMetric(m.bytes, prometheus.GaugeValue, float64(s.Memory), string(s.Kind)+"-"+s.Plugin)
		}
	}
}

// observe records a call that began at start.
func (m *metrics) observe(plugin, method string, start time.Time) {
	m.calls.WithLabelValues(plugin, method).Observe(time.Since(start).Seconds())
}

// forget drops what is told of a plugin that is not used any more.
func (m *metrics) forget(plugin string) {
	m.up.DeleteLabelValues(plugin)
	m.restarts.DeleteLabelValues(plugin)
	m.stuck.DeleteLabelValues(plugin)
	m.cpu.DeleteLabelValues(plugin)
	m.excesses.DeletePartialMatch(prometheus.Labels{"plugin": plugin})
	m.calls.DeletePartialMatch(prometheus.Labels{"plugin": plugin})
}
