package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/plugincheck"
	"github.com/hookarr/hookarr/internal/testbuild"
)

// buildFaulty returns the paths of the plugin with faults, under names.
func buildFaulty(t *testing.T, names ...string) []string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	built := filepath.Join(dir, "faulty")
	require.NoError(t, testbuild.Program(t.Context(), ".", "../../core/plugincheck/internal/faulty", built))
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(dir, name)
		require.NoError(t, os.Link(built, paths[i]))
	}
	return paths
}

// measured is what differs from run to run of a check.
var measured = regexp.MustCompile(`\b[0-9.]+(µs|ms|s)\b|\b[0-9a-f]{64}\b|\b[0-9]+ (calls|answers)\b|127\.0\.0\.1:[0-9]+`)

// TestPluginsCheck shows a plugin that is well and one that is not, as a table and as JSON.
func TestPluginsCheck(t *testing.T) {
	t.Parallel()
	paths := buildFaulty(t, "hookarr-target-well", "hookarr-source-takes-unknown-keys")
	dir := regexp.MustCompile(regexp.QuoteMeta(filepath.Dir(paths[0])))
	// The times of a busy machine are no one's fault.
	stable := func(text string) string { return dir.ReplaceAllString(measured.ReplaceAllString(text, "N"), "DIR") }

	r := run(t, "plugins", "check", paths[0])
	require.Equal(t, exitOK, r.code, r.out+r.err)
	require.Empty(t, r.err)
	golden(t, "plugins-check.txt", stable(r.out))

	r = run(t, "plugins", "check", paths[1])
	require.Equal(t, exitError, r.code)
	golden(t, "plugins-check-faulty.txt", stable(r.out))

	r = run(t, append([]string{"plugins", "check", "--json"}, paths...)...)
	require.Equal(t, exitError, r.code, "one failure is enough")
	golden(t, "plugins-check.json", stable(r.out))
	var reports []plugincheck.Report
	require.NoError(t, json.Unmarshal([]byte(r.out), &reports))
	require.Len(t, reports, 2)
	require.True(t, reports[0].OK)
	require.False(t, reports[1].OK)
}

// TestEmptyPluginConfig: a file that says nothing is a configuration without keys.
func TestEmptyPluginConfig(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "empty.yaml")
	for _, text := range []string{"", "# nothing\n", "null\n", "{}"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		config, err := readPluginConfig(file, "hookarr-target-well")
		require.NoError(t, err)
		require.Equal(t, "{}", string(config), text)
	}
}

// TestPluginsCheckTakesConfigurations from a file, from a directory by the plugin's name, and
// bodies of requests; and says what is wrong with one.
func TestPluginsCheckTakesConfigurations(t *testing.T) {
	t.Parallel()
	paths := buildFaulty(t, "hookarr-target-well", "hookarr-source-well")
	dir := t.TempDir()
	file := filepath.Join(dir, "target-well.yaml")
	require.NoError(t, os.WriteFile(file, []byte("url: ${URL}\ncount: 5\n"), 0o600))
	for _, from := range []string{file, dir} {
		r := run(t, "plugins", "check", "--config", from, paths[0])
		require.Equal(t, exitOK, r.code, r.out+r.err)
		require.Regexp(t, `(?m)^configure +ok +takes the configuration given: count, url$`, r.out)
		require.Regexp(t, `(?m)^deliver +ok +the endpoint took POST /hooks$`, r.out)
	}
	bad := filepath.Join(dir, "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"url":"${URL}","coont":1}`), 0o600))
	r := run(t, "plugins", "check", "--config", bad, paths[0])
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `(?m)^configure +FAILED +it refuses the configuration given: coont is an unknown key$`, r.out)
	require.NoError(t, os.WriteFile(bad, []byte("- a list"), 0o600))
	r = run(t, "plugins", "check", "--config", bad, paths[0])
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "read the plugin's configuration "+bad)

	body := filepath.Join(dir, "body.json")
	require.NoError(t, os.WriteFile(body, []byte(`{"eventType":"Test"}`), 0o600))
	r = run(t, "plugins", "check", "--payload", body, paths[1])
	require.Equal(t, exitOK, r.code, r.out+r.err)
	require.NoError(t, os.WriteFile(body, []byte(`{"eventType":"Other"}`), 0o600))
	r = run(t, "plugins", "check", "--payload", body, paths[1])
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `(?m)^decode +FAILED +the body given, .*, becomes no event: not a test`, r.out)
	r = run(t, "plugins", "check", "--payload", body, paths[0])
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, "hookarr: --payload is of sources, which decode it, and hookarr-target-well is a target: leave it out\n")
	r = run(t, "plugins", "check", "--payload", filepath.Join(dir, "none"), paths[1])
	require.Contains(t, r.err, "read payload: open "+filepath.Join(dir, "none"))
}
