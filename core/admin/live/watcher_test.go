package live

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSlowWatchers misses no more than a Resync tells.
func TestSlowWatchers(t *testing.T) {
	t.Parallel()
	w := &watcher{changes: make(chan Change, buffered)}
	for range buffered {
		w.add(Change{Topic: Events})
	}
	require.Len(t, w.changes, buffered)
	w.add(Change{Topic: Targets})
	require.Len(t, w.changes, 1)
	w.add(Change{Topic: Silences})
	require.Equal(t, Change{Topic: Resync}, <-w.changes)
	require.Equal(t, Change{Topic: Silences}, <-w.changes)
}
