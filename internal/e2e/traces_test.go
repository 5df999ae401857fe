package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/internal/otlp"
	"github.com/hookarr/hookarr/internal/testport"
	"github.com/hookarr/hookarr/sdk"
)

// sentAtOnce has spans sent as they end, more or less.
const sentAtOnce = "OTEL_BSP_SCHEDULE_DELAY=20"

// postTraced posts a body as part of a trace of its sender's.
func (s *server) postTraced(body []byte, traceparent string) answer {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.url+"/hooks/radarr", bytes.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("X-Hub-Signature-256", sign(sourceSecret, body))
	req.Header.Set("Traceparent", traceparent)
	return do(req)
}

// about are the spans of a name that tell of an event.
func about(r *otlp.Receiver, name, eventID string) []otlp.Span {
	return slices.DeleteFunc(r.Spans(name), func(s otlp.Span) bool { return s.Attributes["hookarr.event.id"] != eventID })
}

// awaitSpans waits until n spans of a name tell of an event.
func awaitSpans(t *testing.T, r *otlp.Receiver, n int, name, eventID string) []otlp.Span {
	t.Helper()
	require.Eventually(t, func() bool { return len(about(r, name, eventID)) >= n }, waitTimeout, 10*time.Millisecond, "want %d of %s", n, name)
	return about(r, name, eventID)
}

// tracedTarget is the webhook target with a header traceparent.
func tracedTarget(r *receiver) string {
	return strings.Replace(webhookTarget(r), "config: {", "config: {traceparent: true, ", 1)
}

