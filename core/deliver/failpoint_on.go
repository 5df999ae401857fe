//go:build failpoint

package deliver

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// passes counts how often each failpoint was passed in this process.
var passes = map[string]*atomic.Int64{afterClose: {}, afterAnswer: {}, afterSettle: {}}

// failpoint kills the process, as SIGKILL from outside would, when it passes the
// point for the nth time, where HOOKARR_FAILPOINT is POINT:n.
func failpoint(point string) {
	name, count, _ := strings.Cut(os.Getenv("HOOKARR_FAILPOINT"), ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || name != point {
		return
	}
	if passes[point].Add(1) == n {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
