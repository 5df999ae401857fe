package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/sdk"
)

// everythingWrong has something wrong in every part that check looks at.
const everythingWrong = `
lisen: 127.0.0.1:1
plugins: {dir: %s}
sources:
  radarr:
    plugin: radarr
    auth: [{token: {value: "not/for a path, though long"}}, {hmac: {preset: standard-webhooks, secrets: [whsec_not*base64*at*all]}}]
    config: {colour: blue}
  sonarr:
    plugin: missing
    auth: [{none: {}}]
targets:
  ops:
    plugin: webhook
    config: {ur: "http://127.0.0.1:9900/", format: telegram, secrets: ["${NOT_SET}"]}
  file:
    plugin: webhook
    config: {url: "ftp://example.com/"}
  chat: {plugin: discord}
routes:
  - {name: one, types: ["media.["], when: "event.media.yeer > 2000", to: [ops, nowhere]}
  - {name: two, when: "event.titel == 'x'", to: [file, chat]}
`

func TestCheckSaysEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	file := write(t, fmt.Sprintf(everythingWrong, dir))
	neutral := strings.NewReplacer(file, "hookarr.yaml", dir, "PLUGINS")

	r := run(t, "check", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Empty(t, r.out)
	golden(t, "check-wrong.txt", neutral.Replace(r.err))

	r = run(t, "check", "--config", file, "--json")
	require.Equal(t, exitError, r.code)
	var f findings
	require.NoError(t, json.Unmarshal([]byte(r.out), &f))
	require.False(t, f.OK)
	require.NotEmpty(t, f.Problems)
	for _, p := range f.Problems {
		require.Equal(t, file, p.File)
		require.NotEmpty(t, p.Key)
		require.NotZero(t, p.Line, p)
	}
}

func TestCheckWarns(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	file := write(t, fmt.Sprintf(`
plugins: {dir: %s}
sources: {radarr: {plugin: radarr, auth: [{basic: {username: a, password: short}}]}}
targets: {ops: {plugin: webhook, config: {url: "http://127.0.0.1:9900/"}}, idle: {plugin: webhook, config: {url: "http://127.0.0.1:9900/"}}}
routes: [{name: one, from: [sonarr], types: [media.importd], to: [ops]}]
`, dir))
	r := run(t, "check", "--config", file)
	require.Zero(t, r.code, r.err)
	golden(t, "check-warnings.txt", strings.ReplaceAll(r.err, file, "hookarr.yaml"))
	require.Contains(t, r.out, file+" is ok\n")

	r = run(t, "check", "--config", file, "--json")
	require.Zero(t, r.code, r.err)
	var f findings
	require.NoError(t, json.Unmarshal([]byte(r.out), &f))
	require.True(t, f.OK)
	require.Len(t, f.Warnings, 5)
}

// TestCheckSaysWhereTracesGo, also where the environment says it.
func TestCheckSaysWhereTracesGo(t *testing.T) {
	t.Parallel()
	const settings = `
plugins: {dir: %s}
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}
%s
`
	dir := pluginDir(t)
	check := func(tracing string, environ ...string) result {
		return runWith(t, "", environ, "check", "--config", write(t, fmt.Sprintf(settings, dir, tracing)))
	}
	require.NotContains(t, check("").out, "traces")
	require.Regexp(t, `traces +- +- +to http://127.0.0.1:4318, 0.25 of the events\n`, check(`tracing: {endpoint: "http://127.0.0.1:4318", sample: 0.25}`).out)
	const elsewhere = "OTEL_EXPORTER_OTLP_ENDPOINT=http://tempo:4318"
	require.Regexp(t, `traces +- +- +to \$OTEL_EXPORTER_OTLP_ENDPOINT\n`, check("", elsewhere).out)
	require.Regexp(t, `to http://127.0.0.1:4318\n`, check(`tracing: {endpoint: "http://127.0.0.1:4318"}`, elsewhere).out)
	r := check("", "OTEL_EXPORTER_OTLP_ENDPOINT=tempo:4318")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "environment: OTEL_EXPORTER_OTLP_ENDPOINT: want http://HOST:PORT")
}

