package deliver

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

func TestLogThrottle(t *testing.T) {
	t.Parallel()

	var s logThrottle
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	level := func(class sdk.Class, at time.Duration) slog.Level { return s.level("ops", class, now.Add(at)) }
	warn, debug := slog.LevelWarn, slog.LevelDebug

	require.Equal(t, debug, level(sdk.ClassOK, 0))
	require.Equal(t, warn, level(sdk.ClassRetryable, 0))
	require.Equal(t, debug, level(sdk.ClassRetryable, 0))
	require.Equal(t, warn, level(sdk.ClassThrottled, 0), "another trouble")
	require.Equal(t, debug, level(sdk.ClassRetryable, 72*time.Hour), "an outage is told once, however long")
	require.Equal(t, warn, s.level("dev", sdk.ClassRetryable, now), "another target")
	require.Equal(t, debug, level(sdk.ClassOK, 72*time.Hour))
	require.Equal(t, warn, level(sdk.ClassRetryable, 72*time.Hour), "it was well")
	for at := 72 * time.Hour; at < 72*time.Hour+repeatAfter; at += time.Second {
		require.Equal(t, debug, level(sdk.ClassOK, at))
		require.Equal(t, debug, level(sdk.ClassRetryable, at), "a repeatAfter target is told once a minute")
	}
	require.Equal(t, debug, level(sdk.ClassOK, 72*time.Hour+repeatAfter))
	require.Equal(t, warn, level(sdk.ClassRetryable, 72*time.Hour+repeatAfter))

	for range 2 {
		require.Equal(t, debug, level(sdk.ClassPermanent, 0), "the dead letter is told")
		require.Equal(t, debug, level(sdk.ClassUnavailable, 0), "the host tells of its plugins")
		require.Equal(t, debug, level(sdk.ClassInterrupted, 0))
		require.Equal(t, debug, level(sdk.ClassMisconfigured, 0), "the hold tells")
	}
	require.True(t, s.isNew("ops", onHold, now))
	require.False(t, s.isNew("ops", onHold, now))
	s.recovered("ops")
	require.True(t, s.isNew("ops", onHold, now), "a new hold is told at once")
}

// warnings collects a log from warn on.
type warnings struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *warnings) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *warnings) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Split(strings.TrimSpace(w.buf.String()), "\n")
}

// TestLogTellsOfTargetsNotOfDeliveries has many deliveries meet the same trouble: an
// endpoint that is down, then one that is gone.
func TestLogTellsOfTargetsNotOfDeliveries(t *testing.T) {
	t.Parallel()

	r := newRig(t, "sqlite://"+t.TempDir()+"/hookarr.db")
	var log warnings
	r.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r.plugins.answers(always(sdk.ClassRetryable, "503"))
	r.start()
	for range 30 {
		r.accept("ops")
	}
	require.Eventually(t, func() bool { return len(log.lines()) >= 2 }, await, 10*time.Millisecond)
	r.awaitHold("ops", store.HoldBreaker)
	require.Len(t, log.lines(), 2)
	require.Contains(t, log.lines()[0], "class=retryable")
	require.Contains(t, log.lines()[1], `msg="target on hold" target=ops kind=breaker reason="5 attempts in a row failed, the last: 503"`)
}
