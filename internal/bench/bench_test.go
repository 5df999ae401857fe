package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestImportBody(t *testing.T) {
	t.Parallel()

	for _, n := range []int{0, 7, 12345678} {
		body := importBody(n)
		require.Len(t, body, bodySize)
		require.True(t, json.Valid(body))
		got, ok := number(body)
		require.True(t, ok)
		require.Equal(t, n, got)
	}
	require.NotEqual(t, importBody(1), importBody(2))
	_, ok := number([]byte(`{"title":"Bench 12"}`))
	require.False(t, ok)
}

func TestSummary(t *testing.T) {
	t.Parallel()

	second := int64(time.Second)
	events := make([]entry, 4)
	set := func(n int, sent, acked, arrived int64, arrivals int32) {
		events[n].sent.Store(sent)
		events[n].acked.Store(acked)
		events[n].arrived.Store(arrived)
		events[n].arrivals.Store(arrivals)
	}
	set(0, second, 2*second, 3*second, 1)
	set(1, 2*second, 3*second, 5*second, 3) // twice too often
	set(2, 3*second, 0, 0, 0)               // refused
	set(3, 4*second, 5*second, 0, 0)        // lost
	require.Equal(t, fullRun{EventsPerSecond: 0.5, AcksPerSecond: 0.75, Refused: 1, Lost: 1, Duplicates: 2}, summarize(events))

	require.Equal(t, latencies{AckP50: 1000, AckP99: 1000, ArriveP50: 2000, ArriveP99: 2000}, summarizeLatencies(events))
}

func TestProcesses(t *testing.T) {
	t.Parallel()

	self := os.Getpid()
	require.Positive(t, pss(self))
	require.Equal(t, os.Getppid(), parent(self))
	require.Contains(t, descendants(os.Getppid()), self)
	require.Equal(t, "bench.test", program(self))
	for deadline := time.Now().Add(time.Minute); ticks(self, false) == 0 && time.Now().Before(deadline); {
	}
	require.Positive(t, ticks(self, true))
	require.Positive(t, onCPU(self))
	require.Zero(t, onCPU(-1))
	require.Zero(t, pss(-1))
	require.Zero(t, ticks(-1, true))
}

func TestCallCounts(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[string]float64{"fsync": 12, "fdatasync": 0, "pwrite64": 340}, callCounts(`% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 81.28    0.001233         102        12           fsync
 18.72    0.000284           0       340         1 pwrite64
------ ----------- ----------- --------- --------- ----------------
100.00    0.001517           4       352         1 total
`))
	require.Equal(t, map[string]float64{"fsync": 0, "fdatasync": 0, "pwrite64": 0}, callCounts(""))
}

func TestDirectorySize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "all"), make([]byte, 100), 0o600))
	require.NoError(t, os.Symlink("all", filepath.Join(dir, "one")))
	size, err := directorySize(dir)
	require.NoError(t, err)
	require.EqualValues(t, 100, size)
}

func TestPluginTable(t *testing.T) {
	t.Parallel()

	f := pluginFinding{}
	f.add(hookarr, "target-webhook", 11, pluginRun{StartMS: 30, StartCPUMS: 20, IdleMiB: 15, LoadedMiB: 17, CallUS: 300})
	f.add(hookarr, "target-webhook", 11, pluginRun{StartMS: 40, StartCPUMS: 21, IdleMiB: 16, LoadedMiB: 18, CallUS: 400})
	f.add(oldBuild, "target-webhook", 15, pluginRun{StartMS: 50, StartCPUMS: 30, IdleMiB: 19, LoadedMiB: 21, CallUS: 500})
	f.add(hookarr, together, 26, pluginRun{IdleMiB: 50})
	f.add(hookarr, "source-generic", 10, pluginRun{StartMS: 20, StartCPUMS: 15, IdleMiB: 14})
	require.Equal(t, [][]string{
		{"source-generic", hookarr, "10.00", "20", "15", "14.0", "-", "-"},
		{"target-webhook", hookarr, "11.00", "30 (30 to 40)", "20 (20 to 21)", "15.0 (15.0 to 16.0)", "17.0 (17.0 to 18.0)", "300 (300 to 400)"},
		{"target-webhook", oldBuild, "15.00", "50", "30", "19.0", "21.0", "500"},
		{together, hookarr, "26.00", "-", "-", "50.0", "-", "-"},
	}, f.table().rows)
}