func TestCheckTellsWhatPluginsDoubt(t *testing.T) {
	t.Parallel()
	file := write(t, fmt.Sprintf(`
plugins: {dir: %s}
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}, prowlarr: {plugin: prowlarr, auth: [{none: {}}]}}
targets: {chat: {plugin: discord, config: {webhook_url: "http://127.0.0.1:9900/s3cret"}}}
routes:
  - {name: all, to: [chat]}
  - {name: never, from: [prowlarr], types: [media.*], to: [chat]}
`, pluginDir(t)))
	const doubt = "targets.chat.config.webhook_url: does not look like https://discord.com/api/webhooks/ID/TOKEN; it is used as it is"
	r := run(t, "check", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Equal(t, "warning: "+file+":4: "+doubt+"\n"+
		"warning: "+file+":7: routes[1].types: none of the route's sources tells of such an event: nothing is sent\n", r.err)

	r = run(t, "plugins", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "ok; "+strings.Replace(doubt, ": ", " ", 1))
	r = run(t, "plugins", "list", "--config", file, "--json")
	require.Zero(t, r.code, r.err)
	require.NotContains(t, r.out, "s3cret")
	var views []pluginView
	require.NoError(t, json.Unmarshal([]byte(r.out), &views))
	for _, v := range views {
		switch v.Name {
		case "discord":
			require.Equal(t, "targets.chat.config.webhook_url", v.Warnings[0].Key)
			require.Empty(t, v.Unused, "every feature is made use of")
			require.Empty(t, v.EventTypes)
		case "radarr":
			require.Contains(t, v.EventTypes, eventTypeView{sdk.TypeMediaImported, []string{"Download"}})
			require.Empty(t, v.Unused)
		}
	}
}

func TestCheckWarnsOfDetailsThatNobodyAdds(t *testing.T) {
	t.Parallel()
	r := run(t, "check", "--config", write(t, fmt.Sprintf(`
plugins: {dir: %s}
sources:
  radarr: {plugin: radarr, enrich: true, auth: [{none: {}}]}
  good: {plugin: radarr, enrich: true, auth: [{none: {}}], config: {base_url: "http://127.0.0.1:7878", api_key: 0123456789abcdef}}
  prowlarr: {plugin: prowlarr, enrich: true, auth: [{none: {}}]}
`, pluginDir(t))))
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.err, "sources.radarr.enrich: events go out without details: set base_url and api_key in sources.radarr.config\n")
	require.Contains(t, r.err, "sources.prowlarr.enrich: plugin prowlarr has no details to add: events go out without\n")
	require.NotContains(t, r.err, "sources.good")
}

func TestCheckUnreadable(t *testing.T) {
	t.Parallel()
	file := write(t, "a: [1, 2\n")
	r := run(t, "check", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Equal(t, file+":1: not YAML: did not find expected ',' or ']'; here or in the next line, close the bracket, or put text that has one of {}[], in quotes\n", r.err)
}

// writeProgram writes a file that can be executed. A process that another test forks meanwhile
// would inherit it open for writing, which cannot be.
func writeProgram(t *testing.T, path string, data []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, data, 0o600))
	require.NoError(t, os.Chmod(path, 0o755))
}

func TestCheckNamesTheMendingCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"hookarr-source-radarr", "hookarr-target-webhook"} {
		binary, err := os.ReadFile(filepath.Join(pluginDir(t), name))
		require.NoError(t, err)
		writeProgram(t, filepath.Join(dir, name), binary)
	}
	decoder := filepath.Join(dir, "hookarr-source-radarr")
	require.NoError(t, os.Chmod(decoder, 0o777))
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.Zero(t, run(t, "init", "--config", file).code)
	r := runWith(t, "", []string{"HOOKARR_PLUGINS_DIR=" + dir}, "check", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "sources.radarr.plugin: ")
	require.Contains(t, r.err, "chmod go-w "+decoder)
}

