package config_test

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// environ is the whole environment of a load.
func environ(pairs ...string) func() []string {
	return func() []string { return pairs }
}

var fullEnviron = environ("RADARR_SECRET=from-the-environment", "OPS_SECRET=whsec_c2VjcmV0LXNlY3JldA", "OPS_TOKEN=t0ken", "OTLP_TOKEN=0tlp")

// load reads settings written in a test.
func load(t *testing.T, settings string, pairs ...string) (*config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	return config.Loader{Environ: environ(pairs...)}.Load(file)
}

func messages(problems []config.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func TestLoadFull(t *testing.T) {
	t.Parallel()
	full, err := os.ReadFile("testdata/full.yaml")
	require.NoError(t, err)
	c, err := load(t, string(full), fullEnviron()...)
	require.NoError(t, err)
	require.Equal(t, "0.0.0.0:8484", c.Listen)
	require.Equal(t, config.TLS{CertFile: "/etc/hookarr/tls.crt", KeyFile: "/etc/hookarr/tls.key"}, c.TLS)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("fd00::/8")}, c.TrustedProxies)
	require.Equal(t, config.Hosts{"hooks.example.com"}, c.Hosts)
	require.Equal(t, "127.0.0.1:8485", c.Admin.Listen)
	require.Equal(t, "postgres://hookarr:pa$$word@db/hookarr", c.Database.URL.Reveal())
	require.Equal(t, config.Plugins{
		Dir: []string{"/usr/lib/hookarr"}, Lock: "/etc/hookarr/plugins.lock",
		ByName: map[string]config.Plugin{"target-webhook": {Memory: 200 * config.MiB, Sandbox: "on"}, "source-radarr": {Sandbox: "off"}},
	}, c.Plugins)
	require.Equal(t, config.Log{Level: "debug", Format: "json"}, c.Log)
	require.Equal(t, 10*time.Second, c.Shutdown.Drain)
	require.Equal(t, config.GiB, c.Limits.Bodies)
	require.Equal(t, config.Retention{Events: 24 * time.Hour, DeadLetters: 48 * time.Hour}, c.Retention)
	require.Equal(t, config.Source{
		Plugin: "radarr",
		Auth: []config.Auth{
			{HMAC: &config.HMAC{Preset: "github", Secrets: []sdk.Secret{"from-the-environment", "0123456789abcdef-old"}, Tolerance: time.Minute}},
			{Basic: &config.Basic{Username: "arr", Password: "literal ${X} and $ 16 chars"}},
			{Header: &config.HeaderAuth{Name: "X-Api-Key", Value: "a-header-value-of-length"}},
			{Token: &config.Token{Query: "token", Value: "a-token-value-of-length"}},
			{HMAC: &config.HMAC{
				Header: "X-Sig", Algorithm: "sha512", Encoding: "base64", Prefix: "v1=", TimestampHeader: "X-Time", IDHeader: "X-Id",
				Secrets: []sdk.Secret{"spelled-out-secret-1"}, Tolerance: 5 * time.Minute,
			}},
		},
		AllowFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.168.1.7/32")},
		Catchup: config.Catchup{
			Enabled: true, Interval: 5 * time.Minute, Lag: time.Minute, Overlap: 10 * time.Minute, MaxAge: 48 * time.Hour, Since: 24 * time.Hour,
		},
		Snapshot: config.Snapshot{Every: 7 * 24 * time.Hour},
		Dedup:    config.Dedup{Window: new(time.Duration)},
		Enrich:   true,

		TrustTraceparent: true,
		Config:           map[string]any{"base_url": "http://radarr:7878"},
	}, c.Sources["radarr-4k"])
	require.Equal(t, []config.Auth{{None: &config.None{}}}, c.Sources["open"].Auth)
	require.Nil(t, c.Sources["open"].Dedup.Window, "no value is not never")
	require.Equal(t, config.Snapshot{Every: 24 * time.Hour, Lag: time.Minute}, c.Sources["open"].Snapshot)
	require.Equal(t, config.Target{
		Plugin: "webhook", Edit: true, Timeout: 10 * time.Second, Concurrency: 16,
		Retry: config.Retry{Initial: time.Second, Multiplier: 1.5, MaxInterval: time.Hour, MaxAttempts: 12, MaxAge: 48 * time.Hour},
		Rate:  &config.Rate{PerSecond: 2.5, Burst: 100},
		Config: map[string]any{
			"url": "http://127.0.0.1:9900/hook", "secrets": []any{"whsec_c2VjcmV0LXNlY3JldA"}, "format": "standard",
			"headers": map[string]any{"X.Team": "media", "Authorization": "Bearer t0ken"}, "verify": true, "limit": 3,
		},
	}, c.Targets["ops"])
	require.Equal(t, []time.Duration{time.Second, time.Minute, time.Hour}, c.Targets["scheduled"].Retry.Schedule)
	require.Equal(t, &config.Rate{Burst: 1}, c.Targets["scheduled"].Rate, "no limit is not the plugin's own")
	require.Equal(t, &config.Group{By: "season", Wait: 20 * time.Second, MaxWait: 5 * time.Minute, Max: 100}, c.Targets["scheduled"].Group)
	require.Equal(t, &config.Quiet{
		Zone: "Europe/Berlin", Days: []string{"mon-thu", "fri"}, Hours: []string{"22:00-07:00", "sat,sun 23:00-09:00"}, Then: config.ThenDrop,
	}, c.Targets["scheduled"].Quiet)
	require.Equal(t, time.Hour, c.Targets["scheduled"].DigestAfter)
	require.Equal(t, []config.Route{{
		Name: "everything", From: []string{"*"}, Types: []string{"media.*", "release.grabbed"},
		When: "event.media.year >= 2000", To: []string{"ops", "scheduled"},
	}, {
		Name: "weekly", To: []string{"ops"},
		Digest: &config.Digest{At: "18:00", Every: config.Weekly, On: "fri", Zone: "America/New_York"},
	}, {
		Name: "seasons", To: []string{"ops"}, Group: &config.Group{Wait: time.Minute},
	}}, c.Routes)
	quarter := 0.25
	require.Equal(t, config.Tracing{
		Endpoint: "http://127.0.0.1:4318", Sample: &quarter, Headers: []config.HeaderAuth{{Name: "Authorization", Value: "Bearer 0tlp"}},
	}, c.Tracing)
	require.Empty(t, c.Warnings)
}

