//go:build failpoint

package timeout

import (
	"os"
	"time"
)

// Of returns d, or what TEST_TIMEOUT says where that is longer.
func Of(d time.Duration) time.Duration {
	longer, err := time.ParseDuration(os.Getenv("TEST_TIMEOUT"))
	if err != nil {
		return d
	}
	return max(d, longer)
}
