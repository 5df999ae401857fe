package pluginhost

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 41 7 0 -1 4194560 1 2 3 4 110 20 3 2 20 0 9 0 987654 223 5 18446744073709551615 1 1"
	want := procStat{pid: 42, group: 41, session: 7, state: 'S', start: 987654, cpu: 1350 * time.Millisecond, memory: 5 * int64(os.Getpagesize())}
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
}
