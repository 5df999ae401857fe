package webhook

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// TestDocumentedTargetsDeliver sends an event of every type by every target of the
// documentation, but for the one that needs certificates.
func TestDocumentedTargetsDeliver(t *testing.T) {
	t.Parallel()
	b := setup(t, nil) // for its endpoint
	page, err := os.ReadFile("../../docs/targets/webhook.md")
	require.NoError(t, err)
	delivered := 0
	for _, block := range regexp.MustCompile("(?ms)^```yaml\n(targets:\n.*?)^```").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(block[1], "tls:") {
			continue
		}
		text := regexp.MustCompile(`\$\{\w+_URL\}`).ReplaceAllString(block[1], b.url)
		text = regexp.MustCompile(`\$\{\w+\}`).ReplaceAllString(text, "a-secret-that-nobody-guesses")
		var example struct {
			Targets map[string]struct{ Config map[string]any }
		}
		require.NoError(t, yaml.Unmarshal([]byte(text), &example))
		for name, target := range example.Targets {
			plugin := plugintest.StartTarget(t, info(), newTarget, target.Config)
			for _, e := range eventtest.Events() {
				if strings.HasPrefix(e.Name, "extreme_") {
					continue
				}
				o, err := plugin.Deliver(t.Context(), plugintest.Delivery(t, "1", e.Event))
				require.NoError(t, err)
				require.Equal(t, sdk.ClassOK, o.Class, "%s: %s: %s", name, e.Name, o.Message)
				require.Empty(t, o.Receipt.Fallback, "%s: %s", name, e.Name)
				delivered++
			}
		}
	}
	require.Greater(t, delivered, 100)
}
