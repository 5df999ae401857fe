package pluginnew_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"

	"github.com/hookarr/hookarr/core/pluginnew"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestOpenSDK(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	want := pluginnew.SDK{Version: "v" + sdk.Version, Dir: filepath.Join(root, "sdk")}
	for _, dir := range []string{"../..", "../../sdk", root} {
		got, err := pluginnew.OpenSDK(dir)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	// The tests run in the checkout.
	got, err := pluginnew.FindSDK(pluginnew.Around()...)
	require.NoError(t, err)
	require.Equal(t, want, got)
	got, err = pluginnew.FindSDK("/", t.TempDir(), filepath.Join(root, "bin", "none"))
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = pluginnew.FindSDK("/", t.TempDir())
	require.ErrorIs(t, err, pluginnew.ErrNoSDK)

	other := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "go.mod"), []byte("module example.com/sdk\n"), 0o600))
	for _, dir := range []string{t.TempDir(), other, "../../core", "../../go.mod"} {
		_, err := pluginnew.OpenSDK(dir)
		require.ErrorIs(t, err, pluginnew.ErrNoSDK, dir)
	}
	_, err = pluginnew.OpenSDK(filepath.Join(other, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A module names the oldest Go that the SDK is built with.
func TestGoVersion(t *testing.T) {
	t.Parallel()
	goOf := func(name string) string {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		f, err := modfile.Parse(name, data, nil)
		require.NoError(t, err)
		return f.Go.Version
	}
	dir := t.TempDir()
	_, err := pluginnew.Write(pluginnew.Options{Kind: host.KindTarget, Name: "demo", Dir: dir, SDK: pluginnew.ReleasedSDK()})
	require.NoError(t, err)
	require.Equal(t, goOf("../../sdk/go.mod"), goOf(filepath.Join(dir, "go.mod")))
}

func TestSDKWithoutItsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := pluginnew.Options{Kind: host.KindTarget, Name: "demo", Dir: filepath.Join(dir, "module"), SDK: pluginnew.SDK{Version: "v0.1.0", Dir: dir}}
	for name, content := range map[string]string{"go.mod": "module github.com/hookarr/hookarr/sdk\nrequire (", "go.sum": ""} {
		_, err := pluginnew.Write(o)
		require.ErrorContains(t, err, "read the SDK's go.")
		require.NoDirExists(t, o.Dir)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
}
