package outage_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/outage"
)

// text is a log without times.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *text) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// take returns what was written since the last call.
func (b *text) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buf.Reset()
	return b.buf.String()
}

// rig is a Log that runs, on a database that fails while down is set.
type rig struct {
	*outage.Log
	out  text
	down atomic.Bool
	stop context.CancelFunc
}

func newRig(t *testing.T, level slog.Level) *rig {
	t.Helper()
	r := &rig{}
	r.Log = outage.New(slog.NewTextHandler(&r.out, &slog.HandlerOptions{
		Level:       level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return map[bool]slog.Attr{false: a}[a.Key == slog.TimeKey] },
	}), func(context.Context) error {
		if r.down.Load() {
			return errors.New("connection refused (see database.url)")
		}
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	r.stop = func() { stop(); running.Wait() }
	t.Cleanup(r.stop)
	return r
}

// complain writes what River and the keeper do in a second.
func (r *rig) complain() {
	for _, queue := range []string{"target_ops", "catchup"} {
		r.River().Error("producer: Error fetching jobs", slog.String("err", "dial error"), slog.String("queue", queue))
	}
	r.Logger().WarnContext(outage.Symptom(context.Background()), "upkeep interrupted", slog.Any("error", errors.New("beat: dial error")))
}

func TestAnOutageIsAFewLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slog.LevelInfo)
		r.down.Store(true)
		time.Sleep(300 * time.Millisecond) // between two looks
		r.complain()
		time.Sleep(2 * time.Second)
		require.Equal(t, "level=ERROR msg=\"database cannot be used: deliveries wait\" error=\"connection refused (see database.url)\"\n", r.out.take())
		for range 150 {
			time.Sleep(time.Second)
			r.complain()
		}
		synctest.Wait()
		require.Equal(t, `level=WARN msg="database still cannot be used: deliveries wait" elapsed=1m2s lines=180 error="connection refused (see database.url)"
level=WARN msg="database still cannot be used: deliveries wait" elapsed=2m2s lines=360 error="connection refused (see database.url)"
`, r.out.take())
		r.down.Store(false)
		time.Sleep(10 * time.Second)
		require.Equal(t, "level=INFO msg=\"database can be used again\" elapsed=2m32s lines=453\n", r.out.take())
		time.Sleep(time.Hour)
		require.Empty(t, r.out.take())

		r.down.Store(true)
		r.complain()
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, strings.Count(r.out.take(), "\n"), "the next outage is told at once")
		r.stop()
	})
}

// TestTroubleThatReadyDoesNotSee has a database that answers, and refuses what River asks.
func TestTroubleThatReadyDoesNotSee(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slog.LevelInfo)
		for range 50 {
			r.River().Error("producer: Error fetching jobs", slog.String("err", "permission denied for table river_job"))
			time.Sleep(time.Second)
		}
		require.Equal(t, "level=ERROR msg=\"database cannot be used: deliveries wait\" error=\"permission denied for table river_job\"\n", r.out.take())
		time.Sleep(10 * time.Second)
		require.Contains(t, r.out.take(), "database can be used again")
		r.stop()
	})
}

// TestALostConnectionIsNoOutage has the first look, too, meet a connection that is lost.
func TestALostConnectionIsNoOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slog.LevelInfo)
		r.down.Store(true)
		time.AfterFunc(time.Second+time.Millisecond, func() { r.down.Store(false) })
		time.Sleep(300 * time.Millisecond)
		r.River().Error("notifier.Notifier: Error from notification wait", slog.String("err", "unexpected EOF"))
		r.River().Error("notifier.Notifier: Error running listener (will attempt reconnect after backoff)", slog.String("err", "conn closed"))
		time.Sleep(time.Minute)
		require.Equal(t, "level=WARN msg=\"connection to the database was lost for a moment\" lines=2 error=\"unexpected EOF\"\n", r.out.take())
		r.stop()
	})
}

func TestWhatIsNotKnownPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slog.LevelInfo)
		r.down.Store(true)
		const steppingDown = "leadership.Elector: " + outage.SteppingDown
		r.River().Warn(steppingDown)
		require.Equal(t, "level=WARN msg=\""+steppingDown+"\"\n", r.out.take(), "a machine that woke")
		r.complain()
		time.Sleep(2 * time.Second)
		r.out.take()
		r.River().Warn(steppingDown)
		r.River().Info("producer: Run loop started")
		r.River().With("a", 1).WithGroup("g").Error("jobexecutor.JobExecutor: panic recovery; possible bug with Worker", "job_id", 7)
		r.Logger().Info("target takes deliveries again")
		r.Logger().Warn("dead letter")
		r.River().With("a", 1).WithGroup("g").Error("producer: Error fetching jobs")
		require.Equal(t, `level=ERROR msg="jobexecutor.JobExecutor: panic recovery; possible bug with Worker" a=1 g.job_id=7
level=INFO msg="target takes deliveries again"
level=WARN msg="dead letter"
`, r.out.take())
		r.stop()
		require.Equal(t, "level=WARN msg=\"database still cannot be used: deliveries wait\" elapsed=2s lines=5 error=\"\"\n", r.out.take())
		r.complain()
		require.Equal(t, 3, strings.Count(r.out.take(), "dial error"), "nobody would tell of them")
	})
}

func TestDebugShowsWhatIsSwallowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slog.LevelDebug)
		r.complain()
		require.Equal(t, `level=DEBUG msg="producer: Error fetching jobs" err="dial error" queue=target_ops
level=DEBUG msg="producer: Error fetching jobs" err="dial error" queue=catchup
level=DEBUG msg="upkeep interrupted" error="beat: dial error"
`, r.out.take())
		r.stop()
	})
}

// TestRiverStillSaysSo holds the known messages together with the version of River that is
// built in.
func TestRiverStillSaysSo(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/riverqueue/river").Output()
	require.NoError(t, err)
	var source strings.Builder
	require.NoError(t, filepath.WalkDir(strings.TrimSpace(string(dir)), func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		source.Write(text)
		return err
	}))
	require.NotEmpty(t, outage.Rivers)
	for message := range outage.Rivers {
		require.NotEqual(t, outage.SteppingDown, message)
		require.Contains(t, source.String(), `Name+": `+message+`"`)
	}
	require.Contains(t, source.String(), `Name+": `+outage.SteppingDown+`"`)
}
