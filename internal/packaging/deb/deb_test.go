package deb

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// waitTimeout is for what takes seconds on a machine that has nothing else to do.
const waitTimeout = 2 * time.Minute

const configFile = "/etc/hookarr/hookarr.yaml"

// newer is the deb as of a later version, whose configuration is another.
func newer(t *testing.T, deb string) string {
	t.Helper()
	dir := t.TempDir()
	tree, later := filepath.Join(dir, "tree"), filepath.Join(dir, "later.deb")
	output(t, "dpkg-deb", "--raw-extract", deb, tree)
	output(t, "sed", "--in-place", `s/^Version: .*/Version: 99.0.0-1/`, filepath.Join(tree, "DEBIAN/control"))
	output(t, "sed", "--in-place", `1s/^/# A later default.\n/`, filepath.Join(tree, configFile))
	output(t, "dpkg-deb", "--build", "-Znone", tree, later)
	return later
}

func (d debian) install(deb string, flags ...string) string {
	d.Helper()
	output(d.T, "cp", deb, d.path("hookarr.deb"))
	return d.run(append(append([]string{"dpkg"}, flags...), "--install", "/hookarr.deb")...)
}

// One story: each part needs what the one before has left.
func TestDebFromInstallationToPurge(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm", "mmdebstrap", "unshare", "dpkg-deb")
	deb := made(t, "*.deb")
	d := newDebian(t)

	d.install(deb)
	require.Equal(t, strings.TrimLeft(`
750 root:hookarr /etc/hookarr
640 root:hookarr /etc/hookarr/hookarr.yaml
700 root:root /etc/hookarr/secrets
755 root:root /usr/bin/hookarr
755 root:root /usr/lib/hookarr
755 root:root /usr/lib/hookarr/plugins
755 root:root /usr/lib/hookarr/plugins/hookarr-plugins
644 root:root /usr/lib/systemd/system/hookarr-backup.service
644 root:root /usr/lib/systemd/system/hookarr-backup.timer
644 root:root /usr/lib/systemd/system/hookarr.service
644 root:root /usr/lib/sysusers.d/hookarr.conf
644 root:root /usr/lib/tmpfiles.d/hookarr.conf
755 root:root /usr/share/man/man1
644 root:root /usr/share/man/man1/hookarr-serve.1.gz
644 root:root /usr/share/man/man5/hookarr.yaml.5.gz
750 hookarr:hookarr /var/lib/hookarr
755 root:root /var/lib/hookarr/plugins
`, "\n"), d.stat("/etc/hookarr", configFile, "/etc/hookarr/secrets", "/usr/bin/hookarr", "/usr/lib/hookarr", "/usr/lib/hookarr/plugins",
		"/usr/lib/hookarr/plugins/hookarr-plugins", "/usr/lib/systemd/system/hookarr-backup.service", "/usr/lib/systemd/system/hookarr-backup.timer", "/usr/lib/systemd/system/hookarr.service", "/usr/lib/sysusers.d/hookarr.conf",
		"/usr/lib/tmpfiles.d/hookarr.conf", "/usr/share/man/man1", "/usr/share/man/man1/hookarr-serve.1.gz", "/usr/share/man/man5/hookarr.yaml.5.gz", "/var/lib/hookarr", "/var/lib/hookarr/plugins"))
	require.Contains(t, d.run("getent", "passwd", "hookarr"), ":/var/lib/hookarr:/usr/sbin/nologin")
	require.Contains(t, d.run("hookarr", "check"), configFile+" is ok\n")
	started, err := os.Readlink(d.path("/etc/systemd/system/multi-user.target.wants/hookarr.service"))
	require.NoError(t, err)
	require.Equal(t, "/lib/systemd/system/hookarr.service", strings.TrimPrefix(started, "/usr"))
	require.NoFileExists(t, d.path("/etc/systemd/system/timers.target.wants/hookarr-backup.timer"), "backups are for whoever enables them")

	received := make(chan string, 16)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- string(body)
	}))
	defer endpoint.Close()
	d.edit(configFile,
		"sources: {}", "sources: {radarr: {plugin: radarr, auth: [{basic: {username: radarr, password: of-this-test}}]}}",
		"targets: {}", "targets: {ops: {plugin: webhook, config: {url: \""+endpoint.URL+"\", secrets: [whsec_b2YtdGhpcy10ZXN0LWFsb25lLW9mLXRoaXMtdGVzdA==]}}}",
		"routes: []", "routes: [{name: all, types: [\"*\"], to: [ops]}]")
	edited, err := os.ReadFile(d.path(configFile))
	require.NoError(t, err)
	d.serveOne(received)
	require.FileExists(t, d.path("/var/lib/hookarr/hookarr.db"))

	// What an operator has made of it, an upgrade and each boot leave.
	d.run("chown", "hookarr:adm", configFile)
	d.run("chmod", "0440", configFile)
	d.install(newer(t, deb), "--force-confold")
	kept, err := os.ReadFile(d.path(configFile))
	require.NoError(t, err)
	require.Equal(t, string(edited), string(kept))
	beside, err := os.ReadFile(d.path(configFile + ".dpkg-dist"))
	require.NoError(t, err)
	require.Contains(t, string(beside), "# A later default.\n")
	require.Equal(t, "440 hookarr:adm "+configFile+"\n", d.stat(configFile))
	rules, err := os.ReadFile(d.path("/usr/lib/tmpfiles.d/hookarr.conf"))
	require.NoError(t, err)
	require.NotContains(t, string(rules), configFile)

	d.run("dpkg", "--remove", "hookarr")
	require.NoFileExists(t, d.path("/usr/bin/hookarr"))
	require.NoDirExists(t, d.path("/usr/lib/hookarr"))
	require.FileExists(t, d.path(configFile))
	require.FileExists(t, d.path("/var/lib/hookarr/hookarr.db"))

	said := d.run("dpkg", "--purge", "hookarr")
	require.NoDirExists(t, d.path("/etc/hookarr"))
	require.FileExists(t, d.path("/var/lib/hookarr/hookarr.db"))
	require.Contains(t, said, "the events in /var/lib/hookarr are kept: rm -r /var/lib/hookarr removes them")
}

