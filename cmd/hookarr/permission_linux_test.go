package main

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A file that is not for this user, as that of a package, can be read by root, and no socket
// is of use.
func TestFileOfAnotherUser(t *testing.T) {
	t.Parallel()
	file := write(t, "listen: 127.0.0.1:8484\n")
	require.NoError(t, os.Chmod(file, 0))
	if os.Getuid() == 0 {
		// This thread is nobody's where it opens files, and no other goroutine gets it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		before, err := unix.SetfsuidRetUid(65534)
		require.NoError(t, err)
		defer func() { require.NoError(t, unix.Setfsuid(before)) }()
	}
	const said = ": cannot be read: permission denied"
	want := result{code: exitError, err: file + said + ": run the command with sudo, or as the user that runs hookarr serve\n"}
	for _, command := range [][]string{{"targets", "list"}, {"targets", "options", "plex"}, {"reload"}, {"migrate"}} {
		require.Equal(t, want, run(t, append(command, "--config", file)...), command)
	}
	require.Equal(t, result{code: exitConfig, err: file + said + "\n"}, run(t, "serve", "--config", file), "a server is no command for root")
}
