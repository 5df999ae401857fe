package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	newSecret      = "the-next-secret-of-the-source"
	standardSecret = "whsec_c291cmNlLXNlY3JldC1mb3ItdGVzdHMtb25seSEh"
)

// standard signs by Standard Webhooks at a time.
func standard(t *testing.T, req *http.Request, id string, at time.Time, body []byte) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(standardSecret, "whsec_"))
	require.NoError(t, err)
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// visit is one request and what becomes of it.
type visit struct {
	name   string
	body   []byte
	change func(t *testing.T, req *http.Request)
	method string
	path   string

	status int
	says   string // in the answer
	state  string // of the stored event; empty: nothing is stored
}

func visits() []visit {
	header := func(name, value string) func(*testing.T, *http.Request) {
		return func(_ *testing.T, req *http.Request) { req.Header.Set(name, value) }
	}
	sonarr := func(_ *testing.T, req *http.Request) {
		req.Header.Set("User-Agent", "Sonarr/4.0.15.2941 (alpine 3.22.1)")
	}
	stamped := func(id string, at time.Time, body []byte) func(*testing.T, *http.Request) {
		return func(t *testing.T, req *http.Request) {
			req.Header.Del("X-Hub-Signature-256")
			standard(t, req, id, at, body)
		}
	}
	unknownField := bytes.Replace(importBody(2), []byte(`"eventType"`), []byte(`"fromTheFuture": {"a": [1]}, "eventType"`), 1)
	signed := importBody(4)
	return []visit{
		{name: "good", body: importBody(1), status: 202, state: "routed"},
		{name: "PUT", body: importBody(20), method: http.MethodPut, status: 202, state: "routed"},
		{name: "unknown fields", body: unknownField, status: 202, state: "routed"},
		{name: "unknown event", body: []byte(`{"eventType": "FromTheFuture", "instanceName": "Radarr"}`), status: 202, state: "routed"},
		{name: "empty", status: 202, state: "undecodable"},
		{name: "truncated", body: importBody(3)[:200], status: 202, state: "undecodable"},
		{name: "not JSON", body: []byte("eventType=Download"), status: 202, state: "undecodable"},
		{name: "deeply nested", body: bytes.Repeat([]byte("["), 100_000), status: 202, state: "undecodable"},
		{name: "not UTF-8", body: []byte("\xff\xfe\x00{}"), status: 202, state: "undecodable"},
		{
			name: "of Sonarr", body: []byte(`{"eventType": "Download", "series": {"id": 1, "title": "Pilot"}, "episodes": []}`),
			change: sonarr, status: 202, state: "undecodable",
		},
		{
			name: "test of Sonarr", body: []byte(`{"eventType": "Test", "series": {"id": 1, "title": "Test Title"}, "episodes": []}`),
			change: sonarr, status: 422, says: "onarr",
		},
		{name: "too large", body: bytes.Repeat([]byte(" "), 17<<20), status: 413},
		{name: "GET", method: http.MethodGet, status: 405},
		{name: "unknown source", body: importBody(5), path: "/hooks/nobody", status: 404},
		{
			name: "unsigned", body: importBody(5), status: 401,
			change: func(_ *testing.T, req *http.Request) { req.Header.Del("X-Hub-Signature-256") },
		},
		{name: "malformed", body: importBody(5), change: header("X-Hub-Signature-256", "sha256=nonsense"), status: 401},
		{name: "of another body", body: importBody(5), change: header("X-Hub-Signature-256", sign(sourceSecret, importBody(6))), status: 401},
		{name: "wrong secret", body: importBody(5), change: header("X-Hub-Signature-256", sign("guessed", importBody(5))), status: 401},
		{name: "next secret", body: importBody(6), change: header("X-Hub-Signature-256", sign(newSecret, importBody(6))), status: 202, state: "routed"},
		{name: "signed time", body: signed, change: stamped("msg_1", time.Now(), signed), status: 202, state: "routed"},
		{name: "stale", body: signed, change: stamped("msg_2", time.Now().Add(-6*time.Minute), signed), status: 401},
		{name: "from the future", body: signed, change: stamped("msg_3", time.Now().Add(6*time.Minute), signed), status: 401},
	}
}

