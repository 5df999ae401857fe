package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

// What flags ask for needs no edit.
func TestInitWithFlags(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	r := run(t, "init", "--config", file,
		"--discord", "https://discord.com/api/webhooks/1/to-KEN", "--discord", "https://discord.com/api/webhooks/2/${TOKEN}",
		"--slack", "https://hooks.slack.com/services/T/B/X", "--telegram", "123456789:to-KEN", "--telegram-chat", "-1001234567890",
		"--ntfy", "https://ntfy.sh/Xb4tQ9", "--ntfy", "http://nas:80/push/home_1", "--webhook", "http://127.0.0.1:9900/?a=%22b'&c",
		"--app", "radarr=http://nas:7878,0123456789abcdef", "--app", "radarr-4k", "--app", "prowlarr=http://nas:9696", "--app", "sonarr=http://nas:8989,fedcba9876543210",
		"--external-url", "http://hookarr:9000")
	require.Zero(t, r.code, r.err)
	require.Empty(t, r.err)
	golden(t, "init-flags.txt", strings.ReplaceAll(r.out, file, "hookarr.yaml"))

	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode(), "flags were secrets")
	cfg, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	require.Empty(t, cfg.Warnings)
	require.Equal(t, ":9000", cfg.Listen)
	require.Equal(t, "http://hookarr:9000", cfg.ExternalURL)
	require.Equal(t, []string{"prowlarr", "radarr", "radarr-4k", "sonarr"}, sourceNames(cfg))
	require.Equal(t, map[string]any{"base_url": "http://nas:7878", "api_key": "0123456789abcdef"}, cfg.Sources["radarr"].Config)
	require.Nil(t, cfg.Sources["radarr-4k"].Config)
	require.Equal(t, "radarr", cfg.Sources["radarr-4k"].Plugin)
	require.Equal(t, map[string]any{"application_url": "http://nas:9696"}, cfg.Sources["prowlarr"].Config)
	require.NotEqual(t, cfg.Sources["radarr"].Auth, cfg.Sources["sonarr"].Auth, "each has secrets of its own")
	require.Equal(t, map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/to-KEN"}, cfg.Targets["chat"].Config)
	require.Equal(t, map[string]any{"webhook_url": "https://discord.com/api/webhooks/2/${TOKEN}"}, cfg.Targets["chat-2"].Config, "it means itself")
	require.Equal(t, "slack", cfg.Targets["team"].Plugin)
	require.Equal(t, map[string]any{"bot_token": "123456789:to-KEN", "chat_id": "-1001234567890"}, cfg.Targets["family"].Config)
	require.Equal(t, map[string]any{"server": "https://ntfy.sh", "topic": "Xb4tQ9"}, cfg.Targets["phone"].Config)
	require.Equal(t, map[string]any{"server": "http://nas:80/push", "topic": "home_1"}, cfg.Targets["phone-2"].Config)
	require.Equal(t, "http://127.0.0.1:9900/?a=%22b'&c", cfg.Targets["ops"].Config["url"])
	require.Nil(t, cfg.Targets["ops"].Group)
	for _, chat := range []string{"chat", "chat-2", "team", "family", "phone", "phone-2"} {
		require.Equal(t, "download", cfg.Targets[chat].Group.By, chat)
	}
	for _, route := range cfg.Routes {
		require.Equal(t, []string{"chat", "chat-2", "team", "phone", "phone-2", "ops", "family"}, route.To)
	}
	require.Equal(t, []string{"hookarr.*"}, cfg.Routes[1].Types)
	require.Empty(t, lint(cfg))
}

