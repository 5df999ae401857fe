package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestDocumentedTargets judges every configuration on the pages of documentation as
// somebody would who pastes it.
func TestDocumentedTargets(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/targets/*.md")
	require.NoError(t, err)
	others, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	references, err := filepath.Glob("../../docs/plugins/*.md")
	require.NoError(t, err)
	pages = slices.Concat(pages, others, references, []string{"../../README.md"})
	checked := 0
	for _, page := range pages {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		text := string(content)
		if _, after, ok := strings.Cut(text, "\n### Messages\n"); ok { // of the README, no other
			text, _, _ = strings.Cut(after, "\n### ")
		}
		sections := "targets|routes|tracing"
		if slices.Contains(references, page) {
			sections += "|sources" // elsewhere, they have only what is spoken of
		}
		for i, block := range regexp.MustCompile("(?ms)^```yaml\n((?:"+sections+"):\n.*?)^```").FindAllStringSubmatch(text, -1) {
			checked++
			t.Run(fmt.Sprintf("%s %d", filepath.Base(page), i), func(t *testing.T) {
				t.Parallel()
				judge(t, block[1])
			})
		}
	}
	require.Greater(t, checked, 40)
}

// judge checks a part of a configuration, with the sections that it lacks and what its
// variables stand for.
func judge(t *testing.T, part string) {
	t.Helper()
	environ := append(os.Environ(), "HOOKARR_PLUGINS_DIR="+filepath.Join(binaries, "plugins"))
	for _, variable := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(part, -1) {
		environ = append(environ, variable[1]+"="+standIn(variable[1]))
	}
	var given map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(part), &given))
	source := map[string]any{"plugin": "sonarr", "auth": []any{map[string]any{"basic": map[string]any{"username": "arr", "password": "a-password-that-nobody-guesses"}}}}
	rest := map[string]any{}
	if given["sources"] == nil {
		rest["sources"] = map[string]any{"radarr": source, "sonarr": source}
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
	dir := t.TempDir()
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(part+"\n"+string(more)), 0o600))
	writePair(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, "hookarr"), "check", "--config", file)
	var said bytes.Buffer
	cmd.Env, cmd.Stderr = environ, &said
	require.NoError(t, cmd.Run(), "%s\n%s", &said, part)
	require.Empty(t, said.String(), "it warns of\n%s", part)
}

// standInTargets are those that the routes of a part name, and a chat.
func standInTargets(part string) map[string]any {
	all := map[string]any{
		"chat":      map[string]any{"plugin": "discord", "config": map[string]any{"webhook_url": standIn("DISCORD_WEBHOOK")}},
		"catalogue": map[string]any{"plugin": "catalogue", "config": map[string]any{"url": "sqlite:///var/lib/hookarr/catalogue.db"}},
		"ops":       map[string]any{"plugin": "webhook", "config": map[string]any{"url": standIn("OPS_URL")}},
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return name != "chat" && !strings.Contains(part, "to: ["+name+"]") })
	return all
}

// standIn is a value of a variable in the documentation.
func standIn(variable string) string {
	known := map[string]string{
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
		}
	}
}

// TestLinks follows every link from one page of the documentation to another.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages := []string{"../../README.md", "../../PLUGINS.md", "../../CONTRIBUTING.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/*.md"} {
		more, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, more...)
	}
	followed := 0
	for _, page := range pages {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(withoutCode(string(content)), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			followed++
			path, anchor, _ := strings.Cut(link[1], "#")
			file := page
			if path != "" {
				file = filepath.Join(filepath.Dir(page), path)
			}
			_, err := os.Stat(file)
			require.NoError(t, err, "%s links to %s", page, link[1])
			if anchor != "" && strings.HasSuffix(file, ".md") {
				require.Contains(t, anchors(t, file), anchor, "%s links to %s", page, link[1])
			}
		}
	}
	require.Greater(t, followed, 100)
}

// anchors are what the headings of a page are called in links.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(withoutCode(string(content)), -1) {
		words := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(words, " ", "-"))
	}
	return all
}

// withoutCode leaves out what a page shows as it is.
func withoutCode(page string) string {
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(page, "")
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
		require.Regexp(t, "`examples/proxies/"+regexp.QuoteMeta(filepath.Base(file))+"`:\n\n```\\w+\n"+regexp.QuoteMeta(string(content))+"```\n", string(page))
	}
}
