package deliver

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
)

// TestRowsWithoutJobsGetThem deletes every job.
func TestRowsWithoutJobsGetThem(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		ids := r.accept("ops", "ops", "ops")
		require.EqualValues(t, 3, r.exec("DELETE FROM river_job"))
		r.start()
		for _, id := range ids {
			_, attempts := r.await(id, event.Delivered)
			require.Len(t, attempts, 1)
		}
	})
}

// TestActionsWithoutJobsGetThem loses the job of a bulk action, of which no worker is here.
func TestActionsWithoutJobsGetThem(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.BeginAction(t.Context(), &store.Action{ID: event.NewID(), What: store.ActionRetry, State: store.ActionRunning}))
		require.EqualValues(t, 1, r.exec("DELETE FROM river_job"))
		r.start()
		require.Eventually(t, func() bool { return r.exec("UPDATE river_job SET priority = 1 WHERE queue = 'operate'") == 1 },
			await, 20*time.Millisecond)
	})
}

// TestLostRunningJobIsTakenUpAgain meets a job that is recorded as running here and
// is not.
func TestLostRunningJobIsTakenUpAgain(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		id := r.accept("ops")[0]
		statement := "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 minute', attempted_by = ARRAY['" + r.node + "']"
		if r.onSQLite() {
			statement = `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = datetime('now', '-1 minute'), attempted_by = jsonb('["` + r.node + `"]')`
		}
		require.EqualValues(t, 1, r.exec(statement))
		r.start()
		d, _ := r.await(id, event.Delivered)
		require.Equal(t, 1, d.Attempts)
	})
}

// endlessPurge has so much to delete that it does not come to an end.
type endlessPurge struct {
	KeeperStore
	begun chan<- struct{}
}

func (p endlessPurge) Purge(ctx context.Context, _ store.Retention, _ int) (store.Purged, error) {
	close(p.begun)
	<-ctx.Done()
	return store.Purged{}, ctx.Err()
}

// TestJobsOfDeadNodesAreTakenOver shares a database with a node that dies, once this one
// has sent heartbeats for long enough, and whatever else it is about.
func TestJobsOfDeadNodesAreTakenOver(t *testing.T) {
	t.Parallel()

	r := newRig(t, testpg.New(t))
	purging := make(chan struct{})
	r.wrapKept = func(s KeeperStore) KeeperStore { return endlessPurge{s, purging} }
	id := r.accept("ops")[0]
	require.NoError(t, r.store.Join(t.Context(), "other"))
	require.EqualValues(t, 1, r.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{other}'"))
	r.start()
	<-purging
	require.EqualValues(t, 1, r.exec("UPDATE nodes SET beat_at = now() - interval '11 seconds' WHERE name = 'other'"))
	require.Eventually(t, func() bool {
		// Each time: this node begins anew when it was late with a beat itself.
		r.exec("UPDATE nodes SET steady_since = now() - interval '1 minute' WHERE name = '" + r.node + "'")
		d, _, err := r.store.FindDelivery(t.Context(), id)
		return err == nil && d.State == event.Delivered
	}, await, 10*time.Millisecond)
	d, _ := r.await(id, event.Delivered)
	require.Equal(t, 1, d.Attempts)
}

// TestPurgeFollowsRetention deletes what is done and old.
func TestPurgeFollowsRetention(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		require.NoError(t, r.store.Hold(t.Context(), "paused", store.HoldPaused, ""))
		r.accept() // no route
		r.accept("paused")
		r.exec("UPDATE events SET " + r.earlier("purge_after", 2*time.Hour))
		r.start()
		require.Eventually(t, func() bool { return r.count("SELECT count(*) FROM events") == 1 }, await, 10*time.Millisecond)
		require.Equal(t, 1, r.count("SELECT count(*) FROM deliveries"), "a held delivery keeps its event")
	})
}

// unanswered is a database that does not answer.
type unanswered struct{ KeeperStore }

func (unanswered) Beat(ctx context.Context, _ string, _ time.Duration) (store.Pulse, error) {
	<-ctx.Done()
	return store.Pulse{}, ctx.Err()
}

// TestBeatThatIsNotAnswered ends in time for the next, on another connection, to save
// this node from looking dead, and lets it accuse nobody.
func TestBeatThatIsNotAnswered(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		k := Keeper{Workers: New(Options{Log: slog.New(slog.DiscardHandler)}), Store: unanswered{}}
		k.steady.Store(true)
		start := time.Now()
		k.heartbeat(t.Context())
		require.Less(t, time.Since(start), deadAfter)
		require.False(t, k.steady.Load())
	})
}

// TestLastAlertIsTold refuses alerts that come too soon: the last one is told when the
// time has come, and those before it are not.
func TestLastAlertIsTold(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		k := Keeper{untold: map[string]untold{}}
		var said []string
		tooSoon := true
		say := func(word string) func(context.Context) bool {
			return func(context.Context) bool {
				if !tooSoon {
					said = append(said, word)
				}
				return !tooSoon
			}
		}
		k.tell(t.Context(), "ops", say("on hold"))
		k.tell(t.Context(), "ops", say("takes deliveries again"))
		tooSoon = false
		k.retell(t.Context())
		require.Empty(t, said)
		time.Sleep(tellAgain)
		k.retell(t.Context())
		k.retell(t.Context())
		require.Equal(t, []string{"takes deliveries again"}, said)
	})
}

// TestPurgeSaysWhatItDeleted of which source and target, and how old.
func TestPurgeSaysWhatItDeleted(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r := newRig(t, url)
		var log warnings
		r.log = lineLog(&log, slog.LevelInfo)
		for _, target := range []string{"ops", "ops", "dev"} {
			_, err := r.store.Settle(t.Context(), &store.Settlement{DeliveryID: r.accept(target)[0], Target: target, State: event.Dead})
			require.NoError(t, err)
		}
		r.exec("UPDATE deliveries SET " + r.earlier("updated_at", 3*time.Hour))
		r.exec("UPDATE events SET " + r.earlier("received_at", 4*time.Hour) + ", " + r.earlier("purge_after", 4*time.Hour))
		r.start()
		require.Eventually(t, func() bool { return log.lines()[0] != "" }, await, 10*time.Millisecond)
		require.Regexp(t, `^level=INFO msg="rows beyond their retention deleted" events\.count=3 events\.by_source=map\[radarr:3\] events\.oldest=20\S+`+
			` dead_letters\.count=3 dead_letters\.by_target="map\[dev:1 ops:2\]" dead_letters\.oldest=20\S+ dedup_keys=0 elapsed=\S+$`, log.lines()[0])
	})
}
