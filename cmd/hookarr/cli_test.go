package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/plugincheck"
	"github.com/hookarr/hookarr/internal/testbuild"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// result is what a run of the command did.
type result struct {
	code     int
	out, err string
}

// run runs the command in this process, in UTC and with an environment of its own.
func run(t *testing.T, args ...string) result { return runWith(t, "", nil, args...) }

func runWith(t *testing.T, in string, environ []string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	c := &cli{
		in: strings.NewReader(in), out: &out, err: &errs, local: time.UTC,
		environ:      func() []string { return environ },
		checkWindows: plugincheck.Patient(),
	}
	code := c.run(t.Context(), args)
	return result{code: code, out: out.String(), err: errs.String()}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// buildPlugins returns the directory of the repository's plugins, built once.
var buildPlugins = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hookarr-plugins-")
	if err != nil {
		return "", err
	}
	return dir, testbuild.Plugins(context.Background(), dir,
		"source-radarr", "source-prowlarr", "source-sonarr", "target-webhook", "target-discord", "target-slack", "target-plex")
})

func pluginDir(t *testing.T) string {
	t.Helper()
	dir, err := buildPlugins()
	require.NoError(t, err)
	return dir
}

func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "--"+orphanFlag) {
		// plugins check starts this program as the host that it kills.
		os.Exit((&cli{in: os.Stdin, out: os.Stdout, err: os.Stderr}).run(context.Background(), os.Args[1:]))
	}
	code := m.Run()
	if dir, _ := buildPlugins(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// write makes a file in a directory of the test.
func write(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	return file
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			return // cobra's own
		}
		r := run(t, strings.Fields(cmd.CommandPath() + " --help")[1:]...)
		require.Equal(t, result{code: exitOK, out: r.out}, r)
		if !cmd.HasSubCommands() || cmd.Parent() == nil {
			require.NotEmpty(t, cmd.Example, cmd.CommandPath())
		}
		golden(t, "help/"+strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".txt", r.out)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	if *update {
		require.NoError(t, os.MkdirAll("testdata/help", 0o755))
	}
	walk((&cli{}).newRoot())
}

