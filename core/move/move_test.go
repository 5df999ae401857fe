package move_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/internal/testpg"
)

func sides(from, to *store.Store) (source, destination move.Side) {
	return move.Side{Store: from, Name: "the one"}, move.Side{Store: to, Name: "the other"}
}

var errKilled = errors.New("killed")

// moveUntil moves in small batches, and ends after a number of them.
func moveUntil(t *testing.T, from, to *store.Store, batches int) (move.Result, error) {
	t.Helper()
	ctx, kill := context.WithCancelCause(t.Context())
	defer kill(nil)
	one, other := sides(from, to)
	n := 0
	r, err := move.Move(ctx, one, other, move.Options{BatchRows: 7, Tell: func(move.Progress) {
		if n++; n == batches {
			kill(errKilled)
		}
	}})
	if context.Cause(ctx) != nil {
		require.Error(t, err)
		return r, errKilled
	}
	return r, err
}

func refused(t *testing.T, s *store.Store, want string) {
	t.Helper()
	require.ErrorContains(t, s.Migrate(t.Context()), want)
	require.ErrorContains(t, s.Join(t.Context(), "node"), want)
	require.ErrorContains(t, s.Ready(t.Context()), want)
}

// TestMoveIsResumed ends moves at random batches and runs them again.
func TestMoveIsResumed(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		fill(t, from, random, 30)
		before := sums(t, from)
		runs := 0
		for {
			r, err := moveUntil(t, from, to, 1+random.IntN(25))
			if runs++; errors.Is(err, errKilled) {
				refused(t, to, "has not ended")
				require.ErrorContains(t, from.Ready(t.Context()), "has not ended")
				continue
			}
			require.NoError(t, err)
			require.Equal(t, before, r.Tables)
			require.Equal(t, runs > 1, r.Resumed)
			break
		}
		require.Equal(t, before, sums(t, to))
		refused(t, from, "was moved to the other")
		require.NoError(t, to.Ready(t.Context()))

		one, other := sides(from, to)
		r, err := move.Move(t.Context(), one, other, move.Options{})
		require.NoError(t, err)
		require.True(t, r.Already)
		require.NoError(t, to.Join(t.Context(), "node"))
		require.NoError(t, to.Leave(t.Context(), "node"))
		_, err = to.Accept(t.Context(), acceptance())
		require.NoError(t, err)
		_, err = from.Accept(t.Context(), acceptance())
		require.ErrorContains(t, err, "the database is moved")
	})
}

func acceptance() *store.Acceptance {
	id := event.NewID()
	return &store.Acceptance{
		Event:      event.Event{ID: id, Source: "radarr", State: event.Routed},
		Deliveries: []event.Delivery{{ID: event.NewID(), EventID: id, Target: "ops", Route: "all"}},
	}
}

// TestMoveBeginsAnew after a server has run in between.
func TestMoveBeginsAnew(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		ctx := t.Context()
		for range 30 {
			_, err := from.Accept(ctx, acceptance())
			require.NoError(t, err)
		}
		_, err := moveUntil(t, from, to, 6)
		require.ErrorIs(t, err, errKilled)
		_, err = from.Accept(ctx, acceptance())
		require.ErrorContains(t, err, "the database is moved")

		require.NoError(t, from.Migrate(ctx))
		require.NoError(t, from.Join(ctx, "node"))
		_, err = from.Accept(ctx, acceptance())
		require.NoError(t, err)
		work, err := from.DeliveryIDs(ctx, store.DeliveryFilter{}, 10)
		require.NoError(t, err)
		_, err = from.Settle(ctx, &store.Settlement{
			DeliveryID: work[3], Target: "ops", State: event.Delivered, Read: event.Delivery{ID: work[3], State: event.Pending},
		})
		require.NoError(t, err)
		require.NoError(t, from.Leave(ctx, "node"))

		before := sums(t, from)
		one, other := sides(from, to)
		r, err := move.Move(ctx, one, other, move.Options{})
		require.NoError(t, err)
		require.False(t, r.Resumed)
		require.Equal(t, before, r.Tables)
		require.Equal(t, before, sums(t, to))
	})
}

