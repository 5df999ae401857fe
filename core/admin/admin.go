// Package admin shows how Hookarr is: health, readiness and metrics.
package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what the pages show.
type Options struct {
	// Unready returns why nothing can be accepted now, in words that anybody may read,
	// or "".
	Unready func(ctx context.Context) string
	// Degraded returns the states of the plugins that are not ready, by name.
	Degraded func() map[string]string
	// Warnings returns what will soon keep from accepting anything, in words that anybody may
	// read. It may be nil.
	Warnings func() []string
	Metrics  prometheus.Gatherer
	// Registry is given the count of what could not be gathered. It may be nil.
	Registry prometheus.Registerer
}

// readyTimeout bounds the question to the database.
const readyTimeout = 3 * time.Second

// maxScrapes is how many answers of /metrics may be under way.
const maxScrapes = 16

// readiness is the answer of /readyz.
type readiness struct {
	// Status is ready, degraded or unavailable.
	Status  string            `json:"status"`
	Reason  string            `json:"reason,omitempty"`
	Plugins map[string]string `json:"plugins,omitempty"`
	// Warnings are what will soon make it unavailable.
	Warnings []string `json:"warnings,omitempty"`
}

// Handler serves /healthz, /readyz and /metrics. Health needs no credentials, and metrics
// need none on a listener of their own, so they tell what is wrong and leave why to the log.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		// Who hangs up says nothing of the database.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), readyTimeout)
		defer cancel()
		status, answer := http.StatusOK, readiness{Status: "ready", Plugins: o.Degraded()}
		if o.Warnings != nil {
			answer.Warnings = o.Warnings()
		}
		if len(answer.Plugins)+len(answer.Warnings) > 0 {
			answer.Status = "degraded"
		}
		if reason := o.Unready(ctx); reason != "" {
			status, answer.Status, answer.Reason = http.StatusServiceUnavailable, "unavailable", reason
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	})
	scrape := promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, Registry: o.Registry, MaxRequestsInFlight: maxScrapes,
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		// An answer waits for the body of its request: strangers who never send theirs would
		// have all the places.
		if r.ContentLength != 0 {
			http.Error(w, "a scrape has no body", http.StatusBadRequest)
			return
		}
		scrape.ServeHTTP(w, r)
	})
	return mux
}
