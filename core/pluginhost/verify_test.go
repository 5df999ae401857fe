package pluginhost

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", map[string]any{"prove": 2}))

	o := b.do(t.Context(), "ops", "fine")
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Positive(t, o.Receipt.VerifyAfter)
	require.Equal(t, "asked 0 of 2 times", o.Receipt.Waits)
	o = b.Verify(t.Context(), "ops", delivery("fine"), o.Receipt, false, false)
	require.Positive(t, o.Receipt.VerifyAfter)
	require.Empty(t, o.Events)
	o = b.Verify(t.Context(), "ops", delivery("fine"), o.Receipt, false, true)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Zero(t, o.Receipt.VerifyAfter)
	require.Equal(t, "proof-fine", o.Receipt.MessageID)
	require.Len(t, o.Events, 1)
	require.Equal(t, sdk.TypeLibraryAvailable, o.Events[0].Event.Type)
	require.Equal(t, "proof of e1", o.Events[0].Event.CorrelationKey)

	o = b.Verify(t.Context(), "ops", delivery("lost"), sdk.Receipt{}, false, false)
	require.True(t, o.Redeliver)
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Equal(t, "the endpoint has lost it", o.Message)
}

// TestPluginThatCannotProve delivers, whatever it says.
func TestPluginThatCannotProve(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-plain")
	b.start(t, b.target("plain", "ops", map[string]any{"prove": 2}))

	o := b.do(t.Context(), "ops", "fine")
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Zero(t, o.Receipt.VerifyAfter)
	// Another version of it had accepted something.
	o = b.Verify(t.Context(), "ops", delivery("fine"), sdk.Receipt{MessageID: "m"}, false, false)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.Zero(t, o.Receipt.VerifyAfter)
	require.Equal(t, "accepted; plugin target-plain 1.2.3 cannot prove it", o.Receipt.Fallback)
}
