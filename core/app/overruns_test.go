package app

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Every overrun is counted, and not every one is worth a line.
func TestOverruns(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	metrics := prometheus.NewRegistry()
	overruns := newOverruns(slog.New(slog.NewTextHandler(&log, nil)), metrics)
	overruns.expect([]string{"slow"})
	for range 100 {
		overruns.note("slow")
	}
	families, err := metrics.Gather()
	require.NoError(t, err)
	require.InDelta(t, 100, families[0].GetMetric()[0].GetCounter().GetValue(), 0)
	require.Equal(t, 1, strings.Count(log.String(), "route=slow"))
}
