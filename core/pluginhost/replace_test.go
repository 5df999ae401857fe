package pluginhost

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// put replaces a plugin's binary by a script, or by the chaos plugin.
func put(t *testing.T, dir, name string, script string) {
	t.Helper()
	require.NoError(t, os.Remove(filepath.Join(dir, name)))
	if script == "" {
		install(t, dir, name)
		return
	}
	// A process that another test forks meanwhile would inherit the file open for writing, which
	// cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755))
}

// TestReloadFailsNoCall replaces a plugin again and again while it is called.
func TestReloadFailsNoCall(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	const callers, swaps = 8, 5
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	classes := map[sdk.Class]int{}
	for range callers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				o := b.do(context.Background(), "ops", "fine")
				mu.Lock()
				classes[o.Class]++
				mu.Unlock()
			}
		})
	}
	pids := map[int]bool{b.Status()[0].PID: true}
	for range swaps {
		put(t, b.dir, "hookarr-target-chaos", "")
		require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"))
		pids[b.Status()[0].PID] = true
	}
	close(stop)
	wg.Wait()
	require.Len(t, pids, swaps+1, "a process each")
	require.Len(t, classes, 1, "nothing but ok: %v", classes)
	require.NotZero(t, classes[sdk.ClassOK])
	require.Zero(t, b.Status()[0].Restarts, "a replacement is no restart")
}

// TestReplacedProcessFinishesItsCalls: and ends then.
func TestReplacedProcessFinishesItsCalls(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	old := b.Status()[0].PID
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"))
	require.NotEqual(t, old, b.Status()[0].PID)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class, "calls go to the new one")
	require.False(t, gone(old, true), "the old one has a call")
	b.release(t)
	require.Equal(t, sdk.ClassOK, (<-outcome).Class)
	require.Eventually(t, func() bool { return gone(old, true) }, waitTimeout, pollInterval)
}

// TestBrokenReplacementIsRefused: the process before serves on, and both are shown.
func TestBrokenReplacementIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	before := b.Status()[0]
	require.NotEmpty(t, before.SHA256)
	put(t, b.dir, "hookarr-target-chaos", "#!/bin/sh\necho no library >&2\nexit 1\n")
	err := b.Reload(t.Context(), host.KindTarget, "chaos")
	require.ErrorContains(t, err, "the one before serves on")
	require.ErrorContains(t, err, "no library")
	after := b.Status()[0]
	require.Equal(t, before.PID, after.PID)
	require.Equal(t, Ready, after.State)
	require.Equal(t, err.Error(), after.Refusal.Reason)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)

	put(t, b.dir, "hookarr-target-chaos", "")
	require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"))
	require.Zero(t, b.Status()[0].Refusal)
}

// TestRefusedSettingsAreNamed with the key, where there is one.
func TestRefusedSettingsAreNamed(t *testing.T) {
	t.Parallel()
	s := &supervisor{kind: host.KindTarget, verdict: verdict{problems: []host.Problem{{Instance: "old", Message: "is as before"}}}}
	err := s.worse([]host.Problem{
		{Instance: "ops", Key: "url", Message: "is required"}, {Instance: "dev", Message: "the plugin panicked"}, {Instance: "old", Message: "is as before"},
	})
	require.EqualError(t, err, "it refuses targets.ops.config.url: is required\nit refuses targets.dev.config: the plugin panicked")
}

