package pluginhost

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// watchful is a timing for tests of what processes take.
var watchful = Timing{
	Look: 20 * time.Millisecond, Spin: 300 * time.Millisecond, MaxExits: 100,
	BackoffMin: quick.BackoffMin, BackoffMax: quick.BackoffMax, Ready: quick.Ready,
}

// bounded sets a bound of memory that a plugin of the SDK does not come near.
func bounded(host.Kind, string) Settings { return Settings{Memory: 100 << 20} }

// TestMemoryIsBounded: a process that holds too much is replaced, and finishes its calls.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := setupWith(t, watchful, bounded, "hookarr-target-chaos")
	value := b.measure()
	b.start(t, b.target("chaos", "ops", nil))
	old := b.Status()[0].PID
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "leak 110").Class)
	require.Eventually(t, func() bool { return b.Status()[0].PID != old }, waitTimeout, pollInterval)
	st := b.Status()[0]
	const reason = `^it held 1[0-9]{2} MiB of memory, more than plugins\.target-chaos\.memory, which is 100 MiB$`
	require.Equal(t, Ready, st.State)
	require.Regexp(t, reason, st.LastFailure.Reason)
	require.Zero(t, st.Restarts)
	told := b.log.find(t, "plugin takes too much")
	require.Equal(t, "process replaced", told["action"])
	require.Regexp(t, reason, told["reason"])
	require.EqualValues(t, old, told["pid"])
	require.InDelta(t, 1, value(t, "hookarr_plugin_excesses_total"), 0)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
	require.False(t, gone(old, true), "the old one has a call")
	b.release(t)
	require.Equal(t, sdk.ClassOK, (<-outcome).Class, "no call was cut off")
	require.Eventually(t, func() bool { return gone(old, true) }, waitTimeout, pollInterval)
}

// TestMemoryFarAboveItsBound ends the process at once, and accuses no delivery.
func TestMemoryFarAboveItsBound(t *testing.T) {
	t.Parallel()
	var all atomic.Bool // is taken between two looks
	b := setupWith(t, watchful, func(host.Kind, string) Settings {
		if all.Load() {
			return bounded(host.KindTarget, "chaos")
		}
		return Settings{}
	}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	old := b.Status()[0].PID
	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- b.do(context.Background(), "ops", "wait") }()
	b.awaitSign(t, "arrived-wait")
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "leak 220").Class)
	all.Store(true)
	o := <-outcome
	require.Equal(t, sdk.ClassUnavailable, o.Class)
	require.False(t, o.Crashed)
	require.Contains(t, o.Message, "more than twice plugins.target-chaos.memory, which is 100 MiB")
	require.True(t, gone(old, true))
	require.Eventually(t, func() bool { return b.Status()[0].Restarts == 1 }, waitTimeout, pollInterval)
	st := b.awaitState(t, "chaos", Ready)
	require.Regexp(t, `^it held .*, more than twice plugins\.target-chaos\.memory`, st.LastFailure.Reason)
}

// TestMemoryAgainAndAgain gives the plugin up for a while.
func TestMemoryAgainAndAgain(t *testing.T) {
	t.Parallel()
	timing := watchful
	timing.MaxExits, timing.Quarantine = 3, time.Hour
	b := setupWith(t, timing, bounded, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	for range timing.MaxExits - 1 {
		old := b.Status()[0].PID
		require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "leak 110").Class)
		require.Eventually(t, func() bool { st := b.Status()[0]; return st.State == Ready && st.PID != old }, waitTimeout, pollInterval)
	}
	b.do(t.Context(), "ops", "leak 110") // which is cut off, or not
	st := b.awaitState(t, "chaos", Quarantined)
	require.Regexp(t, `^ended or replaced 3 times within 5m0s, last: it held 1[0-9]{2} MiB of memory, more than plugins\.target-chaos\.memory`, st.Reason)
	require.Equal(t, sdk.ClassUnavailable, b.do(t.Context(), "ops", "fine").Class)
	require.NoError(t, b.Reload(t.Context(), host.KindTarget, "chaos"), "an operator may start it")
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestMemoryBoundThatIsChanged takes effect at the next look.
func TestMemoryBoundThatIsChanged(t *testing.T) {
	t.Parallel()
	bound := make(chan int64, 1)
	bound <- 0
	b := setupWith(t, watchful, func(host.Kind, string) Settings {
		n := <-bound
		bound <- n
		return Settings{Memory: n}
	}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	old := b.Status()[0].PID
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "leak 110").Class)
	<-bound
	bound <- 100 << 20
	require.Eventually(t, func() bool { return b.Status()[0].PID != old }, waitTimeout, pollInterval)
}

