package admin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
)

func TestHandler(t *testing.T) {
	t.Parallel()

	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "hookarr_test_total"})
	cases := []struct {
		name, path string
		unready    string
		degraded   map[string]string
		status     int
		body       string
	}{
		{name: "alive", path: "/healthz", status: http.StatusOK, body: "ok\n"},
		{name: "alive without a database", path: "/healthz", unready: "database unavailable", status: http.StatusOK, body: "ok\n"},
		{name: "ready", path: "/readyz", status: http.StatusOK, body: `{"status":"ready"}` + "\n"},
		{
			name: "a sick plugin degrades", path: "/readyz", degraded: map[string]string{"target-discord": "quarantined"},
			status: http.StatusOK, body: `{"status":"degraded","plugins":{"target-discord":"quarantined"}}` + "\n",
		},
		{
			name: "no database, not ready", path: "/readyz", unready: "database unavailable",
			status: http.StatusServiceUnavailable, body: `{"status":"unavailable","reason":"database unavailable"}` + "\n",
		},
		{
			name: "metrics", path: "/metrics", status: http.StatusOK,
			body: "# HELP hookarr_test_total \n# TYPE hookarr_test_total counter\nhookarr_test_total 0\n",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			registry := prometheus.NewRegistry()
			registry.MustRegister(counter)
			server := httptest.NewServer(admin.Handler(admin.Options{
				Unready:  func(context.Context) string { return tc.unready },
				Degraded: func() map[string]string { return tc.degraded },
				Metrics:  registry,
			}))
			t.Cleanup(server.Close)

			resp, err := server.Client().Get(server.URL + tc.path)
			require.NoError(t, err)
			defer func() { require.NoError(t, resp.Body.Close()) }()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, tc.status, resp.StatusCode)
			require.Equal(t, tc.body, string(body))
		})
	}
}

// TestMetricsTellWhatTheyCan: what cannot be gathered keeps nothing else away, and is counted.
func TestMetricsTellWhatTheyCan(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	broken := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("broken") })
	handler := admin.Handler(admin.Options{Metrics: prometheus.Gatherers{broken, registry}, Registry: registry})
	var text string
	for range 2 {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
		require.Equal(t, http.StatusOK, w.Code)
		text = w.Body.String()
	}
	require.Contains(t, text, `promhttp_metric_handler_errors_total{cause="gathering"} 1`)
}

// TestScrapeWithABody: who announces a body takes none of the places for scrapes, which he
// would have for as long as he does not send it.
func TestScrapeWithABody(t *testing.T) {
	t.Parallel()
	handler := admin.Handler(admin.Options{Metrics: prometheus.NewRegistry()})
	for _, size := range []int64{1, -1} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
		r.ContentLength = size
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusBadRequest, w.Code)
	}
}
