package deliver

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// lineLog is a text log without times.
func lineLog(w *warnings, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level:       level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return map[bool]slog.Attr{false: a}[a.Key == slog.TimeKey] },
	}))
}

func TestDrainTellsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log warnings
		w := New(Options{Log: lineLog(&log, slog.LevelInfo)})
		first, second := uuid.MustParse("01a223bd-2932-7935-badd-42dc8a40722e"), uuid.MustParse("01a223bd-2932-7935-badd-42dc8a40722f")
		for job, id := range []uuid.UUID{first, second, uuid.New()} {
			require.True(t, w.inflight.enter(int64(job), id))
		}
		w.inflight.begin(first, "target ops, delivery")
		time.Sleep(time.Second)
		w.inflight.begin(second, "source radarr, event") // the third waits for its target
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		require.ErrorIs(t, w.Drain(ctx, func(ctx context.Context) error {
			time.Sleep(7 * time.Second)
			w.inflight.leave(0, first)
			<-ctx.Done()
			return ctx.Err()
		}), context.DeadlineExceeded)
		require.Equal(t, []string{
			`level=INFO msg="waiting for what is under way" count=2 longest="[target ops, delivery ` + first.String() + ` for 1.1s source radarr, event ` + second.String() + ` for 100ms]"`,
			`level=INFO msg="waiting for what is under way" count=2 longest="[target ops, delivery ` + first.String() + ` for 6.1s source radarr, event ` + second.String() + ` for 5.1s]"`,
			`level=INFO msg="waiting for what is under way" count=1 longest="[source radarr, event ` + second.String() + ` for 10.1s]"`,
			`level=WARN msg="interrupted, goes on at the next start" count=1 longest="[source radarr, event ` + second.String() + ` for 12s]"`,
		}, log.lines())
	})
}

func TestDrainNamesAFew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log warnings
		w := New(Options{Log: lineLog(&log, slog.LevelInfo)})
		for job := range 300 {
			id := uuid.New()
			require.True(t, w.inflight.enter(int64(job), id))
			w.inflight.begin(id, "target ops, delivery")
		}
		require.NoError(t, w.Drain(t.Context(), func(context.Context) error { time.Sleep(time.Second); return nil }))
		require.Len(t, log.lines(), 1)
		require.Contains(t, log.lines()[0], "count=300")
		require.Equal(t, drainNames, strings.Count(log.lines()[0], "target ops"))
	})
}

// TestDrainOfWhatOthersWork waits for a job of another package.
func TestDrainOfWhatOthersWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log warnings
		w := New(Options{Log: lineLog(&log, slog.LevelInfo)})
		require.NoError(t, w.Drain(t.Context(), func(context.Context) error { time.Sleep(6 * time.Second); return nil }))
		require.Equal(t, []string{`level=INFO msg="waiting for what is under way" jobs="catch-up or enrichment"`}, log.lines())
	})
}

// TestDrainTellsOfAnAttempt stops a queue during an attempt.
func TestDrainTellsOfAnAttempt(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		var log warnings
		r.log = lineLog(&log, slog.LevelInfo)
		arrived := make(chan struct{})
		r.plugins.answers(func(ctx context.Context, _ call) host.Outcome {
			close(arrived)
			<-ctx.Done()
			return host.Outcome{Class: sdk.ClassInterrupted}
		})
		r.start()
		id := r.accept("ops")[0]
		<-arrived
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		drained := make(chan error, 1)
		go func() { drained <- r.workers.Drain(ctx, r.queue.Stop) }()
		require.Eventually(t, func() bool { return log.lines()[0] != "" }, await, 10*time.Millisecond)
		cancel()
		require.Error(t, <-drained)
		lines := log.lines() // the first may be there more than once
		for line, want := range map[string]string{
			lines[0]: "level=INFO msg=\"waiting for what is under way\"", lines[len(lines)-1]: "level=WARN msg=\"interrupted, goes on at the next start\"",
		} {
			require.Regexp(t, "^"+regexp.QuoteMeta(want+` count=1 longest="[target ops, delivery `+id.String())+` for [0-9.]+m?s\]"$`, line)
		}
	})
}
