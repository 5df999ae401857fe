//go:build !linux

package sandbox

import (
	"errors"
	"os"
	"runtime"
)

// Probe says that there is no sandbox.
func Probe() Support {
	return Support{Missing: "there is none on " + runtime.GOOS + ", only on Linux"}
}

// Start starts nothing.
func Start(Policy, string, []string, *os.ProcAttr, <-chan struct{}) (*os.Process, error) {
	return nil, errors.New("make sandbox: " + Probe().Missing)
}