// TestTracingWithoutEndpoint warns of what says nothing, unless the environment says where.
func TestTracingWithoutEndpoint(t *testing.T) {
	t.Parallel()
	const settings = "tracing: {sample: 0.5}\n"
	c, err := load(t, settings)
	require.NoError(t, err)
	require.Contains(t, messages(c.Warnings), ":1: tracing.sample: there are no traces without an endpoint: set tracing.endpoint\n")
	c, err = load(t, settings, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318")
	require.NoError(t, err)
	require.NotContains(t, messages(c.Warnings), "tracing")
	c, err = load(t, "tracing: {endpoint: \"http://tempo:4317\"}\n")
	require.NoError(t, err)
	require.Contains(t, messages(c.Warnings), "port 4317 is that of OTLP over gRPC")
}

func TestLoadDefaults(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{"", "# nothing\n", "null\n", "{}\n", "log:\nsources:\ntargets:\nroutes:\n"} {
		c, err := load(t, settings)
		require.NoError(t, err, settings)
		require.Equal(t, "127.0.0.1:8484", c.Listen)
		dir := filepath.Dir(c.File)
		require.Equal(t, "sqlite://"+dir+"/data/hookarr.db", c.Database.URL.Reveal())
		require.Equal(t, config.Plugins{Dir: []string{dir + "/bin/plugins"}, Lock: dir + "/plugins.lock"}, c.Plugins)
		require.Equal(t, config.Log{Level: "info", Format: "text"}, c.Log)
		require.Equal(t, 30*time.Second, c.Shutdown.Drain)
		require.Equal(t, config.Retention{Events: 720 * time.Hour, DeadLetters: 2160 * time.Hour}, c.Retention)
		require.False(t, c.TLS.Enabled())
	}
	c, err := load(t, "targets: {ops: {plugin: webhook, retry: {max_attempts: 3}}, news: {plugin: discord}}\nroutes: [{name: a, to: [ops, news]}]")
	require.NoError(t, err)
	want := config.Retry{Initial: 5 * time.Second, Multiplier: 3, MaxInterval: 6 * time.Hour, MaxAge: 168 * time.Hour}
	require.Equal(t, config.Target{Plugin: "discord", Edit: true, Timeout: 30 * time.Second, Retry: want}, c.Targets["news"])
	want.MaxAttempts = 3
	require.Equal(t, want, c.Targets["ops"].Retry)
}

func TestLoadNamesEveryProblem(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c, err := config.Loader{Environ: environ()}.Load(file)
			require.Nil(t, c)
			var problems *config.Error
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems.Problems)
			for _, p := range problems.Problems {
				require.Equal(t, file, p.File)
				if filepath.Base(file) != "cycle.yaml" { // the YAML library does not tell
					require.NotZero(t, p.Line, p)
				}
			}
			for _, secret := range []string{"hunter2", "p4ssw0rd", "top-secret"} {
				require.NotContains(t, err.Error(), secret)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

func TestLoadUnreadableFile(t *testing.T) {
	t.Parallel()
	_, err := config.Load("testdata/none.yaml")
	require.EqualError(t, err, "testdata/none.yaml: there is no such file: write one with hookarr init, or name another with --config")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = config.Load("testdata")
	require.EqualError(t, err, "testdata: cannot be read: is a directory")
	_, err = config.Load(os.DevNull)
	require.EqualError(t, err, os.DevNull+": cannot be read: it is a device or larger than 4 MiB: name a file of YAML")
	_, err = load(t, "listen: x\n#"+strings.Repeat("x", 4<<20))
	require.ErrorContains(t, err, "larger than 4 MiB")
}

func TestLoadWarnings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "exposed")
	require.NoError(t, os.WriteFile(file, []byte("0123456789abcdef"), 0o600))
	require.NoError(t, os.Chmod(file, 0o644))
	c, err := load(t, `
sources:
  radarr:
    plugin: radarr
    auth:
      - basic: {password: short}
      - token: {value_file: `+file+`}
targets:
  unused: {plugin: webhook}
`, "HOOKARR_SECRET=used-nowhere", "HOOKARR_LOG_LEVELS=debug", "HOOKARR_ROUTES=x", "HOOKARR_SOURCES__RADARR__AUTH=none", "HOOKARR_TARGETS__UNUSED__RATE=5", "OTHER=1")
	require.NoError(t, err)
	golden(t, "testdata/warnings.txt", strings.NewReplacer(c.File, "hookarr.yaml", file, "FILE").Replace(messages(c.Warnings)))

	c, err = load(t, "{}")
	require.NoError(t, err)
	golden(t, "testdata/warnings-empty.txt", strings.ReplaceAll(messages(c.Warnings), c.File, "hookarr.yaml"))
}

