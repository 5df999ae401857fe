package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/examples/payloads"
	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/internal/fakearr"
	"github.com/hookarr/hookarr/internal/testpg"
	"github.com/hookarr/hookarr/internal/testport"
)

// newcomer is somebody in a new directory who has read the first screen of the README. The
// address alone is another than there, so that tests can run side by side.
type newcomer struct {
	*server
	dir string
	env []string
	// admin is where the pages and the health are.
	admin string
}

func newNewcomer(t *testing.T, env ...string) *newcomer {
	t.Helper()
	dir, addr, admin := t.TempDir(), testport.Addr(t), testport.Addr(t)
	return &newcomer{
		server: serverOn(t, filepath.Join(dir, "hookarr.yaml"), addr), dir: dir, admin: "http://" + admin,
		env: append(env, "HOOKARR_LISTEN="+addr, "HOOKARR_ADMIN_LISTEN="+admin),
	}
}

func (n *newcomer) awaitReady() {
	n.t.Helper()
	require.Eventually(n.t, func() bool {
		resp, err := http.Get(n.admin + "/readyz")
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode == http.StatusOK
	}, waitTimeout, 20*time.Millisecond, "server is not ready")
}

// hookarr is a command as it is typed.
func (n *newcomer) hookarr(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(binaries, "hookarr"), args...)
	cmd.Dir = n.dir
	cmd.Env = append(os.Environ(), n.env...)
	return cmd
}

func (n *newcomer) run(args ...string) string {
	n.t.Helper()
	out, err := n.hookarr(args...).CombinedOutput()
	require.NoError(n.t, err, "%s", out)
	return string(out)
}

func (n *newcomer) serve() {
	n.t.Helper()
	n.cmd = n.hookarr("serve")
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	require.NoError(n.t, n.cmd.Start())
	n.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(n.cmd, n.done)
}

// TestTwoCommandsAndNoEdit is what the README promises.
func TestTwoCommandsAndNoEdit(t *testing.T) {
	t.Parallel()
	discord := &endpoint.Discord{}
	web := httptest.NewServer(discord)
	t.Cleanup(web.Close)
	n := newNewcomer(t)
	await := func(messages int) []endpoint.DiscordMessage {
		// A message waits some seconds for what else its download brings.
		require.Eventually(t, func() bool { return len(discord.Messages()) >= messages }, waitTimeout, 10*time.Millisecond)
		require.Empty(t, discord.Refused())
		require.Len(t, discord.Messages(), messages)
		return discord.Messages()
	}

	n.run("init", "--discord", discord.URL(web.URL))
	n.serve()
	told := asJSON(t, await(1))[0]
	require.Contains(t, told, "Hookarr is connected")
	require.Contains(t, told, "Events of radarr arrive here from now on.")
	n.awaitReady()
	require.NotContains(t, n.log.String(), "level=ERROR")

	out := n.run("send", "radarr", "--sample", "import")
	require.Contains(t, out, "stored")
	require.Contains(t, asJSON(t, await(2))[1], "Sintel")

	// Once in the life of the database.
	require.NoError(t, n.stop())
	n.serve()
	n.awaitReady()
	n.run("send", "radarr", "--sample", "test")
	require.NotContains(t, asJSON(t, await(3))[2], "Hookarr is connected")
}

// TestTwoCommandsThenConnect: the application's own test is the next thing in the channel,
// on a server's database too.
func TestTwoCommandsThenConnect(t *testing.T) {
	t.Parallel()
	discord := &endpoint.Discord{}
	web := httptest.NewServer(discord)
	t.Cleanup(web.Close)
	arr := fakearr.New(fakearr.Sonarr, fakearr.Options{})
	api := httptest.NewServer(arr)
	t.Cleanup(api.Close)
	n := newNewcomer(t, "HOOKARR_DATABASE_URL="+testpg.New(t))

	n.run("init", "--discord", discord.URL(web.URL), "--app", "sonarr="+api.URL+","+arr.APIKey())
	n.serve()
	n.awaitReady()
	require.Contains(t, n.run("connect", "sonarr"), "its test arrived as")
	require.Eventually(t, func() bool { return len(discord.Messages()) == 2 }, waitTimeout, 10*time.Millisecond)
	require.Contains(t, asJSON(t, discord.Messages())[0], "Hookarr is connected")
	require.Contains(t, asJSON(t, discord.Messages())[1], "Sonarr")
}

var accepted = regexp.MustCompile(`\b202\b`)

// TestSamplesOfEveryApplication are understood by the plugins.
func TestSamplesOfEveryApplication(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	plugins := []string{"radarr", "sonarr", "lidarr", "whisparr", "readarr", "prowlarr"}
	args := []string{"init", "--webhook", "http://" + testport.Addr(t) + "/"}
	for _, p := range plugins {
		args = append(args, "--app", p)
	}
	n.run(args...)
	config, err := os.ReadFile(n.config)
	require.NoError(t, err)
	generic := "sources:\n  generic:\n    plugin: generic\n    auth: [{none: {}}]\n" +
		"    config: {type_path: notification_type, title_path: subject, types: {MEDIA_PENDING: manual_interaction.required, " +
		"MEDIA_APPROVED: media.added, MEDIA_AVAILABLE: media.imported, MEDIA_FAILED: download.failed, TEST_NOTIFICATION: test}}"
	require.NoError(t, os.WriteFile(n.config, []byte(strings.Replace(string(config), "sources:", generic, 1)), 0o600))
	n.serve()
	n.awaitReady()
	for _, plugin := range append(plugins, "generic") {
		samples, err := payloads.Of(plugin)
		require.NoError(t, err)
		require.NotEmpty(t, samples)
		require.Len(t, accepted.FindAllString(n.run("send", plugin, "--sample", "all"), -1), len(samples), plugin)
		var events []struct{ Type, State, Title string }
		require.NoError(t, json.Unmarshal([]byte(n.run("events", "list", "--source", plugin, "--limit", "100", "--json")), &events))
		require.Len(t, events, len(samples), plugin)
		for _, e := range events {
			require.Equal(t, "routed", e.State, "%s %+v", plugin, e)
			require.NotEqual(t, "unknown", e.Type, "%s %+v", plugin, e)
			require.NotEmpty(t, e.Title)
		}
	}
}

// TestCommandsMeanTheSameFromEverywhere: above all, a pinned plugin is pinned.
func TestCommandsMeanTheSameFromEverywhere(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	n.run("init", "--webhook", "http://"+testport.Addr(t)+"/")
	config, err := os.ReadFile(n.config)
	require.NoError(t, err)
	own := ownPlugins(t, pluginFile("source-radarr"), pluginFile("target-webhook"))
	require.NoError(t, os.Rename(own, filepath.Join(n.dir, "plugins")))
	shipped := fmt.Sprintf("plugins: {dir: %q}", filepath.Join(binaries, "plugins"))
	require.Contains(t, string(config), shipped, "init finds the plugins beside the program")
	require.NoError(t, os.WriteFile(n.config, []byte(strings.Replace(string(config), shipped, "plugins: {dir: ./plugins}", 1)), 0o600))
	n.run("plugins", "lock")

	file := filepath.Join(n.dir, "plugins", "hookarr-target-webhook")
	binary, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.WriteFile(file, append(binary, 0), 0o755))
	require.NoError(t, os.Chmod(file, 0o755))
	elsewhere := n.hookarr("check", "--config", n.config)
	elsewhere.Dir = t.TempDir()
	out, err := elsewhere.CombinedOutput()
	require.Error(t, err, "%s", out)
	require.Contains(t, string(out), filepath.Join(n.dir, "plugins.lock")+" pins")
}
