package plugincheck

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGroupThatNobodyMayEnd: what a host prints decides what is killed.
func TestGroupThatNobodyMayEnd(t *testing.T) {
	t.Parallel()
	for _, printed := range []string{"0", "1", "-1", "-7", "", "x"} {
		c := &check{opts: Options{Windows: patient(), Orphan: []string{"/bin/sh", "-c", "echo " + printed}}, path: "/nowhere", dir: t.TempDir()}
		_, err := c.orphan(t.Context())
		require.ErrorContains(t, err, "a host for the plugin did not start it", printed)
	}
}
