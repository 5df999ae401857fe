package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/core/store/storetest"
	"github.com/hookarr/hookarr/internal/testpg"
)

// deadAfter is how long after its last beat a node is dead: longer than any test.
const deadAfter = 10 * time.Minute

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()

	storetest.Test(t, func(t *testing.T) storetest.Database {
		t.Helper()
		url := testpg.New(t)
		return storetest.Database{
			Store:   open(t, url),
			Exec:    func(t *testing.T, statement string) int64 { t.Helper(); return exec(t, url, statement) },
			Written: func(t *testing.T) int64 { t.Helper(); return written(t, url) },
			Reopen:  func(t *testing.T) *store.Store { t.Helper(); return open(t, url) },
		}
	})
}

// written sums the transactions that wrote each row last.
func written(t *testing.T, url string) (n int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	require.NoError(t, conn.QueryRow(t.Context(), `
SELECT (SELECT sum(xmin::text::bigint) FROM deliveries) + (SELECT sum(xmin::text::bigint) FROM river_job)`).Scan(&n))
	return n
}

func exec(t *testing.T, url, statement string) int64 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	tag, err := conn.Exec(t.Context(), statement)
	require.NoError(t, err)
	return tag.RowsAffected()
}

func acceptance() *store.Acceptance {
	id := event.NewID()
	return &store.Acceptance{
		Event:      event.Event{ID: id, Source: "radarr", State: event.Routed},
		Deliveries: []event.Delivery{{ID: event.NewID(), EventID: id, Target: "ops", Route: "all"}},
	}
}

// TestJobsOfDeadNodesAreTakenOver leaves those of the living alone.
func TestJobsOfDeadNodesAreTakenOver(t *testing.T) {
	t.Parallel()

	ctx, url := t.Context(), testpg.New(t)
	s := open(t, url)
	require.NoError(t, s.Migrate(ctx))
	for _, node := range []string{"living", "dying"} {
		require.NoError(t, s.Join(ctx, node))
		_, err := s.Accept(ctx, acceptance())
		require.NoError(t, err)
		require.NoError(t, s.BeginAction(ctx, &store.Action{ID: event.NewID(), State: store.ActionRunning}))
		require.NoError(t, s.HurrySnapshot(ctx, node))
		require.EqualValues(t, 3, exec(t, url, fmt.Sprintf(
			"UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['%s'] WHERE state = 'available'", node)))
	}
	reclaim := func(want int) {
		t.Helper()
		n, err := s.ReclaimDead(ctx, "living", deadAfter)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	reclaim(0)
	exec(t, url, "UPDATE nodes SET beat_at = now() - interval '11 minutes' WHERE name = 'dying'")
	p, err := s.Beat(ctx, "living", deadAfter)
	require.NoError(t, err)
	require.Equal(t, 1, p.Dead)
	reclaim(0) // it has only just begun to beat
	exec(t, url, "UPDATE nodes SET steady_since = now() - interval '1 hour', beat_at = now() - interval '11 minutes'")
	reclaim(0) // all have slept, and it is the first to wake
	_, err = s.Beat(ctx, "living", deadAfter)
	require.NoError(t, err)
	reclaim(0) // the others are given time to wake
	exec(t, url, "UPDATE nodes SET steady_since = now() - interval '11 minutes' WHERE name = 'living'")
	reclaim(3)
	require.EqualValues(t, 3, exec(t, url, "UPDATE river_job SET priority = 1 WHERE state = 'available' AND attempted_by = ARRAY['dying']"))
}

// TestSettlementInACircle has the server end a settlement that hands back an event: it waits
// for a group whose transaction waits for its delivery. It is repeated, and nobody hears of it.
func TestSettlementInACircle(t *testing.T) {
	t.Parallel()

	url := testpg.New(t)
	s := open(t, url)
	require.NoError(t, s.Migrate(t.Context()))
	// Who looks first, a second after it began to wait, is ended: mostly the settlement.
	for range 10 {
		if settleInACircle(t, s, url) {
			return
		}
	}
	require.Fail(t, "the settlement was never the one to be ended")
}

// settleInACircle reports whether the settlement was ended, and repeated, and not the other
// transaction of the circle. It is made either way.
func settleInACircle(t *testing.T, s *store.Store, url string) bool {
	t.Helper()
	ctx := t.Context()
	grouped := func() *store.Acceptance {
		a := acceptance()
		a.Deliveries = nil
		a.Owe("chat", "all", event.Grouping{Key: "one", Wait: time.Hour, MaxWait: time.Hour, Max: 100})
		return a
	}
	first, group, back := acceptance(), grouped(), grouped()
	for _, a := range []*store.Acceptance{first, group} {
		_, err := s.Accept(ctx, a)
		require.NoError(t, err)
	}
	id := first.Deliveries[0].ID
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(ctx))) }()
	other, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = other.Exec(ctx, "SELECT FROM deliveries WHERE target = 'chat' FOR UPDATE")
	require.NoError(t, err)
	settled := make(chan error, 1)
	go func() {
		_, err := s.Settle(ctx, &store.Settlement{
			DeliveryID: id, Target: "ops", State: event.Delivered, Read: event.Delivery{ID: id, State: event.Pending}, Events: []*store.Acceptance{back},
		})
		settled <- err
	}()
	require.Eventually(t, func() bool {
		return exec(t, url, "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == 1
	}, time.Minute, time.Millisecond)
	_, circle := other.Exec(ctx, "SELECT FROM deliveries WHERE target = 'ops' FOR UPDATE")
	require.NoError(t, other.Rollback(ctx))
	require.NoError(t, <-settled)
	_, deliveries, err := s.FindEvent(ctx, back.Event.ID)
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
	return circle == nil
}