func TestLoadAVariableThatTheFileUsesIsNoStranger(t *testing.T) {
	t.Parallel()
	c, err := load(t, "listen: ${HOOKARR_ADDRESS}", "HOOKARR_ADDRESS=127.0.0.1:9")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9", c.Listen)
	require.NotContains(t, messages(c.Warnings), "HOOKARR_ADDRESS")

	c, err = load(t, "{}", "HOOKARR_TOKEN=0123456789abcdef")
	require.NoError(t, err)
	require.NotContains(t, messages(c.Warnings), "HOOKARR_TOKEN", "commands read it")
}

func TestLoadTwins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := func(name, content string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
	one, two, url := secret("one", "first-secret-value\n"), secret("two", "second-secret-value\r\n"), secret("url", "sqlite://x.db\n")
	spaces := secret("spaces", " the spaces stay \n\n")
	c, err := load(t, `
database: {url_file: `+url+`}
sources:
  radarr:
    plugin: radarr
    auth:
      - hmac: {preset: github, secrets_file: [`+one+`, "${DIR}/two"]}
      - hmac: {preset: github, secrets_file: `+one+`}
      - basic: {password_file: `+spaces+`}
      - header: {name: X-Key, value_file: `+two+`}
targets:
  ops:
    plugin: webhook
    config: {url_file: `+one+`, secrets_file: [`+one+`, `+two+`], nested: [{token_file: `+two+`}], _file: kept}
routes: [{name: a, to: [ops]}]
`, "DIR="+dir)
	require.NoError(t, err)
	require.Equal(t, "sqlite://"+filepath.Join(filepath.Dir(c.File), "x.db"), c.Database.URL.Reveal())
	auth := c.Sources["radarr"].Auth
	require.Equal(t, []sdk.Secret{"first-secret-value", "second-secret-value"}, auth[0].HMAC.Secrets)
	require.Equal(t, []sdk.Secret{"first-secret-value"}, auth[1].HMAC.Secrets)
	require.Equal(t, sdk.Secret(" the spaces stay \n"), auth[2].Basic.Password)
	require.Equal(t, sdk.Secret("second-secret-value"), auth[3].Header.Value)
	require.Equal(t, map[string]any{
		"url": "first-secret-value", "secrets": []any{"first-secret-value", "second-secret-value"},
		"nested": []any{map[string]any{"token": "second-secret-value"}}, "_file": "kept",
	}, c.Targets["ops"].Config)
	require.Empty(t, c.Warnings)

	big := secret("big", strings.Repeat("x", 64<<10+1))
	_, err = load(t, "database: {url_file: "+big+"}")
	require.ErrorContains(t, err, "database.url_file: the file is larger than 64 KiB")
}

