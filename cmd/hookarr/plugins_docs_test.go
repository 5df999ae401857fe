package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPluginsDocs(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	file := write(t, fmt.Sprintf("plugins: {dir: %s}", dir))
	r := run(t, "plugins", "docs", "webhook", "source-radarr", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Empty(t, r.err)
	require.Regexp(t, `(?s)\A<!-- [^\n]*\n\n# target-webhook\n.*\n# source-radarr\n`, r.out)
	require.Contains(t, r.out, "| `url` | required, secret, ")

	alone := run(t, "plugins", "docs", filepath.Join(dir, "hookarr-target-webhook"), "--config", "/nowhere")
	require.Zero(t, alone.code, alone.err)
	require.True(t, strings.HasPrefix(r.out, alone.out), "a file needs no configuration, and its page is the same")

	shared := filepath.Join(dir, "hookarr-plugins")
	given := run(t, "plugins", "docs", shared, dir+"/./hookarr-target-webhook")
	require.Zero(t, given.code, given.err)
	require.Equal(t, "note: "+shared+" is passed over: it is the file of 1 plugin given beside it\n", given.err)
	require.Equal(t, alone.out, given.out)
	given = run(t, "plugins", "docs", shared)
	require.Equal(t, exitError, given.code)
	require.Contains(t, given.err, shared+" is the file of 7 plugins, whose names say which: give one of them, such as "+dir+"/hookarr-source-")

	out := filepath.Join(t.TempDir(), "docs", "plugins")
	for range 2 { // what is there is written anew
		r = run(t, "plugins", "docs", "--config", file, "--out", out)
		require.Zero(t, r.code, r.err)
		require.Regexp(t, `^wrote \d+ pages to `+out+`\n$`, r.out)
	}
	page, err := os.ReadFile(filepath.Join(out, "target-webhook.md"))
	require.NoError(t, err)
	require.Equal(t, alone.out, string(page))
	index, err := os.ReadFile(filepath.Join(out, "README.md"))
	require.NoError(t, err)
	require.Contains(t, string(index), "| [webhook](target-webhook.md) | ")
	other := t.TempDir()
	require.Zero(t, run(t, "plugins", "docs", "--out", other, dir+"/").code)
	same, err := os.ReadFile(filepath.Join(other, "README.md"))
	require.NoError(t, err)
	require.Equal(t, string(index), string(same), "a directory is documented as plugins.dir is")
}

// buildOddPlugin builds a plugin that the host launches from the directory.
func buildOddPlugin(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./testdata/oddplugin").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Chmod(path, 0o755))
	return path
}

// TestPluginsDocsSandbox: a plugin that has to run in a sandbox is asked in one.
func TestPluginsDocsSandbox(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	buildOddPlugin(t, dir, "hookarr-target-free")
	r := run(t, "plugins", "docs", "free", "--config", write(t, fmt.Sprintf("plugins: {dir: %s}", dir)))
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "`lists_root`")

	r = run(t, "plugins", "docs", "free", "--config", write(t, fmt.Sprintf("plugins: {dir: %s, target-free: {sandbox: on}}", dir)))
	if r.code != exitOK {
		require.Contains(t, r.err, "plugins.target-free.sandbox is on and there is no sandbox")
		return
	}
	require.NotContains(t, r.out, "lists_root")
}

func TestPluginsDocsRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	made := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	odd := buildOddPlugin(t, dir, "odd")
	binary, err := os.ReadFile(odd)
	require.NoError(t, err)
	plugin := func(name string) string { return made("hookarr-target-"+name, string(binary), 0o755) }
	readme := made("README.md", "# Mine\n", 0o644)
	file := write(t, fmt.Sprintf("plugins: {dir: %s}", pluginDir(t)))

	text, large, lines := plugin("text"), plugin("large"), plugin("lines")
	says := func(path, what string) string {
		return "hookarr: describe " + path + ": the schema of its configuration " + what + "; hookarr plugins check " + path + " says what its author has to mend\n"
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"a schema of a text":         {[]string{text}, says(text, `is that of a value of the type "string", and a configuration is an object`)},
		"a schema of 5 MB":           {[]string{large}, says(large, "has 5.0 MiB, and 1.0 MiB are read at most")},
		"a key of two lines":         {[]string{lines}, says(lines, `has the key "a\nb", whose name has characters that cannot be printed on a line`)},
		"a name that there is not":   {[]string{"discrod", "--config", file}, `hookarr: there is no plugin "discrod" in plugins.dir: hookarr plugins list shows them, and a file is named with its directory, such as ./discrod` + "\n"},
		"no configuration":           {[]string{"discord", "--config", dir + "/hookarr.yaml"}, "no such file"},
		"a file that there is not":   {[]string{dir + "/hookarr-target-x"}, "hookarr: " + dir + "/hookarr-target-x does not exist: give the path of the plugin's binary\n"},
		"a file of another name":     {[]string{odd}, odd + " is no plugin by its name: call it hookarr-source-NAME or hookarr-target-NAME"},
		"a file that is no program":  {[]string{made("hookarr-target-page", "<html>", 0o755)}, "hookarr-target-page"},
		"a file that cannot be run":  {[]string{made("hookarr-target-still", string(binary), 0o644)}, "chmod"},
		"a file that others write":   {[]string{made("hookarr-target-open", string(binary), 0o777)}, "chmod go-w"},
		"a directory without any":    {[]string{t.TempDir()}, "there is no plugin in "},
		"a directory's bare name":    {[]string{"testdata"}, "there is no plugin in testdata"},
		"the working directory":      {[]string{"."}, "there is no plugin in ."},
		"a page of somebody's own":   {[]string{"--config", file, "--out", dir}, "write page: " + readme + " is there and was not written by hookarr plugins docs: remove it, or choose another directory with --out"},
		"a directory that is a file": {[]string{"webhook", "--config", file, "--out", readme}, "make directory for pages: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, append([]string{"plugins", "docs"}, test.args...)...)
			require.Equal(t, exitError, r.code)
			require.Empty(t, r.out)
			require.Contains(t, r.err, test.want)
		})
	}

	r := run(t, "plugins", "docs", plugin("markup"))
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "\n| <code>a&#124;&#96;b&#96;</code> | text |  | \\| \\<b\\> # not a heading |\n")
}
