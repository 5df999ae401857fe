package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

const (
	sharedToken  = "a-token-of-an-operator-0123456789"
	sharedSecret = "a-secret-of-a-sender-0123456789"
)

// sharing is a process with one listener for senders and operators.
type sharing struct {
	addr   string
	scheme string
	client *http.Client
}

// share starts a process. Its decoder is missing, so that events are kept for later.
func share(t *testing.T, scheme, admin string) sharing {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := sharing{addr: l.Addr().String(), scheme: scheme, client: &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	require.NoError(t, l.Close())
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "plugins"), 0o700))
	settings := fmt.Sprintf(`listen: %[1]s
database: {url: "sqlite://hookarr.db"}
plugins: {dir: plugins}
admin: {listen: %[1]s, tokens: [{name: ci, role: operate, token: %[2]s}], %[3]s}
sources: {radarr: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [%[4]s]}}, {basic: {username: arr, password: %[4]s}}]}}
`, s.addr, sharedToken, admin, sharedSecret)
	if scheme == "https" {
		settings += "tls: {cert_file: cert.pem, key_file: key.pem}\n"
		roots := x509.NewCertPool()
		roots.AddCert(selfSigned(t, dir))
		s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	}
	t.Cleanup(s.client.CloseIdleConnections)
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(settings), 0o600))
	c, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	a, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool {
		resp, err := s.client.Get(s.url("/readyz"))
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, time.Minute, 20*time.Millisecond)
	return s
}

func selfSigned(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func (s sharing) url(path string) string { return s.scheme + "://" + s.addr + path }

// ask sends a request as a client that is let in by what the headers say.
func (s sharing) ask(t *testing.T, method, path, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url("/"), strings.NewReader(body))
	require.NoError(t, err)
	req.URL.RawPath = path // as it is, dots and all
	req.URL.Path, err = url.PathUnescape(path)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	require.NoError(t, err)
	said, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resp.Body = io.NopCloser(bytes.NewReader(said))
	return resp
}

func (s sharing) status(t *testing.T, method, path, body string, header ...string) int {
	t.Helper()
	resp := s.ask(t, method, path, body, header...)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

func signed(body string) string {
	mac := hmac.New(sha256.New, []byte(sharedSecret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// TestOneListener has senders and operators come to one address: each is let in where he
// belongs and nowhere else.
func TestOneListener(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ scheme, admin, base string }{
		"plain":     {scheme: "http"},
		"base path": {scheme: "http", admin: "base_path: /hookarr", base: "/hookarr"},
		"TLS":       {scheme: "https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := share(t, tt.scheme, tt.admin)
			for i, header := range [][]string{
				{"X-Hub-Signature-256", signed(`{"n":0}`)},
				{"Authorization", "Basic " + basic("arr", sharedSecret), "Host", "hookarr:8484"}, // a name is no matter to it
			} {
				require.Equal(t, http.StatusAccepted, s.status(t, http.MethodPost, "/hooks/radarr", fmt.Sprintf(`{"n":%d}`, i), header...))
			}
			for _, path := range []string{"/healthz", "/readyz", tt.base + "/readyz"} {
				require.Equal(t, http.StatusOK, s.status(t, http.MethodGet, path, ""), path)
			}
			api := tt.base + "/api/v1/targets"
			token := []string{"X-Api-Key", sharedToken}
			for _, path := range []string{"/metrics", tt.base + "/metrics"} {
				require.Equal(t, http.StatusUnauthorized, s.status(t, http.MethodGet, path, ""), path)
				require.Equal(t, http.StatusUnauthorized, s.status(t, http.MethodGet, path, "", "Authorization", "Basic "+basic("arr", sharedSecret)))
				require.Equal(t, http.StatusForbidden, s.status(t, http.MethodGet, path, "", append(token, "Host", "rebound.example")...))
				require.Equal(t, http.StatusOK, s.status(t, http.MethodGet, path, "", token...))
				require.Equal(t, http.StatusOK, s.status(t, http.MethodGet, path, "", "Authorization", "Bearer "+sharedToken))
			}
			require.Equal(t, http.StatusOK, s.status(t, http.MethodGet, api, "", token...))
			require.Equal(t, http.StatusUnauthorized, s.status(t, http.MethodGet, api, ""))
			require.Equal(t, http.StatusSeeOther, s.status(t, http.MethodGet, tt.base+"/", "", "Accept", "text/html"))

			// What lets a sender in lets nobody in elsewhere, nor the other way round.
			require.Equal(t, http.StatusUnauthorized, s.status(t, http.MethodGet, api, "", "Authorization", "Basic "+basic("arr", sharedSecret)))
			require.Equal(t, http.StatusUnauthorized, s.status(t, http.MethodGet, api, "", "X-Api-Key", sharedSecret))
			require.Equal(t, http.StatusUnauthorized, s.status(t, http.MethodPost, "/hooks/radarr", "{}", token...))
			// A page of another name, or of another site, gets nothing of operators.
			require.Equal(t, http.StatusForbidden, s.status(t, http.MethodGet, api, "", append(token, "Host", "rebound.example")...))
			require.Equal(t, http.StatusForbidden, s.status(t, http.MethodPost, tt.base+"/api/v1/reload", "{}",
				append(token, "Origin", "https://other.example", "Sec-Fetch-Site", "cross-site")...))
			// What a proxy may take for a webhook's path leads to no operator's.
			for _, path := range []string{
				"/hooks/.." + api, "/hooks/%2e%2e" + api, "/hooks/radarr/../.." + api, "/hooks%2f.." + api, "/hooks" + api, "/" + api, "/hooksx" + api, "/hooks/radarr" + api,
			} {
				resp := s.ask(t, http.MethodGet, path, "", append(token, "Accept", "text/html")...) //nolint:bodyclose // ask has closed it
				require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, path)
				require.Empty(t, resp.Header.Get("Location"))
				require.NotContains(t, resp.Header.Get("Content-Type"), "html")
				require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			}
			// Both keep their limits: a webhook may be larger than what an operator says.
			large := `{"n":"` + strings.Repeat("x", 2<<20) + `"}`
			require.Equal(t, http.StatusAccepted, s.status(t, http.MethodPost, "/hooks/radarr", large, "X-Hub-Signature-256", signed(large)))
			require.Equal(t, http.StatusBadRequest, s.status(t, http.MethodPost, tt.base+"/login", url.Values{"token": {large}}.Encode(),
				"Content-Type", "application/x-www-form-urlencoded"))

			in := s.ask(t, http.MethodPost, tt.base+"/login", url.Values{"token": {sharedToken}}.Encode(), "Content-Type", "application/x-www-form-urlencoded") //nolint:bodyclose // ask has closed it
			require.Equal(t, http.StatusSeeOther, in.StatusCode)
			require.Len(t, in.Cookies(), 1)
			require.Equal(t, tt.scheme == "https", in.Cookies()[0].Secure)
			require.Equal(t, tt.scheme == "https", in.ProtoMajor == 2)
		})
	}
}

func basic(user, password string) string {
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(user, password)
	return strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ")
}
