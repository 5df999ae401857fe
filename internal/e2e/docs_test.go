package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/internal/docs"
)

var site = sync.OnceValues(func() (*docs.Site, error) { return docs.Load(os.DirFS("../..")) })

// TestDocumentedConfigurations judges every configuration in the documentation as somebody
// would who pastes it. A block of YAML that is something else has a marker that says so.
func TestDocumentedConfigurations(t *testing.T) {
	t.Parallel()
	s, err := site()
	require.NoError(t, err)
	blocks := s.Blocks(func(b docs.Block) bool { return b.Language == "yaml" && !b.Foreign() })
	require.Greater(t, len(blocks), 80)
	for _, block := range blocks {
		t.Run(block.At(), func(t *testing.T) {
			t.Parallel()
			said, err := judge(t, block.Text)
			require.NoError(t, err, "%s\n%s", said, block.Text)
			require.Empty(t, said, "it warns of\n%s", block.Text)
		})
	}
}

// TestWrongConfigurationsAreFound is of what judge must not let pass.
func TestWrongConfigurationsAreFound(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{
		"services: {hookarr: {image: hookarr}}":                                "unknown key",
		"targets:\n  chat: {plugin: discord, config: {webhook: x}}":            "targets.chat.config.webhook",
		"targets:\n  chat: {plugin: discrod}":                                  `did you mean "discord"?`,
		"routes:\n  - {name: a, to: [chat], when: event.titel == \"\"}":        `did you mean "title"?`,
		"routes:\n  - {name: a, to: [chat], types: [media.importd]}":           "media.importd",
		"sources:\n  radarr: {plugin: radarr, auth: [{basic: {user: arr}}]}":   "unknown key",
		"retention: {event: 7d}":                                               "unknown key",
		"targets:\n  ops: {plugin: webhook, config: {url: ftp://192.0.2.1/x}}": "url",
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			said, err := judge(t, part)
			require.True(t, err != nil || said != "", "nothing is wrong with it")
			require.Contains(t, said, want)
		})
	}
}

// judge checks a part of a configuration, with the sections that it lacks and what its
// variables and files stand for, and returns what is said of it.
func judge(t *testing.T, part string) (said string, err error) {
	t.Helper()
	dir := t.TempDir()
	file, environ := completed(t, dir, part)
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "hookarr"), "check", "--config", file)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = environ, &stderr
	err = cmd.Run()
	return stderr.String(), err
}

// completed writes a part of a configuration into dir as the whole of one, and returns the
// environment that it is for.
func completed(t *testing.T, dir, part string) (file string, environ []string) {
	t.Helper()
	environ = append(os.Environ(), "HOOKARR_PLUGINS_DIR="+filepath.Join(binaries, "plugins"))
	for _, variable := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(part, -1) {
		environ = append(environ, variable[1]+"="+standIn(variable[1]))
	}
	for _, secret := range regexp.MustCompile(`_file: "?((?:\$\{\w+\})?/[\w./-]+)`).FindAllStringSubmatch(part, -1) {
		own := filepath.Join(dir, filepath.Base(secret[1]))
		require.NoError(t, os.WriteFile(own, []byte(standIn(strings.ToUpper(filepath.Base(secret[1])))), 0o600))
		part = strings.ReplaceAll(part, secret[1], own)
	}
	var given map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(part), &given))
	rest, lacking := map[string]any{}, false
	standInSource := map[string]any{"plugin": "sonarr", "auth": []any{map[string]any{"basic": map[string]any{"username": "arr", "password": standIn("ARR_PASSWORD")}}}}
	sources, ok := given["sources"].(map[string]any)
	if !ok {
		rest["sources"] = map[string]any{"radarr": standInSource, "sonarr": standInSource}
	}
	for _, source := range sources {
		if s, ok := source.(map[string]any); ok && s["auth"] == nil {
			s["auth"] = standInSource["auth"]
			lacking = true
		}
	}
	targets, ok := given["targets"].(map[string]any)
	if !ok {
		targets = standInTargets(part)
		rest["targets"] = targets
	}
	if given["routes"] == nil {
		rest["routes"] = []any{map[string]any{"name": "everything", "to": slices.Sorted(maps.Keys(targets))}}
	}
	more, err := yaml.Marshal(rest)
	require.NoError(t, err)
	switch {
	case lacking:
		text, err := yaml.Marshal(given)
		require.NoError(t, err)
		part = string(text)
	case len(rest) == 0:
		more = nil
	}
	file = filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(part+"\n"+string(more)), 0o600))
	writePair(t, dir)
	return file, environ
}

