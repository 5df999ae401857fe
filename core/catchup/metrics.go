package catchup

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	events   *prometheus.CounterVec
	failures *prometheus.CounterVec
	last     *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_catchup_events_total",
			Help: "Events read from histories: accepted ones were missed, known ones had come before.",
		}, []string{"source", "result"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_catchup_failures_total", Help: "Runs of catch-up that ended early.",
		}, []string{"source"}),
		last: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hookarr_catchup_last_success_timestamp_seconds", Help: "When a history was last read to its end.",
		}, []string{"source"}),
	}
	if r != nil {
		r.MustRegister(m.events, m.failures, m.last)
	}
	return m
}

// expect has the counters of a source begin at 0.
func (m *metrics) expect(source string) {
	m.events.WithLabelValues(source, "accepted")
	m.events.WithLabelValues(source, "known")
	m.failures.WithLabelValues(source)
}

func (m *metrics) ran(source string, r Result, err error) {
	m.events.WithLabelValues(source, "accepted").Add(float64(r.Accepted))
	m.events.WithLabelValues(source, "known").Add(float64(r.Known))
	if err != nil {
		m.failures.WithLabelValues(source).Inc()
		return
	}
	m.last.WithLabelValues(source).SetToCurrentTime()
}