// TestTraces follows events from the webhook to their targets: through a failed attempt, a
// replay, a group, a proof and a restart of the server.
func TestTraces(t *testing.T) {
	t.Parallel()

	databases(t, func(t *testing.T, url string) {
		r, endpoint, other := otlp.New(t), newReceiver(t), newReceiver(t)
		var asked atomic.Int32
		endpoint.setAnswer(func(delivered) int {
			if asked.Add(1) == 1 {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
		grouped := strings.Replace(webhookTarget(other), "ops:\n", "grouped:\n  group: {by: download, wait: 500ms, max_wait: 30s}\n", 1)
		srv, c := withSocket(t, settings{
			database: url, targets: tracedTarget(endpoint) + "\n" + grouped + "\nlibrary:\n  plugin: chaos\n  retry: {initial: 50ms}\n  config: {prove: 1}",
			routes: `- {name: everything, types: ["*"], when: 'event.media.title != "Movie 000002"', to: [ops]}
- {name: grouped, types: ["*"], when: 'event.media.title == "Movie 000002"', to: [grouped]}
- {name: proven, types: ["*"], when: 'event.media.title == "Movie 000001"', to: [library]}
- {name: told, types: ["library.*"], to: [ops]}`,
			plugins: ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"), filepath.Join(binaries, "hookarr-target-chaos")),
			top:     fmt.Sprintf("tracing: {endpoint: %q}", r.URL),
		})
		srv.start(sentAtOnce)
		const sender = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
		first := srv.postTraced(importBody(1), "00-"+sender+"-01")
		require.Equal(t, http.StatusAccepted, first.status)
		taken := endpoint.await(t, 2) // with what the library hands back

		accept := awaitSpans(t, r, 1, "hookarr.accept", first.id)[0]
		require.Equal(t, []string{sender}, accept.Links, "nobody said that the sender is trusted")
		require.Empty(t, accept.Parent)
		require.Equal(t, "radarr", accept.Attributes["hookarr.source"])
		require.Equal(t, int64(http.StatusAccepted), accept.Attributes["http.response.status_code"])
		require.Equal(t, int64(len(importBody(1))), accept.Attributes["http.request.body.size"])
		children := map[string]bool{}
		for _, s := range r.Spans("") {
			if s.Parent == accept.ID {
				require.Equal(t, accept.Trace, s.Trace)
				children[s.Name] = true
			}
		}
		require.Equal(t, map[string]bool{"hookarr.auth": true, "hookarr.decode": true, "hookarr.store": true}, children)

		to := func(target string, spans []otlp.Span) []otlp.Span {
			return slices.DeleteFunc(spans, func(s otlp.Span) bool { return s.Attributes["hookarr.target"] != target })
		}
		require.Eventually(t, func() bool { return len(to("ops", about(r, "hookarr.deliver", first.id))) == 2 }, waitTimeout, 10*time.Millisecond)
		attempts := to("ops", about(r, "hookarr.deliver", first.id))
		for i, s := range attempts {
			require.Equal(t, []string{accept.Ref()}, s.Links)
			require.NotEqual(t, accept.Trace, s.Trace)
			require.Equal(t, int64(i+1), s.Attributes["hookarr.attempt"])
			require.Equal(t, "media.imported", s.Attributes["hookarr.event.type"])
			require.Equal(t, i == 0, s.Failed)
		}
		require.Equal(t, "retryable", attempts[0].Attributes["hookarr.outcome"])
		require.Equal(t, int64(http.StatusServiceUnavailable), attempts[0].Attributes["http.response.status_code"])
		require.Equal(t, "ok", attempts[1].Attributes["hookarr.outcome"])
		require.True(t, slices.ContainsFunc(taken, func(d delivered) bool { return d.Header.Get("traceparent") == "00-"+attempts[1].Ref()+"-01" }))
		for _, s := range awaitSpans(t, r, 1, "hookarr.verify", first.id) {
			require.Equal(t, []string{accept.Ref()}, s.Links)
			require.Equal(t, "library", s.Attributes["hookarr.target"])
		}
		// What a target handed back is linked to the question that it answered.
		require.Eventually(t, func() bool {
			return slices.ContainsFunc(to("ops", r.Spans("hookarr.deliver")), func(s otlp.Span) bool {
				return s.Attributes["hookarr.event.type"] == "library.available" && slices.Equal(s.Links, []string{r.Spans("hookarr.verify")[0].Ref()})
			})
		}, waitTimeout, 10*time.Millisecond)

		// The story, and what was logged.
		told, err := srv.cli("events", "why", first.id)
		require.NoError(t, err, told)
		require.Contains(t, told, "Trace: "+accept.Trace+"\n")
		shown, err := srv.cli("events", "show", first.id, "--json")
		require.NoError(t, err, shown)
		require.Contains(t, shown, `"trace_id": "`+accept.Trace+`"`)
		require.Regexp(t, `"msg":"attempt failed[^\n]*"trace_id":"`+attempts[0].Trace+`"`, srv.log.String())
		require.Regexp(t, `"msg":"webhook"[^\n]*`+first.id+`[^\n]*"trace_id":"`+accept.Trace+`"`, srv.log.String())

		// What is replayed is linked to where it came in.
		_, err = c.ReplayEvents(t.Context(), admin.EventFilter{Source: "radarr", Type: sdk.TypeMediaImported}, admin.Replay{To: []string{"ops"}}, 1, "")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(to("ops", about(r, "hookarr.deliver", first.id))) == 3 }, waitTimeout, 10*time.Millisecond)
		replayed := to("ops", about(r, "hookarr.deliver", first.id))[2]
		require.Equal(t, []string{accept.Ref()}, replayed.Links)
		require.NotEqual(t, attempts[1].Attributes["hookarr.delivery.id"], replayed.Attributes["hookarr.delivery.id"])

		// Each event of a group.
		_, err = c.PauseTarget(t.Context(), "grouped", "it is open until both are there")
		require.NoError(t, err)
		body := importBody(2)
		second := srv.post(body)
		third := srv.post(bytes.Replace(body, []byte(`"movieFile": {"id": 2`), []byte(`"movieFile": {"id": 3`), 1))
		require.Equal(t, http.StatusAccepted, third.status, third.body)
		_, err = c.ResumeTarget(t.Context(), "grouped")
		require.NoError(t, err)
		together := awaitSpans(t, r, 1, "hookarr.deliver", second.id)[0]
		require.Equal(t, int64(2), together.Attributes["hookarr.events"])
		require.Equal(t, []string{
			awaitSpans(t, r, 1, "hookarr.accept", second.id)[0].Ref(), awaitSpans(t, r, 1, "hookarr.accept", third.id)[0].Ref(),
		}, together.Links)
		require.Empty(t, other.await(t, 1)[0].Header.Get("traceparent"), "nobody asked for it")

		// Senders who write nonsense.
		for i, nonsense := range []string{strings.Repeat("0", 10_000), "00-" + strings.Repeat("0", 32) + "-" + strings.Repeat("0", 16) + "-01", "00-zz-zz-01"} {
			a := srv.postTraced(importBody(10+i), nonsense)
			require.Equal(t, http.StatusAccepted, a.status, a.body)
			s := awaitSpans(t, r, 1, "hookarr.accept", a.id)[0]
			require.Empty(t, s.Links)
			require.Empty(t, s.Parent)
		}
		// Strangers make none.
		before := len(r.Spans("hookarr.accept"))
		require.Equal(t, http.StatusUnauthorized, postUnsigned(t, srv))

		// Another process delivers what this one took in.
		awaitNone(t, c, event.Pending)
		_, err = c.PauseTarget(t.Context(), "ops", "a test restarts")
		require.NoError(t, err)
		waiting := srv.post(importBody(20))
		require.Equal(t, http.StatusAccepted, waiting.status)
		require.NoError(t, srv.stop())
		require.Len(t, r.Spans("hookarr.accept"), before+1)
		require.Empty(t, about(r, "hookarr.deliver", waiting.id))
		srv.start(sentAtOnce)
		_, err = c.ResumeTarget(t.Context(), "ops")
		require.NoError(t, err)
		later := awaitSpans(t, r, 1, "hookarr.deliver", waiting.id)[0]
		require.Equal(t, []string{about(r, "hookarr.accept", waiting.id)[0].Ref()}, later.Links)
		require.NotEqual(t, accept.Resource["service.instance.id"], later.Resource["service.instance.id"])
		require.Equal(t, "hookarr", later.Resource["service.name"])
		require.NoError(t, srv.stop())
	})
}

func postUnsigned(t *testing.T, s *server) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.url+"/hooks/radarr", bytes.NewReader(importBody(30)))
	require.NoError(t, err)
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	return do(req).status
}

