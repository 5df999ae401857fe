package sqlite_test

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
	"github.com/hookarr/hookarr/core/store/storetest"
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()

	storetest.Test(t, func(t *testing.T) storetest.Database {
		t.Helper()
		path := filepath.Join(t.TempDir(), "hookarr.db")
		return storetest.Database{
			Store:   open(t, path),
			Exec:    func(t *testing.T, statement string) int64 { t.Helper(); return exec(t, path, statement) },
			Written: func(t *testing.T) int64 { t.Helper(); return written(t, path) },
			Reopen:  func(t *testing.T) *store.Store { t.Helper(); return open(t, path) },
		}
	})
}

// written sums what every write of a row or a job changes: SQLite counts no writes.
func written(t *testing.T, path string) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var n int64
	err = db.QueryRowContext(t.Context(), `SELECT sum(due_at % 1000003 * 31 + updated_at % 1000003 + attempts) FROM deliveries`).Scan(&n)
	require.NoError(t, err)
	var jobs int64
	err = db.QueryRowContext(t.Context(), `SELECT sum(attempt + cast(unixepoch(scheduled_at, 'subsec') * 1000 AS INTEGER) % 1000003) FROM river_job`).Scan(&jobs)
	require.NoError(t, err)
	return n + jobs
}

func exec(t *testing.T, path, statement string) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	result, err := db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	return n
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "new", "hookarr.db")
	s := open(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// A database that was copied here is narrowed, with what is beside it.
func TestWideFilesAreNarrowed(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "hookarr.db")
	require.NoError(t, open(t, path).Migrate(t.Context()))
	files := []string{path, path + "-wal", path + "-shm"}
	for _, file := range files {
		require.NoError(t, os.Chmod(file, 0o644))
	}
	open(t, path)
	for _, file := range files {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
	}
}

func TestOneProcessServesAFile(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "hookarr.db")
	first, second := open(t, path), open(t, path)
	require.NoError(t, first.Migrate(t.Context()))
	require.NoError(t, first.Join(t.Context(), "one"))
	err := second.Join(t.Context(), "two")
	require.ErrorIs(t, err, store.ErrInUse)
	require.ErrorContains(t, err, path)
	require.NoError(t, first.Leave(t.Context(), "one"))
	require.NoError(t, second.Join(t.Context(), "two"))
}

func TestJoinTakesOverRunningJobs(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "hookarr.db")
	s := open(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	id := event.NewID()
	_, err := s.Accept(t.Context(), &store.Acceptance{
		Event:      event.Event{ID: id, Source: "radarr", State: event.Routed},
		Deliveries: []event.Delivery{{ID: event.NewID(), EventID: id, Target: "ops", Route: "all"}},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, exec(t, path, "UPDATE river_job SET state = 'running', attempt = 1"))
	require.NoError(t, s.Join(t.Context(), "one"))
	require.EqualValues(t, 1, exec(t, path, "UPDATE river_job SET priority = 1 WHERE state = 'available' AND attempt = 0"))
}

func TestFullDisk(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "hookarr.db")
	s, limit, err := sqlite.OpenSmall(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	accept := func(size int) error {
		id := event.NewID()
		_, err := s.Accept(t.Context(), &store.Acceptance{
			Event:      event.Event{ID: id, Source: "radarr", State: event.Routed, Request: event.Request{Body: make([]byte, size)}},
			Deliveries: []event.Delivery{{ID: event.NewID(), EventID: id, Target: "ops", Route: "all"}},
		})
		return err
	}
	require.NoError(t, accept(1))
	require.NoError(t, limit(1))
	require.Error(t, accept(1<<20))
	events, err := s.ListEvents(t.Context(), store.EventFilter{})
	require.NoError(t, err)
	require.Len(t, events, 1, "nothing is stored half")
	deliveries, err := s.ListDeliveries(t.Context(), store.DeliveryFilter{})
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
	require.ErrorContains(t, s.Ready(t.Context()), "full")
	require.NoError(t, limit(1<<30))
	require.NoError(t, s.Ready(t.Context()), "there is room again")
	require.NoError(t, accept(1<<20))
}

// TestForeignWriter has another process write for long: whoever comes meanwhile is told
// so together, and served again with its end.
func TestForeignWriter(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "hookarr.db")
	s := open(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	writing, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)

	const senders = 16
	var refused sync.WaitGroup
	errs := make(chan error, senders)
	for range senders {
		refused.Go(func() {
			id := event.NewID()
			_, err := s.Accept(t.Context(), &store.Acceptance{Event: event.Event{ID: id, Source: "radarr", State: event.Routed}})
			errs <- err
		})
	}
	done := make(chan struct{})
	go func() { refused.Wait(); close(done) }()
	// Each of two batches waits for five seconds; one by one they would for 80.
	select {
	case <-done:
	case <-time.After(70 * time.Second):
		require.Fail(t, "each was told by itself")
	}
	for range senders {
		require.ErrorContains(t, <-errs, "locked")
	}
	require.NoError(t, writing.Rollback())
	_, err = s.Accept(t.Context(), &store.Acceptance{Event: event.Event{ID: event.NewID(), Source: "radarr", State: event.Routed}})
	require.NoError(t, err)
}

func TestWhatIsNoDatabaseIsNamed(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "hookarr.db")
	require.NoError(t, os.WriteFile(path, []byte("this is a text file, and long enough to be looked at"), 0o600))
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		err = s.Migrate(t.Context())
	}
	require.ErrorContains(t, err, "not a database")
}
