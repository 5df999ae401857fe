package pluginhost

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestCrash: every way in which a plugin ends by itself is a crash, and it is back
// for the next call.
func TestCrash(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"panic-goroutine": "plugin crashed: target-chaos ended by itself: exit status 2",
		"exit":            "plugin crashed: target-chaos ended by itself: exit status 3",
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			b := setup(t, quick, "hookarr-target-chaos", "hookarr-target-other")
			b.start(t, b.target("chaos", "ops", nil), b.target("other", "dev", nil))
			before := b.Status()
			o := b.do(t.Context(), "ops", title)
			require.Equal(t, sdk.ClassUnavailable, o.Class)
			require.True(t, o.Crashed)
			require.Equal(t, want, o.Message)
			o = b.do(t.Context(), "ops", "fine")
			require.Equal(t, sdk.ClassOK, o.Class, o.Message)
			after := b.Status()
			require.NotEqual(t, before[0].PID, after[0].PID)
			require.Equal(t, 1, after[0].Restarts)
			require.Equal(t, before[1].PID, after[1].PID, "the other plugin was left alone")
			require.True(t, gone(before[0].PID, true))
		})
	}
}

func TestCrashTakesDownCallsUnderWay(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	const bystanders = 4
	outcomes := make(chan host.Outcome, bystanders)
	for i := range bystanders {
		go func() { outcomes <- b.do(context.Background(), "ops", "wait "+strconv.Itoa(i)) }()
		b.awaitSign(t, "arrived-wait-"+strconv.Itoa(i))
	}
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	for range bystanders {
		o := <-outcomes
		require.Equal(t, sdk.ClassUnavailable, o.Class)
		require.True(t, o.Crashed, "any of them may have done it")
	}
}

// TestCallsGoOnOverCrashes: with calls going on all the time, only those under way
// at a crash fail.
func TestCallsGoOnOverCrashes(t *testing.T) {
	t.Parallel()
	timing := quick
	timing.MaxExits = 100
	b := setup(t, timing, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	const callers, crashes = 4, 5
	var wg sync.WaitGroup
	stop := make(chan struct{})
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
	for range crashes {
		require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
		require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	}
	close(stop)
	wg.Wait()
	require.Equal(t, crashes, b.Status()[0].Restarts, "many callers cause one restart each")
	require.NotZero(t, classes[sdk.ClassOK])
	require.LessOrEqual(t, classes[sdk.ClassUnavailable], callers*crashes)
	require.Len(t, classes, min(len(classes), 2), "nothing but ok and unavailable: %v", classes)
}

// TestKillAccusesNobody: operators, and the kernel short of memory, kill plugins
// that did nothing wrong.
func TestKillAccusesNobody(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	require.NoError(t, unix.Kill(b.Status()[0].PID, unix.SIGKILL))
	o := <-outcome
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.False(t, o.Crashed)
	require.Equal(t, "plugin unavailable: target-chaos was ended: signal: killed", o.Message)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.Equal(t, 1, b.Status()[0].Restarts)
}

// TestOrderlyEndAccusesNobody: a plugin that gets SIGTERM, as from a service manager
// that ends everything at once, takes no more calls, finishes those under way and
// ends.
func TestOrderlyEndAccusesNobody(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	require.NoError(t, unix.Kill(b.Status()[0].PID, unix.SIGTERM))
	require.Eventually(t, func() bool {
		o := b.do(context.Background(), "ops", "fine")
		return o.Class == sdk.ClassUnavailable && !o.Crashed
	}, waitTimeout, pollInterval, "the plugin goes on")
	b.release(t)
	require.False(t, (<-outcome).Crashed)
	require.Eventually(t, func() bool {
		o := b.do(context.Background(), "ops", "fine")
		return o.Class == sdk.ClassOK && !o.Crashed
	}, waitTimeout, pollInterval, "the plugin is not back")
	require.Equal(t, 1, b.Status()[0].Restarts)
}

func TestCrashLoopEndsInQuarantine(t *testing.T) {
	t.Parallel()
	timing := quick
	timing.Ready = time.Hour // an answer at all is an answer at once
	b := setup(t, timing, "hookarr-target-chaos", "hookarr-target-exits")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("chaos", "ops", nil), b.target("exits", "dev", nil)}))
	for i := range 5 {
		o := b.do(t.Context(), "ops", "exit")
		require.True(t, o.Crashed, "crash %d: %s", i, o.Message)
	}
	b.awaitState(t, "exits", Quarantined)
	status := b.awaitState(t, "chaos", Quarantined)
	require.Equal(t, "process ended: exit status 3", status.Reason)
	require.Equal(t, 4, status.Restarts)
	require.True(t, status.Until.After(time.Now()))
	o := b.do(t.Context(), "ops", "fine")
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.Contains(t, o.Message, "plugin target-chaos is not started before ")
}

