package pluginnew_test

import (
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginnew"
	"github.com/hookarr/hookarr/sdk/host"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"demo", "4k", "a", "func", "fmt", "test", "null", "a--b-", strings.Repeat("a", 40)} {
		require.NoError(t, pluginnew.CheckName(host.KindTarget, good))
	}
	const want = ": want 1 to 40 of a-z, 0-9 and -, beginning with a letter or digit: hookarr plugins new target "
	for name, err := range map[string]string{
		"":                      `NAME ""` + want + "demo",
		"Demo":                  `NAME "Demo"` + want + "demo",
		"My Target_2":           `NAME "My Target_2"` + want + "my-target-2",
		"-demo":                 `NAME "-demo"` + want + "demo",
		"../x":                  `NAME "../x"` + want + "x",
		"..":                    `NAME ".."` + want + "demo",
		"a/b":                   `NAME "a/b"` + want + "a-b",
		"größe":                 `NAME "größe"` + want + "gr-e",
		"a\nb":                  `NAME "a\nb"` + want + "a-b",
		strings.Repeat("a", 41): `NAME "` + strings.Repeat("a", 41) + `"` + want + strings.Repeat("a", 40),
		"hookarr-target-demo":   `NAME "hookarr-target-demo": leave out what the file's name begins with: hookarr plugins new target demo`,
		"hookarr-source-demo":   `NAME "hookarr-source-demo": leave out what the file's name begins with: hookarr plugins new target demo`,
	} {
		require.EqualError(t, pluginnew.CheckName(host.KindTarget, name), err)
		_, written := pluginnew.Write(pluginnew.Options{Kind: host.KindTarget, Name: name, Dir: t.TempDir()})
		require.EqualError(t, written, err)
	}
	require.EqualError(t, pluginnew.CheckName("tagret", "demo"), `KIND "tagret": want target or source; did you mean "target"?`)
	require.EqualError(t, pluginnew.CheckName("", "demo"), `KIND "": want target or source`)
}

func TestCheckModule(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"github.com/you/hookarr-target-demo", "example.com/x", "git.example/a/b/v2", "github.com/hookarr/hookarr-target-demo",
		pluginnew.DefaultModule(host.KindSource, "a--b-"),
	} {
		require.NoError(t, pluginnew.CheckModule(good), good)
	}
	const advice = ": give one of your own, such as github.com/you/hookarr-target-demo"
	for path, err := range map[string]string{
		"github.com/hookarr/hookarr":     `module path "github.com/hookarr/hookarr" belongs to Hookarr`,
		"github.com/hookarr/hookarr/x":   `module path "github.com/hookarr/hookarr/x" belongs to Hookarr`,
		"github.com/hookarr/hookarr/sdk": `module path "github.com/hookarr/hookarr/sdk" belongs to Hookarr`,
		"demo":                           `module path "demo": missing dot in first path element`,
		"net/http":                       `module path "net/http": missing dot in first path element`,
		"":                               `module path "": empty string`,
		"https://github.com/you/x":       `module path "https://github.com/you/x": `,
		"github.com/you/x y":             `module path "github.com/you/x y": invalid char ' '`,
		"example.com/../x":               `module path "example.com/../x": `,
		"/example.com/x":                 `module path "/example.com/x": `,
		"example.com/x/v1":               `module path "example.com/x/v1": `,
		"-x.example/x":                   `module path "-x.example/x": leading dash`,
	} {
		got := pluginnew.CheckModule(path)
		require.ErrorContains(t, got, err)
		require.True(t, strings.HasSuffix(got.Error(), advice), got.Error())
	}
}

func TestModuleThatTheSDKNeeds(t *testing.T) {
	t.Parallel()
	o := pluginnew.Options{Kind: host.KindTarget, Name: "demo", Dir: filepath.Join(t.TempDir(), "module"), SDK: checkout(t), Module: "google.golang.org/grpc"}
	_, err := pluginnew.Write(o)
	require.EqualError(t, err, `make the module: module path "google.golang.org/grpc" is that of a module which the SDK needs: `+
		"give one of your own, such as github.com/you/hookarr-target-demo")
	require.NoDirExists(t, o.Dir)
}

func TestRelease(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v1.2.3": "v1.2.3", "v1.2.3-rc.1": "v1.2.3-rc.1", "(devel)": "", "": "", "v1.2.3+dirty": "",
		"v0.0.0-20261129205731-0123456789ab": "", "v0.1.1-0.20261129205731-0123456789ab+dirty": "",
	} {
		require.Equal(t, want, pluginnew.Release(&debug.BuildInfo{Main: debug.Module{Version: version}}), version)
	}
}
