package compat

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/pluginhost"
	"github.com/hookarr/hookarr/internal/testbuild"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// buildV1 builds programs of the frozen module into a directory, under the names given.
func buildV1(t *testing.T, programs map[string]string) (dir string) {
	t.Helper()
	dir = pluginDir(t)
	for program, name := range programs {
		goBuild(t, "v1", "./"+program, filepath.Join(dir, name))
	}
	return dir
}

// pluginDir is an empty directory that plugins may be started from.
func pluginDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// goBuild builds a package of the module in a directory.
func goBuild(t *testing.T, module, pkg, to string) {
	t.Helper()
	require.NoError(t, testbuild.Program(t.Context(), module, pkg, to))
}

// sink is an endpoint that keeps what it gets and answers with a status.
func sink(t *testing.T, status int) (url string, requests <-chan *http.Request, bodies <-chan string) {
	t.Helper()
	r, b := make(chan *http.Request, 100), make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		w.WriteHeader(status)
		r <- req
		b <- string(body)
	}))
	t.Cleanup(server.Close)
	return server.URL, r, b
}

func instance(kind host.Kind, plugin, name, config string) pluginhost.Instance {
	return pluginhost.Instance{Kind: kind, Plugin: plugin, Name: name, Config: json.RawMessage(config)}
}

func TestFirstTargetUnderThisHost(t *testing.T) {
	t.Parallel()
	dir := buildV1(t, map[string]string{"target": "hookarr-target-old"})
	url, requests, bodies := sink(t, http.StatusOK)
	refusing, _, _ := sink(t, http.StatusTeapot)
	good := instance(host.KindTarget, "old", "good", `{"url": "`+url+`"}`)

	checked := newHost(t, dir).Check(t.Context(), []pluginhost.Instance{
		instance(host.KindTarget, "old", "bare", `{}`), instance(host.KindTarget, "old", "odd", `{"url": "x", "ulr": "y"}`), good,
	})
	require.Equal(t, []pluginhost.Problem{
		{Kind: host.KindTarget, Plugin: "old", Instance: "bare", Key: "url", Message: "is required"},
		{Kind: host.KindTarget, Plugin: "old", Instance: "odd", Message: `json: unknown field "ulr"`},
	}, checked.Problems)
	d, ok := checked.Describe(host.KindTarget, "old")
	require.True(t, ok)
	require.Equal(t, []sdk.Feature{sdk.FeatureGroup, sdk.FeatureTest, sdk.FeatureEdit}, d.Features)
	require.Equal(t, sdk.Defaults{Concurrency: 2, Rate: 50, Burst: 5}, d.Defaults)
	require.Equal(t, "0.1.0", d.SDKVersion)

	h := startHost(t, dir, good, instance(host.KindTarget, "old", "refusing", `{"url": "`+refusing+`"}`))
	o := h.Deliver(t.Context(), "good", delivery("first"), false)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, sdk.Receipt{
		Status: http.StatusOK, MessageID: "message-first", State: []byte("state of first"), Limit: &sdk.Limit{Remaining: 3, ResetAfter: time.Second},
	}, o.Receipt)
	require.Equal(t, "first", (<-requests).Header.Get("Idempotency-Key"))
	require.JSONEq(t, string(event("first")), <-bodies)

	edit := delivery("second")
	edit.Events, edit.Previous = append(edit.Events, event("more")), &o.Receipt
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "good", edit, false).Class)
	require.Equal(t, "message-first", (<-requests).Header.Get("Replaces"))
	require.Len(t, strings.Split(<-bodies, "\n"), 2)

	o = h.Deliver(t.Context(), "refusing", delivery("refused"), false)
	require.Equal(t, sdk.ClassPermanent, o.Class)
	require.Equal(t, "the endpoint answered 418", o.Message)

	o, err := h.Test(t.Context(), "good", nil)
	require.NoError(t, err)
	require.Equal(t, sdk.ClassOK, o.Class)
	// Powers that came later are missing, and nothing more.
	_, err = h.Preview(t.Context(), "good", delivery("preview"))
	require.ErrorIs(t, err, host.ErrUnsupported)
	_, err = h.Folders(t.Context(), host.KindTarget, "good", sdk.FoldersQuery{})
	require.ErrorIs(t, err, host.ErrUnsupported)
	o = h.Verify(t.Context(), "good", delivery("first"), sdk.Receipt{}, false, false)
	require.Equal(t, sdk.ClassOK, o.Class)

	pid := h.Status()[0].PID
	require.NoError(t, h.Reload(t.Context(), host.KindTarget, "old"))
	require.NotEqual(t, pid, h.Status()[0].PID, "replaced")
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "good", delivery("after"), false).Class)
	pid = h.Status()[0].PID
	require.NoError(t, h.Stop(t.Context()))
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.NotContains(t, h.log.String(), `"level":"ERROR"`)
}

