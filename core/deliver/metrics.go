package deliver

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

type metrics struct {
	attempts *prometheus.CounterVec
	elapsed  *prometheus.HistogramVec
	latency  *prometheus.HistogramVec
	// fallbacks counts deliveries that are not as they were to be.
	fallbacks *prometheus.CounterVec
	silenced  *prometheus.CounterVec
	// asks counts questions for proof, and back the events that targets handed back.
	asks, back *prometheus.CounterVec
}

// latencyBuckets reach from a millisecond to the longest retries, in seconds.
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 21600, 86400}

func newMetrics(r prometheus.Registerer) *metrics {
	f := promauto.With(r)
	return &metrics{
		attempts: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_attempts_total", Help: "Delivery attempts by target and outcome class.",
		}, []string{"target", "class"}),
		fallbacks: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_delivery_fallbacks_total",
			Help: "Deliveries that are not as they were to be: a template failed, or a message to edit was gone.",
		}, []string{"target"}),
		elapsed: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookarr_attempt_seconds", Help: "Time that attempts took.", Buckets: prometheus.DefBuckets,
		}, []string{"target"}),
		latency: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookarr_delivery_latency_seconds", Help: "Time from an event's receipt to its delivery.", Buckets: latencyBuckets,
		}, []string{"target"}),
		silenced: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_deliveries_silenced_total", Help: "Deliveries that silences have cancelled, by target.",
		}, []string{"target"}),
		asks: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_proof_asks_total",
			Help: "Questions whether what an endpoint accepted is proven, by target and answer: proven, not_yet, or an outcome class.",
		}, []string{"target", "answer"}),
		back: f.NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_events_handed_back_total", Help: "Events that targets handed back.",
		}, []string{"target"}),
	}
}

// expect has the counters of a target begin at 0: of one that begins later, Prometheus does
// not see the first increase.
func (m *metrics) expect(target string) {
	m.fallbacks.WithLabelValues(target)
	m.silenced.WithLabelValues(target)
}

// observe counts an attempt on a pending delivery, or a question for the proof of a
// verifying one. What is to be proven is delivered once it is.
func (m *metrics) observe(target string, state event.DeliveryState, o host.Outcome, elapsed, latency time.Duration) {
	proven := o.Class == sdk.ClassOK && o.Receipt.VerifyAfter == 0
	if state == event.Verifying {
		answer := string(o.Class)
		switch {
		case proven:
			answer = "proven"
		case o.Class == sdk.ClassOK:
			answer = "not_yet"
		}
		m.asks.WithLabelValues(target, answer).Inc()
	} else {
		m.attempts.WithLabelValues(target, string(o.Class)).Inc()
		m.elapsed.WithLabelValues(target).Observe(elapsed.Seconds())
	}
	if proven {
		m.latency.WithLabelValues(target).Observe(latency.Seconds())
	}
}
