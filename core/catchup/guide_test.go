package catchup

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
		"../../PLUGINS.md":              "A page of history has %.0f min,",
		"../../docs/plugin-protocol.md": "| `ListHistory` | %.0f min |",
	} {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(page), fmt.Sprintf(want, callTimeout.Minutes()))
	}
}
