package app

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

// overruns returns what counts the expressions that took more than their budget, by
// route, and logs of one a minute: how many there are, senders decide.
func overruns(log *slog.Logger, r prometheus.Registerer) func(route string) {
	total := promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "hookarr_route_overruns_total", Help: "Expressions that took too long, and were taken for no match.",
	}, []string{"route"})
	now := rate.Sometimes{Interval: time.Minute}
	return func(route string) {
		total.WithLabelValues(route).Inc()
		now.Do(func() {
			log.Warn("expression takes too long, so that its route does not match: nest no loops over files", slog.String("route", route))
		})
	}
}
