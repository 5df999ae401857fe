package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginnew"
	"github.com/hookarr/hookarr/sdk"
)

func TestNewPlugin(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "my plugin")
	file := write(t, "plugins: {dir: ./theirs}\nsources: {}")
	local, err := pluginnew.OpenSDK("../..")
	require.NoError(t, err)
	program, err := os.Executable()
	require.NoError(t, err)
	plain := strings.NewReplacer(dir, "/code/my plugin", local.Dir, "/checkout/sdk", program, "/bin/hookarr", filepath.Dir(file), "/etc/hookarr")

	// The tests' program is no release: it finds the checkout that it was built from.
	r := run(t, "plugins", "new", "target", "discord", "--dir", dir, "--config", file)
	require.Zero(t, r.code, r.err)
	require.Equal(t, "warning: Hookarr has a target plugin discord of its own, whose place this one takes where its directory comes first "+
		"in plugins.dir: to have both, choose another name\n", r.err)
	golden(t, "plugins-new.txt", plain.Replace(r.out))

	r = run(t, "plugins", "new", "target", "discord", "--dir", dir)
	require.Equal(t, result{
		code: exitError, err: "hookarr: " + dir + " is not empty, it has .github, and stays as it is: give another with --dir\n",
	}, r)

	body := filepath.Join(t.TempDir(), "body.json")
	require.NoError(t, os.WriteFile(body, []byte(`{"event":"added","token":"0123456789","a,b":1}`), 0o600))
	from := filepath.Join(t.TempDir(), "source")
	r = run(t, "plugins", "new", "source", "requests", "--from", body, "--dir", from, "--sdk", "../../sdk", "--module", "example.com/requests", "--json")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "warning: values that look like credentials are left out of testdata/requests.json: token\n"+
		"warning: body.go has no field for these keys: a,b\n", r.err)
	var v newPluginView
	require.NoError(t, json.Unmarshal([]byte(r.out), &v))
	require.Equal(t, []string{"source", "requests", from, "example.com/requests", local.Version, local.Dir, body},
		[]string{string(v.Kind), v.Name, v.Dir, v.Module, v.SDKVersion, v.SDKDir, v.From})
	require.Len(t, v.Warnings, 2)
	require.Contains(t, v.Files, "testdata/requests.golden.json")
	require.Len(t, v.Next, 3)
	require.Equal(t, "make install PLUGINS=DIR", v.Next[2])

	r = runWith(t, `{"event":"added"}`, nil, "plugins", "new", "source", "requests", "--from", "-", "--dir", filepath.Join(t.TempDir(), "x"))
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "look through ")
}

func TestNewPluginRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	form := filepath.Join(dir, "form.txt")
	require.NoError(t, os.WriteFile(form, []byte("payload=%7B%7D"), 0o600))
	none := filepath.Join(dir, "none")
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"sourc", "demo"}, exitUsage, `KIND "sourc": want target or source; did you mean "source"?`},
		{[]string{"target", "Demo"}, exitUsage, `NAME "Demo": want 1 to 40 of a-z, 0-9 and -, beginning with a letter or digit: hookarr plugins new target demo`},
		{[]string{"target", "--", "-demo"}, exitUsage, `NAME "-demo": want 1 to 40 of a-z, 0-9 and -, beginning with a letter or digit: hookarr plugins new target demo`},
		{[]string{"target", "demo", "--module", "demo"}, exitUsage, `--module: module path "demo": missing dot in first path element: give one of your own, such as github.com/you/hookarr-target-demo`},
		{[]string{"target", "demo", "--from", "it's"}, exitUsage, `--from is of sources, which decode what is sent: hookarr plugins new source demo --from 'it'\''s'`},
		{[]string{"source", "demo", "--from", form}, exitError, "--from: " + form + " has a form, and a source"},
		{[]string{"source", "demo", "--from", dir}, exitError, "--from: " + dir + " is a directory: give a file"},
		{[]string{"source", "demo", "--from", none}, exitError, "--from: " + none + " cannot be read: no such file or directory"},
		{[]string{"target", "demo", "--sdk", dir}, exitError, "--sdk: " + dir + " is no checkout of Hookarr: there is no go.mod of github.com/hookarr/hookarr/sdk: " +
			"git clone https://github.com/hookarr/hookarr, and give it with --sdk hookarr"},
		{[]string{"target", "demo", "--sdk", none}, exitError, "--sdk: " + none + " is no checkout of Hookarr: find the SDK: stat " + none + ": no such file or directory: git clone"},
		{[]string{"target", "demo", "--dir", form}, exitError, form + " is a file: give another with --dir"},
	} {
		if !slices.Contains(tt.args, "--dir") {
			tt.args = append([]string{"--dir", filepath.Join(dir, "module")}, tt.args...)
		}
		r := run(t, append([]string{"plugins", "new"}, tt.args...)...)
		require.Equal(t, tt.code, r.code, r.err)
		require.Contains(t, r.err, "hookarr: "+tt.want)
		require.Empty(t, r.out)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left of what was refused")
}

func TestFindSDK(t *testing.T) {
	t.Parallel()
	local, err := pluginnew.OpenSDK("../..")
	require.NoError(t, err)
	released := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}
	between := &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}
	here := []string{"."}

	from, release, err := findSDK("", released, here)
	require.NoError(t, err)
	require.Equal(t, pluginnew.SDK{Version: "v" + sdk.Version}, from)
	require.Equal(t, "v1.2.3", release)

	from, _, err = findSDK("../..", released, nil)
	require.NoError(t, err)
	require.Equal(t, local, from)

	from, release, err = findSDK("", between, here)
	require.NoError(t, err)
	require.Equal(t, local, from)
	require.Empty(t, release)

	_, _, err = findSDK("", between, []string{t.TempDir()})
	require.EqualError(t, err, "find the SDK, for this is no release of Hookarr: there is no go.mod of github.com/hookarr/hookarr/sdk here or around the program: "+
		"git clone https://github.com/hookarr/hookarr, and give it with --sdk hookarr")
}

func TestBuiltInPlugins(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../../plugins/*-*")
	require.NoError(t, err)
	names := make([]string, len(dirs))
	for i, dir := range dirs {
		names[i] = filepath.Base(dir)
	}
	require.Equal(t, names, builtIn())
}
