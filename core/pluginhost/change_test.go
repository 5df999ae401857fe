package pluginhost

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestChange adds, changes and removes instances and plugins while calls are under way.
func TestChange(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos", "hookarr-target-slow", "hookarr-target-turncoat")
	b.start(t, b.target("chaos", "ops", nil), b.target("slow", "leaves", nil))
	pid := b.Status()[0].PID
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "leaves", "wait") }()
	b.awaitSign(t, "arrived-wait")

	c, problems := b.Prepare(t.Context(), []Instance{b.target("chaos", "ops", nil), b.target("chaos", "joins", nil)})
	require.Empty(t, problems)
	require.Equal(t, sdk.ClassUnavailable, b.do(t.Context(), "joins", "fine").Class, "nothing has changed yet")
	require.NoError(t, c.Begin(t.Context()))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "joins", "fine").Class)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "leaves", "fine").Class, "what leaves is served until the end")
	finished := make(chan error, 1)
	go func() { finished <- c.Finish(context.Background()) }()
	b.release(t)
	require.Equal(t, sdk.ClassOK, (<-outcome).Class)
	require.NoError(t, <-finished)
	require.Equal(t, sdk.ClassUnavailable, b.do(t.Context(), "leaves", "fine").Class)
	require.Len(t, b.Status(), 1, "the plugin that nobody uses is stopped")
	require.Equal(t, pid, b.Status()[0].PID, "a plugin is configured alive")
	require.Equal(t, []string{"joins", "ops"}, b.Status()[0].Instances)
}

// TestRefusedChange tells every problem and changes nothing.
func TestRefusedChange(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos", "hookarr-target-slow", "hookarr-target-exits")
	b.start(t, b.target("chaos", "ops", nil))
	pid := b.Status()[0].PID
	_, problems := b.Prepare(t.Context(), []Instance{
		b.target("chaos", "ops", map[string]any{"refuse": "too loud"}),
		b.target("exits", "never", nil),
		b.target("slow", "joins", map[string]any{"refuse": "too quiet"}),
		b.target("missing", "nowhere", nil),
	})
	messages := map[string]string{}
	for _, p := range problems {
		messages[p.Plugin+" "+p.Instance] = p.Message
	}
	require.Len(t, messages, 4)
	require.Equal(t, "too loud", messages["chaos ops"])
	require.Contains(t, messages["exits "], "cannot find my library")
	require.Equal(t, "too quiet", messages["slow joins"])
	require.Contains(t, messages["missing "], "does not exist")
	require.Len(t, b.Status(), 1)
	require.Equal(t, pid, b.Status()[0].PID)
	require.Empty(t, b.Status()[0].Problems)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestTargetMovesToAnotherPlugin keeps its name.
func TestTargetMovesToAnotherPlugin(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos", "hookarr-target-slow")
	b.start(t, b.target("chaos", "ops", nil))
	c, problems := b.Prepare(t.Context(), []Instance{b.target("slow", "ops", nil)})
	require.Empty(t, problems)
	require.NoError(t, c.Begin(t.Context()))
	require.NoError(t, c.Finish(t.Context()))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.Len(t, b.Status(), 1)
	require.Equal(t, "slow", b.Status()[0].Plugin)
}

// TestChangeOfAPluginThatIsDown is judged by a process of its own.
func TestChangeOfAPluginThatIsDown(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("chaos", "ops", map[string]any{"exit": true})}))
	require.NotEqual(t, Ready, b.Status()[0].State)
	_, problems := b.Prepare(t.Context(), []Instance{b.target("chaos", "ops", map[string]any{"refuse": "no"})})
	require.Len(t, problems, 1)
	c, problems := b.Prepare(t.Context(), []Instance{b.target("chaos", "ops", nil)})
	require.Empty(t, problems)
	require.NoError(t, c.Begin(t.Context()))
	require.NoError(t, c.Finish(t.Context()))
	b.awaitState(t, "chaos", Ready)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestChangeStartsManyPlugins at once, each with a group of its own.
func TestChangeStartsManyPlugins(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	instances := []Instance{b.target("chaos", "ops", nil)}
	for i := range 20 {
		instances = append(instances, b.target(fmt.Sprintf("missing%d", i), fmt.Sprintf("t%d", i), nil))
	}
	_, problems := b.Prepare(t.Context(), instances)
	require.Len(t, problems, 20)
}

// TestSettingsThatWereNotTaken are given again: a plugin must not go on with those before.
func TestSettingsThatWereNotTaken(t *testing.T) {
	t.Parallel()
	b, before, after := setup(t, quick, "hookarr-target-chaos"), newInbox(t), newInbox(t)
	b.start(t, b.target("chaos", "ops", map[string]any{"url": before.URL}))
	c, problems := b.Prepare(t.Context(), []Instance{b.target("chaos", "ops", map[string]any{"url": after.URL})})
	require.Empty(t, problems)
	pid := b.Status()[0].PID
	suspend(t, pid)
	within := func(d time.Duration) {
		s := b.supervisor(pluginKey{host.KindTarget, "chaos"})
		s.configuring.Lock()
		defer s.configuring.Unlock()
		s.timing.Configure = d
	}
	within(100 * time.Millisecond)
	require.Error(t, c.Begin(t.Context()))
	within(waitTimeout)
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	require.NoError(t, c.Finish(t.Context()))
	require.Eventually(t, func() bool {
		_ = b.do(t.Context(), "ops", "post it")
		return len(after.all()) > 0
	}, time.Minute, pollInterval)
}

// TestMetricsOfAPluginThatLeaves are forgotten, of every method.
func TestMetricsOfAPluginThatLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	value := b.measure()
	b.start(t, b.target("chaos", "ops", nil))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.InDelta(t, 1, value(t, "hookarr_plugin_call_seconds"), 0)
	c, problems := b.Prepare(t.Context(), nil)
	require.Empty(t, problems)
	require.NoError(t, c.Begin(t.Context()))
	require.NoError(t, c.Finish(t.Context()))
	for _, name := range []string{"hookarr_plugin_call_seconds", "hookarr_plugin_up"} {
		require.Zero(t, value(t, name), name)
	}
}
