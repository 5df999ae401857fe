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
	pages = append(append(pages, others...), "../../README.md")
	checked := 0
	for _, page := range pages {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		text := string(content)
		if _, after, ok := strings.Cut(text, "\n### Messages\n"); ok { // of the README, no other
			text, _, _ = strings.Cut(after, "\n### ")
		}
		for i, block := range regexp.MustCompile("(?ms)^```yaml\n((?:targets|routes|tracing):\n.*?)^```").FindAllStringSubmatch(text, -1) {
			checked++
			t.Run(fmt.Sprintf("%s %d", filepath.Base(page), i), func(t *testing.T) {
				t.Parallel()
				judge(t, block[1])
			})
		}
	}
	require.Greater(t, checked, 20)
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
	rest := map[string]any{"sources": map[string]any{"radarr": source, "sonarr": source}}
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
		"DISCORD_WEBHOOK": "https://discord.com/api/webhooks/123456789012345678/a-token-that-nobody-guesses",
		"SLACK_WEBHOOK":   "https://hooks.slack.com/services/T000/B000/a-token-that-nobody-guesses",
		"SLACK_TOKEN":     "xoxb-a-token-that-nobody-guesses",
		"TELEGRAM_TOKEN":  "1234567890:AAH-a-token-that-nobody-guesses",
		"APPRISE_SERVICE": "tgram://1234567890:AAH/-1001234567890",
	}
	if value, ok := known[variable]; ok {
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
