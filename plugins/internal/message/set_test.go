package message

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSetKeepsTheOrder(t *testing.T) {
	t.Parallel()
	s := set[string]{key: func(s string) string { return s }}
	require.Empty(t, s.all())
	s.remove([]string{"a"})
	s.add([]string{"a", "b", "a", "c"})
	s.remove([]string{"a", "x"})
	require.Equal(t, []string{"b", "c"}, s.all())
	s.add([]string{"b", "a"})
	require.Equal(t, []string{"b", "c", "a"}, s.all(), "what comes back is the last")
	s.remove([]string{"a", "b", "c"})
	require.Empty(t, s.all())
}

// A group of upgrades replaces thousands of files, one or a few at a time.
func TestARemovalLooksAtWhatIsRemovedAlone(t *testing.T) {
	t.Parallel()
	const files = 1000
	looked := 0
	s := set[int]{key: func(n int) string { looked++; return strconv.Itoa(n) }}
	for i := range files {
		s.add([]int{i})
	}
	for i := range files / 2 {
		s.remove([]int{i})
	}
	require.Len(t, s.all(), files/2)
	require.LessOrEqual(t, looked, 3*files)
}
