package pluginhost

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestApplySettings replaces the process that was started with another sandbox, and it
// alone, and cuts off no call.
func TestApplySettings(t *testing.T) {
	t.Parallel()
	var set atomic.Pointer[Settings]
	set.Store(&Settings{})
	b := setupWith(t, quick, func(kind host.Kind, name string) Settings {
		if kind == host.KindTarget && name == "chaos" {
			return *set.Load()
		}
		return Settings{}
	}, "hookarr-target-chaos", "hookarr-target-plain")
	b.start(t, b.target("chaos", "ops", nil), b.target("plain", "other", nil))
	chaos, plain := b.Status()[0].PID, b.Status()[1].PID
	pids := func() []int { return []int{b.Status()[0].PID, b.Status()[1].PID} }

	require.NoError(t, b.ApplySettings(t.Context()))
	require.Equal(t, []int{chaos, plain}, pids(), "nothing has changed")
	set.Store(&Settings{Sandbox: SandboxAuto, Memory: 1 << 40})
	require.NoError(t, b.ApplySettings(t.Context()))
	require.Equal(t, []int{chaos, plain}, pids(), "auto is what is not set, and memory needs no other process")

	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	set.Store(&Settings{Sandbox: SandboxOff})
	require.NoError(t, b.ApplySettings(t.Context()))
	require.NotEqual(t, chaos, pids()[0])
	require.Equal(t, plain, pids()[1])
	b.release(t)
	require.Equal(t, sdk.ClassOK, (<-outcome).Class)
	replaced := pids()
	require.NoError(t, b.ApplySettings(t.Context()))
	require.Equal(t, replaced, pids(), "it is done")
}
