package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

func TestPathsAreRelativeToTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("0123456789abcdef"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte(`
tls: {cert_file: tls/crt, key_file: "${KEY}"}
database: {url: "sqlite://./data/hookarr.db"}
plugins: {dir: [mine, /usr/lib/hookarr], lock: ./pins}
sources:
  radarr: {plugin: radarr, auth: [{basic: {password_file: secret}}], config: {api_key_file: ./secret, path: ./kept}}
`), 0o600))
	here, err := config.Loader{Environ: environ("KEY=../key")}.Load(file)
	require.NoError(t, err)
	require.Equal(t, config.TLS{CertFile: dir + "/tls/crt", KeyFile: filepath.Dir(dir) + "/key"}, here.TLS)
	require.Equal(t, "sqlite://"+dir+"/data/hookarr.db", here.Database.URL.Reveal())
	require.Equal(t, config.Plugins{Dir: []string{dir + "/mine", "/usr/lib/hookarr"}, Lock: dir + "/pins"}, here.Plugins)
	require.Equal(t, sdk.Secret("0123456789abcdef"), here.Sources["radarr"].Auth[0].Basic.Password)
	require.Equal(t, map[string]any{"api_key": "0123456789abcdef", "path": "./kept"}, here.Sources["radarr"].Config)

	// What the environment and flags say is meant from where one stands.
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	flags.String("plugins-dir", "", "")
	require.NoError(t, flags.Parse([]string{"--plugins-dir=there"}))
	c, err := config.Loader{Flags: flags, Environ: environ(
		"KEY=k", "HOOKARR_TLS_CERT_FILE=c", "HOOKARR_PLUGINS_LOCK=./l", "HOOKARR_DATABASE_URL=sqlite://./x.db",
		"HOOKARR_SOURCES__RADARR__CONFIG__API_KEY_FILE=load_test.go",
	)}.Load(file)
	require.NoError(t, err)
	require.Equal(t, "c", c.TLS.CertFile)
	require.Equal(t, config.Plugins{Dir: []string{"there"}, Lock: "./l"}, c.Plugins)
	require.Equal(t, "sqlite://./x.db", c.Database.URL.Reveal())
	require.Contains(t, c.Sources["radarr"].Config["api_key"], "package config_test")
}

func TestTheSameFromAnyDirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "etc", "hookarr.yaml")
	require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	far, err := config.Loader{Environ: environ()}.Load(file)
	require.NoError(t, err)
	t.Chdir(filepath.Join(dir, "etc"))
	near, err := config.Loader{Environ: environ()}.Load("./hookarr.yaml")
	require.NoError(t, err)
	lock, err := filepath.Abs(near.Plugins.Lock)
	require.NoError(t, err)
	require.Equal(t, far.Plugins.Lock, lock, "a pin holds from wherever hookarr is started")
}

func TestOneNeedsNoBrackets(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
plugins: {dir: /a}
trusted_proxies: 10.0.0.1
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: "a-secret, with a comma"}}]}}
targets: {ops: {plugin: webhook, retry: {schedule: 5s}}}
routes: [{name: all, from: radarr, types: media.*, to: ops}]
`, "HOOKARR_PLUGINS_DIR=/b,/c")
	require.NoError(t, err)
	require.Equal(t, []string{"/b", "/c"}, c.Plugins.Dir)
	require.Len(t, c.TrustedProxies, 1)
	require.Equal(t, []sdk.Secret{"a-secret, with a comma"}, c.Sources["radarr"].Auth[0].HMAC.Secrets)
	require.Equal(t, []time.Duration{5 * time.Second}, c.Targets["ops"].Retry.Schedule)
	require.Equal(t, config.Route{Name: "all", From: []string{"radarr"}, Types: []string{"media.*"}, To: []string{"ops"}}, c.Routes[0])
}

func TestDaysAndWeeks(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
retention: {events: 2w, dead_letters: 90d}
sources: {radarr: {plugin: radarr, auth: [{none: }], catchup: {max_age: 1d12h}, dedup: {window: 1d}}}
targets: {ops: {plugin: webhook, retry: {schedule: [1s, 1d], max_age: 7d}}}
`, "HOOKARR_SHUTDOWN_DRAIN=1d")
	require.NoError(t, err)
	const day = 24 * time.Hour
	require.Equal(t, config.Retention{Events: 14 * day, DeadLetters: 90 * day}, c.Retention)
	require.Equal(t, 36*time.Hour, c.Sources["radarr"].Catchup.MaxAge)
	require.Equal(t, day, *c.Sources["radarr"].Dedup.Window)
	require.Equal(t, []time.Duration{time.Second, day}, c.Targets["ops"].Retry.Schedule)
	require.Equal(t, 7*day, c.Targets["ops"].Retry.MaxAge)
	require.Equal(t, day, c.Shutdown.Drain)
}

