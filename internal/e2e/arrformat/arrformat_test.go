// Package arrformat runs the built plugins to prove that what target-webhook sends as
// the format arr is what the applications send.
package arrformat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/internal/testbuild"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

const root = "../../.."

func applications() []string {
	return []string{"radarr", "sonarr", "lidarr", "readarr", "whisparr", "prowlarr"}
}

// loop is the plugins as processes: a source for each application, and a target that
// posts to a receiver in the format arr.
type loop struct {
	plugins *pluginhost.Host

	mu   sync.Mutex
	last sdk.Request
}

func newLoop(t *testing.T) *loop {
	t.Helper()
	l := &loop{}
	receiver := httptest.NewServer(l)
	t.Cleanup(receiver.Close)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	require.NoError(t, testbuild.Plugins(t.Context(), dir))
	instances := []pluginhost.Instance{{
		Kind: host.KindTarget, Plugin: "webhook", Name: "arr",
		Config: json.RawMessage(fmt.Sprintf(`{"url": %q, "format": "arr"}`, receiver.URL)),
	}}
	for _, app := range applications() {
		instances = append(instances, pluginhost.Instance{Kind: host.KindSource, Plugin: app, Name: app, Config: json.RawMessage(`{}`)})
	}
	l.plugins = pluginhost.New(pluginhost.Options{Dirs: []string{dir}})
	require.NoError(t, l.plugins.Start(t.Context(), instances))
	t.Cleanup(func() { require.NoError(t, l.plugins.Stop(context.Background())) })
	return l
}

func (l *loop) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // A body that breaks off does not decode.
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = sdk.Request{ID: "2", Method: r.Method, Header: r.Header, Body: body, ReceivedAt: time.Unix(2, 0)}
}

func (l *loop) decode(t *testing.T, app string, r sdk.Request) (sdk.Event, json.RawMessage, bool) {
	t.Helper()
	decoded, err := l.plugins.Decode(t.Context(), app, r)
	require.NoError(t, err)
	var e sdk.Event
	if decoded.Event == nil {
		return e, nil, false
	}
	require.NoError(t, json.Unmarshal(decoded.JSON, &e))
	return e, decoded.JSON, true
}

// around delivers an event and decodes what was sent. Only the originating webhook tells the
// rest: its time and id.
func (l *loop) around(t *testing.T, app string, event json.RawMessage) (sdk.Event, []byte) {
	t.Helper()
	outcome := l.plugins.Deliver(t.Context(), "arr", host.Delivery{ID: "1", Attempt: 1, Events: []json.RawMessage{event}}, false)
	require.Equal(t, sdk.ClassOK, outcome.Class, outcome.Message)
	l.mu.Lock()
	sent := l.last
	l.mu.Unlock()
	require.Equal(t, "application/json", sent.Header.Get("Content-Type"))
	again, _, ok := l.decode(t, app, sent)
	require.True(t, ok, "%s", sent.Body)
	return again, sent.Body
}

// bodies are the webhooks that the sources' own tests have, those of the examples, and
// what was captured, where that is at hand.
func bodies(t *testing.T, app string) map[string]sdk.Request {
	t.Helper()
	captured := os.Getenv("HOOKARR_PAYLOADS")
	if captured == "" {
		captured = filepath.Join(root, "../shared/payloads")
	}
	all := map[string]sdk.Request{}
	for _, pattern := range []string{
		filepath.Join(root, "plugins", "source-"+app, "testdata", "*.json"),
		filepath.Join(root, "examples", "payloads", app, "*.json"),
		filepath.Join(captured, app+"*__*.json"),
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, ".golden.json") {
				continue
			}
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			header := http.Header{"User-Agent": {strings.ToUpper(app[:1]) + app[1:] + "/4.0.1.2 (alpine 3.22.1)"}}
			all[file] = sdk.Request{ID: "1", Method: http.MethodPost, Header: header, Body: body, ReceivedAt: time.Unix(1, 0)}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// TestRoundTrip sends the events of every webhook there is in the format arr, and wants
// the source plugin to read the same events from what was sent: of every type that it
// makes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	l := newLoop(t)
	for _, app := range applications() {
		l.testApplication(t, app)
	}
}

func (l *loop) testApplication(t *testing.T, app string) {
	t.Helper()
	seen := map[sdk.Type]bool{}
	for file, request := range bodies(t, app) {
		event, data, ok := l.decode(t, app, request)
		if !ok {
			continue // another application's, or none
		}
		seen[event.Type] = true
		again, sent := l.around(t, app, data)
		require.Equal(t, asText(t, carried(event)), asText(t, carried(again)), "%s\n%s", file, sent)

		// What came by another way may lack the application's own word, without which
		// nobody knows what is unknown, or which of artist and album was deleted.
		if event.Type == sdk.TypeUnknown || event.Type == sdk.TypeMediaDeleted {
			continue
		}
		missed := event
		missed.Origin, missed.NativeType = sdk.OriginCatchup, ""
		data, err := json.Marshal(missed)
		require.NoError(t, err)
		again, sent = l.around(t, app, data)
		require.Equal(t, asText(t, carried(event)), asText(t, carried(again)), "%s\n%s", file, sent)
	}
	made, ok := l.plugins.Describe(host.KindSource, app)
	require.True(t, ok)
	for _, e := range made.EventTypes {
		require.True(t, seen[e.Type] || unheardOf(app, e.Type), "%s: no body makes %s", app, e.Type)
	}
}

// unheardOf are types that a source lists and no webhook of today makes.
func unheardOf(app string, t sdk.Type) bool {
	switch app {
	case "whisparr":
		return t == sdk.TypeImportCompleted
	case "readarr":
		return t == sdk.TypeFileDeletedForUpgrade || t == sdk.TypeHealthRestored
	default:
		return false
	}
}

func asText(t *testing.T, e sdk.Event) string {
	t.Helper()
	data, err := json.MarshalIndent(e, "", "  ")
	require.NoError(t, err)
	return string(data)
}

// carried is an event without what each decoding gives anew, and without what an event
// has from a part of the webhook that is not in it.
func carried(e sdk.Event) sdk.Event {
	e.ID, e.Time = "", time.Time{}
	// Old versions do not say what they are called; the format does.
	if e.Instance == "" {
		e.Instance = strings.ToUpper(e.App[:1]) + e.App[1:]
	}
	e.NativeType = strings.ToLower(e.NativeType)
	switch e.Type { //nolint:exhaustive // The others have it from what happened alone.
	case sdk.TypeMediaAdded, sdk.TypeMediaDeleted, sdk.TypeHealthIssue, sdk.TypeHealthRestored, sdk.TypeAppUpdated:
		e.Fingerprint = "" // It has the application's URL as somebody typed it.
	}
	switch {
	case e.App == "readarr" && e.Type == sdk.TypeReleaseGrabbed && e.Media.Kind == "author":
		e.Title, e.Summary, e.Fingerprint = "", "", "" // The books are in the title alone.
	case e.App == "prowlarr" && e.Type == sdk.TypeReleaseGrabbed:
		e.Summary, e.Fingerprint = "", "" // They have the application that asked for the release.
	case e.App == "prowlarr" && e.Type == sdk.TypeUnknown:
		e.Title, e.Summary = "", "" // They have a release that is of no grab.
	}
	return e
}
