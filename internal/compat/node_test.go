package compat

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/plugincheck"
	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/internal/testnode"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestNode runs the example in Node.js, which knows nothing but the contract, under this
// host.
func TestNode(t *testing.T) {
	t.Parallel()
	dir := testnode.Plugin(t)
	t.Run("by hand", func(t *testing.T) {
		t.Parallel()
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "hookarr-target-text")).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, 1, exit.ExitCode())
		require.Contains(t, string(out), "is a target plugin of Hookarr, which starts it by itself")
	})
	t.Run("plugins check", func(t *testing.T) {
		t.Parallel()
		report, err := plugincheck.Run(t.Context(), filepath.Join(dir, "hookarr-target-text"), plugincheck.Options{Windows: plugincheck.Patient()})
		require.NoError(t, err)
		for _, row := range report.Rows {
			require.NotEqual(t, plugincheck.Failed, row.Result, "%s: %s", row.Check, row.Detail)
		}
		require.True(t, report.OK)
	})
	t.Run("configuration", func(t *testing.T) { t.Parallel(); nodeConfiguration(t, dir) })
	t.Run("classes", func(t *testing.T) { t.Parallel(); nodeClasses(t, dir) })
	t.Run("no answer", func(t *testing.T) { t.Parallel(); nodeNoAnswer(t, dir) })
	t.Run("secrets", func(t *testing.T) { t.Parallel(); nodeSecrets(t, dir) })
	t.Run("features", func(t *testing.T) { t.Parallel(); nodeFeatures(t, dir) })
	t.Run("first host", func(t *testing.T) { t.Parallel(); nodeFirstHost(t, dir) })
	t.Run("signals", func(t *testing.T) { t.Parallel(); nodeSignals(t, dir) })
}

// text is an instance of the example.
func text(config map[string]any) pluginhost.Instance {
	raw, err := json.Marshal(config)
	if err != nil {
		panic(err) //nolint:forbidigo // a test's own literal
	}
	return pluginhost.Instance{Kind: host.KindTarget, Plugin: "text", Name: "chat", Config: raw}
}

func nodeConfiguration(t *testing.T, dir string) {
	t.Helper()
	for _, c := range []struct {
		config       map[string]any
		key, message string
	}{
		{map[string]any{}, "url", "is required"},
		{map[string]any{"url": nil}, "url", "is required"},
		{map[string]any{"url": ""}, "url", "must NOT have fewer than 1 characters"},
		{map[string]any{"url": 1}, "url", "must be string"},
		{map[string]any{"url": "ftp://example.com"}, "url", "needs to begin with http:// or https:// and a host"},
		{map[string]any{"url": "http://169.254.169.254/latest"}, "url", "169.254.169.254 is not an address to deliver to"},
		{map[string]any{"url": "http://[::ffff:169.254.169.254]/latest"}, "url", "::ffff:a9fe:a9fe is not an address to deliver to"},
		{map[string]any{"url": "http://0xa9fea9fe/latest"}, "url", "169.254.169.254 is not an address to deliver to"},
		{map[string]any{"url": "http://127.0.0.1", "max_length": 0}, "max_length", "must be >= 1"},
		{map[string]any{"url": "http://127.0.0.1", "token": "a\nb"}, "token", `must match pattern "^[\x21-\x7e]*$"`},
		{map[string]any{"url": "http://127.0.0.1", "feld": "text"}, "feld", "is an unknown key"},
	} {
		h := newHost(t, dir)
		checked := h.Check(t.Context(), []pluginhost.Instance{text(c.config)})
		require.Equal(t, []pluginhost.Problem{{
			Kind: host.KindTarget, Plugin: "text", Instance: "chat", Key: c.key, Message: c.message,
		}}, checked.Problems, "%v", c.config)
	}
	h := newHost(t, dir)
	checked := h.Check(t.Context(), []pluginhost.Instance{text(map[string]any{"url": "http://127.0.0.1"})})
	require.Empty(t, checked.Problems)
	d, ok := checked.Describe(host.KindTarget, "text")
	require.True(t, ok)
	require.Equal(t, []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest, sdk.FeaturePreview}, d.Features)
	require.Equal(t, sdk.ProtocolVersion, d.ProtocolVersion)
}

