package pluginnew_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/core/pluginnew"
	"github.com/hookarr/hookarr/sdk/host"
)

var update = flag.Bool("update", false, "write the golden files")

// checkout is the SDK that the modules of tests are built with.
func checkout(t *testing.T) pluginnew.SDK {
	t.Helper()
	sdk, err := pluginnew.OpenSDK("../..")
	require.NoError(t, err)
	return sdk
}

// payload is a body of a test, which may be broken in ways that only a struct can be made of.
func payload(t *testing.T, body string) *pluginnew.Payload {
	t.Helper()
	p, err := pluginnew.ReadPayload("-", strings.NewReader(body))
	require.NoError(t, err)
	return p
}

// TestGolden compares whole modules with those in testdata.
func TestGolden(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/payload.json")
	require.NoError(t, err)
	sdk := filepath.Join(t.TempDir(), "the SDK")
	require.NoError(t, os.MkdirAll(sdk, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(sdk, "go.mod"),
		[]byte("module github.com/hookarr/hookarr/sdk\n\ngo 1.26.0\n\nrequire (\n\tb.example/b v1.0.0\n\ta.example/a v1.2.3 // indirect\n)\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(sdk, "go.sum"), []byte("a.example/a v1.2.3 h1:x=\n"), 0o600))
	local, err := pluginnew.OpenSDK(sdk)
	require.NoError(t, err)
	released := pluginnew.SDK{Version: "v1.2.3"}
	for name, o := range map[string]pluginnew.Options{
		"target": {Kind: host.KindTarget, Name: "demo", SDK: local, Module: "github.com/you/hookarr-target-demo"},
		"source": {Kind: host.KindSource, Name: "4k", SDK: released, Release: "v1.2.3"},
		"from":   {Kind: host.KindSource, Name: "requests", SDK: released, Release: "v1.2.3", Payload: payload(t, string(body))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Dir = filepath.Join(t.TempDir(), "module")
			written, err := pluginnew.Write(o)
			require.NoError(t, err)
			golden := filepath.Join("testdata", "golden", name)
			if *update {
				require.NoError(t, os.RemoveAll(golden))
			}
			for _, f := range written.Files {
				got, err := os.ReadFile(filepath.Join(o.Dir, f))
				require.NoError(t, err)
				got = bytes.ReplaceAll(got, []byte(sdk), []byte("/the SDK"))
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(golden, f)), 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(golden, f), got, 0o600))
				}
				want, err := os.ReadFile(filepath.Join(golden, f))
				require.NoError(t, err)
				require.Equal(t, string(want), string(got), f)
			}
			require.Equal(t, filesIn(t, golden), written.Files)
			require.Equal(t, filesIn(t, o.Dir), written.Files)
			requireWorkflow(t, o.Dir)
			main, err := os.ReadFile(filepath.Join(o.Dir, "main.go"))
			require.NoError(t, err)
			require.LessOrEqual(t, strings.Count(string(main), "\n"), 30)
		})
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	}))
	slices.Sort(files)
	return files
}

// requireWorkflow wants the CI of a module to run what its Makefile has.
func requireWorkflow(t *testing.T, dir string) {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(dir, "Makefile"))
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(dir, ".github", "workflows", "ci.yml"))
	require.NoError(t, err)
	var w struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	require.NoError(t, yaml.Unmarshal(data, &w))
	var made []string
	for _, s := range w.Jobs["check"].Steps {
		if rest, ok := strings.CutPrefix(s.Run, "make "); ok {
			target := strings.Fields(rest)[0]
			made = append(made, target)
			require.Contains(t, string(makefile), "\n"+target+":")
		}
	}
	require.Equal(t, []string{"build", "vet", "test", "check"}, made)
}

// TestModulesBuildAndPass builds and tests what is written for bodies of many shapes, each as
// a package of one module, which costs less than a module for each.
func TestModulesBuildAndPass(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it runs go build")
	}
	dir := t.TempDir()
	sdk := checkout(t)
	for name, body := range map[string]string{
		"sample":   "",
		"func":     `{"type":"a\"b` + "`" + `\\","title":"Ünïcode 👩‍👩‍👧 <b>&amp;</b> ` + "\u2028" + `","type":"x"}`,
		"no-event": `{"name":"a film","guid":"g","id":9007199254740993}`,
		"no-title": `{"event":"deleted","id":1.5e3}`,
		"nothing":  `{"a":{"b":{"c":{"d":{"e":{}}}}},"n":1e400,"big":18446744073709551616}`,
		"odd": `{"":1,"a,b":2,"-":3,"2fa":true,"größe":"x","標題":"y","a-b":1,"a_b":2,"a b":"3","aB":[1,"x"],"omitempty":[[]],"string":[{"x":1},{"y":{"z":2}}],` +
			`"Title":"T","title":"t","TITLE":"TT","func":null,"<&>":"z",` + manyKeys(400) + `}`,
	} {
		o := pluginnew.Options{Kind: host.KindSource, Name: name, Dir: filepath.Join(dir, name), SDK: sdk}
		if body != "" {
			o.Payload = payload(t, body)
		}
		written, err := pluginnew.Write(o)
		require.NoError(t, err, name)
		require.Len(t, written.Omitted, map[string]int{"odd": 270}[name], name)
	}
	_, err := pluginnew.Write(pluginnew.Options{Kind: host.KindTarget, Name: "http", Dir: filepath.Join(dir, "http"), SDK: sdk})
	require.NoError(t, err)

	for _, name := range []string{"go.mod", "go.sum"} {
		require.NoError(t, os.Rename(filepath.Join(dir, "http", name), filepath.Join(dir, name)))
		others, err := filepath.Glob(filepath.Join(dir, "*", name))
		require.NoError(t, err)
		for _, other := range others {
			require.NoError(t, os.Remove(other))
		}
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		// Neither a proxy nor a workspace is needed.
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOPROXY=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}

// TestInstallNamesTheDirectory that is not there, and where the right one stands.
func TestInstallNamesTheDirectory(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	dir := filepath.Join(t.TempDir(), "module")
	_, err := pluginnew.Write(pluginnew.Options{Kind: host.KindTarget, Name: "demo", Dir: dir, SDK: checkout(t)})
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "make", "-o", "build", "install", "PLUGINS=/no such directory")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "/no such directory is no directory: make install PLUGINS=DIR, where DIR is in plugins.dir of Hookarr's configuration\n")
}

func manyKeys(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"key%d":%d`, i, i)
	}
	return strings.Join(keys, ",")
}
