package pluginhost

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFloodWaits: what a process writes beyond the burst is read at the steady rate, and
// what it has left at its end at once.
func TestFloodWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		read := func(bytesWritten int, ended <-chan struct{}) time.Duration {
			begun := time.Now()
			n, err := io.Copy(io.Discard, newSlowReader(bytes.NewReader(make([]byte, bytesWritten)), ended))
			require.NoError(t, err)
			require.EqualValues(t, bytesWritten, n)
			return time.Since(begun)
		}
		require.Zero(t, read(outputBurst, nil))
		require.InDelta(t, 3*time.Second, read(outputBurst+3*outputPerSecond, nil), float64(50*time.Millisecond))
		ended := make(chan struct{})
		close(ended)
		require.Zero(t, read(outputBurst+3*outputPerSecond, ended))
	})
}

// TestFloodOverTheConnectionWaits: go-plugin's own servers send both outputs by gRPC, past
// the pipes.
func TestFloodOverTheConnectionWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newLogSink(slog.New(slog.DiscardHandler), nil).process()
		p := &process{osProcess: &osProcess{log: log, printed: io.Discard, over: make(chan struct{})}}
		config := (&launcher{}).clientConfig(p)
		for _, w := range []io.Writer{config.SyncStdout, config.SyncStderr} {
			begun := time.Now()
			message := bytes.Repeat([]byte{'\n'}, 1<<10)
			for range (outputBurst + 3*outputPerSecond) / len(message) {
				n, err := w.Write(message)
				require.NoError(t, err)
				require.Len(t, message, n)
			}
			require.InDelta(t, 3*time.Second, time.Since(begun), float64(50*time.Millisecond))
		}
	})
}

// TestFloodsHurtNobody: a plugin that writes all the time, to either output, is told of, and
// another's calls go on.
func TestFloodsHurtNobody(t *testing.T) {
	t.Parallel()
	for what, told := range map[string]string{
		"spew-err": "plugin logs too much, lines dropped",
		"spew-out": "plugin writes to its standard output, which is discarded: it must log to standard error",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t, quick, "hookarr-target-chaos", "hookarr-target-good")
			b.start(t, b.target("chaos", "ops", nil), b.target("good", "dev", nil))
			done := make(chan struct{})
			go func() { defer close(done); b.do(t.Context(), "ops", what) }()
			require.Eventually(t, func() bool { return b.log.find(t, told) != nil }, waitTimeout, pollInterval)
			require.Equal(t, "target-chaos", b.log.find(t, told)["plugin"])
			require.Equal(t, "done", b.do(t.Context(), "dev", "fine").Receipt.Excerpt)
			b.release(t)
			<-done
			require.Equal(t, "done", b.do(t.Context(), "ops", "fine").Receipt.Excerpt)
		})
	}
}
