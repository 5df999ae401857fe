package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

// TestAddressOfWebhooksInABrowser says what it is for, at its root alone.
func TestAddressOfWebhooksInABrowser(t *testing.T) {
	t.Parallel()
	for admin, want := range map[string]string{
		"127.0.0.1:0": "Webhooks are taken here. For the pages run hookarr open.\n",
		"":            "Webhooks are taken here. There are no pages, as admin.listen is not set.\n",
	} {
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "plugins"), 0o700))
		file := filepath.Join(dir, "hookarr.yaml")
		require.NoError(t, os.WriteFile(file, []byte(`listen: 127.0.0.1:0
admin: {listen: "`+admin+`"}
database: {url: "sqlite://hookarr.db"}
plugins: {dir: plugins}
`), 0o600))
		c, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
		require.NoError(t, err)
		a, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		require.NoError(t, a.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, a.Stop(context.WithoutCancel(t.Context()))) })
		ask := func(method, path string) (status int, said string) {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.Addr().String()+path, nil)
			require.NoError(t, err)
			req.Close = true
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp.StatusCode, string(body)
		}
		status, said := ask(http.MethodGet, "/")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, want, said)
		status, said = ask(http.MethodHead, "/")
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, said)
		for method, path := range map[string]string{http.MethodPost: "/", http.MethodGet: "/radarr", http.MethodPut: "/"} {
			status, said = ask(method, path)
			require.Equal(t, http.StatusNotFound, status, path)
			require.NotContains(t, said, "Webhooks")
		}
	}
}

// TestWarnsOfCredentialsInClear: of those of senders and of operators, each listener by itself.
func TestWarnsOfCredentialsInClear(t *testing.T) {
	t.Parallel()
	encrypted := config.TLS{CertFile: "cert.pem", KeyFile: "key.pem"}
	for name, tt := range map[string]struct {
		config             config.Config
		senders, operators bool
	}{
		"loopback":           {config.Config{Listen: "127.0.0.1:8484", Admin: config.Admin{Listen: "localhost:8485"}}, false, false},
		"no pages":           {config.Config{Listen: ":8484"}, true, false},
		"both":               {config.Config{Listen: ":8484", Admin: config.Admin{Listen: "0.0.0.0:8485"}}, true, true},
		"one port":           {config.Config{Listen: ":8484", Admin: config.Admin{Listen: ":8484"}}, true, true},
		"one port and TLS":   {config.Config{Listen: ":8484", TLS: encrypted, Admin: config.Admin{Listen: ":8484"}}, false, false},
		"TLS for the other":  {config.Config{Listen: ":8484", TLS: encrypted, Admin: config.Admin{Listen: ":8485"}}, false, true},
		"a proxy with TLS":   {config.Config{Listen: "[::1]:8484", Admin: config.Admin{Listen: ":8485", ExternalURL: "https://hookarr.example/x"}}, false, false},
		"a proxy without it": {config.Config{Listen: "[::1]:8484", Admin: config.Admin{Listen: ":8485", ExternalURL: "http://hookarr.example"}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &tt.config
			c.Sources = map[string]config.Source{
				"signed": {Auth: []config.Auth{{HMAC: &config.HMAC{}}}},
				"arr":    {Auth: []config.Auth{{HMAC: &config.HMAC{}}, {Basic: &config.Basic{}}}},
			}
			var log bytes.Buffer
			a := &App{config: c, log: slog.New(slog.NewTextHandler(&log, nil))}
			a.current.Store(&generation{config: c})
			a.warnUnsafe(t.Context())
			require.Equal(t, tt.senders, strings.Contains(log.String(), `msg="credentials cross the network in clear`), log.String())
			require.Equal(t, tt.senders, strings.Contains(log.String(), "source=arr listen="+c.Listen))
			require.NotContains(t, log.String(), "source=signed")
			require.Equal(t, tt.operators, strings.Contains(log.String(), `msg="tokens and sessions of operators cross the network in clear`), log.String())
		})
	}
}
