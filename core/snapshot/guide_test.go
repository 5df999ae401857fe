package snapshot

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Authors read how long their plugin has.
func TestGuideHasTheTimeout(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"../../PLUGINS.md":              "one of a snapshot %.0f min,",
		"../../docs/plugin-protocol.md": "| `ListItems` | %.0f min |",
	} {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(page), fmt.Sprintf(want, callTimeout.Minutes()))
	}
}