func TestEntriesFromTheEnvironmentAreLiteral(t *testing.T) {
	t.Parallel()
	c, err := load(t, "", "HOOKARR_PLUGINS_DIR=/${A},/b")
	require.NoError(t, err)
	require.Equal(t, []string{"/${A}", "/b"}, c.Plugins.Dir)
}

func TestListenersDiffer(t *testing.T) {
	t.Parallel()
	for _, equal := range [][2]string{
		{":8484", "0.0.0.0:8484"}, {":8484", "127.0.0.1:8484"}, {"127.0.0.1:8484", "0.0.0.0:8484"}, {"[::]:8484", "10.0.0.1:8484"},
	} {
		_, err := load(t, "listen: '"+equal[0]+"'\nadmin: {listen: '"+equal[1]+"'}")
		require.ErrorContains(t, err, "admin.listen: has the port of listen at another address", equal)
	}
	for _, different := range [][2]string{{"127.0.0.1:8484", "127.0.0.1:8485"}, {"127.0.0.1:8484", "127.0.0.2:8484"}, {":0", ":0"}} {
		_, err := load(t, "listen: '"+different[0]+"'\nadmin: {listen: '"+different[1]+"'}")
		require.NoError(t, err, different)
	}
}

func TestExternalURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://hookarr:8484", "https://example.com/hookarr/", "http://[fd00::1]:8484"} {
		c, err := load(t, "external_url: "+good)
		require.NoError(t, err)
		require.Equal(t, good, c.ExternalURL)
	}
	for _, bad := range []string{"hookarr", "hookarr:8484", "ftp://x/", "http://", "http://:8484", "http://u:hunter2@x/", "http://x/?a=hunter2", "http://x/#hunter2", "http://%zz/"} {
		_, err := load(t, "external_url: '"+bad+"'")
		require.ErrorContains(t, err, "external_url: want http://HOST:PORT", bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err := load(t, "external_url: http://x/hooks/radarr")
	require.ErrorContains(t, err, "external_url: leave out /hooks/")
}

func TestWarnsWhoeverTrustsEverybody(t *testing.T) {
	t.Parallel()
	c, err := load(t, `trusted_proxies: [10.0.0.1, 0.0.0.0/0, "::/0"]`)
	require.NoError(t, err)
	told := messages(c.Warnings)
	require.Contains(t, told, "trusted_proxies[1]: every sender can claim any address")
	require.Contains(t, told, "trusted_proxies[2]: every sender can claim any address")
	require.NotContains(t, told, "trusted_proxies[0]")
}

func TestWarnsOfAFileThatAllCanRead(t *testing.T) {
	t.Parallel()
	for settings, holds := range map[string]string{
		"sources: {r: {plugin: radarr, auth: [{token: {value: 0123456789abcdef}}]}}":                         "sources.r.auth[0].token.value",
		"sources: {r: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [0123456789abcdef]}}]}}":      "sources.r.auth[0].hmac.secrets[0]",
		"targets: {o: {plugin: discord, config: {webhook_url: x}}}":                                          "targets.o.config.webhook_url",
		"targets: {o: {plugin: webhook, config: {secrets: [x]}}}":                                            "targets.o.config.secrets[0]",
		"database: {url: 'postgres://u:p4ssw0rd@h/d'}":                                                       "database.url",
		"database: {url: 'postgres://u:${P}@h/d'}":                                                           "",
		"database: {url: 'postgres://u@h/d'}\ntargets: {o: {plugin: webhook, config: {url: 'http://x/'}}}":   "",
		"targets: {o: {plugin: discord, config: {webhook_url: '${P}'}}}":                                     "",
		"sources: {r: {plugin: radarr, auth: [{token: {value: '${P}${P}'}}], config: {application_url: x}}}": "",
	} {
		for _, mode := range []os.FileMode{0o600, 0o640, 0o644} {
			file := filepath.Join(t.TempDir(), "hookarr.yaml")
			require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
			require.NoError(t, os.Chmod(file, mode))
			c, err := config.Loader{Environ: environ("P=0123456789abcdef")}.Load(file)
			require.NoError(t, err)
			told := messages(c.Warnings)
			if holds == "" || mode != 0o644 {
				require.NotContains(t, told, "everybody", "%s %s", settings, mode)
				continue
			}
			require.Contains(t, told, file+": it holds secrets, such as "+holds+", and everybody on this machine can read "+file+": run chmod o= on it\n")
			require.NotContains(t, told, "p4ssw0rd")
		}
	}
}

// writePair writes a certificate that is valid from begin to end, and its key.
func writePair(t *testing.T, begin, end time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begin, NotAfter: end, DNSNames: []string{"hookarr"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "crt"), filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	return cert, key
}

func TestCheckTLS(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	cert, key := writePair(t, now.Add(-day), now.Add(day))
	otherCert, otherKey := writePair(t, now.Add(-2*day), now.Add(-day))
	tests := map[string]struct {
		cert, key            string
		now                  time.Time
		problem, warning, at string
	}{
		"good":     {cert: cert, key: key, now: now},
		"missing":  {cert: cert, key: key + "-", now: now, problem: "cannot read " + key + "-: no such file or directory", at: "tls.key_file"},
		"no pair":  {cert: cert, key: otherKey, now: now, problem: "private key does not match public key", at: "tls"},
		"swapped":  {cert: key, key: cert, now: now, problem: "want a certificate and its private key, both as PEM", at: "tls"},
		"expired":  {cert: otherCert, key: otherKey, now: now, warning: "the certificate expired at 2026-11-27T00:00:00Z", at: "tls.cert_file"},
		"too soon": {cert: cert, key: key, now: now.Add(-2 * day), warning: "the certificate is not valid before 2026-11-27T00:00:00Z", at: "tls.cert_file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := load(t, "tls: {cert_file: "+tt.cert+", key_file: "+tt.key+"}")
			require.NoError(t, err, "a command that serves nothing needs no key")
			problems, warnings := c.CheckTLS(tt.now)
			require.Equal(t, tt.problem != "", len(problems) > 0, messages(problems))
			require.Equal(t, tt.warning != "", len(warnings) > 0, messages(warnings))
			require.Contains(t, messages(problems), tt.problem)
			require.Contains(t, messages(warnings), tt.warning)
			for _, p := range append(problems, warnings...) {
				require.Equal(t, tt.at, p.Key)
				require.Equal(t, 1, p.Line)
			}
		})
	}
	openCert, openKey := writePair(t, now.Add(-day), now.Add(day))
	require.NoError(t, os.Chmod(openKey, 0o604))
	c, err := load(t, "tls: {cert_file: "+openCert+", key_file: "+openKey+"}")
	require.NoError(t, err)
	_, warnings := c.CheckTLS(now)
	require.True(t, strings.HasSuffix(messages(warnings), "tls.key_file: everybody on this machine can read "+openKey+": run chmod o= on it\n"))

	c, err = load(t, "")
	require.NoError(t, err)
	problems, warnings := c.CheckTLS(now)
	require.Empty(t, append(problems, warnings...))
}
