package pluginhost

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// TestHostilePlugin gets an answer of each kind that the plugin has. None reaches further
// than its own delivery.
func TestHostilePlugin(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-good")
	require.NoError(t, os.Link(filepath.Join(filepath.Dir(os.Getenv(chaosEnv)), "hostile"), filepath.Join(b.dir, "hookarr-target-hostile")))
	b.start(t, b.target("good", "dev", nil), b.target("hostile", "ops", nil))
	good := b.Status()[0].PID
	for _, want := range []struct {
		what  string
		class sdk.Class
		said  string
	}{
		{"larger than a message may be", sdk.ClassPermanent, "larger than max"},
		{"as large as a message may be", sdk.ClassOK, ""},
		{"prints, and an unknown class", sdk.ClassRetryable, ""},
		{"a message id that is a path", sdk.ClassOK, ""},
		{"nothing", sdk.ClassRetryable, ""},
		{"no message at all", sdk.ClassPluginBug, ""},
	} {
		o := b.do(t.Context(), "ops", "x")
		require.Equal(t, want.class, o.Class, "%s: %s", want.what, o.Message)
		require.Contains(t, o.Message, want.said, want.what)
		require.LessOrEqual(t, len(o.Receipt.Excerpt), 4<<10, want.what)
		require.NotContains(t, o.Message, "\x1b", want.what)
		require.Equal(t, sdk.ClassOK, b.do(t.Context(), "dev", "fine").Class, want.what)
	}
	require.Equal(t, good, b.Status()[0].PID, "the other plugin was left alone")
	require.Eventually(t, func() bool {
		return b.log.find(t, "plugin writes to its standard output, which is discarded: it must log to standard error") != nil
	}, waitTimeout, pollInterval)
}
