package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/examples/payloads"
)

// receiver stands for a running server: it lets in whom the source's gate lets in.
type receiver struct {
	mu     sync.Mutex
	bodies []string
}

// newReceiver serves the first source of the configuration that template makes with its
// address, and returns the configuration's file.
func newReceiver(t *testing.T, template string) (*receiver, string) {
	t.Helper()
	d := &receiver{}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	file := write(t, fmt.Sprintf(template, strings.TrimPrefix(server.URL, "http://")))
	cfg, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	gate, err := auth.New(cfg.Sources["radarr"], nil)
	require.NoError(t, err)
	handler := d.handler(gate)
	mux.Handle("/hooks/radarr", handler)
	mux.Handle("/hooks/radarr/{"+auth.PathToken+"}", handler)
	return d, file
}

func (d *receiver) handler(gate *auth.Gate) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = gate.Verify(r, body, time.Now())
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.bodies = append(d.bodies, string(body))
		switch {
		case err != nil:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"who are you?"}`)
		case string(body) == "again":
			_, _ = io.WriteString(w, `{"id":"first"}`)
		case string(body) == "not radarr":
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, "not a webhook of Radarr's\x1b[31m\n")
		case string(body) == "away":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		default:
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprintf(w, `{"id":"event-%d"}`, len(d.bodies))
		}
	}
}

func receiverConfig(auth string) string {
	return "listen: %s\nsources: {radarr: {plugin: radarr, auth: [" + auth + "]}}\n"
}

func TestSendProvesWhoItIs(t *testing.T) {
	t.Parallel()
	for _, way := range []string{
		"{hmac: {preset: github, secrets: [0123456789abcdef]}}",
		"{hmac: {preset: standard-webhooks, secrets: [whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=]}}",
		"{hmac: {header: X-Sig, algorithm: sha512, encoding: base64, timestamp_header: X-Time, secrets: [0123456789abcdef]}}",
		"{basic: {username: radarr, password: 0123456789abcdef}}",
		"{header: {name: X-Key, value: 0123456789abcdef}}",
		"{token: {value: 0123456789abcdef}}",
		"{token: {query: token, value: 0123456789abcdef}}",
		"{none: {}}",
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d, file := newReceiver(t, receiverConfig(way))
			r := run(t, "send", "radarr", "--sample", "import", "--config", file)
			require.Zero(t, r.code, r.out+r.err)
			require.Regexp(t, `^WEBHOOK +STATUS +EVENT +RESULT\nimport +202 +event-1 +stored\n$`, r.out)
			require.Len(t, d.bodies, 1)
		})
	}
}

func TestSendSamples(t *testing.T) {
	t.Parallel()
	d, file := newReceiver(t, receiverConfig("{none: {}}"))
	r := run(t, "send", "radarr", "--sample", "all", "--json", "--config", file)
	require.Zero(t, r.code, r.err)
	var results []sent
	require.NoError(t, json.Unmarshal([]byte(r.out), &results))
	all, err := payloads.Of("radarr")
	require.NoError(t, err)
	require.Len(t, results, len(all))
	events := map[string]bool{}
	for i, s := range all {
		require.Equal(t, sent{Name: s.Name, Status: 202, ID: fmt.Sprintf("event-%d", i+1), Result: "stored"}, results[i])
		require.Equal(t, string(s.Body), d.bodies[i])
		var body struct {
			EventType    string
			InstanceName string
		}
		require.NoError(t, json.Unmarshal(s.Body, &body))
		require.Equal(t, "Radarr", body.InstanceName)
		events[body.EventType] = true
	}
	require.Len(t, events, 11, "Radarr has eleven events")

	for plugin, name := range map[string]string{
		"sonarr": "import", "lidarr": "import", "whisparr": "import", "readarr": "import", "prowlarr": "grab", "generic": "available",
	} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		other := write(t, strings.Replace(string(content), "plugin: radarr", "plugin: "+plugin, 1))
		r := run(t, "send", "radarr", "--sample", name, "--config", other)
		require.Zero(t, r.code, "%s: %s", plugin, r.err)
		samples, err := payloads.Of(plugin)
		require.NoError(t, err)
		i := slices.IndexFunc(samples, func(s payloads.Sample) bool { return s.Name == name })
		require.Equal(t, string(samples[i].Body), d.bodies[len(d.bodies)-1], "the sample is the application's own")
		r = run(t, "send", "radarr", "--sample", "party", "--config", other)
		require.Contains(t, r.err, "--sample: "+plugin+` has no "party"; there are `)
	}
	r = run(t, "send", "radarr", "--sample", "test", "--config", write(t, "sources: {radarr: {plugin: plex, auth: [{none: {}}]}}"))
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, "--sample: there is none for the plugin plex: name files to send\n")

	r = run(t, "send", "radarr", "--sample", "party", "--config", file)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, `--sample: radarr has no "party"; there are application-update, grab, `)
}

func TestSendFiles(t *testing.T) {
	t.Parallel()
	d, file := newReceiver(t, receiverConfig("{none: {}}"))
	dir := t.TempDir()
	args := []string{"send", "radarr", "--config", file}
	for _, body := range []string{"first", "again", "not radarr", "away"} {
		name := filepath.Join(dir, strings.ReplaceAll(body, " ", "-"))
		require.NoError(t, os.WriteFile(name, []byte(body), 0o600))
		args = append(args, name)
	}
	r := runWith(t, "from the input", nil, append(args, "-")...)
	require.Equal(t, exitError, r.code, "one was refused")
	require.Empty(t, r.err)
	narrow := regexp.MustCompile(` {2,}`).ReplaceAllString(strings.ReplaceAll(r.out, dir, "DIR"), "  ")
	golden(t, "send.txt", narrow)
	require.Equal(t, []string{"first", "again", "not radarr", "away", "from the input"}, d.bodies)

	r = run(t, append(args, filepath.Join(dir, "missing"))...)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "read webhook: open "+dir)
	require.Len(t, d.bodies, 5, "nothing is sent unless everything can be read")
}

func TestSendGoesWrong(t *testing.T) {
	t.Parallel()
	secret := "0123456789abcdef"
	closed := httptest.NewServer(nil)
	closed.Close()
	file := write(t, fmt.Sprintf("listen: %s\nsources: {radarr: {plugin: radarr, auth: [{token: {query: token, value: %s}}]}, sonarr: {plugin: sonarr, auth: [{none: {}}]}}",
		strings.TrimPrefix(closed.URL, "http://"), secret))
	r := run(t, "send", "radarr", "--sample", "test", "--config", file)
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.out, "nobody listens there: is hookarr serve running?")
	require.NotContains(t, r.out+r.err, secret)

	r = run(t, "send", "radarr", "--sample", "test", "--config", file, "--url", "http://name.invalid/hooks/radarr")
	require.Equal(t, exitError, r.code)
	require.NotContains(t, r.out+r.err, secret)

	r = run(t, "send", "radar", "--sample", "test", "--config", file)
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, `there is no source "radar"; did you mean "radarr"?`)
	r = run(t, "send", "plex", "--sample", "test", "--config", file)
	require.Contains(t, r.err, `there is no source "plex"; there are radarr, sonarr`)
	r = run(t, "send", "radarr", "--sample", "test", "--config", file, "--url", "localhost:8484")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.err, "--url: want an absolute URL")

	d, other := newReceiver(t, receiverConfig("{basic: {username: a, password: fedcba9876543210}}"))
	cfg, err := config.Load(other)
	require.NoError(t, err)
	r = run(t, "send", "radarr", "--sample", "test", "--config", file, "--url", "http://"+cfg.Listen+"/hooks/radarr")
	require.Equal(t, exitError, r.code)
	require.Regexp(t, `test +401 +- +who are you\?`, r.out)
	require.Len(t, d.bodies, 1)
}

func TestSendTrustsTheServersOwnCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	server.StartTLS()
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	cert := filepath.Join(t.TempDir(), "tls.crt")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(block), 0o600))
	settings := "listen: 0.0.0.0:" + u.Port() + "\nsources: {radarr: {plugin: radarr, auth: [{none: {}}]}}\n"
	r := run(t, "send", "radarr", "--sample", "test", "--config", write(t, settings+"tls: {cert_file: "+cert+", key_file: unused}"))
	require.Zero(t, r.code, r.out+r.err)
	r = run(t, "send", "radarr", "--sample", "test", "--config", write(t, settings), "--url", server.URL)
	require.Equal(t, exitError, r.code, "a stranger's certificate")
	require.Contains(t, r.out, "certificate")
}