func TestInitRefuses(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		`--discord: want a URL that begins with http:// or https://`:                                     {"--discord", "hunter2"},
		`--slack: want a URL that begins with http:// or https://`:                                       {"--slack", "ftp://hunter2"},
		`--webhook: want a URL that begins with http:// or https://`:                                     {"--webhook", "http://"},
		`--telegram: want the token of a bot, which is digits, a colon and letters: @BotFather has it`:   {"--telegram", "hunter2", "--telegram-chat", "1"},
		`--telegram-chat: want the number of a chat, such as -1001234567890, or the @name`:               {"--telegram", "1:hunter2"},
		`--telegram: want the token of a bot`:                                                            {"--telegram-chat", "@hunter2"},
		`--ntfy: want the URL of a topic, such as https://ntfy.sh/TOPIC`:                                 {"--ntfy", "hunter2"},
		`--ntfy: want the URL of a topic, such as https://ntfy.sh/TOPIC, whose name is 1 to 64`:          {"--ntfy", "https://hunter2.example/"},
		`--external-url: want a URL that begins with http:// or https://`:                                {"--external-url", "hookarr:8484"},
		`--app: "radar" is no application; did you mean "radarr"?`:                                       {"--app", "radar"},
		`--app: "plex" is no application; there are radarr, sonarr, lidarr, whisparr, readarr, prowlarr`: {"--app", "plex=http://x,hunter2"},
		`--app: "radarr-" is no name: want at most 40 of a-z, 0-9 and single dashes, such as radarr-4k`:  {"--app", "radarr-"},
		`--app: radarr: want a URL that begins with http:// or https://`:                                 {"--app", "radarr=nas:7878,hunter2"},
		`--app: radarr: give the API key behind a comma, radarr=URL,KEY`:                                 {"--app", "radarr=http://nas:7878"},
		`--app: readarr: leave the key out: Hookarr takes its webhooks and asks it nothing`:              {"--app", "readarr=http://nas:8787,hunter2"},
		`--app: radarr is there twice: call the other radarr-2`:                                          {"--app", "radarr", "--app", "radarr"},
	} {
		file := filepath.Join(t.TempDir(), "hookarr.yaml")
		r := run(t, append([]string{"init", "--config", file}, args...)...)
		require.Equal(t, exitUsage, r.code, want)
		require.Contains(t, r.err, "hookarr: "+want)
		require.NotContains(t, r.err, "hunter2")
		require.NoFileExists(t, file)
	}
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	r := run(t, "init", "--config", file, "--external-url", "http://hookarr/hooks/radarr")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "external_url: leave out /hooks/")
	require.NoFileExists(t, file, "what cannot be served is not left behind")
}

// answer runs init for somebody who types these lines.
func answer(t *testing.T, file string, lines ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	c := &cli{in: strings.NewReader(strings.Join(lines, "\n") + "\n"), out: &out, err: &errs, terminal: true, local: time.UTC}
	code := c.run(t.Context(), []string{"init", "--config", file})
	return result{code: code, out: out.String(), err: errs.String()}
}

func TestInitAsks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	r := answer(t, file, "discord", "https://discord.com/api/webhooks/1/t", "", "topic", "https://ntfy.sh/topic", "", "1:token", "here", "@here", "radar", "radarr, prowlarr sonarr",
		"http://nas:7878", "0123456789abcdef", "", "http://hookarr:8484")
	require.Zero(t, r.code, r.err)
	golden(t, "init-asks.txt", r.err)
	cfg, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	require.Equal(t, "discord", cfg.Targets["chat"].Plugin)
	require.Equal(t, "topic", cfg.Targets["phone"].Config["topic"])
	require.Equal(t, "@here", cfg.Targets["family"].Config["chat_id"])
	require.Equal(t, []string{"prowlarr", "radarr", "sonarr"}, sourceNames(cfg))
	require.Equal(t, "0123456789abcdef", cfg.Sources["radarr"].Config["api_key"])
	require.Nil(t, cfg.Sources["sonarr"].Config)
	require.Equal(t, "http://hookarr:8484", cfg.ExternalURL)
	require.Equal(t, ":8484", cfg.Listen)

	r = answer(t, file, "never asked")
	require.Equal(t, exitError, r.code)
	require.Equal(t, "hookarr: "+file+" exists and stays as it is: move it away, or name another with --config\n", r.err)

	// Nothing but empty answers is what no answer at all would be.
	empty := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.Zero(t, answer(t, empty, "", "", "", "", "", "", "").code)
	asked, err := os.ReadFile(empty)
	require.NoError(t, err)
	plain := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.Zero(t, run(t, "init", "--config", plain).code)
	unasked, err := os.ReadFile(plain)
	require.NoError(t, err)
	secrets := regexp.MustCompile(`"([A-Z0-9]{26,}|whsec_[^"]+)"`)
	require.Equal(t, secrets.ReplaceAllString(string(unasked), "S"), secrets.ReplaceAllString(string(asked), "S"))
}

func TestInitThatIsInterrupted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	r := answer(t, file, "https://discord.com/api/webhooks/1/t")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "hookarr: the input ended before the last answer: nothing was written\n")
	require.NoFileExists(t, file)

	in, out := io.Pipe()
	t.Cleanup(func() { require.NoError(t, out.Close()) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	c := &cli{in: in, out: io.Discard, err: &errs, terminal: true}
	require.Equal(t, exitError, c.run(ctx, []string{"init", "--config", file}))
	require.Contains(t, errs.String(), "hookarr: interrupted: nothing was written\n")
	require.NoFileExists(t, file)
}

func TestWhereToListen(t *testing.T) {
	t.Parallel()
	for external, want := range map[string]string{
		"http://hookarr:8484": ":8484", "https://hookarr.example/x": ":8484", "http://10.0.0.1:9000": ":9000",
		"http://127.0.0.1:9000": "127.0.0.1:9000", "http://localhost:9000": "127.0.0.1:9000", "http://[::1]:9000": "[::1]:9000",
	} {
		require.Equal(t, want, listenFor(external), external)
	}
}
