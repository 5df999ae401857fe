//go:build !failpoint

package deliver

// failpoint does nothing in ordinary builds.
func failpoint(string) {}