func TestLoadEnvironment(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("postgres://u:p@h/d\n"), 0o600))
	settings := `
listen: 127.0.0.1:1
database: {url: "sqlite://file.db"}
sources: {radarr-4k: {plugin: radarr, auth: [{none: {}}]}}
targets: {my-ops: {plugin: webhook, timeout: 1s, config: {url: "http://file/", headers: {a: b}}}}
routes: [{name: a, to: [my-ops]}]
`
	c, err := load(
		t, settings,
		"HOOKARR_LISTEN=127.0.0.1:2",
		"HOOKARR_TRUSTED_PROXIES=10.0.0.1, 10.1.0.0/16",
		"HOOKARR_RETENTION_DEAD_LETTERS=1h",
		"HOOKARR_SHUTDOWN_DRAIN=7s",
		"HOOKARR_TLS_CERT_FILE=c", "HOOKARR_TLS_KEY_FILE=k",
		"HOOKARR_ADMIN_LISTEN=:0",
		"HOOKARR_DATABASE_URL_FILE="+secret,
		"HOOKARR_SOURCES__RADARR_4K__PLUGIN=radarr-next",
		"HOOKARR_SOURCES__RADARR_4K__ALLOW_FROM=127.0.0.0/8",
		"HOOKARR_TARGETS__MY_OPS__RETRY_MAX_AGE=2h",
		"HOOKARR_TARGETS__MY_OPS__RETRY_SCHEDULE=1s,2s",
		"HOOKARR_TARGETS__MY_OPS__RETRY_MULTIPLIER=2.5",
		"HOOKARR_TARGETS__MY_OPS__CONCURRENCY=3",
		"HOOKARR_TARGETS__MY_OPS__RATE_PER_SECOND=0.5",
		"HOOKARR_TARGETS__MY_OPS__CONFIG__URL=http://env/${X}",
		"HOOKARR_TARGETS__MY_OPS__CONFIG__HEADERS__A=c",
	)
	require.ErrorContains(t, err, "$HOOKARR_TARGETS__MY_OPS__RETRY_MULTIPLIER: targets.my-ops.retry.multiplier: schedule stands for this")
	require.Nil(t, c)

	c, err = load(
		t, settings,
		"HOOKARR_LISTEN=127.0.0.1:2",
		"HOOKARR_TRUSTED_PROXIES=10.0.0.1, 10.1.0.0/16",
		"HOOKARR_RETENTION_DEAD_LETTERS=1h",
		"HOOKARR_TLS_CERT_FILE=c", "HOOKARR_TLS_KEY_FILE=k",
		"HOOKARR_DATABASE_URL_FILE="+secret,
		"HOOKARR_SOURCES__RADARR_4K__PLUGIN=radarr-next",
		"HOOKARR_SOURCES__RADARR_4K__DEDUP_WINDOW=90s",
		"HOOKARR_TARGETS__MY_OPS__RETRY_MAX_AGE=2h",
		"HOOKARR_TARGETS__MY_OPS__RETRY_SCHEDULE=1s,2s",
		"HOOKARR_TARGETS__MY_OPS__CONCURRENCY=3",
		"HOOKARR_TARGETS__MY_OPS__RATE_PER_SECOND=0.5",
		"HOOKARR_TARGETS__MY_OPS__CONFIG__URL=http://env/${X}",
		"HOOKARR_TARGETS__MY_OPS__CONFIG__HEADERS__A=c",
	)
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
	require.Equal(t, "127.0.0.1:2", c.Listen)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16")}, c.TrustedProxies)
	require.Equal(t, time.Hour, c.Retention.DeadLetters)
	require.Equal(t, 720*time.Hour, c.Retention.Events)
	require.Equal(t, config.TLS{CertFile: "c", KeyFile: "k"}, c.TLS)
	require.Equal(t, sdk.Secret("postgres://u:p@h/d"), c.Database.URL, "the environment's file overrules the file's own URL")
	require.Equal(t, "radarr-next", c.Sources["radarr-4k"].Plugin)
	require.Equal(t, 90*time.Second, *c.Sources["radarr-4k"].Dedup.Window)
	target := c.Targets["my-ops"]
	require.Equal(t, time.Second, target.Timeout)
	require.Equal(t, 2*time.Hour, target.Retry.MaxAge)
	require.Equal(t, []time.Duration{time.Second, 2 * time.Second}, target.Retry.Schedule)
	require.Equal(t, 3, target.Concurrency)
	require.Equal(t, &config.Rate{PerSecond: 0.5, Burst: 1}, target.Rate)
	require.Equal(t, map[string]any{"url": "http://env/${X}", "headers": map[string]any{"a": "c"}}, target.Config)

	_, err = load(t, settings, "HOOKARR_LISTEN=", "HOOKARR_TARGETS__OTHER__TIMEOUT=x")
	require.ErrorContains(t, err, "$HOOKARR_LISTEN: listen: want HOST:PORT")
	require.ErrorContains(t, err, "$HOOKARR_TARGETS__OTHER__TIMEOUT: targets.other.timeout: want a duration")
	require.ErrorContains(t, err, "targets.other.plugin: give the name of a plugin")

	// The environment's own secret overrules the file's twin.
	c, err = load(t, "database: {url_file: "+secret+"}\ntargets: {o: {plugin: p, config: {url_file: "+secret+"}}}\nroutes: [{name: a, to: [o]}]",
		"HOOKARR_DATABASE_URL=sqlite://env.db", "HOOKARR_TARGETS__O__CONFIG__URL=http://env/")
	require.NoError(t, err)
	require.Equal(t, sdk.Secret("sqlite://env.db"), c.Database.URL)
	require.Equal(t, map[string]any{"url": "http://env/"}, c.Targets["o"].Config)
}