// TestTrustedSenderIsContinued: an event is a part of its sender's trace, whose plugin was
// away when it came.
func TestTrustedSenderIsContinued(t *testing.T) {
	t.Parallel()
	r, endpoint := otlp.New(t), newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: webhookTarget(endpoint), routes: everything,
		source: "trust_traceparent: true", top: fmt.Sprintf("tracing: {endpoint: %q, sample: 0}", r.URL),
	})
	srv.start(sentAtOnce, inTime)
	pid, ok := srv.pluginPID("hookarr-source-radarr")
	require.True(t, ok)
	suspend(t, pid) // the event is decoded later, by another process of the plugin
	a := srv.postTraced(importBody(1), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	require.Equal(t, http.StatusAccepted, a.status)
	unsampled := srv.post(importBody(2))
	require.Equal(t, http.StatusAccepted, unsampled.status)
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	endpoint.await(t, 2)
	accept := awaitSpans(t, r, 1, "hookarr.accept", a.id)[0]
	require.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", accept.Trace+"-"+accept.Parent)
	var decodes []otlp.Span
	require.Eventually(t, func() bool {
		decodes = slices.DeleteFunc(about(r, "hookarr.decode", a.id), func(s otlp.Span) bool { return s.Failed })
		return len(decodes) == 1
	}, waitTimeout, 10*time.Millisecond)
	require.Equal(t, []string{accept.Ref()}, decodes[0].Links)
	require.Equal(t, []string{accept.Ref()}, awaitSpans(t, r, 1, "hookarr.deliver", a.id)[0].Links)
	require.NoError(t, srv.stop())
	require.Len(t, r.Spans("hookarr.accept"), 1, "the sample is of those whose senders decide nothing")
	require.Empty(t, about(r, "hookarr.deliver", unsampled.id))
}

// TestTracesNobodyTakes cost no event, and one line.
func TestTracesNobodyTakes(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: tracedTarget(endpoint), routes: everything,
		top: fmt.Sprintf("tracing: {endpoint: \"http://%s\"}", testport.Addr(t)),
	})
	srv.start(sentAtOnce)
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	endpoint.await(t, 1)
	const line = "traces not sent: deliveries go on"
	srv.awaitCount(line, 1)
	for n := range 20 {
		require.Equal(t, http.StatusAccepted, srv.post(importBody(n+2)).status)
	}
	for _, d := range endpoint.await(t, 21) {
		require.NotEmpty(t, d.Header.Get("traceparent"))
	}
	require.NoError(t, srv.stop())
	require.Equal(t, 1, strings.Count(srv.log.String(), line))
	require.Len(t, endpoint.counts(), 21)
}

// TestNoTraces: without an endpoint nothing is kept, logged or sent.
func TestNoTraces(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	srv := newServer(t, settings{
		database: "sqlite://" + t.TempDir() + "/hookarr.db", targets: tracedTarget(endpoint), routes: everything, source: "trust_traceparent: true",
	})
	srv.start()
	a := srv.postTraced(importBody(1), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	require.Equal(t, http.StatusAccepted, a.status)
	require.Empty(t, endpoint.await(t, 1)[0].Header.Get("traceparent"))
	shown, err := srv.cli("events", "show", a.id, "--json")
	require.NoError(t, err, shown)
	require.NotContains(t, shown, "trace_id")
	told, err := srv.cli("events", "why", a.id)
	require.NoError(t, err, told)
	require.NotContains(t, told, "Trace:")
	require.NoError(t, srv.stop())
	require.NotContains(t, srv.log.String(), "trace_id")
}
