package arrtest

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// Fill returns a body of 4 MiB that repeats an element.
func Fill(before, element, after string) []byte {
	n := (4<<20 - len(before) - len(after)) / len(element)
	return []byte(before + strings.TrimSuffix(strings.Repeat(element, n), ",") + after)
}

// Memory decodes bodies that are small on the wire and large in a careless decoder's
// memory. It measures the process's allocations: nothing may run beside it.
func Memory(t *testing.T, s sdk.Source, bodies map[string][]byte) {
	t.Helper()
	for name, body := range bodies {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(s, body, nil)
		runtime.ReadMemStats(&after)
		require.NoError(t, err, name)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20), name)
	}
}