func TestQuarantineEnds(t *testing.T) {
	t.Parallel()
	timing := quick
	timing.MaxExits, timing.Quarantine = 1, 200*time.Millisecond
	b := setup(t, timing, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	require.Eventually(t, func() bool { return b.do(t.Context(), "ops", "fine").Class == sdk.ClassOK }, waitTimeout, pollInterval)
}

// TestMissingBinaryIsPickedUp: what a person mends needs no restart of Hookarr, and
// is complained of once.
func TestMissingBinaryIsPickedUp(t *testing.T) {
	t.Parallel()
	b := setup(t, quick)
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("chaos", "ops", nil)}))
	require.Equal(t, Refused, b.Status()[0].State)
	require.Contains(t, b.Status()[0].Reason, "does not exist")
	complaints := func() (n int) {
		for _, l := range b.log.all(t, "plugin is down") {
			if l["level"] == "ERROR" {
				n++
			}
		}
		return n
	}
	require.Eventually(t, func() bool { return b.Status()[0].Restarts > 5 }, waitTimeout, pollInterval)
	require.Equal(t, 1, complaints())
	ready := b.Ready("ops")
	require.False(t, closed(ready))

	install(t, b.dir, "hookarr-target-chaos")
	select {
	case <-ready:
	case <-time.After(waitTimeout):
		require.Fail(t, "who waits for the plugin is not told")
	}
	require.True(t, closed(b.Ready("ops")))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	require.Eventually(t, func() bool { return complaints() == 2 }, waitTimeout, pollInterval, "what is new is said")
	require.Nil(t, b.Ready("nobody"))
}

// TestPluginThatCannotBeConfiguredAgainIsRestarted takes the instances from a plugin
// behind the host's back, and makes it hang when they are sent again: it is down for
// everybody, not for each call anew.
func TestPluginThatCannotBeConfiguredAgainIsRestarted(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{BackoffMin: time.Hour, BackoffMax: time.Hour}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	s, err := b.lookup(host.KindTarget, "ops")
	require.NoError(t, err)
	_, err = s.current.client.Configure(t.Context(), nil, false)
	require.NoError(t, err)
	s.configuring.Lock()
	s.instances = []host.Instance{{Name: "ops", Config: []byte(`{"hang":true}`)}}
	s.timing.Configure = 100 * time.Millisecond
	s.configuring.Unlock()
	require.Contains(t, b.do(t.Context(), "ops", "fine").Message, "has lost its configuration")
	require.Contains(t, b.awaitState(t, "chaos", Backoff).Reason, "plugin lost its configuration: ")
}

func TestSlowStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-slow")
	b.start(t, b.target("slow", "ops", nil))
	require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestHungProcessIsReplaced stops a process, which then answers nothing.