func nodeClasses(t *testing.T, dir string) {
	t.Helper()
	// The delivery's id is the answer: a status, and a Retry-After if there is one.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		var after string
		_, _ = fmt.Sscanf(r.Header.Get("Idempotency-Key"), "%d-%s", &status, &after)
		if after != "" {
			w.Header().Set("Retry-After", strings.ReplaceAll(after, "_", " "))
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	h := startHost(t, dir, text(map[string]any{"url": server.URL}))

	for status := 200; status <= 599; status++ {
		wanted, _ := sdk.ClassOf(sdk.Classify(&http.Response{StatusCode: status}))
		o := h.Deliver(t.Context(), "chat", delivery(fmt.Sprintf("%d-", status)), false)
		require.Equal(t, wanted, o.Class, "status %d: %s", status, o.Message)
		require.Equal(t, status, o.Receipt.Status)
		if wanted != sdk.ClassOK {
			require.Contains(t, o.Message, fmt.Sprintf("the endpoint answered %d", status))
		}
	}
	date := strings.ReplaceAll(time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), " ", "_")
	for id, wanted := range map[string]struct {
		class sdk.Class
		about time.Duration
	}{
		"429-7":         {sdk.ClassThrottled, 7 * time.Second},
		"429-1.5":       {sdk.ClassThrottled, 1500 * time.Millisecond},
		"503-7":         {sdk.ClassThrottled, 7 * time.Second},
		"500-7":         {sdk.ClassRetryable, 7 * time.Second},
		"503-" + date:   {sdk.ClassThrottled, time.Hour},
		"429-tomorrow":  {sdk.ClassThrottled, 0},
		"503-tomorrow":  {sdk.ClassRetryable, 0},
		"500-999999999": {sdk.ClassRetryable, 30 * 24 * time.Hour}, // the host's own bound
	} {
		o := h.Deliver(t.Context(), "chat", delivery(id), false)
		require.Equal(t, wanted.class, o.Class, id)
		require.InDelta(t, wanted.about.Seconds(), o.RetryAfter.Seconds(), 60, id)
	}
}

func nodeNoAnswer(t *testing.T, dir string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Idempotency-Key") {
		case "endless":
			// A body that never ends changes nothing.
			w.WriteHeader(http.StatusCreated)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<10))
				_ = http.NewResponseController(w).Flush()
			}
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
	}))
	t.Cleanup(server.Close)
	refusing := httptest.NewServer(nil)
	refusing.Close()
	foreign := httptest.NewTLSServer(nil)
	t.Cleanup(foreign.Close)
	instances := []pluginhost.Instance{
		text(map[string]any{"url": server.URL}),
		text(map[string]any{"url": refusing.URL}),
		text(map[string]any{"url": foreign.URL}),
	}
	instances[1].Name, instances[2].Name = "refusing", "foreign"
	h := startHost(t, dir, instances...)

	// Its own words come a little before the host's deadline, unless the machine is busy then.
	var o host.Outcome
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		o = h.Deliver(ctx, "chat", delivery("hangs"), false)
		cancel()
		require.Equal(t, sdk.ClassRetryable, o.Class)
		if o.Sent != nil {
			break
		}
	}
	require.Equal(t, "the endpoint did not answer in time", o.Message)
	require.NotNil(t, o.Sent)

	o = h.Deliver(t.Context(), "chat", delivery("endless"), false)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)

	o = h.Deliver(t.Context(), "refusing", delivery("refused"), false)
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Equal(t, "no connection to the endpoint: ECONNREFUSED", o.Message)

	o = h.Deliver(t.Context(), "foreign", delivery("foreign"), false)
	require.Equal(t, sdk.ClassMisconfigured, o.Class)
	require.Contains(t, o.Message, "the endpoint's certificate is not trusted")
}