// TestGapMakesANodeUnsteady: after an outage of the database all nodes look dead, and
// who beats first must accuse nobody.
func TestGapMakesANodeUnsteady(t *testing.T) {
	t.Parallel()

	ctx, url := t.Context(), testpg.New(t)
	s := open(t, url)
	require.NoError(t, s.Migrate(ctx))
	require.NoError(t, s.Join(ctx, "one"))
	beat := func() time.Duration {
		t.Helper()
		p, err := s.Beat(ctx, "one", deadAfter)
		require.NoError(t, err)
		return p.Steady
	}
	exec(t, url, "UPDATE nodes SET steady_since = now() - interval '1 hour'")
	require.Greater(t, beat(), 59*time.Minute)
	exec(t, url, "UPDATE nodes SET beat_at = now() - interval '11 minutes'")
	require.Less(t, beat(), time.Minute, "after a gap")
	exec(t, url, "UPDATE nodes SET steady_since = now() - interval '1 hour'")
	exec(t, url, "DELETE FROM nodes")
	require.Less(t, beat(), time.Minute, "after it was forgotten")
}

// TestOutage stops the server while events come in: what was acknowledged is there
// afterwards, and nothing needs to be told that the server is back.
func TestOutage(t *testing.T) {
	t.Parallel()

	cluster := testpg.Cluster(t)
	s := open(t, cluster.URL())
	require.NoError(t, s.Migrate(t.Context()))
	var mu sync.Mutex
	var acked []uuid.UUID
	var failed atomic.Int64
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
				accepted, err := s.Accept(ctx, acceptance())
				cancel()
				if err != nil {
					failed.Add(1)
					continue
				}
				mu.Lock()
				acked = append(acked, accepted.EventID)
				mu.Unlock()
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acked)
	}
	require.Eventually(t, func() bool { return count() > 50 }, time.Minute, time.Millisecond)
	cluster.StopImmediate()
	require.Eventually(t, func() bool { return failed.Load() > 0 }, time.Minute, time.Millisecond)
	before := count()
	cluster.Start()
	require.Eventually(t, func() bool { return count() > before+50 }, time.Minute, time.Millisecond)
	close(stop)
	senders.Wait()
	for _, id := range acked {
		_, deliveries, err := s.FindEvent(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, deliveries, 1)
	}
}

