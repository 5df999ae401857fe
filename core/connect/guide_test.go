package connect_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/connect"
)

// Authors read how long their plugin has.
func TestGuideHasTheTimeout(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"../../PLUGINS.md":              "a connection %.0f s.",
		"../../docs/plugin-protocol.md": "| `Connect` | %.0f s |",
	} {
		page, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(page), fmt.Sprintf(want, connect.Timeout.Seconds()))
	}
}
