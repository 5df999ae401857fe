package e2e

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/testpg"
)

// TestMetricsFollowTheConfiguration has a target with a plugin of its own leave: nothing is
// told of either any more. What is configured is told from the beginning.
func TestMetricsFollowTheConfiguration(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	leaving := "\nleaving:\n  plugin: ntfy\n  config: {topic: a-topic, server: " + endpoint.URL + "}"
	srv, c := withSocket(t, settings{
		database: "sqlite://" + filepath.Join(t.TempDir(), "hookarr.db"), targets: webhookTarget(endpoint) + leaving,
		routes: `- {name: everything, to: [ops, leaving]}`, top: "reload: {watch: false}",
	})
	srv.start()
	srv.awaitMetrics(t,
		`hookarr_target_held{kind="breaker",target="leaving"} 0`, `hookarr_oldest_pending_seconds{target="leaving"} 0`,
		`hookarr_requests_rejected_total{reason="mismatch",source="radarr"} 0`, `hookarr_events_undecodable_total{source="radarr"} 0`,
		`hookarr_route_overruns_total{route="everything"} 0`, `hookarr_delivery_fallbacks_total{target="leaving"} 0`,
		`hookarr_ready 1`, `hookarr_build_info{`,
	)
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	srv.awaitMetrics(t, `hookarr_attempts_total{class="ok",target="leaving"} 1`, `hookarr_attempts_total{class="ok",target="ops"} 1`,
		`hookarr_plugin_call_seconds_count{method="deliver",plugin="target-ntfy"} 1`)

	srv.rewrite(func(old string) string {
		return strings.NewReplacer(indent(leaving, 2), "", "[ops, leaving]", "[ops]").Replace(old)
	})
	_, err := c.Reload(t.Context(), false)
	require.NoError(t, err)
	// Its plugin ends after the reload.
	require.Eventually(t, func() bool {
		rest := regexp.MustCompile(`(?m)^hookarr_deliveries.*$`).ReplaceAllString(srv.metrics(t), "")
		return !regexp.MustCompile(`hookarr_\w+{.*(leaving|ntfy)`).MatchString(rest)
	}, waitTimeout, 50*time.Millisecond)
	srv.awaitMetrics(t, `hookarr_attempts_total{class="ok",target="ops"} 1`)
}

// TestMetricsWithoutDatabase takes the database away: scrapes tell that, and everything
// that the process knows itself.
func TestMetricsWithoutDatabase(t *testing.T) {
	t.Parallel()
	cluster := testpg.Cluster(t)
	srv := newServer(t, settings{database: cluster.URL(), targets: webhookTarget(newReceiver(t)), routes: everything})
	srv.start()
	srv.awaitMetrics(t, "hookarr_database_up 1\n")
	cluster.StopImmediate()
	var wg sync.WaitGroup
	texts := make([]string, 10)
	for i := range texts {
		wg.Go(func() { texts[i] = srv.metrics(t) })
	}
	wg.Wait()
	for _, text := range texts {
		require.Contains(t, text, "hookarr_database_up 0\n")
		require.Contains(t, text, "hookarr_ready 0\n")
		require.Contains(t, text, `hookarr_plugin_up{plugin="target-webhook"} 1`)
		require.NotContains(t, text, "hookarr_target_held")
	}
	cluster.Start()
	srv.awaitMetrics(t, "hookarr_database_up 1\n", `hookarr_target_held{kind="paused",target="ops"} 0`)
	documented(t, srv.metrics(t))
}

// documented checks that the page on metrics has what a scrape tells.
func documented(t *testing.T, scrape string) {
	t.Helper()
	rows := documentedMetrics(t)
	seen := 0
	for _, sample := range regexp.MustCompile(`(?m)^(hookarr_\w+)(?:\{(.*)\})? `).FindAllStringSubmatch(scrape, -1) {
		seen++
		name := sample[1]
		if _, ok := rows[name]; !ok {
			name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		}
		require.Contains(t, rows, name)
		for _, label := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(sample[2], -1) {
			if label[1] != "le" {
				require.Contains(t, rows[name], label[1], name)
			}
		}
	}
	require.Greater(t, seen, 50)
}