// TestAcceptWaitsOutARestart: who gives Accept time is not told of a short outage.
func TestAcceptWaitsOutARestart(t *testing.T) {
	t.Parallel()

	cluster := testpg.Cluster(t)
	s := open(t, cluster.URL())
	require.NoError(t, s.Migrate(t.Context()))
	cluster.StopImmediate()

	_, err := s.Accept(context.WithoutCancel(t.Context()), acceptance())
	require.Error(t, err, "without a deadline there is no waiting")
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = s.Accept(short, acceptance())
	require.Error(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	a := acceptance()
	waited := make(chan error, 1)
	go func() {
		_, err := s.Accept(ctx, a)
		waited <- err
	}()
	cluster.Start()
	require.NoError(t, <-waited)
	_, deliveries, err := s.FindEvent(t.Context(), a.Event.ID)
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
}

func TestOpenSaysNothingOfThePassword(t *testing.T) {
	t.Parallel()

	_, err := postgres.Open(t.Context(), "postgres://user:hunter2@host:notaport/db", slog.New(slog.DiscardHandler))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
	s := open(t, "postgres://user:hunter2@127.0.0.1:1/db?sslmode=disable")
	err = s.Migrate(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "hunter2")
}

// TestConnectErrorsAreOneLine names what to mend, without the URL.
func TestConnectErrorsAreOneLine(t *testing.T) {
	t.Parallel()

	server, err := url.Parse(testpg.New(t))
	require.NoError(t, err)
	absent := *server
	absent.Path = "/absent"
	for name, tc := range map[string]struct{ url, want string }{
		"two addresses": {"postgres://user:hunt%20er2@127.0.0.1:1,127.0.0.2:1/db", "connection refused"},
		"no database":   {absent.String(), `"absent" does not exist`},
		"parameter":     {"postgres://127.0.0.1:1/db?user=user&password=hunt%20er2", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, tc.url)
			_, accepted := s.Accept(context.WithoutCancel(t.Context()), acceptance())
			for _, err := range []error{s.Migrate(t.Context()), s.Ready(t.Context()), accepted} {
				require.ErrorContains(t, err, tc.want)
				require.True(t, strings.HasSuffix(err.Error(), " (see database.url)"), err.Error())
				require.NotContains(t, err.Error(), "\n")
				require.NotContains(t, err.Error(), "er2")
				_, ok := errors.AsType[*pgconn.ConnectError](err)
				require.True(t, ok)
			}
		})
	}
}

// TestReadOnlyServer is found though nobody posts, and is over by itself.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	address := testpg.New(t)
	s := open(t, address)
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Ready(t.Context()))
	become := func(state string) {
		db, err := pgx.Connect(t.Context(), address)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close(context.WithoutCancel(t.Context()))) }()
		for _, statement := range []string{
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = " + state + "', current_database()); END $$",
			// Those that are connected keep what they had.
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
		} {
			_, err := db.Exec(t.Context(), "SET default_transaction_read_only = off")
			require.NoError(t, err)
			_, err = db.Exec(t.Context(), statement)
			require.NoError(t, err)
		}
	}
	become("on")
	require.Eventually(t, func() bool { return errors.Is(s.Ready(t.Context()), store.ErrUnwritable) }, time.Minute, 50*time.Millisecond)
	require.ErrorContains(t, s.Ready(t.Context()), "target_session_attrs=read-write")
	_, err := s.Accept(t.Context(), acceptance())
	require.Error(t, err)
	require.ErrorIs(t, s.Ready(t.Context()), store.ErrUnwritable)
	become("off")
	require.Eventually(t, func() bool { return s.Ready(t.Context()) == nil }, time.Minute, 50*time.Millisecond)
	_, err = s.Accept(t.Context(), acceptance())
	require.NoError(t, err)
}

func TestMigrateTellsInOneLine(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	s, err := postgres.Open(t.Context(), testpg.New(t), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Migrate(t.Context()), "again")
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Regexp(t, `level=INFO msg="database migrated" from=0\.0 to=\d+\.\d+\n$`, log.String())
}