// TestSpinningPlugin burns a processor for a call that is stuck, not merely late. Its other
// calls go on in the process that takes its place.
func TestSpinningPlugin(t *testing.T) {
	t.Parallel()
	timing := watchful
	timing.Spin, timing.SpinShare = time.Second, 0.02 // a machine that has much to do gives it no more
	b := setup(t, timing, "hookarr-target-chaos")
	value := b.measure()
	b.start(t, b.target("chaos", "ops", nil))
	old := b.Status()[0].PID
	var classes []sdk.Class
	require.Eventually(t, func() bool {
		if b.Status()[0].PID != old {
			return true
		}
		// Once more: the process may have got no processor at all.
		classes = append(classes, b.doLate("ops", "spin").Class)
		return false
	}, waitTimeout, 2*time.Second)
	require.Equal(t, slices.Repeat([]sdk.Class{sdk.ClassRetryable}, len(classes)), classes)
	st := b.Status()[0]
	require.Regexp(t, `^it took more than 2 % of a processor for .*s after a call got stuck$`, st.LastFailure.Reason)
	log := b.log.lines(t)
	at := func(message string) int {
		return slices.IndexFunc(log, func(record map[string]any) bool { return record["msg"] == message })
	}
	require.NotEqual(t, -1, at(host.StuckCall))
	require.Less(t, at(host.StuckCall), at("plugin takes too much"), "late calls are no reason")
	require.Eventually(t, func() bool { return gone(old, true) }, waitTimeout, pollInterval, "what it does ends with it")
	require.Positive(t, value(t, "hookarr_plugin_cpu_seconds_total"))
	// The last call may have come to the new process.
	require.GreaterOrEqual(t, value(t, "hookarr_plugin_excesses_total"), 1.0)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestFilesAndCoreDumpsAreBounded, hard, in the process that runs.
func TestFilesAndCoreDumpsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", b.Status()[0].PID))
	require.NoError(t, err)
	var own unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &own))
	files := min(own.Max, maxFiles)
	require.Regexp(t, fmt.Sprintf(`(?m)^Max open files +%d +%d `, files, files), string(limits))
	require.Regexp(t, `(?m)^Max file size +1073741824 +1073741824 `, string(limits))
	require.Regexp(t, `(?m)^Max core file size +0 +0 `, string(limits))
}

// TestDescendantsEndWithTheirPlugin, wherever they hide.
func TestDescendantsEndWithTheirPlugin(t *testing.T) {
	t.Parallel()
	// forgetful is found at its end only if a look was taken while its parent lived.
	const forgetful = "without an environment"
	for name, script := range map[string]string{
		"in the process group": `sleep 600 & echo $! > "$0/pid.new"`,
		"in a session":         `setsid sleep 600 & echo $! > "$0/pid.new"`,
		"of a daemon":          `setsid sh -c 'sleep 600 & echo $! > "$0/pid.new"' "$0"`,
		"with a child":         `setsid sh -c 'sleep 600 & echo $! > "$0/pid.new"; wait' "$0" &`,
		forgetful:              `env -i setsid sh -c 'echo $$ > "$0/pid.new"; while :; do sleep 600; done' "$0" &`,
	} {
		for _, end := range []string{"stop", "exit", "kill"} {
			t.Run(name+", "+end, func(t *testing.T) {
				t.Parallel()
				b := setup(t, watchful, "hookarr-target-chaos")
				b.start(t, b.target("chaos", "ops", nil))
				plugin := b.Status()[0].PID
				if name != forgetful {
					b.release(t)
				}
				started := make(chan sdk.Class, 1)
				go func() {
					started <- b.do(t.Context(), "ops", "sh "+script+"\n"+
						`while ! [ -s "$0/pid.new" ]; do sleep 0.01; done; mv "$0/pid.new" "$0/pid"; while ! [ -e "$0/go" ]; do sleep 0.01; done`).Class
				}()
				b.awaitSign(t, "pid")
				text, err := os.ReadFile(filepath.Join(b.signs, "pid"))
				require.NoError(t, err)
				pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
				require.NoError(t, err)
				if name == forgetful {
					b.awaitLook(t, pid)
					b.release(t)
				}
				require.Equal(t, sdk.ClassOK, <-started)
				require.False(t, gone(pid, false))
				switch end {
				case "stop":
					require.NoError(t, b.Stop(t.Context()))
					require.True(t, gone(pid, true), "and was taken from the table of processes")
				case "exit":
					require.True(t, b.do(t.Context(), "ops", "exit").Crashed)
				case "kill":
					require.NoError(t, unix.Kill(plugin, unix.SIGKILL))
				}
				require.Eventually(t, func() bool { return gone(pid, true) }, waitTimeout, pollInterval)
			})
		}
	}
}