func TestCheckNamesThePluginThatWasMeant(t *testing.T) {
	t.Parallel()
	const settings = `
plugins: {dir: %s}
sources: {a: {plugin: radar, auth: [{none: {}}]}, b: {plugin: webhook, auth: [{none: {}}]}}
targets:
  {in: {plugin: radarr}, in2: {plugin: radarr}, ops: {plugin: webhook, config: {url: "http://2852039166/"}}}
routes: [{name: all, to: [ops, in, in2]}]
`
	r := run(t, "check", "--config", write(t, fmt.Sprintf(settings, pluginDir(t))))
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, `hookarr.yaml:3: sources.a.plugin: `)
	require.Contains(t, r.err, `; did you mean "radarr"?`)
	require.Contains(t, r.err, `hookarr.yaml:3: sources.b.plugin: webhook is a target plugin, which delivers: it belongs under targets; the source plugins are prowlarr, radarr, sonarr`)
	require.Contains(t, r.err, `hookarr.yaml:5: targets.in.plugin: radarr is a source plugin, which takes webhooks in: it belongs under sources; the target plugins are discord, plex, slack, webhook`)
	require.Contains(t, r.err, `hookarr.yaml:5: targets.in2.plugin: radarr is a source plugin`)
	require.Contains(t, r.err, "hookarr.yaml:5: targets.ops.config.url: 169.254.169.254 is not an address to deliver to")

	file := write(t, fmt.Sprintf(settings, "/nowhere"))
	r = run(t, "check", "--config", file)
	require.Equal(t, result{
		code: exitError,
		err:  file + ":2: plugins.dir: read plugin directory: open /nowhere: no such file or directory" + pluginsDirAdvice + "\n",
	}, r)
}

