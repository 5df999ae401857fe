package app

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

// overruns counts the expressions that took more than their budget, by route, and logs of
// one a minute: how many there are, senders decide.
type overruns struct {
	log   *slog.Logger
	total *prometheus.CounterVec
	now   rate.Sometimes
}

func newOverruns(log *slog.Logger, r prometheus.Registerer) *overruns {
	return &overruns{
		log: log, now: rate.Sometimes{Interval: time.Minute},
		total: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
			Name: "hookarr_route_overruns_total", Help: "Expressions that took too long, and were taken for no match.",
		}, []string{"route"}),
	}
}

// expect has the counters of routes begin at 0.
func (o *overruns) expect(routes []string) {
	for _, route := range routes {
		o.total.WithLabelValues(route)
	}
}

func (o *overruns) note(route string) {
	o.total.WithLabelValues(route).Inc()
	o.now.Do(func() {
		o.log.Warn("expression takes too long, so that its route does not match: nest no loops over files", slog.String("route", route))
	})
}
