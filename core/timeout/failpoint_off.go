//go:build !failpoint

package timeout

import "time"

// Of returns d.
func Of(d time.Duration) time.Duration { return d }
