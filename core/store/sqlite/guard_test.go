package sqlite_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// serving opens a new database as a serve does, and returns its path and its log.
func serving(t *testing.T) (*store.Store, string, *bytes.Buffer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "hookarr.db")
	var log bytes.Buffer
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Reserve())
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Join(t.Context(), "one"))
	return s, path, &log
}

func accept(t *testing.T, s *store.Store) (event.Delivery, error) {
	t.Helper()
	d := event.Delivery{ID: event.NewID(), EventID: event.NewID(), Target: "ops", Route: "all"}
	_, err := s.Accept(t.Context(), &store.Acceptance{
		Event: event.Event{ID: d.EventID, Source: "radarr", State: event.Routed}, Deliveries: []event.Delivery{d},
	})
	return d, err
}

// TestFileThatVanishes: nothing is acknowledged that the end of the process would
// take along, and what was before is saved.
func TestFileThatVanishes(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]func(t *testing.T, path string){
		"deleted": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
		},
		"deleted with its directory": func(t *testing.T, path string) {
			require.NoError(t, os.RemoveAll(filepath.Dir(path)))
		},
		"replaced": func(t *testing.T, path string) {
			other := open(t, path+".other")
			require.NoError(t, other.Migrate(t.Context()))
			require.NoError(t, other.Close())
			require.NoError(t, os.Rename(path+".other", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s, path, log := serving(t)
			d, err := accept(t, s)
			require.NoError(t, err)

			vanish(t, path)
			for range 2 {
				_, err = accept(t, s)
				require.ErrorContains(t, err, "deleted or replaced")
				require.ErrorContains(t, s.Ready(ctx), "deleted or replaced")
				_, err = s.Beat(ctx, "one", 0)
				require.NoError(t, err)
			}
			require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
			require.Contains(t, log.String(), path)
			_, err = s.Settle(ctx, &store.Settlement{DeliveryID: d.ID, State: event.Delivered})
			require.NoError(t, err, "deliveries go on")

			require.NoError(t, s.Leave(ctx, "one"))
			rescued, err := filepath.Glob(path + ".rescued-*")
			require.NoError(t, err)
			require.Len(t, rescued, 1)
			require.Contains(t, log.String(), rescued[0])
			info, err := os.Stat(rescued[0])
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			saved := open(t, rescued[0])
			require.NoError(t, saved.Ready(ctx))
			_, deliveries, err := saved.FindEvent(ctx, d.EventID)
			require.NoError(t, err)
			require.Equal(t, event.Delivered, deliveries[0].State)
		})
	}
}

// TestFileThatVanishesUnseen is found by upkeep while nobody sends.
func TestFileThatVanishesUnseen(t *testing.T) {
	t.Parallel()
	s, path, log := serving(t)
	require.NoError(t, os.Remove(path))
	_, err := s.Beat(t.Context(), "one", 0)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())
}

func TestFileThatIsPutBack(t *testing.T) {
	t.Parallel()
	s, path, log := serving(t)
	require.NoError(t, os.Rename(path, path+".away"))
	_, err := accept(t, s)
	require.Error(t, err)
	require.NoError(t, os.Rename(path+".away", path))
	_, err = accept(t, s)
	require.NoError(t, err)
	require.NoError(t, s.Ready(t.Context()))
	require.Contains(t, log.String(), "database file is back")
}

// TestLockFileThatVanishes is made anew, unless another process was faster.
func TestLockFileThatVanishes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, path, log := serving(t)
	require.NoError(t, os.Remove(path+".lock"))
	_, err := s.Beat(ctx, "one", 0)
	require.NoError(t, err)
	other := open(t, path)
	require.ErrorIs(t, other.Reserve(), store.ErrInUse)
	_, err = accept(t, s)
	require.NoError(t, err)

	require.NoError(t, os.Remove(path+".lock"))
	require.NoError(t, other.Reserve())
	_, err = accept(t, s)
	require.ErrorIs(t, err, store.ErrInUse)
	require.ErrorIs(t, s.Ready(ctx), store.ErrInUse)
	require.Equal(t, 1, strings.Count(log.String(), "level=ERROR"), log.String())

	require.NoError(t, other.Leave(ctx, "two"))
	_, err = accept(t, s)
	require.NoError(t, err)
}

// TestLeaveLeavesOneFile: a copy of the database file alone is complete, even while
// another process has it open.
func TestLeaveLeavesOneFile(t *testing.T) {
	t.Parallel()
	s, path, _ := serving(t)
	d, err := accept(t, s)
	require.NoError(t, err)
	reader := open(t, path)
	require.NoError(t, reader.Ready(t.Context()))
	require.NoError(t, s.Leave(t.Context(), "one"))

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	backup := filepath.Join(t.TempDir(), "backup.db")
	require.NoError(t, os.WriteFile(backup, data, 0o600))
	_, _, err = open(t, backup).FindEvent(t.Context(), d.EventID)
	require.NoError(t, err)
}

func TestMigrateTellsInOneLine(t *testing.T) {
	t.Parallel()
	_, _, log := serving(t)
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Regexp(t, `level=INFO msg="database migrated" from=0\.0 to=\d+\.\d+\n$`, log.String())
}