// standInTargets are those that the routes of a part name, and a chat.
func standInTargets(part string) map[string]any {
	all := map[string]any{
		"chat":      map[string]any{"plugin": "discord", "config": map[string]any{"webhook_url": standIn("DISCORD_WEBHOOK")}},
		"catalogue": map[string]any{"plugin": "catalogue", "config": map[string]any{"url": "sqlite:///var/lib/hookarr/catalogue.db"}},
		"ops":       map[string]any{"plugin": "webhook", "config": map[string]any{"url": standIn("OPS_URL")}},
	}
	named := func(name string) bool { return strings.Contains(part, "to: ["+name+"]") }
	maps.DeleteFunc(all, func(name string, _ any) bool {
		return !named(name) && (name != "chat" || strings.Contains(part, "\nroutes:\n") || strings.HasPrefix(part, "routes:\n"))
	})
	if len(all) == 0 {
		return standInTargets("")
	}
	return all
}

// standIn is a value of a variable in the documentation.
func standIn(variable string) string {
	known := map[string]string{
		"DISCORD":            "https://discord.com/api/webhooks/123456789012345678/a-token-that-nobody-guesses",
		"DISCORD_WEBHOOK":    "https://discord.com/api/webhooks/123456789012345678/a-token-that-nobody-guesses",
		"SLACK_WEBHOOK":      "https://hooks.slack.com/services/T000/B000/a-token-that-nobody-guesses",
		"SLACK_TOKEN":        "xoxb-a-token-that-nobody-guesses",
		"TELEGRAM_TOKEN":     "1234567890:AAH-a-token-that-nobody-guesses",
		"TELEGRAM_BOT_TOKEN": "1234567890:AAH-a-token-that-nobody-guesses",
		"APPRISE_SERVICE":    "tgram://1234567890:AAH/-1001234567890",
	}
	if value, ok := known[strings.TrimSuffix(variable, "_URL")]; ok {
		return value
	}
	if strings.HasSuffix(variable, "_URL") {
		return "https://hooks.example/a-long-random-id"
	}
	return "a-secret-that-nobody-guesses"
}

// writePair makes the files of the example of mutual TLS.
func writePair(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]pem.Block{
		"ca.pem": {Type: "CERTIFICATE", Bytes: certificate}, "hookarr.pem": {Type: "CERTIFICATE", Bytes: certificate}, "hookarr.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&block), 0o600))
	}
}

// TestPluginPages compares the reference pages with what the plugins say of themselves.
func TestPluginPages(t *testing.T) {
	t.Parallel()
	const dir = "../../docs/plugins"
	written := t.TempDir()
	out, err := exec.CommandContext(t.Context(), filepath.Join(binaries, "hookarr"), "plugins", "docs", "--out", written, filepath.Join(binaries, "plugins")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	wanted, err := filepath.Glob(filepath.Join(written, "*.md"))
	require.NoError(t, err)
	there, err := filepath.Glob(filepath.Join(dir, "*.md"))
	require.NoError(t, err)
	require.Len(t, there, len(wanted), "docs/plugins has other pages than there are plugins: run make docs")
	for _, file := range wanted {
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		name := filepath.Base(file)
		got, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err, "docs/plugins/%s is missing: run make docs", name)
		require.Equal(t, string(want), string(got), "docs/plugins/%s is not what the plugin says: run make docs", name)
		if target, ok := strings.CutPrefix(name, "target-"); ok {
			guide, err := os.ReadFile(filepath.Join("../../docs/targets", target))
			require.NoError(t, err, "every target has a page that people wrote")
			require.Contains(t, string(guide), "(../plugins/"+name+")")
			all, err := os.ReadFile("../../docs/targets.md")
			require.NoError(t, err)
			require.Contains(t, string(all), "(targets/"+target+")", "the list of targets lacks one")
		}
	}
}

// documentedMetrics are the labels of the metrics in the table of docs/metrics.md.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	rows := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(hookarr_\\w+)` \\| \\w+ \\| ([^|]*) \\|").FindAllStringSubmatch(string(page), -1) {
		rows[row[1]] = regexp.MustCompile(`\w+`).FindAllString(row[2], -1)
	}
	return rows
}

// TestProxiesAreDocumented compares the examples on the page with the files, which run.
func TestProxiesAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reverse-proxy.md")
	require.NoError(t, err)
	files, err := filepath.Glob("../../examples/proxies/*")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Regexp(t, "`examples/proxies/"+regexp.QuoteMeta(filepath.Base(file))+"`:\n\n(<!-- .* -->\n)?```\\w+\n"+regexp.QuoteMeta(string(content))+"```\n", string(page))
	}
}
