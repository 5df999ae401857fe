package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/grafana"
)

const (
	alertsFile    = "../../examples/prometheus/alerts.yaml"
	dashboardFile = "../../examples/grafana/hookarr.json"
)

type alertRule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alertRules(t *testing.T) (rules []alertRule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []alertRule `yaml:"rules"`
		} `yaml:"groups"`
	}
	decode(t, alertsFile, &file)
	for _, g := range file.Groups {
		rules = append(rules, g.Rules...)
	}
	require.Greater(t, len(rules), 25)
	return rules
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, into))
}

// TestAlertsAreTested: each says what to do, and has a test in which it fires and one in
// which it does not.
func TestAlertsAreTested(t *testing.T) {
	t.Parallel()
	var file struct {
		Tests []struct {
			Cases []struct {
				Alert  string `yaml:"alertname"`
				Alerts []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		} `yaml:"tests"`
	}
	decode(t, filepath.Join(filepath.Dir(alertsFile), "alerts_test.yaml"), &file)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, c := range test.Cases {
			fires[c.Alert] = fires[c.Alert] || len(c.Alerts) > 0
			quiet[c.Alert] = quiet[c.Alert] || len(c.Alerts) == 0
		}
	}
	for _, r := range alertRules(t) {
		require.True(t, fires[r.Alert], "%s never fires in a test", r.Alert)
		require.True(t, quiet[r.Alert], "%s fires in every test", r.Alert)
		require.NotEmpty(t, r.For, r.Alert)
		require.Contains(t, []string{"critical", "warning", "info"}, r.Labels["severity"], r.Alert)
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.Greater(t, len(r.Annotations["description"]), 60, r.Alert)
	}
}

// TestMonitoringAsksForWhatThereIs looks for every metric and label of the alerts and of the
// dashboard on the page on metrics.
func TestMonitoringAsksForWhatThereIs(t *testing.T) {
	t.Parallel()
	rows := documentedMetrics(t)
	used := map[string]bool{}
	check := func(where, expr string) {
		t.Helper()
		var labels []string
		for _, name := range regexp.MustCompile(`hookarr_\w+`).FindAllString(expr, -1) {
			if _, ok := rows[name]; !ok {
				name = strings.TrimSuffix(name, "_bucket")
			}
			require.Contains(t, rows, name, where)
			used[name] = true
			labels = append(labels, rows[name]...)
		}
		labels = append(labels, "job", "instance", "le")
		matchers := regexp.MustCompile(`\{[^}]*\}|\b(?:by|on) \([^)]*\)`).FindAllString(expr, -1)
		for _, matcher := range matchers {
			matcher = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(matcher, "")
			for _, label := range regexp.MustCompile(`\w+`).FindAllString(matcher, -1) {
				if label != "by" && label != "on" {
					require.Contains(t, labels, label, "%s: %s", where, expr)
				}
			}
		}
	}
	for _, r := range alertRules(t) {
		check(r.Alert, r.Expr)
	}
	d, err := grafana.Read(dashboardFile)
	require.NoError(t, err)
	require.GreaterOrEqual(t, d.SchemaVersion, 39)
	ids := map[int]bool{}
	for _, p := range d.Panels {
		require.False(t, ids[p.ID], "two panels have the id %d", p.ID)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		if p.Type != "row" {
			require.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
			require.NotEmpty(t, p.Targets, p.Title)
		}
		for _, q := range p.Targets {
			check(p.Title, q.Expr)
			require.Contains(t, q.Expr, `job="$job", instance=~"$instance"`, p.Title)
		}
	}
	require.Greater(t, len(used), 30)
}

// TestPrometheusReadsAServer has a real Prometheus scrape a real server: it finds nothing to
// criticise in the metrics, every panel of the dashboard has data, and every alert can be
// evaluated.
func TestPrometheusReadsAServer(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		require.NotEqual(t, "required", os.Getenv("TEST_PROMETHEUS"), "prometheus is required and not installed")
		t.Skip("needs prometheus and promtool: apt-get install prometheus")
	}
	a := newArrApp(t, fakearr.Radarr, "radarr", sqliteURL(t), "snapshot: {every: 1h, lag: 0s}", "media.updated")
	a.Seed(5, title, true)
	a.server.start()
	rules, err := filepath.Abs(alertsFile)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*waitTimeout)
	t.Cleanup(cancel)
	prometheus, err := grafana.Start(ctx, t.TempDir(), strings.TrimPrefix(a.server.url, "http://"), rules)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, prometheus.Close()) })

	out, err := a.server.cli("connect", "radarr")
	require.NoError(t, err, out)
	a.grabAndImport(t, a.add(t, 100))
	check := exec.CommandContext(ctx, promtool, "check", "metrics")
	check.Stdin = strings.NewReader(a.server.metrics(t))
	said, err := check.CombinedOutput()
	require.NoError(t, err, "%s", said)

	d, err := grafana.Read(dashboardFile)
	require.NoError(t, err)
	for n := 200; ; n++ {
		var empty []string
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				series, err := prometheus.Query(ctx, q.PromQL(grafana.Job, "1m"), time.Now())
				require.NoError(t, err, p.Title)
				if len(series) == 0 && !strings.Contains(q.Expr, "hookarr_target_path_problems") { // there is no media server
					empty = append(empty, p.Title+": "+q.Expr)
				}
			}
		}
		if len(empty) == 0 {
			break
		}
		require.NoError(t, ctx.Err(), "without data: %s", strings.Join(empty, "\n"))
		a.grabAndImport(t, a.add(t, n)) // rates want what is new
	}
	require.Eventually(t, func() bool { return evaluated(t, prometheus.URL) }, waitTimeout, 100*time.Millisecond)
}

// evaluated reports whether Prometheus has evaluated all rules, none of which may fail.
func evaluated(t *testing.T, url string) bool {
	t.Helper()
	resp, err := http.Get(url + "/api/v1/rules")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name, Health, LastError string
				}
			}
		}
	}
	require.NoError(t, json.NewDecoder(bytes.NewReader(body)).Decode(&answer))
	rules := 0
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			require.Empty(t, r.LastError, r.Name)
			if r.Health != "ok" {
				return false
			}
			rules++
		}
	}
	return rules == len(alertRules(t))
}
