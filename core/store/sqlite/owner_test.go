package sqlite_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store/sqlite"
)

// somebody is no user of this machine.
const somebody = 54321

// ofSomebody makes a directory that belongs to somebody else. Only root can.
func ofSomebody(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("it takes root to make files for others")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chown(dir, somebody, somebody))
	return dir
}

func ownerOf(t *testing.T, name string) int {
	t.Helper()
	info, err := os.Lstat(name)
	require.NoError(t, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	return int(owner.Uid)
}

// TestRootMakesFilesForTheServer opens a database as root where the server is another user.
func TestRootMakesFilesForTheServer(t *testing.T) {
	t.Parallel()

	dir := ofSomebody(t)
	path := filepath.Join(dir, "a", "b", "hookarr.db")
	s := open(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Join(t.Context(), "node"))
	all := []string{filepath.Join(dir, "a"), filepath.Join(dir, "a", "b"), path, path + "-wal", path + "-shm", path + ".lock"}
	for _, name := range all {
		require.Equal(t, somebody, ownerOf(t, name), name)
	}
	require.NoError(t, s.Leave(t.Context(), "node"))
}

// TestRootLeavesALockFileToTheServer has a lock file that root has made before belong to the
// owner of the database, and not to that of the directory.
func TestRootLeavesALockFileToTheServer(t *testing.T) {
	t.Parallel()

	dir := ofSomebody(t)
	path := filepath.Join(dir, "hookarr.db")
	require.NoError(t, open(t, path).Close())
	require.NoError(t, os.Chown(dir, 0, 0))
	require.NoError(t, os.WriteFile(path+".lock", nil, 0o600))
	unlock, err := sqlite.Lock(path)
	require.NoError(t, err)
	require.NoError(t, unlock())
	require.Equal(t, somebody, ownerOf(t, path+".lock"))
}

// TestRootGivesNothingElseAway leaves files alone to which links of others lead.
func TestRootGivesNothingElseAway(t *testing.T) {
	t.Parallel()

	dir := ofSomebody(t)
	path := filepath.Join(dir, "hookarr.db")
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))

	require.NoError(t, os.Symlink(secret, path+".lock"))
	_, err := sqlite.Lock(path)
	require.ErrorContains(t, err, "open lock file")
	require.NoError(t, os.Symlink(secret, path))
	require.NoError(t, os.Chmod(secret, 0o644))
	_, err = sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.Error(t, err)
	text, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "secret", string(text))
	require.Equal(t, 0, ownerOf(t, secret))
	require.Equal(t, os.FileMode(0o644), modeOf(t, secret))

	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Remove(path+".lock"))
	require.NoError(t, os.Link(secret, path+".lock"))
	unlock, err := sqlite.Lock(path)
	require.NoError(t, err)
	require.NoError(t, unlock())
	require.Equal(t, 0, ownerOf(t, secret))
}

func modeOf(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	require.NoError(t, err)
	return info.Mode().Perm()
}

// TestNothingElseIsNarrowed leaves files alone that have the names of what SQLite has beside a
// database.
func TestNothingElseIsNarrowed(t *testing.T) {
	t.Parallel()

	for name, link := range map[string]func(of, name string) error{"symbolic": os.Symlink, "hard": os.Link} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, secret := filepath.Join(dir, "hookarr.db"), filepath.Join(dir, "secret")
			require.NoError(t, open(t, path).Close())
			require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o644))
			require.NoError(t, os.Chmod(secret, 0o644))
			for _, side := range []string{"-wal", "-shm"} {
				require.NoError(t, link(secret, path+side))
			}
			var log bytes.Buffer
			s, err := sqlite.Open(t.Context(), path, slog.New(slog.NewTextHandler(&log, nil)))
			if err == nil {
				require.NoError(t, s.Close())
			}
			require.Equal(t, os.FileMode(0o644), modeOf(t, secret))
			if name == "hard" {
				require.Contains(t, log.String(), "others can read what may be no file of the database: look whose it is")
			}
		})
	}
}

// TestLinkedDatabaseIsNarrowed where it is, with what SQLite has beside it there.
func TestLinkedDatabaseIsNarrowed(t *testing.T) {
	t.Parallel()

	path, linked := filepath.Join(t.TempDir(), "data.db"), filepath.Join(t.TempDir(), "hookarr.db")
	require.NoError(t, open(t, path).Migrate(t.Context()))
	require.NoError(t, os.Symlink(path, linked))
	files := []string{path, path + "-wal", path + "-shm"}
	for _, file := range files {
		require.NoError(t, os.Chmod(file, 0o644))
	}
	open(t, linked)
	for _, file := range files {
		require.Equal(t, os.FileMode(0o600), modeOf(t, file), file)
	}
}
