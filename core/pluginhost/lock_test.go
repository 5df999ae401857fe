package pluginhost

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/host"
)

func TestLock(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	file := filepath.Join(dir, "plugins.lock")
	path := filepath.Join(dir, "hookarr-target-x")
	verify := func(name string) error {
		f, err := openBinary(dir, name)
		require.NoError(t, err)
		defer func() { _ = f.Close() }()
		sum, err := checksum(f)
		require.NoError(t, err)
		return verifyLock(file, sum, name)
	}
	writeBinary(t, path, 0o755)
	require.NoError(t, verify("hookarr-target-x"), "no lock file pins nothing")
	pinned := func(sum string) Pin { return Pinned(file, host.KindTarget, "x", sum) }
	require.Equal(t, PinNone, pinned("any"))
	require.Equal(t, PinNone, Pinned("", host.KindTarget, "x", "any"))

	found, err := Discover(dir)
	require.NoError(t, err)
	require.NoError(t, WriteLock(file, found))
	sum := sha256.Sum256([]byte("binary of hookarr-target-x"))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(sum[:])+"  hookarr-target-x\n", string(data))
	require.NoError(t, verify("hookarr-target-x"))
	require.Equal(t, PinPinned, pinned(hex.EncodeToString(sum[:])))
	require.Equal(t, PinDiffers, pinned("other"))
	require.Equal(t, PinMissing, Pinned(file, host.KindSource, "x", hex.EncodeToString(sum[:])))

	writeBinary(t, filepath.Join(dir, "hookarr-target-y"), 0o755)
	require.ErrorContains(t, verify("hookarr-target-y"), "hookarr-target-y is not pinned in "+file+": if you trust it, run hookarr plugins lock")

	require.NoError(t, os.WriteFile(path, []byte("something else"), 0o755))
	err = verify("hookarr-target-x")
	require.ErrorContains(t, err, "hookarr-target-x has SHA-256 ")
	require.ErrorContains(t, err, "pins "+hex.EncodeToString(sum[:]))
	require.ErrorContains(t, err, "run hookarr plugins lock")

	require.NoError(t, os.WriteFile(file, []byte("garbage\n"), 0o644))
	require.ErrorContains(t, verify("hookarr-target-x"), file+": line 1: want a SHA-256")
	require.Equal(t, PinUnreadable, pinned("any"))

	require.NoError(t, os.WriteFile(file, nil, 0o644))
	require.ErrorContains(t, verify("hookarr-target-x"), "is not pinned", "an empty lock pins nothing and is enforced")

	require.NoError(t, os.Chmod(file, 0o666))
	require.ErrorContains(t, verify("hookarr-target-x"), "run chmod go-w "+file)
}

// A lock that others can take away, or that leads nowhere, must not pin nothing.
func TestUnsafeLocksAreRefused(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	file := filepath.Join(dir, "plugins.lock")
	require.NoError(t, WriteLock(file, nil))
	link := filepath.Join(pluginDir(t), "plugins.lock")
	require.NoError(t, os.Symlink(file, link))
	_, err := readLock(link)
	require.NoError(t, err)

	for _, unsafe := range []string{dir, filepath.Dir(link)} {
		require.NoError(t, os.Chmod(unsafe, 0o777))
		_, err = readLock(link)
		require.ErrorContains(t, err, "run chmod go-w "+unsafe)
		require.NoError(t, os.Chmod(unsafe, 0o777|os.ModeSticky))
		_, err = readLock(link)
		require.NoError(t, err, "as in /tmp")
		require.NoError(t, os.Chmod(unsafe, 0o755))
	}

	require.NoError(t, os.Remove(file))
	_, err = readLock(link)
	require.ErrorContains(t, err, "leads nowhere: run rm "+link)
	require.NotErrorIs(t, err, os.ErrNotExist)
	_, err = readLock(file)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestWriteLockRefusesUnsafeBinaries(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	writeBinary(t, filepath.Join(dir, "hookarr-target-x"), 0o777)
	found, err := Discover(dir)
	require.NoError(t, err)
	file := filepath.Join(dir, "plugins.lock")
	require.ErrorContains(t, WriteLock(file, found), "pin hookarr-target-x: ")
	require.NoFileExists(t, file)
}

func FuzzParseLock(f *testing.F) {
	sum := strings.Repeat("a1", 32)
	f.Add([]byte(sum + "  hookarr-target-x\n# comment\n\n" + sum + " *hookarr-source-y\n"))
	f.Add([]byte(sum + "\n"))
	f.Add([]byte("zz  x"))
	f.Add([]byte(sum + "  a\n" + sum + "  a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pins, err := parseLock(data)
		if err != nil {
			return
		}
		var again strings.Builder
		for name, sum := range pins {
			require.Len(t, sum, 64)
			require.NotEmpty(t, name)
			fmt.Fprintf(&again, "%s  %s\n", sum, name)
		}
		back, err := parseLock([]byte(again.String()))
		require.NoError(t, err)
		require.Equal(t, pins, back)
	})
}
