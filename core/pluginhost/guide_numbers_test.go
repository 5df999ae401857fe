package pluginhost

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Section 9 of the guide says what becomes of a plugin, and when.
func TestGuideHasTheNumbers(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "PLUGINS.md"))
	require.NoError(t, err)
	timing := Options{}.withDefaults().Timing
	require.Equal(t, 3, memoryLooks)
	require.Equal(t, 2, memoryFactor)
	require.InDelta(t, 0.5, timing.SpinShare, 0)
	require.Equal(t, 3, healthFailures)
	for _, want := range []string{
		fmt.Sprintf("describes and configures it. It has %.0f s for each.", timing.Start.Seconds()),
		fmt.Sprintf("Hookarr looks every %.0f s. What holds more than `plugins.KIND-NAME.memory` of the configuration at three looks", timing.Look.Seconds()),
		fmt.Sprintf("What holds twice as much, or has more than %d processes", maxProcesses),
		fmt.Sprintf("takes more than half of a processor for %.0f s", timing.Spin.Seconds()),
		fmt.Sprintf("replaced for its memory or ended %d times within %.0f min rests for %.0f min", timing.MaxExits, timing.ExitWindow.Minutes(), timing.Quarantine.Minutes()),
		fmt.Sprintf("%d MiB a second of standard error is read, after a burst of %d MiB, and %d lines a second are logged", outputPerSecond>>20, outputBurst>>20, logPerSecond),
		fmt.Sprintf("started again after %.1f s, then after\n  longer pauses up to %.0f min", timing.BackoffMin.Seconds(), timing.BackoffMax.Minutes()),
		fmt.Sprintf("after %d ends within %.0f min it rests for %.0f min", timing.MaxExits, timing.ExitWindow.Minutes(), timing.Quarantine.Minutes()),
		fmt.Sprintf("Hookarr asks every %.0f s. A process that does not answer three times", timing.Health.Seconds()),
	} {
		require.Contains(t, string(guide), want)
	}
}
