package deliver

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

type metrics struct {
	attempts *prometheus.CounterVec
	elapsed  *prometheus.HistogramVec
	latency  *prometheus.HistogramVec
}

// latencyBuckets reach from a millisecond to the longest retries, in seconds.
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 21600, 86400}

// countTimeout bounds the count of deliveries that a scrape waits for.
const countTimeout = 2 * time.Second

func newMetrics(r prometheus.Registerer, counts deliveryCounter) *metrics {
	f := promauto.With(r)
	if r != nil {
		r.MustRegister(depthCollector{counts: counts})
	}
	return &metrics{
		attempts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_attempts_total", Help: "Delivery attempts by target and outcome class.",
		}, []string{"target", "class"}),
		elapsed: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookarr_attempt_seconds", Help: "Time that attempts took.", Buckets: prometheus.DefBuckets,
		}, []string{"target"}),
		latency: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookarr_delivery_latency_seconds", Help: "Time from an event's receipt to its delivery.", Buckets: latencyBuckets,
		}, []string{"target"}),
	}
}

func (m *metrics) observe(target string, class sdk.Class, elapsed, latency time.Duration) {
	m.attempts.WithLabelValues(target, string(class)).Inc()
	m.elapsed.WithLabelValues(target).Observe(elapsed.Seconds())
	if class == sdk.ClassOK {
		m.latency.WithLabelValues(target).Observe(latency.Seconds())
	}
}

type deliveryCounter interface {
	CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error)
}

// depthCollector asks the database when it is scraped: the rows are the truth, and
// several nodes share them.
type depthCollector struct{ counts deliveryCounter }

// Describe sends nothing, which makes the collector unchecked.
func (depthCollector) Describe(chan<- *prometheus.Desc) {}

// Collect counts the open deliveries. A database that does not answer leaves the
// gauge out.
func (c depthCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	counts, err := c.counts.CountDeliveries(ctx)
	if err != nil {
		return
	}
	desc := prometheus.NewDesc("hookarr_deliveries", "Deliveries that are pending, held or dead.", []string{"target", "state"}, nil)
	for _, n := range counts {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n.Count), n.Target, string(n.State))
	}
}
