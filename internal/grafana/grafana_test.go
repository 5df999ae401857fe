package grafana

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplacesVariables(t *testing.T) {
	t.Parallel()
	q := Query{Expr: `rate(a{job="$job", instance=~"$instance"}[$__rate_interval])`, LegendFormat: "{{target}} {{kind}}"}
	require.Equal(t, `rate(a{job="hookarr", instance=~".*"}[10s])`, q.PromQL("hookarr", "10s"))
	require.Equal(t, "ops paused", q.Legend(map[string]string{"target": "ops", "kind": "paused", "job": "hookarr"}))
	require.Equal(t, "ops", q.Legend(map[string]string{"target": "ops"}), "as Grafana does")
}

func TestReadsSamples(t *testing.T) {
	t.Parallel()
	var s Sample
	require.NoError(t, json.Unmarshal([]byte(`[1700000000.5, "0.25"]`), &s))
	require.EqualValues(t, 1_700_000_000_500, s.At.UnixMilli())
	require.InDelta(t, 0.25, s.Value, 0)
	require.NoError(t, json.Unmarshal([]byte(`[1, "NaN"]`), &s))
	require.True(t, math.IsNaN(s.Value))
	require.Error(t, json.Unmarshal([]byte(`[1, "much"]`), &s))
}

// TestPathHasGaps: what was not measured is not drawn.
func TestPathHasGaps(t *testing.T) {
	t.Parallel()
	d := drawn{PlotW: steps, High: 10}
	require.Equal(t, "M52.0,46.0L53.0,36.0M55.0,41.0", d.path([]float64{0, 1, math.NaN(), 0.5}, 1))
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"250 ms": inUnit(0.25, "s"), "3 s": inUnit(3, "s"), "5 min": inUnit(300, "s"), "20 MiB": inUnit(20<<20, "bytes"),
		"12.5 %": inUnit(0.125, "percentunit"), "1.25/s": inUnit(1.25, "reqps"), "7": inUnit(7, "short"),
	} {
		require.Equal(t, want, got)
	}
	require.InDelta(t, 1.5, nice(1.2, "short"), 0)
	require.InDelta(t, 1, nice(0, "short"), 0)
}