func TestFirstPluginIsHealthy(t *testing.T) {
	t.Parallel()
	dir := buildV1(t, map[string]string{"target": "hookarr-target-old"})
	h := newHostWith(t, dir, pluginhost.Timing{Health: 20 * time.Millisecond})
	require.NoError(t, h.Start(t.Context(), []pluginhost.Instance{instance(host.KindTarget, "old", "good", `{"url": "http://127.0.0.1:1"}`)}))
	require.Eventually(t, func() bool {
		return h.Status()[0].Warnings["old"] == "a plugin of the first version"
	}, waitTimeout, pollInterval)
	require.Equal(t, pluginhost.Ready, h.Status()[0].State)
}

func TestFirstSourceUnderThisHost(t *testing.T) {
	t.Parallel()
	dir := buildV1(t, map[string]string{"source": "hookarr-source-old"})
	h := startHost(t, dir, instance(host.KindSource, "old", "app", `{"prefix": "The "}`))
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	request := func(body string) sdk.Request {
		return sdk.Request{ID: "event-1", Method: http.MethodPost, Body: []byte(body), ReceivedAt: at}
	}
	d, err := h.Decode(t.Context(), "app", request(`{"title": "Film"}`))
	require.NoError(t, err)
	require.JSONEq(t, `{
		"id": "event-1", "source": "app", "origin": "webhook", "time": "2026-11-23T10:00:00Z", "app": "old", "type": "media.imported",
		"title": "The Film", "summary": "Imported Film", "fingerprint": "old:Film"
	}`, string(d.JSON))
	require.Equal(t, sdk.TypeMediaImported, d.Event.Type)
	d, err = h.Decode(t.Context(), "app", request(`{}`))
	require.NoError(t, err)
	require.Equal(t, "no title", d.Skip)
	d, err = h.Decode(t.Context(), "app", request(`<xml>`))
	require.NoError(t, err)
	require.Equal(t, "is no JSON", d.Invalid)

	past, err := h.History(t.Context(), "app", sdk.HistoryQuery{Since: at, Until: at.Add(time.Hour), Limit: 10})
	require.NoError(t, err)
	require.Len(t, past.Events, 1)
	require.Equal(t, "old:past", past.Events[0].Event.Fingerprint)
	_, err = h.Snapshot(t.Context(), "app", sdk.SnapshotQuery{Limit: 10})
	require.ErrorIs(t, err, host.ErrUnsupported)
	_, err = h.Connect(t.Context(), "app", sdk.ConnectRequest{})
	require.ErrorIs(t, err, host.ErrUnsupported)
}

// TestTheseUnderFirstHost runs plugins of today under the first host, and under one that
// says more than this contract has.
func TestTheseUnderFirstHost(t *testing.T) {
	t.Parallel()
	dir := buildV1(t, map[string]string{"host": "host"})
	root := filepath.Join("..", "..")
	target, source := filepath.Join(dir, "hookarr-target-webhook"), filepath.Join(dir, "hookarr-source-radarr")
	require.NoError(t, testbuild.Plugins(t.Context(), dir, "target-webhook", "source-radarr"))
	body, err := os.ReadFile(filepath.Join(root, "examples", "payloads", "radarr", "import.json"))
	require.NoError(t, err)

	for _, later := range [][]string{nil, {"later"}} {
		t.Run(strings.Join(append([]string{"host"}, later...), " "), func(t *testing.T) {
			t.Parallel()
			url, requests, bodies := sink(t, http.StatusNoContent)
			said := underFirstHost(t, dir, append([]string{target, `{"url": "` + url + `"}`, string(event("Film"))}, later...)...)
			require.Equal(t, "webhook", said.Describe.Name)
			require.Equal(t, 1, said.Describe.ProtocolVersion)
			require.Contains(t, said.Refused.Problems, problem{"mine", "nonsense", "is an unknown key"})
			require.Contains(t, said.Refused.Problems, problem{"mine", "url", "is required"})
			require.Empty(t, said.Configured.Problems)
			require.Equal(t, "CLASS_OK", said.Delivered.Class, said.Delivered.Message)
			require.Equal(t, "CLASS_OK", said.Tested.Outcome.Class, said.Tested.Outcome.Message)
			require.Equal(t, "delivery-1", (<-requests).Header.Get("Webhook-Id"))
			require.Contains(t, <-bodies, `"title":"Film"`)

			said = underFirstHost(t, dir, append([]string{source, `{}`, string(body)}, later...)...)
			require.Empty(t, said.Configured.Problems)
			require.Equal(t, "event-1", said.Event.ID)
			require.Equal(t, "mine", said.Event.Source)
			require.NotEmpty(t, said.Event.Title)
			require.NotEmpty(t, said.Event.Fingerprint)
		})
	}
}

