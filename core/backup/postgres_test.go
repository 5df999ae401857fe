package backup

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/move"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/postgres"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/migrations"
	"github.com/hookarr/hookarr/sdk"
)

func newPostgres(t *testing.T, events int) (string, *store.Store) {
	t.Helper()
	url := testpg.New(t)
	s, err := postgres.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Migrate(t.Context()))
	accept(t, s, events)
	return url, s
}

func countIn(t *testing.T, url, from string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM "+from).Scan(&n))
	return n
}

// beat has a node live until stop is called.
func beat(t *testing.T, s *store.Store, node string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_, _ = s.Beat(ctx, node, store.NodeLease)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// TestRestoreOverUnfinishedMove gives it up: the rows that it has copied are gone.
func TestRestoreOverUnfinishedMove(t *testing.T) {
	t.Parallel()
	path, _ := newDatabase(t, 2)
	file := backUp(t, path)
	url, s := newPostgres(t, 1)
	was, err := s.State(t.Context())
	require.NoError(t, err)
	state := was
	state.Move, state.MoveID, state.Peer, state.Since = store.MoveStateMoving, uuid.New(), "sqlite:///new.db", time.Now()
	require.NoError(t, s.SaveState(t.Context(), was, state, []string{"events", "deliveries"}))
	_, err = Restore(t.Context(), Options{Database: sdk.Secret(url), File: file, Force: true})
	require.NoError(t, err)
	require.Equal(t, 2, countIn(t, url, "events"))
	require.NoError(t, s.Ready(t.Context()))
	accept(t, s, 1)
}

func TestBackupAndRestorePostgres(t *testing.T) {
	t.Parallel()
	url, s := newPostgres(t, 6)
	require.NoError(t, s.Join(t.Context(), "node-1"))
	file := filepath.Join(t.TempDir(), "hookarr.backup")
	wrote, err := Write(t.Context(), Options{Database: sdk.Secret(url), File: file, Version: "v1.2.3"})
	require.NoError(t, err)
	require.Equal(t, "postgres", wrote.Engine)
	require.EqualValues(t, 6, wrote.Rows["events"])
	require.EqualValues(t, 6, wrote.Rows["river_job"])
	require.EqualValues(t, 6, wrote.Owed.Deliveries)
	names, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	require.Equal(t, []string{file}, names)

	accept(t, s, 2)
	o := Options{Database: sdk.Secret(url), File: file, Version: "v1.2.3", Hold: true, Force: true}
	stop := beat(t, s, "node-1")
	_, err = Restore(t.Context(), o)
	require.ErrorContains(t, err, "hookarr serve runs on it: stop node node-1 ")
	stop()
	require.NoError(t, s.Leave(t.Context(), "node-1"))
	release, err := s.Exclude(t.Context(), store.NodeLease, func(string) {})
	require.NoError(t, err)
	_, err = Restore(t.Context(), o)
	require.ErrorContains(t, err, "another process moves or restores the database")
	require.NoError(t, release(t.Context()))
	refused := o
	refused.Force = false
	_, err = Restore(t.Context(), refused)
	require.ErrorContains(t, err, "the database is not empty: replace all that it holds with --force")
	require.Equal(t, 8, countIn(t, url, "events"))

	restored, err := Restore(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, []string{"ops"}, restored.Held)
	require.Equal(t, 6, countIn(t, url, "events"))
	require.Equal(t, 6, countIn(t, url, "river_job"))
	require.Equal(t, 1, countIn(t, url, "targets WHERE hold = 'paused'"))
	require.NoError(t, s.Ready(t.Context()))
	accept(t, s, 1) // numbers of rows go on behind those that are back

	// Of one kind of database into the other.
	path, empty := newDatabase(t, 0)
	require.NoError(t, empty.Close())
	_, err = Restore(t.Context(), Options{Database: at(path), File: file})
	require.NoError(t, err)
	require.Equal(t, 6, count(t, path, "events"))
	other := testpg.New(t)
	_, err = Restore(t.Context(), Options{Database: sdk.Secret(other), File: backUp(t, path)})
	require.NoError(t, err)
	require.Equal(t, 6, countIn(t, other, "deliveries"))
}

func TestBackupOfEmptyServer(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hookarr.backup")
	_, err := Write(t.Context(), Options{Database: sdk.Secret(testpg.New(t)), File: file})
	require.ErrorIs(t, err, errNoTables)
	require.NoFileExists(t, file)
	_, err = Write(t.Context(), Options{Database: "postgres://nobody:hunt%20er2@127.0.0.1:1/none", File: file})
	require.ErrorContains(t, err, "connection refused")
	require.NotContains(t, err.Error(), "er2")
}

// Killed before its end, a restore has changed nothing.
func TestRestoreKilledPostgres(t *testing.T) {
	t.Parallel()
	from, s := newDatabase(t, 7)
	file := backUp(t, from)
	require.NoError(t, s.Close())
	for _, step := range []string{"replace", "replaced"} {
		url, _ := newPostgres(t, 3)
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), killAt+"="+step, "BACKUP_TEST_DATABASE="+url, "BACKUP_TEST_FILE="+file, "TMPDIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		require.ErrorContains(t, err, "killed", string(out))
		require.Eventually(t, func() bool { return countIn(t, url, "events") == 3 }, time.Minute, 10*time.Millisecond)
		_, err = Restore(t.Context(), Options{Database: sdk.Secret(url), File: file, Force: true})
		require.NoError(t, err)
		require.Equal(t, 7, countIn(t, url, "events"))
	}
}

// What a database that cannot take the backup held stays, and so does its schema.
func TestRestorePostgresRefusesFirst(t *testing.T) {
	t.Parallel()
	path, _ := newDatabase(t, 2)
	file := backUp(t, path)
	url, _ := newPostgres(t, 1)
	restore := func() error {
		copied := false
		_, err := Restore(t.Context(), Options{Database: sdk.Secret(url), File: file, Progress: func(move.Progress) { copied = true }})
		require.False(t, copied)
		return err
	}
	require.ErrorIs(t, restore(), postgres.ErrNotEmpty)
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }()
	_, err = conn.Exec(t.Context(), "INSERT INTO "+migrations.Table+" (version_id, is_applied) VALUES (9999, true)")
	require.NoError(t, err)
	err = restore()
	require.ErrorIs(t, err, store.ErrNewer)
	require.ErrorContains(t, err, "restore into a new database")
	require.Equal(t, 1, countIn(t, url, "events"))
}
