package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

// author is somebody who writes a plugin in a new directory, with hookarr on the PATH.
type author struct {
	t     *testing.T
	dir   string
	begun time.Time
}

func newAuthor(t *testing.T) *author {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	return &author{t: t, dir: t.TempDir(), begun: time.Now()}
}

// follows types the commands of a block of the guide's chapter. Plugins go into a directory of
// the test.
func (a *author) follows(block int, plugins string) {
	a.t.Helper()
	chapter := guideChapter(a.t)
	blocks := strings.Split(chapter, "```sh\n")
	require.Greater(a.t, len(blocks), block)
	commands, _, _ := strings.Cut(blocks[block], "```")
	for line := range strings.Lines(commands) {
		line = strings.TrimSpace(line)
		if dir, ok := strings.CutPrefix(line, "cd "); ok {
			a.dir = filepath.Join(a.dir, dir)
			continue
		}
		a.types(strings.Replace(line, "/usr/lib/hookarr/plugins", plugins, 1))
	}
}

func guideChapter(t *testing.T) string {
	t.Helper()
	guide, err := os.ReadFile("../../PLUGINS.md")
	require.NoError(t, err)
	_, chapter, ok := strings.Cut(string(guide), "## 2. A plugin in five minutes")
	require.True(t, ok)
	chapter, _, ok = strings.Cut(chapter, "## 3. ")
	require.True(t, ok)
	return chapter
}

// types runs a line as a shell does.
func (a *author) types(line string) {
	a.t.Helper()
	begun := time.Now()
	cmd := exec.CommandContext(a.t.Context(), "sh", "-c", line)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "PATH="+binaries+":"+os.Getenv("PATH"), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	require.NoError(a.t, err, "%s\n%s", line, out)
	a.t.Logf("%5.1f s  %s\n%s", time.Since(begun).Seconds(), line, out)
}

// configures adds the configuration that a page has to that of a running server, with some
// words replaced, and waits until it is in use.
func (a *author) configures(srv *server, page string, replace ...string) {
	a.t.Helper()
	begun := time.Now()
	_, block, ok := strings.Cut(page, "```yaml\n")
	require.True(a.t, ok)
	block, _, _ = strings.Cut(block, "```")
	block = strings.NewReplacer(replace...).Replace(block)
	require.LessOrEqual(a.t, strings.Count(block, "\n"), 6)
	first, routes, ok := strings.Cut(block, "routes:\n")
	require.True(a.t, ok)
	section, first, ok := strings.Cut(first, "\n")
	require.True(a.t, ok)
	srv.rewrite(func(old string) string {
		old = strings.Replace(old, "\n"+section+"\n", "\n"+section+"\n"+first, 1)
		return strings.Replace(old, "\nroutes:\n", "\nroutes:\n"+routes, 1)
	})
	srv.awaitCount(reloaded, 1)
	a.t.Logf("%5.1f s  until this is in use:\n%s", time.Since(begun).Seconds(), block)
}

// TestPluginInFiveMinutes is what the guide promises: a target from nothing to its first
// event, at a server that runs on.
func TestPluginInFiveMinutes(t *testing.T) {
	t.Parallel()
	taken := make(chan []byte, 10)
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		taken <- body
	}))
	t.Cleanup(web.Close)
	own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
	srv := newServer(t, settings{database: sqliteURL(t), targets: webhookTarget(newReceiver(t)), routes: everything, plugins: own})
	srv.start()
	a := newAuthor(t)

	a.follows(1, own)
	a.configures(srv, guideChapter(t), "http://127.0.0.1:8080/", web.URL)
	begun := time.Now()
	require.Equal(t, http.StatusAccepted, srv.post(importBody(1)).status)
	var got struct{ ID, Type, Title string }
	select {
	case body := <-taken:
		require.NoError(t, json.Unmarshal(body, &got), "%s", body)
	case <-time.After(waitTimeout):
		require.FailNow(t, "no event arrived")
	}
	require.Equal(t, []string{"media.imported", titleOf(1)}, []string{got.Type, got.Title})
	require.NotEmpty(t, got.ID)
	t.Logf("%5.3f s  from the webhook to the endpoint", time.Since(begun).Seconds())
	out, err := srv.cli("targets", "test", "demo")
	require.NoError(t, err, out)
	require.True(t, srv.running(), "the same process")
	t.Logf("%5.1f s  in all", time.Since(a.begun).Seconds())
}

// TestSourceFromABody does the same for a source that begins from a body of an application
// for which there is no plugin yet.
func TestSourceFromABody(t *testing.T) {
	t.Parallel()
	endpoint := newReceiver(t)
	own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
	srv := newServer(t, settings{database: sqliteURL(t), targets: webhookTarget(endpoint), routes: everything, plugins: own})
	srv.start()
	a := newAuthor(t)
	body, err := os.ReadFile("../../examples/payloads/generic/approved.json")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(a.dir, "body.json"), body, 0o600))

	a.follows(2, own)
	readme, err := os.ReadFile(filepath.Join(a.dir, "README.md"))
	require.NoError(t, err)
	a.configures(srv, string(readme), "change-me", sourceSecret, "[chat]", "[ops]")
	begun := time.Now()
	req, err := http.NewRequest(http.MethodPost, srv.url+"/hooks/requests", bytes.NewReader(body))
	require.NoError(t, err)
	req.SetBasicAuth("requests", sourceSecret)
	got := do(req)
	require.Equal(t, http.StatusAccepted, got.status, got.body)
	var event sdk.Event
	require.Eventually(t, func() bool {
		for _, d := range endpoint.all() {
			event = d.Event
		}
		return event.Source == "requests"
	}, waitTimeout, 10*time.Millisecond)
	require.Equal(t, []string{"requests", "MEDIA_APPROVED", "Sintel (2010)", "request.request_id:12"},
		[]string{event.App, event.NativeType, event.Title, event.CorrelationKey}, fmt.Sprint(event))
	t.Logf("%5.3f s  from the webhook to the endpoint", time.Since(begun).Seconds())
	require.True(t, srv.running(), "the same process")
	t.Logf("%5.1f s  in all", time.Since(a.begun).Seconds())
}