func TestUsage(t *testing.T) {
	t.Parallel()
	wantID := `want a UUID or its first digits, such as 0197a2c4-5b1e`
	tests := []struct {
		args  []string
		want  string
		usage string
	}{
		{[]string{"evnts"}, `unknown command "evnts"; did you mean "events"?`, "hookarr COMMAND"},
		{[]string{"events", "lst"}, `unknown command "lst"; did you mean "list"?`, "hookarr events COMMAND"},
		{[]string{"events", "bogus"}, `unknown command "bogus"; there are body, list, replay, search, show, why`, "hookarr events COMMAND"},
		{[]string{"events"}, `give a command: body, list, replay, search, show, why`, "hookarr events COMMAND"},
		{[]string{"help", "events", "lst"}, `unknown command "lst"; did you mean "list"?`, "hookarr help [command] [flags]"},
		{[]string{"completion"}, `give a command: bash, fish, powershell, zsh`, "hookarr completion COMMAND"},
		{[]string{"completion", "fsh"}, `unknown command "fsh"; did you mean "fish"?`, "hookarr completion COMMAND"},
		{[]string{"check", "--jsn"}, `unknown flag --jsn; did you mean "--json"?`, "hookarr check [flags]"},
		{[]string{"check", "-j"}, `unknown shorthand flag: 'j' in -j`, "hookarr check [flags]"},
		{[]string{"check", "--config"}, `--config needs a value`, "hookarr check [flags]"},
		{[]string{"check", "--json=maybe"}, `--json: "maybe" is no bool`, "hookarr check [flags]"},
		{[]string{"serve", "now"}, `"now" is one argument too many`, "hookarr serve [flags]"},
		{[]string{"events", "show"}, `give ID`, "hookarr events show ID [flags]"},
		{[]string{"events", "show", "7"}, `id "7": ` + wantID, "hookarr events show ID [flags]"},
		{[]string{"events", "list", "--state", "deferd"}, `--state: want routed, deferred, undecodable or duplicate; did you mean "deferred"?`, "hookarr events list [flags]"},
		{[]string{"events", "list", "--limit", "0"}, `--limit: want 1 or more`, "hookarr events list [flags]"},
		{[]string{"events", "list", "--limit", "x"}, `--limit: "x" is no int`, "hookarr events list [flags]"},
		{[]string{"events", "list", "--since", "x"}, `--since: want how long ago, such as 90m, 2h or 7d, or a time such as 2026-11-28 14:00`, "hookarr events list [flags]"},
		{[]string{"events", "list", "--field", "x"}, `--field: want PATH=VALUE, such as media.title=Dune`, "hookarr events list [flags]"},
		{[]string{"events", "replay"}, `give ids, or filters: hookarr events replay --source radarr --since 2h`, "hookarr events replay [ID...] [flags]"},
		{[]string{"deliveries", "retry", "0197a2c4", "--target", "ops"}, `give ids or filters, not both`, "hookarr deliveries retry [ID...] [flags]"},
		{[]string{"deliveries", "retry", "--state", "delivered"}, `--state: want dead, pending, verifying or cancelled`, "hookarr deliveries retry [ID...] [flags]"},
		{[]string{"deliveries", "cancel", "7"}, `id "7": ` + wantID, "hookarr deliveries cancel [ID...] [flags]"},
		{[]string{"routes", "test"}, `give --sample media.imported, --event ID or FILE, one of them`, "hookarr routes test [FILE] [flags]"},
		{[]string{"routes", "test", "x.json"}, `give the source that decodes it: --source radarr`, "hookarr routes test [FILE] [flags]"},
		{[]string{"targets", "preview", "ops"}, `give --sample media.imported, --story season, --event ID or --delivery ID, one of them`, "hookarr targets preview NAME [flags]"},
		{[]string{"targets", "preview", "ops", "--story", "saeson"}, `--story: want season, upgrade, health or digest; did you mean "season"?`, "hookarr targets preview NAME [flags]"},
		{[]string{"targets", "rename", "ops"}, `give NEW`, "hookarr targets rename OLD NEW [flags]"},
		{[]string{"silences", "add"}, `give EXPRESSION`, "hookarr silences add EXPRESSION [flags]"},
		{[]string{"silences", "add", "true"}, `give --for 2h, or --until with a time such as 2026-11-28 14:00, one of them`, "hookarr silences add EXPRESSION [flags]"},
		{[]string{"silences", "add", "true", "--for", "2h", "--until", "2030-01-01"}, `give --for 2h, or --until with a time such as 2026-11-28 14:00, one of them`, "hookarr silences add EXPRESSION [flags]"},
		{[]string{"silences", "add", "true", "--until", "2h"}, `--until: want a time such as 2026-11-28 14:00; --for takes how long`, "hookarr silences add EXPRESSION [flags]"},
		{[]string{"sessions", "revoke"}, `give an ID, or --all, one of them`, "hookarr sessions revoke [ID] [flags]"},
		{[]string{"sessions", "revoke", "5feceb66", "--all"}, `give an ID, or --all, one of them`, "hookarr sessions revoke [ID] [flags]"},
		{[]string{"sessions", "revoke", "5fe"}, `id "5fe": want the first digits of one, 4 or more: hookarr sessions list shows them`, "hookarr sessions revoke [ID] [flags]"},
		{[]string{"sessions", "revoke", "5feceb66/x"}, `id "5feceb66/x": want the first digits of one, 4 or more: hookarr sessions list shows them`, "hookarr sessions revoke [ID] [flags]"},
		{[]string{"plugins", "new"}, `give KIND`, "hookarr plugins new KIND NAME [flags]"},
		{[]string{"plugins", "new", "target"}, `give NAME`, "hookarr plugins new KIND NAME [flags]"},
		{[]string{"open", "now"}, `"now" is one argument too many`, "hookarr open [flags]"},
		{[]string{"silences", "expire", "7"}, `id "7": ` + wantID, "hookarr silences expire ID [flags]"},
		{[]string{"sync"}, `give SOURCE`, "hookarr sync SOURCE [flags]"},
		{[]string{"sync", "radarr", "--to", "ops"}, `--to is of --full: what has changed goes by the routes`, "hookarr sync SOURCE [flags]"},
		{[]string{"logs", "--level", "warning"}, `--level: want debug, info, warn or error`, "hookarr logs [flags]"},
		{[]string{"events", "list", "--socket", "a", "--server", "b"}, `give --server or --socket, not both`, "hookarr events list [flags]"},
		{[]string{"deliveries", "list", "--state", "lost"}, `--state: want delivered, pending, verifying, dead, superseded or cancelled`, "hookarr deliveries list [flags]"},
		{[]string{"deliveries", "list", "--event", "x"}, `id "x": ` + wantID, "hookarr deliveries list [flags]"},
		{[]string{"send"}, `give SOURCE`, "hookarr send SOURCE [FILE...] [flags]"},
		{[]string{"send", "radarr"}, `name files to send, or a sample: --sample import`, "hookarr send SOURCE [FILE...] [flags]"},
		{[]string{"send", "radarr", "x.json", "--sample", "all"}, `name files to send, or a sample: --sample import`, "hookarr send SOURCE [FILE...] [flags]"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			r := run(t, tt.args...)
			require.Equal(t, exitUsage, r.code)
			require.Empty(t, r.out)
			require.Regexp(t, "^hookarr: "+regexp.QuoteMeta(tt.want+"\nusage: "+tt.usage+" (hookarr")+"[a-z ]* --help says more\\)\n$", r.err)
		})
	}
	for _, args := range [][]string{{}, {"help"}, {"help", "events", "list"}} {
		r := run(t, args...)
		require.Equal(t, result{code: exitOK, out: r.out}, r)
		require.Contains(t, r.out, "Usage:")
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := run(t, "completion", shell)
		require.Zero(t, r.code, r.err)
		require.Contains(t, r.out, "hookarr")
	}

	// What is wrong elsewhere in the file is no matter.
	file := write(t, `
lisen: x
sources: {sonarr: {plugin: sonarr}, radarr: {plugin: radarr}}
targets: {ops: {plugin: webhook}, chat: {plugin: discord}}
`)
	for line, want := range map[string]string{
		"send":                        "radarr sonarr :4",
		"send radarr":                 ":0",
		"targets resume":              "chat ops :4",
		"targets resume ops":          ":4",
		"events list --source":        "radarr sonarr :4",
		"events list --state":         "routed deferred undecodable duplicate :4",
		"events show":                 ":4",
		"events body":                 ":4",
		"routes test":                 ":0",
		"targets rename old":          "chat ops :4",
		"deliveries list --target":    "chat ops :4",
		"serve --log-format":          "text json :4",
		"serve --plugins-dir":         ":16",
		"serve":                       ":4",
		"check --config":              ":0",
		"backup":                      ":0",
		"backup hookarr.backup":       ":4",
		"restore":                     ":0",
		"plugins new":                 "target source :4",
		"plugins new source":          ":4",
		"plugins new source a --from": ":0",
		"plugins new source a --sdk":  ":16",
	} {
		r := run(t, append(strings.Fields("__complete --config "+file+" "+line), "")...)
		require.Zero(t, r.code, r.err)
		require.Equal(t, want, strings.Join(strings.Fields(r.out), " "), line)
	}
	r := run(t, "__complete", "--config", write(t, "a: ["), "send", "")
	require.Equal(t, ":4\n", r.out)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	r := run(t, "version")
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?s)^version +\S+.*commit +\S+.*go +go1\.\S+ \w+/\w+\nplugin protocol +1\n$`, r.out)

	require.Equal(t, result{out: "hookarr " + readBuild().Version + "\n"}, run(t, "--version"))

	r = run(t, "version", "--json")
	require.Zero(t, r.code, r.err)
	var b build
	require.NoError(t, json.Unmarshal([]byte(r.out), &b))
	require.Equal(t, 1, b.Protocol)
	require.NotEmpty(t, b.Version)
}

func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"serve"}, {"check"}, {"migrate"}, {"plugins", "list"}, {"events", "list"}, {"send", "radarr", "--sample", "test"}} {
		r := run(t, append(args, "--config", "testdata/none.yaml")...)
		require.Equal(t, map[bool]int{true: exitConfig, false: exitError}[args[0] == "serve"], r.code, args)
		require.Equal(t, "testdata/none.yaml: there is no such file: write one with hookarr init, or name another with --config\n", r.err)
	}
}

// Nothing is named and nothing is there.
func TestNoConfigurationAnywhere(t *testing.T) {
	if _, err := os.Stat(systemFile); err == nil {
		t.Skip(systemFile + " is there")
	}
	t.Chdir(t.TempDir())
	want := "./hookarr.yaml: there is no such file, nor /etc/hookarr/hookarr.yaml: write one with hookarr init, or name another with --config\n"
	require.Equal(t, result{code: exitError, err: want}, run(t, "check"))

	require.NoError(t, os.WriteFile("hookarr.yaml", []byte("database: {url_file: none}"), 0o600))
	r := run(t, "events", "list")
	require.Equal(t, result{code: exitError, err: "./hookarr.yaml:1: database.url_file: cannot read none: no such file or directory\n"}, r)
}

func TestInit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	r := run(t, "init", "--config", file)
	require.Zero(t, r.code, r.err)
	golden(t, "init.txt", strings.ReplaceAll(r.out, file, "hookarr.yaml"))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	first, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, secret := range secretsOf(t, string(first)) {
		require.NotContains(t, r.out, secret)
	}

	r = run(t, "init", "--config", file)
	require.Equal(t, result{
		code: exitError,
		err:  "hookarr: " + file + " exists and stays as it is: move it away, or name another with --config\n",
	}, r)
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(first), string(again))

	other := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.Zero(t, run(t, "init", "--config", other).code)
	second, err := os.ReadFile(other)
	require.NoError(t, err)
	require.NotEqual(t, secretsOf(t, string(first)), secretsOf(t, string(second)), "secrets are fresh")

	r = runWith(t, "", []string{"HOOKARR_PLUGINS_DIR=" + pluginDir(t)}, "check", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Empty(t, r.err, "what init writes is free of warnings")
	golden(t, "check.txt", strings.ReplaceAll(r.out, file, "hookarr.yaml"))

	deep := filepath.Join(t.TempDir(), "none", "either", "hookarr.yaml")
	require.Zero(t, run(t, "init", "--config", deep).code)
	info, err = os.Stat(filepath.Dir(deep))
	require.NoError(t, err)
	require.Equal(t, fs.ModeDir|0o700, info.Mode())

	r = run(t, "init", "--config", filepath.Join(file, "hookarr.yaml"))
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "hookarr: make directory of configuration: ")
}

// secretsOf finds the secrets that init wrote.
func secretsOf(t *testing.T, content string) []string {
	t.Helper()
	found := regexp.MustCompile(`"([A-Z0-9]{26,}|whsec_[^"]+)"`).FindAllString(content, -1)
	require.Len(t, found, 4)
	return found
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Amélie – 天気の子":           "Amélie – 天気の子",
		"a\x1b[31mred\x1b[0m\nb":  "a[31mred[0m b",
		" two\t\tlines\r\n here ": "two lines here",
		"\xff\x00\u202e":          "",
		"0123456789012345678901":  "0123456789012345678…",
	} {
		require.Equal(t, want, clean(in, 20), in)
	}
	long := strings.Repeat("x", 1000)
	require.Equal(t, long, clean(long, whole))
}