func TestHungProcessIsReplaced(t *testing.T) {
	t.Parallel()
	timing := quick
	timing.Health, timing.HealthTimeout = 20*time.Millisecond, 4*time.Second
	b := setup(t, timing, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	pid := b.Status()[0].PID
	suspend(t, pid)
	o := <-outcome
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.False(t, o.Crashed, "the host itself ended it")
	require.True(t, gone(pid, true))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestLostConfigurationIsSentAgain takes the instances from a plugin behind the
// host's back.
func TestLostConfigurationIsSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	s, err := b.lookup(host.KindTarget, "ops")
	require.NoError(t, err)
	_, err = s.current.client.Configure(t.Context(), nil, false)
	require.NoError(t, err)
	o := b.do(t.Context(), "ops", "fine")
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.Contains(t, o.Message, "has lost its configuration")
	require.Eventually(t, func() bool { return b.do(t.Context(), "ops", "fine").Class == sdk.ClassOK }, waitTimeout, pollInterval)
	require.Zero(t, b.Status()[0].Restarts)
}

// TestChildrenOfPluginsDieWithThem: a child that kept the plugin's pipes would
// otherwise outlive it and delay its end.
func TestChildrenOfPluginsDieWithThem(t *testing.T) {
	t.Parallel()
	b := setup(t, quick, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.True(t, b.do(t.Context(), "ops", "orphan").Crashed)
	signs, err := filepath.Glob(filepath.Join(b.signs, "child-*"))
	require.NoError(t, err)
	require.Len(t, signs, 1)
	child, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(signs[0]), "child-"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return gone(child, false) }, waitTimeout, pollInterval)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestDeathOfHost kills a host of its own process.
func TestDeathOfHost(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	install(t, dir, "hookarr-target-chaos")
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	// The killed host cannot tidy up. Its sockets' paths must be short.
	tmp, err := os.MkdirTemp("", "hk-") //nolint:usetesting // t.TempDir's paths are too long for sockets
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(tmp)) })
	cmd.Env = append(os.Environ(), helperEnv+"="+dir, "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	var pid int
	var state State
	_, err = fmt.Sscan(line, &pid, &state)
	require.NoError(t, err, line)
	require.Equal(t, Ready, state, line)
	require.False(t, gone(pid, false))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return gone(pid, false) }, waitTimeout, pollInterval, "the plugin outlives its host")

	left, err := filepath.Glob(filepath.Join(tmp, "hookarr-*"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	var next []string
	for range 2 { // the second leaves the first alone
		h := New(Options{Dirs: []string{dir}, TempDir: tmp, Timing: Timing{Start: waitTimeout}})
		require.NoError(t, h.Start(t.Context(), []Instance{{Kind: host.KindTarget, Plugin: "chaos", Name: "ops"}}))
		defer func() { require.NoError(t, h.Stop(context.Background())) }()
		require.Equal(t, Ready, h.Status()[0].State, h.Status()[0].Reason)
		require.NoDirExists(t, left[0])
		next = append(next, h.launcher.tmp)
	}
	require.DirExists(t, next[0])
	require.DirExists(t, next[1])
}

// TestOnlyLeftoversAreRemoved meets everything that could be taken for one.
func TestOnlyLeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	parent, elsewhere := t.TempDir(), t.TempDir()
	leave := func(name string, mode os.FileMode) string {
		dir := filepath.Join(parent, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, lockName), nil, 0o600))
		require.NoError(t, os.Chmod(dir, mode))
		return dir
	}
	leftover := leave("hookarr-1", 0o700)
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(leftover, "link")))
	spared := []string{leave("hookarr-2", 0o755), leave("hookarr-pg-3", 0o700), leave("hookarr-4", 0o700), leave("other-5", 0o700)}
	require.NoError(t, os.Remove(filepath.Join(spared[2], lockName)))
	live, lock, err := makePrivate(parent)
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Close()) }()
	spared = append(spared, live)
	require.NoError(t, os.Chmod(elsewhere, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, lockName), nil, 0o600))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(parent, "hookarr-6")))

	require.Equal(t, 1, RemoveLeftovers(parent))
	require.NoDirExists(t, leftover)
	for _, dir := range append(spared, elsewhere) {
		require.DirExists(t, dir)
	}
	require.FileExists(t, filepath.Join(parent, "hookarr-6"), "the link")
	require.FileExists(t, filepath.Join(elsewhere, lockName))
}