// TestMoveIsUndone while nobody has served the other database.
func TestMoveIsUndone(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		ctx := t.Context()
		_, err := from.Accept(ctx, acceptance())
		require.NoError(t, err)
		one, other := sides(from, to)
		require.ErrorContains(t, move.Undo(ctx, one, other, move.Options{}), "was not moved")
		_, err = move.Move(ctx, one, other, move.Options{})
		require.NoError(t, err)
		require.NoError(t, move.Undo(ctx, one, other, move.Options{}))
		refused(t, to, "the move into this database was taken back: set database.url to the one, or run hookarr move again with its configuration")
		require.NoError(t, from.Join(ctx, "node"))
		_, err = from.Accept(ctx, acceptance())
		require.NoError(t, err)
		require.NoError(t, from.Leave(ctx, "node"))

		_, err = move.Move(ctx, one, other, move.Options{})
		require.NoError(t, err)
		require.Equal(t, sums(t, from), sums(t, to))
		require.NoError(t, to.Join(ctx, "node"))
		require.NoError(t, to.Leave(ctx, "node"))
		require.ErrorContains(t, move.Undo(ctx, one, other, move.Options{}), "was served since")
		require.NoError(t, move.Abandon(ctx, one, move.Options{}))
		require.NoError(t, from.Join(ctx, "node"))
		require.NoError(t, from.Leave(ctx, "node"))
	})
}

// TestMoveIsRefused names why.
func TestMoveIsRefused(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		ctx := t.Context()
		one, other := sides(from, to)
		_, err := move.Move(ctx, one, one, move.Options{})
		require.ErrorContains(t, err, "the one is the database that is to be moved")
		_, err = to.Accept(ctx, acceptance())
		require.NoError(t, err)
		_, err = move.Move(ctx, one, other, move.Options{})
		require.ErrorContains(t, err, "the other: the database is not empty: it has rows in deliveries, events, river_job")
		require.NoError(t, from.Ready(ctx), "nothing was begun")
	})
}

// TestMoveEndsAfterItsMarks is ended between the mark of the source and the end of the
// destination: neither is served, and the next run ends it.
func TestMoveEndsAfterItsMarks(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		ctx := t.Context()
		_, err := from.Accept(ctx, acceptance())
		require.NoError(t, err)
		one, other := sides(from, to)
		_, err = move.Move(ctx, one, other, move.Options{})
		require.NoError(t, err)
		state, err := to.State(ctx)
		require.NoError(t, err)
		source, err := from.State(ctx)
		require.NoError(t, err)
		was := state
		state.Move, state.Progress = store.MoveStateFilling, `{"source":"`+source.ID.String()+`"}`
		require.NoError(t, to.SaveState(ctx, was, state, nil))
		require.ErrorIs(t, to.SaveState(ctx, was, state, nil), store.ErrStateChanged, "it is another by now")
		refused(t, from, "was moved")
		refused(t, to, "has not ended")
		r, err := move.Move(ctx, one, other, move.Options{})
		require.NoError(t, err)
		require.True(t, r.Resumed)
		require.NoError(t, to.Ready(ctx))
	})
}

// TestMoveKeepsServersOut of both databases, and finds those that run.
func TestMoveKeepsServersOut(t *testing.T) {
	t.Parallel()

	for name, open := range map[string]func(t *testing.T) (first, second *store.Store){
		"sqlite": func(t *testing.T) (first, second *store.Store) {
			t.Helper()
			path := filepath.Join(t.TempDir(), "hookarr.db")
			return openSQLite(t, path), openSQLite(t, path)
		},
		"postgres": func(t *testing.T) (first, second *store.Store) {
			t.Helper()
			url := testpg.New(t)
			return openPostgres(t, url), openPostgres(t, url)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			server, mover := open(t)
			require.NoError(t, server.Migrate(ctx))
			require.NoError(t, server.Join(ctx, "host_1"))
			beating, stop := context.WithCancel(ctx)
			beaten := make(chan struct{})
			go func() {
				defer close(beaten)
				for beating.Err() == nil {
					_, _ = server.Beat(beating, "host_1", store.NodeLease)
					select {
					case <-time.After(100 * time.Millisecond):
					case <-beating.Done():
					}
				}
			}()
			_, err := mover.Exclude(ctx, store.NodeLease, func(string) {})
			require.Error(t, err)
			if name == "postgres" {
				require.ErrorContains(t, err, "stop node host_1")
			} else {
				require.ErrorIs(t, err, store.ErrInUse)
				require.ErrorContains(t, err, "stop it first (systemctl stop hookarr, or docker compose stop hookarr)")
			}
			stop()
			<-beaten
			require.NoError(t, server.Leave(ctx, "host_1"))

			release, err := mover.Exclude(ctx, store.NodeLease, func(string) {})
			require.NoError(t, err)
			require.Error(t, server.Join(ctx, "host_1"))
			require.NoError(t, release(ctx))
			require.NoError(t, release(ctx))
			require.NoError(t, server.Join(ctx, "host_1"))

			if name == "postgres" { // its lease ends by itself
				var told []string
				release, err = mover.Exclude(ctx, 5*time.Second, func(line string) { told = append(told, line) })
				require.NoError(t, err)
				require.Len(t, told, 1)
				require.NoError(t, release(ctx))
			}
		})
	}
}

