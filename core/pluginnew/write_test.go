package pluginnew

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/host"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	found := []string{}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestWriteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	clash := []file{{"a/b", nil}, {"a", nil}}

	parent := t.TempDir()
	require.Error(t, writeAll(filepath.Join(parent, "module"), clash))
	require.Empty(t, names(t, parent))

	empty := t.TempDir()
	require.Error(t, writeAll(empty, clash))
	require.Empty(t, names(t, empty))

	// What is moved in first goes when the rest does not fit.
	from, to := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(from, "a"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(from, "b"), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(to, "b"), 0o700))
	require.Error(t, moveInto(to, from))
	require.Equal(t, []string{"b"}, names(t, to))
}

func TestWriteWhereSomethingIs(t *testing.T) {
	t.Parallel()
	o := Options{Kind: host.KindTarget, Name: "demo", SDK: ReleasedSDK()}
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	require.NoError(t, os.Mkdir(taken, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(taken, "main.go"), []byte("mine"), 0o600))
	o.Dir = taken
	_, err := Write(o)
	require.EqualError(t, err, taken+" is not empty, it has main.go, and stays as it is: give another with --dir")
	require.Equal(t, []string{"main.go"}, names(t, taken))

	o.Dir = filepath.Join(taken, "main.go")
	_, err = Write(o)
	require.EqualError(t, err, o.Dir+" is a file: give another with --dir")

	o.Dir = filepath.Join(taken, "main.go", "below")
	_, err = Write(o)
	require.ErrorContains(t, err, "look at the module's directory: ")

	// A link that leads nowhere is something that is there.
	o.Dir = filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), o.Dir))
	_, err = Write(o)
	require.ErrorContains(t, err, "write the module: ")
	require.Equal(t, []string{"link", "taken"}, names(t, dir))

	for _, fresh := range []string{filepath.Join(dir, "deep", "er", "module"), t.TempDir()} {
		o.Dir = fresh
		_, err = Write(o)
		require.NoError(t, err)
		require.Equal(t, []string{".github", ".gitignore", "Makefile", "README.md", "config.go", "deliver.go", "go.mod", "main.go", "plugin_test.go"}, names(t, fresh))
	}

	cloned := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(cloned, ".git"), 0o700))
	o.Dir = cloned
	_, err = Write(o)
	require.NoError(t, err)
	require.Contains(t, names(t, cloned), "main.go")
	info, err := os.Stat(filepath.Join(cloned, "main.go"))
	require.NoError(t, err)
	require.Zero(t, info.Mode()&0o111)
	require.Equal(t, fs.FileMode(0o600), info.Mode()&0o600)
}