type problem struct{ Instance, Key, Message string }

// answers are what the first host prints.
type answers struct {
	Describe struct {
		Name            string
		ProtocolVersion int
	}
	Refused, Configured struct{ Problems []problem }
	Delivered           outcome
	Tested              struct{ Outcome outcome }
	Event               sdk.Event
}

type outcome struct{ Class, Message string }

// underFirstHost runs a plugin under the first host, which ends it.
func underFirstHost(t *testing.T, dir string, args ...string) answers {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "host"), args...)
	out, err := cmd.Output()
	if exit := (&exec.ExitError{}); errors.As(err, &exit) {
		require.NoError(t, err, "%s", exit.Stderr)
	}
	require.NoError(t, err)
	var said answers
	require.NoError(t, json.Unmarshal(out, &said), "%s", out)
	return said
}

// TestLaterTargetUnderThisHost: what a later version adds is no trouble, and no secret.
func TestLaterTargetUnderThisHost(t *testing.T) {
	t.Parallel()
	dir := buildV1(t, map[string]string{"newer": "hookarr-target-newer"})
	h := startHost(t, dir, instance(host.KindTarget, "newer", "ops", `{"url": "x"}`))
	require.Equal(t, sdk.ClassOK, h.Deliver(t.Context(), "ops", delivery("event"), false).Class)
	o := h.Deliver(t.Context(), "ops", delivery("later class"), false)
	require.Equal(t, sdk.ClassRetryable, o.Class)
	require.Equal(t, "of a later version", o.Message)
	_, err := h.Test(t.Context(), "ops", nil)
	require.NoError(t, err)

	d, ok := h.Describe(host.KindTarget, "newer")
	require.True(t, ok)
	require.Equal(t, []sdk.Feature{sdk.FeatureTest, "3700"}, d.Features)
	require.False(t, pluginhost.Uses("3700"))
	require.Equal(t, []string{"uses feature 3700, which this Hookarr does not know: it works without it; update Hookarr to have it"}, pluginhost.Unknown(d.Features))
}

// TestFirstAuthorsSource compiles what the guide showed authors first, with today's SDK, and
// runs it.
func TestFirstAuthorsSource(t *testing.T) {
	t.Parallel()
	url, requests, bodies := sink(t, http.StatusNoContent)
	dir := pluginDir(t)
	for program, name := range map[string]string{"target": "hookarr-target-discord", "source": "hookarr-source-sample"} {
		goBuild(t, authorsModule(t, program), ".", filepath.Join(dir, name))
	}
	h := startHost(t, dir,
		instance(host.KindTarget, "discord", "chat", `{"webhook_url": "`+url+`", "timeout": "5s", "headers": {"X-Key": "value"}}`),
		instance(host.KindSource, "sample", "app", `{}`),
	)
	o := h.Deliver(t.Context(), "chat", delivery("Film"), false)
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, "value", (<-requests).Header.Get("X-Key"))
	require.JSONEq(t, `{"content": "Film"}`, <-bodies)
	d, err := h.Decode(t.Context(), "app", sdk.Request{ID: "e", Body: []byte(`{"event": "import", "title": "Film", "id": "7"}`), ReceivedAt: time.Now()})
	require.NoError(t, err)
	require.Equal(t, "import:7", d.Event.Fingerprint)

	checked := h.Check(t.Context(), []pluginhost.Instance{instance(host.KindTarget, "discord", "bad", `{"webhook_url": "`+url+`", "method": "PUT", "retries": 3}`)})
	require.Equal(t, []pluginhost.Problem{{Kind: host.KindTarget, Plugin: "discord", Instance: "bad", Key: "retries", Message: "needs method POST"}}, checked.Problems)
}

// TestFirstAuthorsTests compiles and runs the tests that the guide showed authors first.
func TestFirstAuthorsTests(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "test", ".")
	cmd.Dir = authorsModule(t, "target")
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// authorsModule makes a module of an author's program, as the example's, which needs the SDK
// and nothing else.
func authorsModule(t *testing.T, program string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "author", program))))
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	require.NoError(t, err)
	for _, f := range files {
		require.NoError(t, os.Rename(f, strings.TrimSuffix(f, ".txt")))
	}
	example := filepath.Join("..", "..", "examples", "plugin-target-file")
	sdkDir, err := filepath.Abs(filepath.Join("..", "..", "sdk"))
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(example, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(example, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(strings.Replace(string(mod), "=> ../../sdk", "=> "+sdkDir, 1)), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
	return dir
}
