package pluginhost

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// runScript runs a script in a session of its own, or in this one, and returns the process and
// the ids that the script prints on its first line.
func runScript(t *testing.T, script string, session bool) (cmd *exec.Cmd, printed []int) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	for field := range strings.FieldsSeq(line) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		printed = append(printed, pid)
	}
	return cmd, printed
}

// TestSearchStops at a number of processes, and what it has not come to ends all the same.
func TestSearchStops(t *testing.T) {
	t.Parallel()
	require.NoError(t, adoptOrphans())
	const many = maxFound + 20
	script := "i=0; while [ $i -lt " + strconv.Itoa(many) + " ]; do sleep 600 >/dev/null & all=\"$all $!\"; i=$((i+1)); done; echo $all; wait"
	cmd, sleepers := runScript(t, script, true)
	require.Len(t, sleepers, many)
	pid := cmd.Process.Pid
	var d descendants
	require.Len(t, d.find(pid, childrenOf(pid), "HOOKARR_TEST=none", func() []procStat { return nil }), maxFound)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	d.sweep(pid, "HOOKARR_TEST=none", func(int) bool { return false })
	for _, pid := range sleepers {
		require.Eventually(t, func() bool { return gone(pid, true) }, waitTimeout, pollInterval)
	}
}

// TestOrphansAreAskedForLast: whoever loses its parent during a search is a child of it before,
// or an orphan after.
func TestOrphansAreAskedForLast(t *testing.T) {
	t.Parallel()
	require.NoError(t, adoptOrphans())
	parent, children := runScript(t, "sleep 600 >/dev/null & echo $!; wait", true)
	require.Len(t, children, 1)
	both := []int{parent.Process.Pid, children[0]}
	var found []int
	for _, p := range new(descendants).find(-1, both[:1], "HOOKARR_TEST=none", func() []procStat {
		require.NoError(t, parent.Process.Kill())
		require.Error(t, parent.Wait())
		return orphans(func(pid int) bool { return pid != both[1] })
	}) {
		found = append(found, p.pid)
	}
	require.Equal(t, both, found)
	require.NoError(t, syscall.Kill(both[1], syscall.SIGKILL))
	require.Eventually(t, func() bool { reapOrphan(both[1]); return gone(both[1], true) }, waitTimeout, pollInterval)
}

// TestSweepSparesWhoHasTheID of the process that has ended.
func TestSweepSparesWhoHasTheID(t *testing.T) {
	t.Parallel()
	other, children := runScript(t, "sleep 600 >/dev/null & echo $!; wait", false)
	require.Len(t, children, 1)
	new(descendants).sweep(other.Process.Pid, "HOOKARR_TEST=none", func(int) bool { return false })
	require.False(t, gone(children[0], true))
	require.NoError(t, syscall.Kill(children[0], syscall.SIGKILL))
	require.NoError(t, other.Wait())
}
