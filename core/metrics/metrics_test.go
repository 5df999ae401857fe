package metrics_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/metrics"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/sdk"
)

// scrape returns the samples in the text format.
func scrape(t *testing.T, g prometheus.Gatherer) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(g, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

func names() metrics.Names {
	return metrics.Names{Sources: []string{"radarr", "sonarr"}, Targets: []string{"chat", "ops"}}
}

func collected(s metrics.Store, open bool) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(&metrics.Database{
		Store: s, Names: names, Open: func() bool { return open }, Snapshots: func() []string { return []string{"radarr", "sonarr"} },
	})
	return r
}

// TestDatabase tells what is there, and of everything configured what is not.
func TestDatabase(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "hookarr.db"), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(ctx))

	out := scrape(t, collected(s, true))
	for _, line := range []string{
		`hookarr_ready 1`, `hookarr_database_up 1`, `hookarr_silences_active 0`,
		`hookarr_deliveries{state="dead",target="chat"} 0`, `hookarr_deliveries{state="pending",target="ops"} 0`,
		`hookarr_deliveries{state="verifying",target="ops"} 0`, `hookarr_oldest_pending_seconds{target="ops"} 0`,
		`hookarr_source_last_event_timestamp_seconds{source="radarr"} 0`, `hookarr_target_throttled{target="ops"} 0`,
	} {
		require.Contains(t, out, line+"\n")
	}
	for _, kind := range store.HoldKinds() {
		require.Contains(t, out, `hookarr_target_held{kind="`+string(kind)+`",target="ops"} 0`+"\n")
	}
	require.Contains(t, scrape(t, collected(s, false)), "hookarr_ready 0\n")
	out = scrape(t, collected(read{s}, true))
	for _, line := range []string{
		`hookarr_snapshot_withheld{source="radarr"} 42`, `hookarr_snapshot_last_success_timestamp_seconds{source="radarr"} 1.7e+09`,
		`hookarr_snapshot_withheld{source="sonarr"} 0`, `hookarr_snapshot_last_success_timestamp_seconds{source="sonarr"} 0`,
	} {
		require.Contains(t, out, line+"\n")
	}

	accept := func(kind sdk.Type, targets ...string) {
		a := &store.Acceptance{Event: event.Event{
			ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook, Type: kind,
			ReceivedAt: time.Unix(1_700_000_000, 500e6).UTC(), Request: event.Request{Method: "POST", Body: []byte("{}")},
		}}
		if kind == sdk.TypeTest {
			a.Event.ReceivedAt = a.Event.ReceivedAt.Add(time.Hour)
		}
		for _, target := range targets {
			a.Deliveries = append(a.Deliveries, event.Delivery{ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: "all"})
		}
		_, err := s.Accept(ctx, a)
		require.NoError(t, err)
	}
	accept(sdk.TypeMediaImported, "ops", "gone")
	accept(sdk.TypeTest, "ops")
	require.NoError(t, s.Hold(ctx, "ops", store.HoldPaused, "a test"))
	require.NoError(t, s.Hold(ctx, "gone", store.HoldPaused, "a test"))
	_, _, err = s.ChangeTarget(ctx, "chat", func(c *store.Target, now time.Time) []*store.Settlement {
		c.NextAt, c.Pace = now.Add(time.Hour), "429"
		return nil
	})
	require.NoError(t, err)
	silence := &store.Silence{ID: uuid.New(), Expression: "true", Who: "root", Via: "socket"}
	require.NoError(t, s.AddSilence(ctx, &store.Action{ID: event.NewID(), What: store.ActionSilence, State: store.ActionDone}, silence, time.Hour))

	out = scrape(t, collected(s, true))
	for _, line := range []string{
		`hookarr_silences_active 1`, `hookarr_deliveries{state="pending",target="ops"} 2`,
		`hookarr_deliveries{state="pending",target="gone"} 1`,
		`hookarr_target_held{kind="paused",target="ops"} 1`, `hookarr_target_held{kind="breaker",target="ops"} 0`,
		`hookarr_target_throttled{target="chat"} 1`, `hookarr_target_throttled{target="ops"} 0`,
		`hookarr_oldest_pending_seconds{target="chat"} 0`, `hookarr_source_last_event_timestamp_seconds{source="radarr"} 1.7000000005e+09`,
	} {
		require.Contains(t, out, line+"\n")
	}
	require.NotContains(t, out, `hookarr_oldest_pending_seconds{target="ops"} 0`+"\n")
	require.NotContains(t, out, `hookarr_oldest_pending_seconds{target="gone"}`)
	require.NotContains(t, out, `hookarr_target_held{kind="paused",target="gone"}`)
}

// read is a database in which a snapshot has ended.
type read struct{ metrics.Store }

func (r read) FindSnapshot(ctx context.Context, source string) (store.Snapshot, error) {
	if source != "radarr" {
		return r.Store.FindSnapshot(ctx, source)
	}
	return store.Snapshot{TitlesGone: 40, FilesGone: 2, Withheld: "too many", EndedAt: time.Unix(1_700_000_000, 0)}, nil
}

// away is a database that answers once it is released, whatever the context.
type away struct {
	metrics.Store

	asked    atomic.Int64
	released chan struct{}
	err      error
}

func (a *away) ListTargets(context.Context) ([]store.Target, time.Time, error) {
	a.asked.Add(1)
	<-a.released
	return nil, time.Time{}, a.err
}

// TestDatabaseAway has many scrapes wait for a database: they ask it once, give up in time,
// and tell that it is away.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	a := &away{released: make(chan struct{}), err: errors.New("gone")}
	r := collected(a, true)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			families, err := r.Gather()
			if err != nil || len(families) != 2 {
				t.Errorf("%d families, %v", len(families), err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, a.asked.Load())
	close(a.released)
	require.Eventually(t, func() bool {
		out := scrape(t, r)
		return strings.Contains(out, "hookarr_database_up 0\n") && strings.Contains(out, "hookarr_ready 0\n") && a.asked.Load() > 1
	}, time.Minute, 10*time.Millisecond, "the next scrape asks again")
}

// TestConfigured leaves out what has left the configuration.
func TestConfigured(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	calls := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "calls"}, []string{"plugin", "method"})
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "attempts"}, []string{"target"})
	plain := prometheus.NewCounter(prometheus.CounterOpts{Name: "plain"})
	r.MustRegister(calls, attempts, plain)
	calls.WithLabelValues("target-gone", "deliver").Observe(1)
	attempts.WithLabelValues("ops").Inc()
	attempts.WithLabelValues("gone").Inc()

	present := metrics.Names{Targets: []string{"ops"}, Plugins: []string{"target-webhook"}}
	g := metrics.Configured(r, func() metrics.Names { return present })
	out := scrape(t, g)
	require.Contains(t, out, `attempts{target="ops"} 1`)
	require.Contains(t, out, "plain 0")
	require.NotContains(t, out, "gone")
	require.NotContains(t, out, "calls", "a family without samples")

	present.Targets = append(present.Targets, "gone")
	require.Contains(t, scrape(t, g), `attempts{target="gone"} 1`)
}

// TestBuild names what the program was built from.
func TestBuild(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	r.MustRegister(metrics.Build{Version: "v1.2.3", Go: "go1.26.0", Commit: "abc"}.Collector())
	require.Contains(t, scrape(t, r), `hookarr_build_info{commit="abc",go_version="go1.26.0",version="v1.2.3"} 1`)
}
