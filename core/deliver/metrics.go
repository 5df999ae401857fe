package deliver

import (
	"context"
	"sync"
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

const (
	// countTimeout bounds what a scrape waits for the database.
	countTimeout = 2 * time.Second
	// countEvery is how long a count of deliveries is told again: it costs as much as
	// there are.
	countEvery = 15 * time.Second
)

func newMetrics(r prometheus.Registerer, s counter, plan func() *Plan) *metrics {
	f := promauto.With(r)
	if r != nil {
		r.MustRegister(&collector{store: s, plan: plan})
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

type counter interface {
	CountDeliveries(ctx context.Context) ([]store.DeliveryCount, error)
	ListTargets(ctx context.Context) ([]store.Target, time.Time, error)
}

var (
	deliveriesDesc = prometheus.NewDesc("hookarr_deliveries", "Deliveries that are pending, verifying or dead.", []string{"target", "state"}, nil)
	heldDesc       = prometheus.NewDesc("hookarr_target_held", "1 while the target is on hold, by the kind of hold.", []string{"target", "kind"}, nil)
)

// collector asks the database when it is scraped: the rows are the truth, and several
// nodes share them.
type collector struct {
	store counter
	plan  func() *Plan

	mu      sync.Mutex
	counted time.Time
	counts  []store.DeliveryCount
}

// Describe sends nothing, which makes the collector unchecked.
func (*collector) Describe(chan<- *prometheus.Desc) {}

// Collect tells the open deliveries and the holds. A database that does not answer
// leaves the gauges out. A target that is well tells no hold of kind none, so that an
// alert on it works before it ever was held.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	for _, n := range c.count(ctx) {
		ch <- prometheus.MustNewConstMetric(deliveriesDesc, prometheus.GaugeValue, float64(n.Count), n.Target, string(n.State))
	}
	rows, _, err := c.store.ListTargets(ctx)
	if err != nil {
		return
	}
	held := map[string]store.HoldKind{}
	for _, t := range rows {
		if t.Hold != "" {
			held[t.Name] = t.Hold
			ch <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, 1, t.Name, string(t.Hold))
		}
	}
	for name := range c.plan().targets {
		if held[name] == "" {
			ch <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, 0, name, "none")
		}
	}
}

func (c *collector) count(ctx context.Context) []store.DeliveryCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.counted) < countEvery {
		return c.counts
	}
	counts, err := c.store.CountDeliveries(ctx)
	if err != nil {
		return nil
	}
	c.counted, c.counts = time.Now(), counts
	return counts
}
