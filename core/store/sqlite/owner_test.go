package sqlite_test

import (
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
	_, err = sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.Error(t, err)
	text, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "secret", string(text))
	require.Equal(t, 0, ownerOf(t, secret))

	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Remove(path+".lock"))
	require.NoError(t, os.Link(secret, path+".lock"))
	unlock, err := sqlite.Lock(path)
	require.NoError(t, err)
	require.NoError(t, unlock())
	require.Equal(t, 0, ownerOf(t, secret))
}
