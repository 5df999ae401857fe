package e2e

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/browsertest"
	"github.com/hookarr/hookarr/internal/testport"
)

// TestDeskBehindProxies signs in, follows a list and sends forms through the proxies that
// the documentation has configurations for.
func TestDeskBehindProxies(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		config, base, host, hooks string
		start                     func(t *testing.T, config, dir, port string) *exec.Cmd
	}{
		{"nginx-path.conf", "/hookarr", "nas.example", "nas.example", nginx},
		{"nginx-host.conf", "", "hookarr.example", "hooks.example", nginx},
		{"Caddyfile.path", "/hookarr", "nas.example", "nas.example", caddy},
		{"Caddyfile.host", "", "hookarr.example", "hooks.example", caddy},
	} {
		t.Run(tt.config, func(t *testing.T) {
			t.Parallel()
			chromium.Require(t)
			_, port, err := net.SplitHostPort(testport.Addr(t))
			require.NoError(t, err)
			d := startedDesk(t, deskSettings{base: tt.base, proxied: "https://" + tt.host + ":" + port})
			config, err := os.ReadFile("../../examples/proxies/" + tt.config)
			require.NoError(t, err)
			text := strings.NewReplacer(
				"127.0.0.1:8484", strings.TrimPrefix(d.url, "http://"), "127.0.0.1:8485", strings.TrimPrefix(d.direct, "http://"),
			).Replace(string(config))
			runProxy(t, tt.start(t, text, t.TempDir(), port), tt.host+":"+port)

			p := chromium.Open(t, d.origin)
			d.signIn(p)
			p.Go(d.base + "/events")
			p.AwaitText("#stream", "live")
			require.Equal(t, http.StatusAccepted, postThrough(t, tt.hooks+":"+port, "/hooks/radarr", importBody(1)))
			p.AwaitText("#live", titleOf(1))
			p.Choose("form.theme select", "dark")
			p.Await(`html[data-theme="dark"]`)
			require.True(t, strings.HasPrefix(p.Path(), d.base+"/events"), p.Path())
			p.Check()
			for _, cookie := range browsertest.Evaluate[[]string](p, `document.cookie.split("; ").filter((c) => c)`) {
				require.Fail(t, "a script can read a cookie", "%s", cookie)
			}
			// The page that is left may ask for its parts anew, and be refused.
			back := p.Away()
			p.FollowTo(`form[action$="/logout"] button`, http.StatusOK)
			require.Contains(t, p.Text("h1"), "Sign in")
			back()
		})
	}
}

// runProxy runs a proxy until the end of the test, and waits until it answers.
func runProxy(t *testing.T, cmd *exec.Cmd, host string) {
	t.Helper()
	var said syncBuffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the proxy said:\n%s", said.tail(60))
		}
	})
	name, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, ServerName: name}}
	require.Eventually(t, func() bool {
		c, err := dialer.DialContext(t.Context(), "tcp", "127.0.0.1:"+port)
		return err == nil && c.Close() == nil
	}, waitTimeout, 50*time.Millisecond, "the proxy does not answer")
}

func proxyProgram(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	if os.Getenv("TEST_BROWSER") == "required" {
		require.Fail(t, "no "+name)
	}
	t.Skip("SKIPPED: no " + name + " is installed")
	return ""
}

// nginx returns one with a server's configuration, which has no certificate yet.
func nginx(t *testing.T, config, dir, port string) *exec.Cmd {
	t.Helper()
	program := proxyProgram(t, "nginx")
	cert, key := writeCertificate(t, dir, 1)
	config = strings.ReplaceAll(config, "listen 443 ssl;", "listen 127.0.0.1:"+port+" ssl;")
	var own strings.Builder
	for line := range strings.Lines(config) {
		switch fields := strings.Fields(line); {
		case len(fields) > 0 && fields[0] == "ssl_certificate":
			line = fmt.Sprintf("ssl_certificate %s;\n", cert)
		case len(fields) > 0 && fields[0] == "ssl_certificate_key":
			line = fmt.Sprintf("ssl_certificate_key %s;\n", key)
		}
		own.WriteString(line)
	}
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
%[2]s}
`, dir, own.String()), 0o600))
	return exec.Command(program, "-p", dir, "-c", file, "-e", "stderr")
}

// caddy returns one with a site's configuration, whose certificates it makes itself.
func caddy(t *testing.T, config, dir, port string) *exec.Cmd {
	t.Helper()
	program := proxyProgram(t, "caddy")
	_, plain, err := net.SplitHostPort(testport.Addr(t))
	require.NoError(t, err)
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, `{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
	default_bind 127.0.0.1
	http_port %s
	https_port %s
	storage file_system %s
}
%s`, plain, port, filepath.Join(dir, "storage"), config), 0o600))
	cmd := exec.Command(program, "run", "--adapter", "caddyfile", "--config", file)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return cmd
}

// postThrough posts to a proxy by the name of a host, as Radarr would.
func postThrough(t *testing.T, host, path string, body []byte) int {
	t.Helper()
	name, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://127.0.0.1:"+port+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Host = host
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, body))
	req.Header.Set("User-Agent", "Radarr/6.0.4.10291 (alpine 3.22.1)")
	req.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: name}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: waitTimeout}).Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}
