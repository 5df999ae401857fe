package pluginhost

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Authors in other languages have nothing but the page.
func TestProtocolPageHasTheLaunch(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "plugin-protocol.md"))
	require.NoError(t, err)
	timing := Options{}.withDefaults().Timing
	for _, want := range []string{
		"| descriptor " + strconv.Itoa(execFile) + " | the file itself",
		"`" + "TZ`, `SSL_CERT_FILE`, `SSL_CERT_DIR`, `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, and the last three in lower case",
		fmt.Sprintf("of at most %d KiB, and flush it", maxHandshake>>10),
		fmt.Sprintf("Hookarr waits %.0f s for the handshake and the answer to `Describe`, and %[1]v s more for that to `Configure`", timing.Start.Seconds()),
		fmt.Sprintf("`CheckHealth` every %.0f s", timing.Health.Seconds()),
		fmt.Sprintf("`CheckHealth` that does not answer within %.0f s, three times in a row", timing.HealthTimeout.Seconds()),
		fmt.Sprintf("of at most %d KiB each; a longer one is cut", maxLogLine>>10),
		fmt.Sprintf("%d lines a\nsecond are taken, and %d at once", logPerSecond, logBurst),
	} {
		require.Contains(t, string(page), want)
	}
	require.Equal(t, []string{
		"TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
	}, passedOn, "the page has these")
	require.Equal(t, 3, healthFailures)
}
