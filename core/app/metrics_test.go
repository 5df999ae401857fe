package app

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/catchup"
	"github.com/hookarr/hookarr/core/deliver"
	"github.com/hookarr/hookarr/core/ingest"
	"github.com/hookarr/hookarr/core/metrics"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/core/snapshot"
)

var update = flag.Bool("update", false, "write the table of metrics anew, keeping what it says beside them")

// described keeps what is registered.
type described struct {
	t    *testing.T
	rows map[string]string
}

var descPattern = regexp.MustCompile(`^Desc\{fqName: "(\w+)", help: (".*"), constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

func (d described) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 100)
	c.Describe(descs)
	close(descs)
	for desc := range descs {
		part := descPattern.FindStringSubmatch(desc.String())
		if part == nil {
			return fmt.Errorf("no description: %s", desc)
		}
		var help string
		if _, err := fmt.Sscanf(part[2], "%q", &help); err != nil {
			return err
		}
		labels := regexp.MustCompile(`\w+`).FindAllString(regexp.MustCompile(`="[^"]*"`).ReplaceAllString(part[3]+","+part[4], ""), -1)
		for i := range labels {
			labels[i] = "`" + labels[i] + "`"
		}
		d.rows[part[1]] = fmt.Sprintf("| `%s` | %s | %s | %s |", part[1], typeOf(c), strings.Join(labels, ", "), help)
	}
	return nil
}

func (d described) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		require.NoError(d.t, d.Register(c))
	}
}

func (described) Unregister(prometheus.Collector) bool { return false }

// typeOf is a gauge for what is collected at a scrape.
func typeOf(c prometheus.Collector) string {
	switch c := c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.HistogramVec:
		return "histogram"
	case prometheus.Gauge:
		return "gauge"
	case prometheus.Counter:
		return "counter"
	case prometheus.Histogram:
		return "histogram"
	default:
		_ = c
		return "gauge"
	}
}

// TestMetricsAreDocumented compares the table of docs/metrics.md with what is registered,
// and that with what the source names.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	d := described{t, map[string]string{}}
	d.MustRegister(metrics.Build{}.Collector(), &metrics.Database{})
	ingest.New(ingest.Options{Metrics: d})
	deliver.New(deliver.Options{Metrics: d, Plan: func() *deliver.Plan { return deliver.NewPlan(nil, nil, nil) }})
	pluginhost.New(pluginhost.Options{Metrics: d})
	catchup.New(catchup.Options{Metrics: d})
	snapshot.New(snapshot.Options{Metrics: d})
	newReloads(Options{}, d)
	newOverruns(slog.New(slog.DiscardHandler), d)
	newPathProblems(d)
	require.Equal(t, namedInSource(t), slices.Sorted(maps.Keys(d.rows)), "register them here, too")

	const page = "../../docs/metrics.md"
	content, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(content), "<!-- metrics -->\n")
	require.True(t, ok)
	table, after, ok := strings.Cut(rest, "<!-- /metrics -->\n")
	require.True(t, ok)
	worries := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` .* \\| ([^|]*) \\|$").FindAllStringSubmatch(table, -1) {
		worries[row[1]] = row[2]
	}
	var want strings.Builder
	want.WriteString("| metric | type | labels | meaning | worry |\n|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(d.rows)) {
		fmt.Fprintf(&want, "%s %s |\n", d.rows[name], worries[name])
	}
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(before+"<!-- metrics -->\n"+want.String()+"<!-- /metrics -->\n"+after), 0o644))
		return
	}
	require.Equal(t, want.String(), table, "go test ./core/app -run TestMetricsAreDocumented -update")
	for name := range d.rows {
		require.NotEmpty(t, worries[name], "%s: say when to worry", name)
	}
}

// namedInSource are the names of metrics in the source of core.
func namedInSource(t *testing.T) (names []string) {
	t.Helper()
	literal := regexp.MustCompile(`"(hookarr_[a-z_]+)"`)
	require.NoError(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if !bytes.Contains(source, []byte(`"github.com/prometheus/client_golang/prometheus"`)) {
			return err // such names are of cookies and the like
		}
		for _, m := range literal.FindAllSubmatch(source, -1) {
			names = append(names, string(m[1]))
		}
		return err
	}))
	slices.Sort(names)
	return names
}