// TestIntake sends in every way there is, and looks at what was kept and measured.
func TestIntake(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: webhookTarget(endpoint), routes: everything,
		auth: fmt.Sprintf("[{hmac: {preset: github, secrets: [%s, %s]}}, {hmac: {preset: standard-webhooks, secrets: [%q]}}]",
			sourceSecret, newSecret, standardSecret),
	})
	srv.start()
	routed := 0
	for _, v := range visits() {
		a := srv.visit(t, v)
		require.Equal(t, v.status, a.status, "%s: %s", v.name, a.body)
		require.Contains(t, a.body, v.says, v.name)
		if v.state == "" {
			require.Empty(t, a.id, v.name)
			continue
		}
		if v.state == "routed" {
			routed++
		}
		out, err := srv.cli("events", "list", "--state", v.state, "--json")
		require.NoError(t, err, out)
		require.Contains(t, out, a.id, v.name)
		body, err := srv.cli("events", "body", a.id)
		require.NoError(t, err, body)
		require.Equal(t, string(v.body), strings.TrimSuffix(body, "\n"), v.name)
	}
	require.Equal(t, http.StatusOK, srv.post(importBody(1)).status, "a repetition is answered with the first id")
	require.Equal(t, http.StatusBadRequest, cutOff(t, srv.url))

	endpoint.await(t, routed)
	srv.awaitMetrics(t,
		`hookarr_events_accepted_total{source="radarr",type="media.imported"} 5`,
		`hookarr_events_accepted_total{source="radarr",type="unknown"} 1`,
		`hookarr_events_duplicate_total{source="radarr"} 1`,
		`hookarr_events_undecodable_total{source="radarr"} 6`,
		`hookarr_requests_rejected_total{reason="too_large",source="radarr"} 1`,
		`hookarr_requests_rejected_total{reason="method",source="radarr"} 1`,
		`hookarr_requests_rejected_total{reason="test",source="radarr"} 1`,
		`hookarr_requests_rejected_total{reason="incomplete",source="radarr"} 1`,
		`hookarr_decode_seconds_count{source="radarr"}`,
		`hookarr_accept_seconds_count`,
		`hookarr_attempts_total{class="ok",target="ops"} 6`,
		`hookarr_attempt_seconds_count{target="ops"} 6`,
		`hookarr_delivery_latency_seconds_count{target="ops"} 6`,
		`hookarr_requests_rejected_total{reason="missing",source="radarr"} 1`,
		`hookarr_requests_rejected_total{reason="malformed",source="radarr"} 1`,
		`hookarr_requests_rejected_total{reason="mismatch",source="radarr"} 2`,
		`hookarr_requests_rejected_total{reason="stale",source="radarr"} 2`,
		`hookarr_plugin_up{plugin="source-radarr"} 1`,
		`hookarr_plugin_call_seconds_count{method="deliver",plugin="target-webhook"} 6`,
	)

	endpoint.setAnswer(func(delivered) int { return http.StatusBadRequest })
	require.Equal(t, http.StatusAccepted, srv.post(importBody(30)).status)
	srv.awaitMetrics(t, `hookarr_deliveries{state="dead",target="ops"} 1`, `hookarr_attempts_total{class="permanent",target="ops"} 1`)

	pid, ok := srv.pluginPID("hookarr-target-webhook")
	require.True(t, ok)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	srv.awaitMetrics(t, `hookarr_plugin_restarts_total{plugin="target-webhook"} 1`)

	log := srv.log.String()
	for _, secret := range []string{sourceSecret, newSecret, standardSecret, targetSecret} {
		require.NotContains(t, log, secret)
	}
}

func (s *server) visit(t *testing.T, v visit) answer {
	t.Helper()
	method, path := v.method, v.path
	if method == "" {
		method = http.MethodPost
	}
	if path == "" {
		path = "/hooks/radarr"
	}
	req, err := http.NewRequest(method, s.url+path, bytes.NewReader(v.body))
	require.NoError(t, err)
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, v.body))
	if v.change != nil {
		v.change(t, req)
	}
	return do(req)
}

// cutOff announces more than it sends.
func cutOff(t *testing.T, url string) int {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	body := importBody(7)
	_, err = fmt.Fprintf(conn, "POST /hooks/radarr HTTP/1.1\r\nHost: hookarr\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s",
		sign(sourceSecret, body), len(body), body[:100])
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	var status int
	_, err = fmt.Sscanf(string(answer), "HTTP/1.1 %d", &status)
	require.NoError(t, err, "%s", answer)
	return status
}

func (s *server) metrics(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(s.url + "/metrics")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	out, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(out)
}

// awaitMetrics waits until a scrape has all of some texts: what is done is counted a little later.
func (s *server) awaitMetrics(t *testing.T, all ...string) {
	t.Helper()
	for _, text := range all {
		require.Eventually(t, func() bool { return strings.Contains(s.metrics(t), text) }, waitTimeout, 50*time.Millisecond, "no scrape has %s", text)
	}
}

// TestAddressesThatAreNotAllowed are turned away, and nothing is stored.
func TestAddressesThatAreNotAllowed(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: webhookTarget(endpoint), routes: everything,
		source: "allow_from: [192.0.2.0/24]", top: "trusted_proxies: [127.0.0.0/8]",
	})
	srv.start()
	require.Equal(t, http.StatusForbidden, srv.post(importBody(1)).status)
	from := func(address string) int {
		return srv.visit(t, visit{body: importBody(1), change: func(_ *testing.T, req *http.Request) {
			req.Header.Set("X-Forwarded-For", address)
		}}).status
	}
	require.Equal(t, http.StatusForbidden, from("198.51.100.1"))
	require.Equal(t, http.StatusForbidden, from("192.0.2.7, 198.51.100.1"), "only the proxy's own word counts")
	require.Equal(t, http.StatusAccepted, from("192.0.2.7"))
	endpoint.await(t, 1)
}

// TestTLS takes webhooks over HTTPS.
func TestTLS(t *testing.T) {
	t.Parallel()

	endpoint := newReceiver(t)
	cert, key, pool := certificate(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: webhookTarget(endpoint), routes: everything,
		top: fmt.Sprintf("tls: {cert_file: %s, key_file: %s}", cert, key),
	})
	srv.launch()
	client := http.Client{Timeout: waitTimeout, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	url := "https" + strings.TrimPrefix(srv.url, "http")
	require.Eventually(t, func() bool {
		resp, err := client.Get(url + "/readyz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}, waitTimeout, 50*time.Millisecond)
	body := importBody(1)
	req, err := http.NewRequest(http.MethodPost, url+"/hooks/radarr", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, body))
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusAccepted, resp.StatusCode)
	endpoint.await(t, 1)
	require.Equal(t, http.StatusBadRequest, srv.get("/readyz"), "plain HTTP")
}

// certificate makes one for the loopback address and returns its files.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hookarr"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, certPEM, 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(certPEM))
	return certFile, keyFile, pool
}