func TestPluginsOfSeveralDirectories(t *testing.T) {
	t.Parallel()
	own := t.TempDir()
	require.NoError(t, os.Chmod(own, 0o755))
	binary, err := os.ReadFile(filepath.Join(pluginDir(t), "hookarr-target-webhook"))
	require.NoError(t, err)
	mine := filepath.Join(own, "hookarr-target-webhook")
	writeProgram(t, mine, append(binary, 0))
	file := write(t, fmt.Sprintf(`
plugins: {dir: [%s, %s]}
sources: {radarr: {plugin: radarr, auth: [{none: {}}]}}
targets: {ops: {plugin: webhook, config: {url: "http://127.0.0.1:9900/"}}}
routes: [{name: all, to: [ops]}]
`, own, pluginDir(t)))
	twice := "warning: " + file + ":2: plugins.dir: hookarr-target-webhook is in several directories: " + mine + " is started, not " +
		filepath.Join(pluginDir(t), "hookarr-target-webhook") + "\n"

	r := run(t, "check", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Equal(t, twice, r.err)
	r = run(t, "plugins", "lock", "--json", "--config", file)
	require.Zero(t, r.code, r.err)
	var locked []pluginView
	require.NoError(t, json.Unmarshal([]byte(r.out), &locked))
	require.Equal(t, mine, locked[len(locked)-1].Path)
	require.FileExists(t, filepath.Join(filepath.Dir(file), "plugins.lock"), "the lock is beside the configuration")
	r = run(t, "plugins", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Equal(t, twice, r.err)
	require.Equal(t, 7, strings.Count(r.out, " ok\n"), r.out)
}

func TestCheckReadsTLSFiles(t *testing.T) {
	t.Parallel()
	file := write(t, fmt.Sprintf("plugins: {dir: %s}\ntls: {cert_file: crt, key_file: key}\n", pluginDir(t)))
	none := filepath.Join(filepath.Dir(file), "crt")
	for command, code := range map[string]int{"check": exitError, "serve": exitConfig} {
		r := run(t, command, "--config", file)
		require.Equal(t, code, r.code, command)
		require.Contains(t, r.err, file+":2: tls.cert_file: cannot read "+none+": no such file or directory\n")
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		r := runWith(t, "", []string{"HOOKARR_PLUGINS_DIR=" + pluginDir(t)}, "check", "--config", write(t, string(content)))
		require.Zero(t, r.code, r.err)
		require.Empty(t, r.err)
		cfg, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
		require.NoError(t, err)
		require.Equal(t, config.Plugins{Dir: []string{"../../bin/plugins"}, Lock: "../../plugins.lock"}, cfg.Plugins, "make build puts them there")
	}
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary, err := os.ReadFile(filepath.Join(pluginDir(t), "hookarr-target-webhook"))
	require.NoError(t, err)
	for name, mode := range map[string]os.FileMode{"hookarr-target-webhook": 0o755, "hookarr-target-renamed": 0o755, "hookarr-source-open": 0o777, "README": 0o644} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, binary, 0o600))
		require.NoError(t, os.Chmod(path, mode))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hookarr-target-My_Own"), nil, 0o600))
	lock := filepath.Join(t.TempDir(), "plugins.lock")
	file := write(t, fmt.Sprintf("plugins: {dir: %s, lock: %s}", dir, lock))

	r := run(t, "plugins", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Regexp(t, `(?m)^NAME +KIND +VERSION +SDK +PROTOCOL +SHA-256 +FEATURES +SANDBOX +STATE$`, r.out)
	require.Regexp(t, `(?m)^open +source +- +- +- +- +- .*chmod go-w `+dir, r.out)
	require.Regexp(t, `(?m)^renamed +target +- +- +- +[0-9a-f]{12} +- .*`, r.out)
	require.Regexp(t, `(?m)^hookarr-target-My_Own +- +- +- +- +- +- +- +ignored: it is no plugin by its name: call it .*`, r.out)
	require.Regexp(t, `(?m)^webhook +target +\d+\.\d+\.\d+ +\d+\.\d+\.\d+ +1 +[0-9a-f]{12} +group raw test preview +off +ok$`, r.out)

	r = run(t, "plugins", "list", "--config", file, "--json")
	require.Zero(t, r.code, r.err)
	var views []pluginView
	require.NoError(t, json.Unmarshal([]byte(r.out), &views))
	require.Len(t, views, 4)
	require.True(t, views[3].Ignored)
	require.Equal(t, filepath.Join(dir, "hookarr-target-My_Own"), views[3].Path)
	require.Len(t, views[2].SHA256, 64)
	require.Empty(t, views[2].Problem)
	require.Equal(t, pluginhost.SandboxedOff, views[2].Sandbox)
	require.Equal(t, "a target has something to reach", views[2].SandboxReason)
	require.NotEmpty(t, views[1].Problem)

	r = run(t, "plugins", "lock", "--config", file)
	require.Equal(t, exitError, r.code, "an unsafe binary is not pinned")
	require.Contains(t, r.err, "chmod go-w")
	require.NoFileExists(t, lock)

	require.NoError(t, os.Remove(filepath.Join(dir, "hookarr-source-open")))
	r = run(t, "plugins", "lock", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, views[2].SHA256)
	pinned, err := os.ReadFile(lock)
	require.NoError(t, err)
	require.Contains(t, string(pinned), views[2].SHA256+"  hookarr-target-webhook\n")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "hookarr-target-webhook"), append(binary, 0), 0o600))
	r = run(t, "plugins", "list", "--config", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "if you replaced it yourself, run hookarr plugins lock")

	r = run(t, "plugins", "list", "--config", write(t, "plugins: {dir: /nowhere}"))
	require.Equal(t, result{
		code: exitError,
		err:  "hookarr: read plugin directory: open /nowhere: no such file or directory: set plugins.dir to the directory of the plugin binaries\n",
	}, r)
}

func TestInUnits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 10 * time.Second: "10s", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", 90 * time.Minute: "1h30m",
		20 * time.Hour: "20h", 24 * time.Hour: "1d", 36 * time.Hour: "36h", 7 * 24 * time.Hour: "7d",
	} {
		require.Equal(t, want, inUnits(d))
	}
}