func TestLoadFlags(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte("listen: 127.0.0.1:1\nlog: {level: warn, format: json}\n"), 0o600))
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.String("listen", "never", "")
	flags.String("log-level", "", "")
	flags.String("log-format", "text", "")
	flags.Bool("json", false, "")
	require.NoError(t, flags.Parse([]string{"--listen=127.0.0.1:3", "--log-level=debug", "--json"}))
	c, err := config.Loader{Environ: environ("HOOKARR_LISTEN=127.0.0.1:2"), Flags: flags}.Load(file)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:3", c.Listen, "a flag overrules the environment")
	require.Equal(t, config.Log{Level: "debug", Format: "json"}, c.Log, "a flag that is not given overrules nothing")

	require.NoError(t, flags.Parse([]string{"--log-level=loud"}))
	_, err = config.Loader{Environ: environ(), Flags: flags}.Load(file)
	require.EqualError(t, err, "--log-level: log.level: want debug, info, warn or error")
}

func TestProblemIsPlaced(t *testing.T) {
	t.Parallel()
	c, err := config.Loader{Environ: fullEnviron}.Load("testdata/full.yaml")
	require.NoError(t, err)
	require.Equal(t, "testdata/full.yaml:39: targets.ops.config.url: x", c.Problem("targets.ops.config.url", "x").String())
	require.Equal(t, "testdata/full.yaml:38: targets.ops.config.deep.down: x", c.Problem("targets.ops.config.deep.down", "x").String())
	require.Equal(t, "testdata/full.yaml:54: routes[0].when: x", c.Problem("routes[0].when", "x").String())
	require.Equal(t, "testdata/full.yaml: nowhere: x", c.Problem("nowhere", "x").String())
}