// TestMoveGivenUpMeanwhile ends without its marks: a server that has lost sight of the move
// takes webhooks, which the copy does not have.
func TestMoveGivenUpMeanwhile(t *testing.T) {
	t.Parallel()

	from, to := engines["sqlite"](t), engines["sqlite"](t)
	ctx := t.Context()
	require.NoError(t, from.Migrate(ctx))
	_, err := from.Accept(ctx, acceptance())
	require.NoError(t, err)
	one, other := sides(from, to)
	var once sync.Once
	_, err = move.Move(ctx, one, other, move.Options{Tell: func(move.Progress) {
		once.Do(func() {
			was, err := from.State(ctx)
			require.NoError(t, err)
			require.Equal(t, store.MoveStateMoving, was.Move)
			state := was
			state.Move = store.MoveStateNone
			require.NoError(t, from.SaveState(ctx, was, state, nil))
		})
	}})
	require.ErrorIs(t, err, store.ErrStateChanged)
	require.NoError(t, from.Ready(ctx))
	refused(t, to, "has not ended")
	_, err = move.Move(ctx, one, other, move.Options{})
	require.NoError(t, err)
	require.Equal(t, sums(t, from), sums(t, to))
}

// TestServerMeetsMoveWithoutLock: the server has ended the session that keeps servers out. One
// that starts is told what reads the tables, and the move goes on.
func TestServerMeetsMoveWithoutLock(t *testing.T) {
	t.Parallel()

	ctx, url := t.Context(), testpg.New(t)
	from, to := openPostgres(t, url), engines["sqlite"](t)
	require.NoError(t, from.Migrate(ctx))
	_, err := from.Accept(ctx, acceptance())
	require.NoError(t, err)
	server := openPostgres(t, url)
	var once sync.Once
	var joined error
	one, other := sides(from, to)
	_, err = move.Move(ctx, one, other, move.Options{Tell: func(move.Progress) {
		once.Do(func() {
			conn, err := pgx.Connect(ctx, url)
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close(ctx)) }()
			var ended int
			require.NoError(t, conn.QueryRow(ctx, `
SELECT count(*) FROM pg_locks l, pg_terminate_backend(l.pid, 60000) done
WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND done`).Scan(&ended))
			require.Equal(t, 1, ended)
			joined = server.Join(ctx, "node")
		})
	}})
	require.NoError(t, err)
	var refused *store.MoveError
	require.ErrorAs(t, joined, &refused)
	require.Regexp(t, `^join: the tables of the database are in use by process \d+ \(hookarr, from \S+, since \S+ \S+ UTC\): wait until that has ended`, joined.Error())
	require.NoError(t, to.Ready(ctx))
	require.ErrorContains(t, server.Join(ctx, "node"), "the database was moved to the other")
}

// TestMoveOfWhatDiffers says what differs, and the next run begins anew.
func TestMoveOfWhatDiffers(t *testing.T) {
	t.Parallel()

	directions(t, func(t *testing.T, from, to *store.Store) {
		t.Helper()
		ctx := t.Context()
		_, err := from.Accept(ctx, acceptance())
		require.NoError(t, err)
		before := sums(t, from)
		one, other := sides(from, to)
		_, err = move.Move(ctx, one, other, move.Options{Say: func(line string) {
			if line == "comparing both databases" {
				_, err := to.Accept(ctx, acceptance())
				require.NoError(t, err)
			}
		}})
		require.EqualError(t, err, "the copy differs from the one in deliveries (1 rows and 2), events (1 rows and 2), river_job (1 rows and 2): "+
			"nothing was moved; run hookarr move again, which begins anew")
		require.NoError(t, from.Ready(ctx))
		refused(t, to, "has not ended")

		r, err := move.Move(ctx, one, other, move.Options{})
		require.NoError(t, err)
		require.False(t, r.Resumed)
		require.Equal(t, before, r.Tables)
		require.Equal(t, before, sums(t, to))
	})
}