func nodeSecrets(t *testing.T, dir string) {
	t.Helper()
	const token, path = "token-of-chat-3f7a91", "/hooks/path-of-chat-77c0de"
	// The endpoint repeats all that it got, in several spellings.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		url := "http://" + r.Host + r.URL.Path
		_, _ = fmt.Fprintln(w, r.URL, url, r.Header.Get("Authorization"))
		for _, secret := range []string{token, url, r.URL.Path} {
			_, _ = fmt.Fprintln(w, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)))
		}
	}))
	t.Cleanup(server.Close)
	h := startHost(t, dir, text(map[string]any{"url": server.URL + path, "token": token}))

	o := h.Deliver(t.Context(), "chat", delivery("secret"), false)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Contains(t, o.Receipt.Excerpt, "Bearer [redacted]")
	said, err := json.Marshal(o)
	require.NoError(t, err)
	everything := string(said) + h.log.String()
	for _, secret := range []string{token, path} {
		require.NotContains(t, everything, secret)
		// Two characters at each end depend on what stands beside them.
		form := base64.RawStdEncoding.EncodeToString([]byte(secret))
		require.NotContains(t, everything, form[2:len(form)-2])
	}
	require.NotContains(t, everything, "path-of-chat")
	require.Equal(t, []string{"[redacted]"}, o.Sent.Header["Authorization"])
}

func nodeFeatures(t *testing.T, dir string) {
	t.Helper()
	bodies := make(chan map[string]string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := map[string]string{}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			body["error"] = err.Error()
		}
		bodies <- body
	}))
	t.Cleanup(server.Close)
	h := startHost(t, dir, text(map[string]any{"url": server.URL, "field": "content", "max_length": 20}))

	d := delivery("group")
	d.Events = append(d.Events, event("zweite 🎬"))
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "chat", d, false).Class)
	require.Equal(t, map[string]string{"content": "group\nzweite 🎬"}, <-bodies)

	// More than gRPC's own bound of 4 MiB, and no half of a character at the cut.
	d.Events = []json.RawMessage{event(strings.Repeat("🎬", 2<<20))}
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "chat", d, false).Class)
	require.Equal(t, map[string]string{"content": strings.Repeat("🎬", 19) + "…"}, <-bodies)

	o, err := h.Test(t.Context(), "chat", nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	require.NotNil(t, o.Sent)
	require.Equal(t, map[string]string{"content": "Hookarr tests its t…"}, <-bodies)

	preview, err := h.Preview(t.Context(), "chat", delivery("preview"))
	require.NoError(t, err)
	require.JSONEq(t, `{"content": "preview"}`, preview.Body)
	require.Empty(t, bodies, "a preview sends nothing")
}

func nodeFirstHost(t *testing.T, dir string) {
	t.Helper()
	hosts := buildV1(t, map[string]string{"host": "host"})
	url, _, bodies := sink(t, http.StatusNoContent)
	settings := `{"url": "` + url + `"}`
	said := underFirstHost(t, hosts, filepath.Join(dir, "hookarr-target-text"), settings, string(event("Film")), "later")
	require.Equal(t, "text", said.Describe.Name)
	require.Contains(t, said.Refused.Problems, problem{"mine", "nonsense", "is an unknown key"})
	require.Empty(t, said.Configured.Problems)
	require.Equal(t, "CLASS_OK", said.Delivered.Class, said.Delivered.Message)
	require.JSONEq(t, `{"text": "Film"}`, <-bodies)
}

func nodeSignals(t *testing.T, dir string) {
	t.Helper()
	arrived, release := make(chan struct{}, 8), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		if r.Header.Get("Idempotency-Key") == "slow" {
			<-release
		}
	}))
	t.Cleanup(server.Close)
	h := startHost(t, dir, text(map[string]any{"url": server.URL}))
	pid := h.Status()[0].PID

	require.NoError(t, syscall.Kill(pid, syscall.SIGINT))
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "chat", delivery("after SIGINT"), false).Class)
	require.Equal(t, pid, h.Status()[0].PID)
	<-arrived

	outcome := make(chan host.Outcome, 1)
	go func() { outcome <- h.Deliver(context.WithoutCancel(t.Context()), "chat", delivery("slow"), false) }()
	<-arrived
	require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
	close(release)
	require.Equal(t, sdk.ClassOK, (<-outcome).Class, "what is under way is finished")
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, waitTimeout, pollInterval)
	require.Eventually(t, func() bool {
		s := h.Status()[0]
		return s.State == pluginhost.Ready && s.PID != pid
	}, waitTimeout, pollInterval, "the host starts it again")
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "chat", delivery("again"), false).Class)

	pid = h.Status()[0].PID
	require.NoError(t, h.Stop(t.Context()))
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.NotContains(t, h.log.String(), "plugin failed")
}