// TestReplacementIsPinned: what the lock does not know does not take over.
func TestReplacementIsPinned(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	found, err := Discover(b.dir)
	require.NoError(t, err)
	require.NoError(t, WriteLock(filepath.Join(b.dir, "plugins.lock"), found))
	b.start(t, b.target("chaos", "ops", nil))
	put(t, b.dir, "hookarr-target-chaos", "#!/bin/sh\nexit 1\n")
	require.ErrorContains(t, b.Reload(t.Context(), host.KindTarget, "chaos"), "run hookarr plugins lock")
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestReplacedPluginIsWatched: the process that took over is started again when it dies.
func TestReplacedPluginIsWatched(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"))
	replaced := b.Status()[0].PID
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.NotEqual(t, replaced, b.Status()[0].PID)
	require.Equal(t, 1, b.Status()[0].Restarts)
	require.Contains(t, b.Status()[0].LastFailure.Reason, "exit status 3")
}

// TestReloadStartsWhatRests: a plugin whose binary was mended does not wait for the end of
// its rest.
func TestReloadStartsWhatRests(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{BackoffMin: time.Hour, BackoffMax: time.Hour, MaxExits: 1}, "hookarr-target-exits")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("exits", "ops", nil)}))
	require.Equal(t, Quarantined, b.Status()[0].State)
	require.ErrorContains(t, b.Reload(t.Context(), host.KindTarget, "exits"), "cannot find my library")
	require.ErrorIs(t, b.Reload(t.Context(), host.KindTarget, "unknown"), ErrNotUsed)
}

// TestStopWhileReplacing leaves nothing.
func TestStopWhileReplacing(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	old := b.Status()[0].PID
	go func() { b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"))
	next := b.Status()[0].PID
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_ = b.Stop(ctx)
	require.True(t, gone(old, true))
	require.True(t, gone(next, true))
}

// TestReloadsAtOnce replace a plugin one after the other, and refuse nothing.
func TestReloadsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	reloads := make(chan error, 4)
	for range cap(reloads) {
		go func() { reloads <- b.Reload(context.Background(), host.KindTarget, "chaos") }()
	}
	for range cap(reloads) {
		require.NoError(t, <-reloads)
	}
	require.Zero(t, b.Status()[0].Refusal)
	require.Zero(t, b.Status()[0].Restarts)
}

// TestStopWhileReplacementStarts ends it too.
func TestStopWhileReplacementStarts(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-once")
	b.start(t, b.target("once", "ops", nil))
	reload := make(chan error, 1)
	go func() { reload <- b.Reload(context.Background(), host.KindTarget, "once") }()
	require.Eventually(t, func() bool { return len(b.processes(t)) == 2 }, waitTimeout, pollInterval)
	require.NoError(t, b.Stop(t.Context()))
	require.Empty(t, b.processes(t))
	require.ErrorIs(t, <-reload, errStopped)
}

// processes are the ids of those that run a binary of the directory.
func (b *testBundle) processes(t *testing.T) (pids []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, name := range all {
		if line, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(line), b.dir+"/") {
			pids = append(pids, filepath.Base(filepath.Dir(name)))
		}
	}
	return pids
}

// TestReplacementOfAHungProcess takes over for good, though the health checks of the
// process before fail.
func TestReplacementOfAHungProcess(t *testing.T) {
	t.Parallel()
	timing := quick
	timing.Health, timing.HealthTimeout = 20*time.Millisecond, 5*time.Second
	b := setup(t, timing, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	s := b.supervisor(pluginKey{host.KindTarget, "chaos"})
	hung := s.taking()
	next, err := s.launchLocked(t.Context()) // as replace does, which may take longer than a health check
	require.NoError(t, err)
	v, err := s.ask(t.Context(), next, s.instances, false)
	require.NoError(t, err)
	suspend(t, hung.pid())
	failed := func() int {
		n := 0
		for _, l := range b.log.lines(t) {
			if l["msg"] == "plugin fails health check" {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return failed() == healthFailures-1 }, waitTimeout, pollInterval)
	require.True(t, s.succeed(hung, next, v))
	s.configuring.Unlock()
	s.retire(hung)
	require.Eventually(t, func() bool { return gone(hung.pid(), true) }, waitTimeout, pollInterval)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.Equal(t, next.pid(), b.Status()[0].PID)
	require.Zero(t, b.Status()[0].Restarts)
}
