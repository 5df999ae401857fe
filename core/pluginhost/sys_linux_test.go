package pluginhost

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/sdk/host"
)

// TestForkingThreadOutlivesCaller launches from an operating system thread that
// then ends: a child whose death were tied to that thread would die with it.
func TestForkingThreadOutlivesCaller(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	l, err := newLauncher(b.opts)
	require.NoError(t, err)
	defer l.close()
	type launched struct {
		p   *process
		err error
		tid int
	}
	done := make(chan launched)
	var onThread func()
	onThread = func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		if unix.Gettid() == os.Getpid() {
			// Go never ends a process's first thread: leave this to another, and keep
			// this one meanwhile.
			defer runtime.UnlockOSThread()
			other := make(chan struct{})
			go func() { defer close(other); onThread() }()
			<-other
			return
		}
		p, err := l.launch(context.Background(), host.KindTarget, "chaos", nil, newLogSink(b.opts.Log, nil))
		done <- launched{p, err, unix.Gettid()}
	}
	go onThread()
	got := <-done
	require.NoError(t, got.err)
	defer got.p.end()
	require.Eventually(t, func() bool {
		_, err := os.Stat("/proc/self/task/" + strconv.Itoa(got.tid))
		return os.IsNotExist(err)
	}, waitTimeout, pollInterval, "the thread goes on")
	_, err = got.p.client.CheckHealth(t.Context())
	require.NoError(t, err)
	require.False(t, gone(got.p.pid(), true))
}

func TestOperatorsFindAPluginByItsName(t *testing.T) {
	t.Parallel()
	b := setup(t, Timing{}, "hookarr-target-chaos")
	b.start(t, b.target("chaos", "ops", nil))
	proc := "/proc/" + strconv.Itoa(b.Status()[0].PID)
	comm, err := os.ReadFile(proc + "/comm")
	require.NoError(t, err)
	require.Equal(t, "hookarr-target-\n", string(comm), "as much of the name as the kernel keeps")
	cmdline, err := os.ReadFile(proc + "/cmdline")
	require.NoError(t, err)
	require.Equal(t, b.dir+"/hookarr-target-chaos\x00", string(cmdline))
}
