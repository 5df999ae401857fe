package pluginhost_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/pluginhost"
)

// TestNoExec tells of a file system that runs no programs before one is started.
func TestNoExec(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var binary pluginhost.Binary
	var mounted, err error
	done := make(chan struct{})
	// The mount is that of a thread which ends with it.
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if mounted = unix.Unshare(unix.CLONE_NEWNS); mounted == nil {
			mounted = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if mounted == nil {
			mounted = unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOEXEC, "mode=0755")
		}
		path := filepath.Join(dir, "hookarr-target-x")
		if err = os.WriteFile(path, nil, 0o755); err == nil {
			binary, err = pluginhost.BinaryAt(path)
		}
	}()
	<-done
	if mounted != nil {
		t.Skip("this user may not mount: ", mounted)
	}
	require.NoError(t, err)
	require.ErrorContains(t, binary.Err, filepath.Join(dir, "hookarr-target-x")+" is on a file system that runs no programs (mounted noexec): mount it without noexec, or put the plugin into another directory")
}