func FuzzLoad(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yaml")
	require.NoError(f, err)
	f.Add(full)
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(f, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		// No files but this one may be opened, whatever the settings name.
		if strings.Contains(string(raw), "_file") {
			return
		}
		file := filepath.Join(t.TempDir(), "hookarr.yaml")
		require.NoError(t, os.WriteFile(file, raw, 0o600))
		c, err := config.Loader{Environ: fullEnviron}.Load(file)
		if err != nil {
			var problems *config.Error
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems.Error())
			return
		}
		_, err = c.Redacted(nil)
		require.NoError(t, err)
	})
}

// What the queue refuses would keep the whole process from starting.
func TestNamesThatTheQueueTakes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ops", "1", "ra-1", "a-b-c", strings.Repeat("a", 40), "ops-", "ra--1", "a---b", "a-", "a--"} {
		_, err := load(t, fmt.Sprintf(`
sources: {"%[1]s": {plugin: radarr, auth: [{none: }]}}
targets: {"%[1]s": {plugin: webhook}}
routes: [{name: a, to: ["%[1]s"]}]`, name))
		_, refused := river.NewClient(riverpgxv5.New(nil), &river.Config{Queues: map[string]river.QueueConfig{
			store.TargetQueue(name): {MaxWorkers: 1}, "decode_" + name: {MaxWorkers: 1},
		}, Workers: river.NewWorkers()})
		if !strings.Contains(refused.Error(), "queue name") {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, "sources."+name+": ")
		require.ErrorContains(t, err, "targets."+name+": ")
	}
}

// TestCredentials of a service manager are files in a directory that it names.
func TestCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, secret := range map[string]string{"radarr": "0123456789abcdef\n", "discord": "https://discord.example/hook\n", "database": "postgres://hookarr@localhost/hookarr"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(secret), 0o400))
	}
	const settings = `database: {url_file: "${CREDENTIALS_DIRECTORY}/database"}
sources: {radarr: {plugin: radarr, auth: [{basic: {username: radarr, password_file: "${CREDENTIALS_DIRECTORY}/radarr"}}]}}
targets: {chat: {plugin: discord, config: {webhook_url_file: "${CREDENTIALS_DIRECTORY}/discord"}}}
`
	c, err := load(t, settings, "CREDENTIALS_DIRECTORY="+dir)
	require.NoError(t, err)
	require.NotContains(t, messages(c.Warnings), "read")
	require.Equal(t, sdk.Secret("postgres://hookarr@localhost/hookarr"), c.Database.URL)
	require.Equal(t, sdk.Secret("0123456789abcdef"), c.Sources["radarr"].Auth[0].Basic.Password)
	require.Equal(t, map[string]any{"webhook_url": "https://discord.example/hook"}, c.Targets["chat"].Config)

	_, err = load(t, settings)
	problem, ok := errors.AsType[*config.Error](err)
	require.True(t, ok, err)
	require.Len(t, problem.Problems, 3, "one for each key: %s", messages(problem.Problems))
	for _, p := range problem.Problems {
		require.Equal(t, "environment variable CREDENTIALS_DIRECTORY is not set: systemd sets it in a unit that has LoadCredential=NAME:FILE; "+
			"for a command by hand, use sudo CREDENTIALS_DIRECTORY=/run/credentials/hookarr.service hookarr", p.Message)
	}

	_, err = load(t, settings, "CREDENTIALS_DIRECTORY="+t.TempDir())
	require.ErrorContains(t, err, "no such file or directory: the unit needs LoadCredential=radarr:FILE")
}