// awaitLook waits until a descendant of the plugin chaos was seen.
func (b *testBundle) awaitLook(t *testing.T, pid int) {
	t.Helper()
	d := &b.plugins[pluginKey{host.KindTarget, "chaos"}].taking().descendants
	require.Eventually(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		_, seen := d.seen[pid]
		return seen
	}, waitTimeout, pollInterval)
}

// TestChildrensMemoryIsShown, as it counts for the bound.
func TestChildrensMemoryIsShown(t *testing.T) {
	t.Parallel()
	b := setup(t, watchful, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", `sh (held=$(head -c 90000000 /dev/zero | tr '\0' x); while :; do sleep 1; done) &`).Class)
	require.Eventually(t, func() bool { return b.Status()[0].Memory > 90e6 }, waitTimeout, pollInterval)
	require.Less(t, residentMemory(b.Status()[0].PID), int64(90e6))
}

// TestForkingPlugin has too many processes, all of which end.
func TestForkingPlugin(t *testing.T) {
	t.Parallel()
	b := setup(t, watchful, "hookarr-target-chaos", "hookarr-target-good")
	b.start(t, b.target("chaos", "ops", nil), b.target("good", "dev", nil))
	before := b.Status()
	b.do(t.Context(), "ops", fmt.Sprintf(`sh i=0; while [ $i -lt %d ]; do setsid sleep 600 & echo $! >> "$0/pids"; i=$((i+1)); done; sleep 600`, maxProcesses))
	require.Eventually(t, func() bool { return b.log.find(t, "plugin takes too much") != nil }, waitTimeout, pollInterval)
	require.Eventually(t, func() bool { return b.Status()[0].Restarts == 1 }, waitTimeout, pollInterval)
	st := b.awaitState(t, "chaos", Ready)
	require.Regexp(t, `^it had [67][0-9] processes, more than 64$`, st.LastFailure.Reason)
	pids, err := os.ReadFile(filepath.Join(b.signs, "pids"))
	require.NoError(t, err)
	for text := range strings.FieldsSeq(string(pids)) {
		pid, err := strconv.Atoi(text)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return gone(pid, true) }, waitTimeout, pollInterval, text)
	}
	require.Equal(t, before[1].PID, b.Status()[1].PID, "the other plugin was left alone")
}

// TestForkingAtItsStart is bounded, too.
func TestForkingAtItsStart(t *testing.T) {
	t.Parallel()
	timing := watchful
	timing.BackoffMin, timing.BackoffMax, timing.Start = time.Hour, time.Hour, waitTimeout
	b := setup(t, timing, "hookarr-target-forks")
	require.NoError(t, b.Start(t.Context(), []Instance{b.target("forks", "ops", nil)}))
	require.Regexp(t, `^start plugin hookarr-target-forks: it was ended: it had [678][0-9] processes, more than 64$`, b.Status()[0].Reason)
	_, err := b.ListOptionsOf(t.Context(), b.target("forks", "ops", nil), "room")
	require.ErrorContains(t, err, "processes, more than 64")
}

// TestEndedOrphansAreReaped: one that ends while its plugin lives is no zombie for long.
func TestEndedOrphansAreReaped(t *testing.T) {
	t.Parallel()
	b := setup(t, watchful, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", `sh setsid true & echo $! > "$0/pid"`).Class)
	text, err := os.ReadFile(filepath.Join(b.signs, "pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return gone(pid, true) }, waitTimeout, pollInterval)
	require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "fine").Class)
}

// TestOthersGetTheirChildren: what os/exec starts in this process is neither ended nor
// waited for by watchUsage, while it runs and after it has ended.
func TestOthersGetTheirChildren(t *testing.T) {
	t.Parallel()
	timing := watchful
	timing.Look = time.Millisecond
	b := setup(t, timing, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	for i := range 20 {
		cmd := exec.Command("/bin/sh", "-c", "exit 3")
		require.NoError(t, cmd.Start())
		if i%4 == 0 { // it has ended, and looks are taken, before somebody waits
			require.Eventually(t, func() bool {
				p, err := readStat(cmd.Process.Pid)
				return err == nil && p.state == 'Z'
			}, waitTimeout, pollInterval)
			require.Equal(t, sdk.ClassOK, b.do(t.Context(), "ops", "peak").Class)
		}
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
		require.Equal(t, 3, exit.ExitCode())
	}
}
