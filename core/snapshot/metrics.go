package snapshot

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

type metrics struct {
	runs     *prometheus.CounterVec
	failures *prometheus.CounterVec
	items    *prometheus.CounterVec
	events   *prometheus.CounterVec
	repeated *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"source"}, labels...))
	}
	m := &metrics{
		runs:     counter("hookarr_snapshot_runs_total", "Snapshots that were read to their end."),
		failures: counter("hookarr_snapshot_failures_total", "Times that reading a snapshot came to a halt; it goes on later."),
		items:    counter("hookarr_snapshot_items_total", "Titles and files that were read."),
		events:   counter("hookarr_snapshot_events_total", "Events that snapshots told, by type.", "type"),
		repeated: counter("hookarr_snapshot_known_total", "Differences that a webhook, catch-up or another event had told before."),
	}
	if r != nil {
		r.MustRegister(m.runs, m.failures, m.items, m.events, m.repeated)
	}
	return m
}

// expect has the counters of a source begin at 0.
func (m *metrics) expect(source string) {
	for _, c := range []*prometheus.CounterVec{m.runs, m.failures, m.items, m.repeated} {
		c.WithLabelValues(source)
	}
}

func (m *metrics) failed(source string)      { m.failures.WithLabelValues(source).Inc() }
func (m *metrics) read(source string, n int) { m.items.WithLabelValues(source).Add(float64(n)) }

// told counts an event. Types of plugins that are newer than this version have one label.
func (m *metrics) told(source string, t sdk.Type) {
	if !slices.Contains(sdk.Types(), t) {
		t = "other"
	}
	m.events.WithLabelValues(source, string(t)).Inc()
}

func (m *metrics) ended(s store.Snapshot) {
	m.runs.WithLabelValues(s.Source).Inc()
	m.repeated.WithLabelValues(s.Source).Add(float64(s.Known))
}