func TestTimesAreLocal(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	c := &cli{local: time.FixedZone("", 2*3600)}
	require.Equal(t, "2026-11-23 12:00:00 +0200", c.time(at))
	require.Empty(t, c.time(time.Time{}))
	c.local = time.FixedZone("CET", 3600)
	require.Equal(t, "2026-11-23 11:00:00 CET", c.time(at))
}

// TestHiddenFile: a draft where the command runs hides the file of the service.
func TestHiddenFile(t *testing.T) {
	t.Parallel()
	here, system := write(t, "listen: 127.0.0.1:8484\n"), write(t, "listen: 127.0.0.1:8585\n")
	for _, tc := range []struct {
		places, args []string
		want         string
	}{
		{places: []string{here, system}, want: "warning: " + here + " is used, and " + system + " is not: for that one give --config " + system + "\n"},
		{places: []string{here, system}, args: []string{"--config", here}},
		{places: []string{here, system + ".none"}},
		{places: []string{here + ".none", system}},
	} {
		var errs bytes.Buffer
		c := &cli{out: t.Output(), err: &errs, places: tc.places, environ: func() []string { return nil }}
		require.Zero(t, c.run(t.Context(), append(tc.args, "routes", "list")))
		_, err := c.readSettings() // it is told once
		require.NoError(t, err)
		require.Equal(t, tc.want, errs.String())
	}
}