// Nothing is left of an installation that never ran.
func TestPurgeOfUnusedDeb(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm", "mmdebstrap", "unshare")
	d := newDebian(t)
	d.install(made(t, "*.deb"))
	d.run("dpkg", "--purge", "hookarr")
	left := d.run("find", "/etc", "/usr", "/var", "-name", "*hookarr*", "-not", "-path", "/var/lib/dpkg/*", "-not", "-path", "/var/log/*")
	require.Empty(t, left)
}

// serveOne runs the server as its own user and has a webhook delivered.
func (d debian) serveOne(received <-chan string) {
	d.Helper()
	listen := freeAddr(d.T)
	d.run("install", "-d", "-o", "hookarr", "-g", "hookarr", "-m", "0700", "/run/hookarr") // as the unit has it made
	var log bytes.Buffer
	cmd := exec.CommandContext(d.Context(), "unshare", d.args("hookarr", []string{"HOOKARR_LISTEN=" + listen, "HOOKARR_ADMIN_LISTEN=" + freeAddr(d.T)},
		"hookarr", "serve", "--config", configFile)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(d, cmd.Start())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	stop := func() { _ = cmd.Process.Kill(); <-ended }
	defer func() {
		stop()
		if d.Failed() {
			d.Logf("log of the server:\n%s", &log)
		}
	}()

	webhook, err := os.ReadFile("../../../examples/payloads/radarr/import.json")
	require.NoError(d, err)
	require.Eventually(d, func() bool {
		req, err := http.NewRequestWithContext(d.Context(), http.MethodPost, "http://"+listen+"/hooks/radarr", bytes.NewReader(webhook))
		if err != nil {
			return false
		}
		req.Header.Set("Content-Type", "application/json")
		req.SetBasicAuth("radarr", "of-this-test")
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusAccepted
	}, waitTimeout, 200*time.Millisecond)
	select {
	case body := <-received:
		require.Contains(d, body, `"type":"media.imported"`)
	case <-time.After(waitTimeout):
		require.Fail(d, "the webhook is not delivered")
	}
	require.Contains(d, d.run("hookarr", "events", "list"), "media.imported", "root asks the server by its socket")
}

func TestLintianFindsNothing(t *testing.T) {
	t.Parallel()
	need(t, "git", "make", "nfpm", "lintian")
	require.Empty(t, output(t, "lintian", "--allow-root", "--fail-on", "warning,error", made(t, "*.deb")))
}
