package deliver

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestSpateOfLines(t *testing.T) {
	t.Parallel()
	var s logThrottle
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for range burstLines {
		require.True(t, s.allowLine("ops", deadLetter, 1, now))
	}
	require.False(t, s.allowLine("ops", deadLetter, 1, now))
	require.False(t, s.allowLine("ops", deadLetter, 100, now.Add(burstTime-1)))
	require.True(t, s.allowLine("ops", crash, 1, now), "another kind")
	require.True(t, s.allowLine("dev", deadLetter, 1, now), "another target")
	require.Empty(t, s.leftOut(now.Add(burstTime-1)))
	require.Equal(t, []omission{{burstKey{"ops", deadLetter}, 101}}, s.leftOut(now.Add(burstTime)))
	require.Empty(t, s.leftOut(now.Add(time.Hour)))
	require.True(t, s.allowLine("ops", deadLetter, 1, now.Add(time.Hour)))
}

// TestDeadLetterHasALine with what it was and why, in one line whatever the endpoint said.
func TestDeadLetterHasALine(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		var log warnings
		r.log = lineLog(&log, slog.LevelInfo)
		r.plugins.answers(always(sdk.ClassPermanent, "400: no\n\x1b[31m"+strings.Repeat("!", 2*maxTold)))
		r.start()
		id := r.accept("ops")[0]
		d, _ := r.await(id, event.Dead)
		require.Eventually(t, func() bool { return log.lines()[0] != "" }, await, 10*time.Millisecond)
		require.Equal(t, []string{`level=WARN msg="dead letter" target=ops delivery=` + id.String() + ` event=` + d.EventID.String() +
			` title="A test" attempts=1 reason="400: no\n\x1b[31m` + strings.Repeat("!", maxTold-len("400: no\n\x1b[31m")) + `…"`}, log.lines())
	})
}

// TestFloodOfDeadLetters is counted, not written line by line.
func TestFloodOfDeadLetters(t *testing.T) {
	t.Parallel()

	r := newRig(t, "sqlite://"+t.TempDir()+"/hookarr.db")
	var log warnings
	r.log = lineLog(&log, slog.LevelInfo)
	r.plugins.answers(always(sdk.ClassPermanent, "400"))
	r.start()
	for range 3 * burstLines {
		r.accept("ops")
	}
	r.awaitNoJobs()
	require.Equal(t, 3*burstLines, r.count("SELECT count(*) FROM deliveries WHERE state = 'dead'"))
	require.Equal(t, burstLines, strings.Count(strings.Join(log.lines(), "\n"), `msg="dead letter"`))
	r.workers.sending.mu.Lock()
	r.workers.sending.bursts[burstKey{"ops", deadLetter}].since = time.Now().Add(-burstTime)
	r.workers.sending.mu.Unlock()
	require.Eventually(t, func() bool {
		lines := log.lines()
		return lines[len(lines)-1] == `level=WARN msg="more of the same: see hookarr deliveries list" what="dead letter" target=ops count=20`
	}, await, 10*time.Millisecond)
}

// TestCrashDuringADeliveryHasALine names what was under way each time.
func TestCrashDuringADeliveryHasALine(t *testing.T) {
	t.Parallel()

	r := newRig(t, "sqlite://"+t.TempDir()+"/hookarr.db")
	var log warnings
	r.log = lineLog(&log, slog.LevelInfo)
	crashes := 0
	r.targets[0].Concurrency = 1
	r.plugins.answers(func(context.Context, call) host.Outcome {
		if crashes++; crashes > 2 {
			return host.Outcome{Class: sdk.ClassOK}
		}
		return host.Outcome{Class: sdk.ClassUnavailable, Crashed: true, Message: "plugin crashed: target-chaos ended by itself: exit status 3"}
	})
	r.start()
	id := r.accept("ops")[0]
	d, _ := r.await(id, event.Delivered)
	line := func(alone string) string {
		return `level=WARN msg="plugin crashed during a delivery" target=ops delivery=` + id.String() + ` event=` + d.EventID.String() +
			` title="A test" crashes_alone=` + alone + ` reason="plugin crashed: target-chaos ended by itself: exit status 3"`
	}
	require.Equal(t, []string{line("0"), line("1")}, log.lines())
}

// TestExpiredWhileHeldHasALine counts the deliveries that became too old on a target that
// takes none.
func TestExpiredWhileHeldHasALine(t *testing.T) {
	t.Parallel()

	r := newRig(t, "sqlite://"+t.TempDir()+"/hookarr.db")
	var log warnings
	r.log = lineLog(&log, slog.LevelInfo)
	ids := r.accept("ops", "ops")
	_, _, err := r.store.ChangeTarget(t.Context(), "ops", func(row *store.Target, now time.Time) []*store.Settlement {
		row.Begin(store.HoldPaused, "paused by hand", now)
		return nil
	})
	require.NoError(t, err)
	r.exec("UPDATE deliveries SET " + r.earlier("created_at", 2*time.Hour) + ", " + r.earlier("due_at", 2*time.Hour))
	r.start()
	for _, id := range ids {
		r.await(id, event.Dead)
	}
	require.Eventually(t, func() bool { return strings.Contains(strings.Join(log.lines(), "\n"), "dead letters") }, await, 10*time.Millisecond)
	require.Contains(t, log.lines(), `level=WARN msg="dead letters: older than max_age" target=ops count=2 reason="held: paused by hand"`)
}
