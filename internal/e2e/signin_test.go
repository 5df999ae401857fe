package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/internal/testport"
)

// TestOpen: a link that the command prints signs a browser in, for as long as it is wanted
// there.
func TestOpen(t *testing.T) {
	t.Parallel()
	databases(t, func(t *testing.T, database string) {
		addr := testport.Addr(t)
		srv := newServer(t, settings{
			database: database, targets: webhookTarget(newReceiver(t)), routes: everything,
			top: "\nadmin: {socket: h.sock, listen: '" + addr + "', base_path: /h, tokens: [{name: admin, role: operate, token: admin-0123456789abcdef}]}",
		})
		srv.launch()
		require.Eventually(t, func() bool {
			resp, err := http.Get("http://" + addr + "/readyz")
			return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
		}, waitTimeout, 20*time.Millisecond)
		command := func(args ...string) string {
			cmd := exec.Command(filepath.Join(binaries, "hookarr"), append(args, "--config", srv.config)...)
			out, err := cmd.Output()
			require.NoError(t, err)
			return string(out)
		}
		var link admin.Link
		require.NoError(t, json.Unmarshal([]byte(command("open", "--json")), &link))
		page, secret, _ := strings.Cut(link.URL, "#")
		require.Equal(t, "http://"+addr+"/h/login", page)

		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		browser := http.Client{Jar: jar}
		fetch := func(resp *http.Response, err error) (int, string) {
			require.NoError(t, err)
			defer func() { require.NoError(t, resp.Body.Close()) }()
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			return resp.StatusCode, resp.Request.URL.Path + "\n" + string(body)
		}
		get := func(path string) (int, string) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/h"+path, nil)
			require.NoError(t, err)
			req.Header.Set("Accept", "text/html")
			return fetch(browser.Do(req)) //nolint:bodyclose // fetch does
		}
		signIn := func(form url.Values) (int, string) {
			return fetch(browser.PostForm(page, form)) //nolint:bodyclose // fetch does
		}
		_, said := get("/plugins")
		require.True(t, strings.HasPrefix(said, "/h/login\n"))
		status, said := signIn(url.Values{"link": {secret}, "next": {"/plugins"}})
		require.Equal(t, http.StatusOK, status)
		require.True(t, strings.HasPrefix(said, "/h/plugins\n"), said)
		require.Contains(t, said, "Sign out")
		require.Contains(t, command("sessions", "list"), " link ")
		status, _ = signIn(url.Values{"link": {secret}})
		require.Equal(t, http.StatusUnauthorized, status)
		status, _ = get("/api/v1/targets")
		require.Equal(t, http.StatusOK, status)

		require.Equal(t, "1 browser is signed out\n", command("sessions", "revoke", "--all"))
		_, said = get("/plugins")
		require.Contains(t, said, "Your session has ended: sign in again.")

		// A token that leaves the configuration takes its sessions along.
		status, _ = signIn(url.Values{"token": {"admin-0123456789abcdef"}, "next": {"/plugins"}})
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, command("sessions", "list"), "admin ")
		config, err := os.ReadFile(srv.config)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(srv.config, []byte(strings.Replace(string(config), "admin-0123456789abcdef", "other-0123456789abcdef", 1)), 0o600))
		command("reload")
		_, said = get("/plugins")
		require.True(t, strings.HasPrefix(said, "/h/login\n"), said)
		require.NotContains(t, srv.log.String(), "0123456789abcdef")
		require.NotContains(t, srv.log.String(), secret)
	})
}
