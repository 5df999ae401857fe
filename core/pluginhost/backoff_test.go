package pluginhost

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := backoff{timing: Options{}.withDefaults().Timing}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	// fall is the end of a process that was up for a time.
	fall := func(up time.Duration) (time.Duration, bool) {
		started := now
		now = now.Add(up)
		pause, quarantined := b.ended(started, now, 1)
		now = now.Add(pause)
		return pause, quarantined
	}
	for _, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
		pause, quarantined := fall(time.Second)
		require.Equal(t, want, pause)
		require.False(t, quarantined)
	}
	pause, quarantined := fall(time.Second)
	require.True(t, quarantined, "the fifth end in five minutes")
	require.Equal(t, 10*time.Minute, pause)

	pause, quarantined = fall(5 * time.Minute)
	require.False(t, quarantined)
	require.Equal(t, 500*time.Millisecond, pause, "a stable plugin begins anew")
}

func TestBackoffIsBounded(t *testing.T) {
	t.Parallel()
	b := backoff{timing: Options{}.withDefaults().Timing}
	now := time.Now()
	for range 100 {
		pause, quarantined := b.ended(now, now.Add(4*time.Minute), 1)
		require.False(t, quarantined, "ends four minutes apart are no loop")
		require.LessOrEqual(t, pause, time.Minute)
		now = now.Add(4 * time.Minute)
	}
	require.Equal(t, time.Minute, b.refused(1))
	require.Equal(t, 30*time.Second, b.refused(0))
}
