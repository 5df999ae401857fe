package pluginhost

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 41 7 0 -1 4194560 1 2 3 4 110 20 3 2 20 0 9 0 987654 223 5 18446744073709551615 1 1"
	want := procStat{pid: 42, group: 41, session: 7, state: 'S', start: 987654, cpu: 1350 * time.Millisecond, memory: 5 * int64(os.Getpagesize()), threads: 9}
	for _, name := range []string{"(plugin)", "(a b)", "(x) S 1 (y)", "() Z 9 9 9)", "(\n)"} {
		got, err := parseStat(42, []byte("42 "+name+rest))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
	for _, bad := range []string{"", "42 (x)", "42 (x) S 1", "42 (x) S 1 42 seven 0 -1 4194560 1 2 3 4 110 20 3 2 20 0 9 0 987654 223 5 1"} {
		_, err := parseStat(42, []byte(bad))
		require.ErrorIs(t, err, errStat, bad)
	}
	own, err := readStat(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, own.memory)
	require.NotZero(t, own.start)
	require.Positive(t, own.threads)
}

// TestPagesOfFilesAreNotHeld: plugins that are one file share them.
func TestPagesOfFilesAreNotHeld(t *testing.T) {
	t.Parallel()
	require.Equal(t, int64(7<<20), filePages([]byte("VmRSS:\t   9216 kB\nRssAnon:\t   2048 kB\nRssFile:\t   7168 kB\nRssShmem:\t       0 kB\n")))
	require.Zero(t, filePages([]byte("VmRSS:\t   9216 kB\n")))
	own, err := readStat(os.Getpid())
	require.NoError(t, err)
	held := own.held()
	require.Positive(t, held)
	require.Less(t, held, own.memory)
}

// TestEnvironmentIsReadInPart: what a process has as its environment is its own choice.
func TestEnvironmentIsReadInPart(t *testing.T) {
	t.Parallel()
	const variable = "TMPDIR=/tmp/hookarr/p1"
	padding := make([]string, 5)
	for i := range padding {
		padding[i] = "P" + strconv.Itoa(i) + "=" + strings.Repeat("x", maxEnviron/4)
	}
	for name, tt := range map[string]struct {
		env  []string
		want bool
	}{
		"alone":            {[]string{variable}, true},
		"before much":      {append([]string{"A=b", variable}, padding...), true},
		"after too much":   {append(slices.Clone(padding), variable), false},
		"part of another":  {[]string{"X" + variable, variable + "2"}, false},
		"nothing":          {[]string{}, false},
		"the name, though": {[]string{"TMPDIR=/tmp"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "/bin/sleep", "600")
			cmd.Env = tt.env
			require.NoError(t, cmd.Start())
			defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
			require.Eventually(t, func() bool { // the kernel shows it a little after the start
				shown, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/environ")
				return err == nil && (len(shown) > 0 || len(tt.env) == 0)
			}, waitTimeout, pollInterval)
			require.Equal(t, tt.want, hasVariable(cmd.Process.Pid, variable))
		})
	}
}
