package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const diffBase = `
listen: 127.0.0.1:8484
sources:
  radarr: {plugin: radarr, auth: [{header: {name: X-Key, value: a-first-secret-of-tests}}]}
targets:
  ops: {plugin: webhook, timeout: 10s, config: {url: "http://127.0.0.1:9900/hook"}}
  chat: {plugin: discord, group: {wait: 20s}, quiet: {hours: "22:00-07:00"}, config: {webhook_url: "http://127.0.0.1:9900/discord"}}
routes:
  - {name: all, types: ["*"], to: [ops, chat]}
  - {name: tests, types: [test], to: [ops], digest: {at: "18:00"}}
`

// TestDiff names what differs, and no secret.
func TestDiff(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		edit []string
		want []string
	}{
		{name: "nothing"},
		{name: "a value", edit: []string{"timeout: 10s", "timeout: 20s"}, want: []string{"targets.ops.timeout: 10s → 20s"}},
		{name: "the listener", edit: []string{"8484", "8585"}, want: []string{"listen: 127.0.0.1:8484 → 127.0.0.1:8585"}},
		{name: "a secret", edit: []string{"a-first-secret", "another-secret"}, want: []string{"sources.radarr.auth: changed"}},
		{name: "how often a snapshot is read", edit: []string{"radarr, auth", "radarr, snapshot: {every: 12h}, auth"}, want: []string{
			"sources.radarr.snapshot.every: 24h0m0s → 12h0m0s",
		}},
		{name: "settings of a plugin", edit: []string{"9900/hook", "9901/hook"}, want: []string{"targets.ops.config: changed"}},
		{name: "another target", edit: []string{"chat:", "talk:", "chat]", "talk]"}, want: []string{
			"routes.all.to: changed", "targets.chat: removed", "targets.talk: added",
		}},
		{name: "another route", edit: []string{"name: tests", "name: proofs"}, want: []string{"routes.proofs: added", "routes.tests: removed"}},
		{name: "the order of routes", edit: []string{
			"- {name: all, types: [\"*\"], to: [ops, chat]}\n  - {name: tests, types: [test], to: [ops], digest: {at: \"18:00\"}}",
			"- {name: tests, types: [test], to: [ops], digest: {at: \"18:00\"}}\n  - {name: all, types: [\"*\"], to: [ops, chat]}",
		}, want: []string{"routes (order): changed"}},
		{name: "what is not a file's", edit: []string{"timeout: 10s", "timeout: 10s, rate: {per_second: 5}"}, want: []string{"targets.ops.rate: changed"}},
		{name: "a part of a section", edit: []string{"wait: 20s", "wait: 30s", "07:00", "08:00"}, want: []string{
			"targets.chat.group.wait: 20s → 30s", "targets.chat.quiet.hours: changed",
		}},
		{name: "a route's digest", edit: []string{"at: \"18:00\"", "at: \"19:00\""}, want: []string{"routes.tests.digest.at: 18:00 → 19:00"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			was, is := loadText(t, dir, diffBase), loadText(t, dir, strings.NewReplacer(tc.edit...).Replace(diffBase))
			var got []string
			for _, c := range Diff(was, is) {
				got = append(got, c.String())
			}
			require.Equal(t, tc.want, got)
			require.NotContains(t, strings.Join(got, " "), "secret")
		})
	}
}

// TestHash is equal for equal configurations, wherever they are, and says nothing of secrets.
func TestHash(t *testing.T) {
	t.Parallel()
	hash := loadText(t, t.TempDir(), diffBase).Hash()
	require.NotZero(t, hash)
	require.Less(t, hash, uint64(1)<<48)
	require.Equal(t, hash, loadText(t, t.TempDir(), diffBase).Hash())
	require.NotEqual(t, hash, loadText(t, t.TempDir(), strings.Replace(diffBase, "10s", "11s", 1)).Hash())
	require.Equal(t, hash, loadText(t, t.TempDir(), strings.Replace(diffBase, "a-first-secret", "another-secret", 1)).Hash())
}

// TestHashWithout tells changes of the file from what the environment sets.
func TestHashWithout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := loadText(t, dir, diffBase)
	require.Empty(t, plain.Overruled())
	l := Loader{Environ: func() []string { return []string{"HOOKARR_LOG_LEVEL=debug", "HOOKARR_TARGETS__OPS__TIMEOUT=3s"} }}
	c, err := l.Load(plain.File)
	require.NoError(t, err)
	overruled := c.Overruled()
	require.Equal(t, []string{"log.level", "targets.ops.timeout"}, overruled)
	require.NotEqual(t, plain.Hash(), c.Hash())
	require.Equal(t, plain.HashWithout(overruled), c.HashWithout(overruled))
	require.Equal(t, plain.HashWithout(nil), plain.HashWithout([]string{"nowhere.at.all"}))
	other := loadText(t, dir, strings.Replace(diffBase, "listen: ", "external_url: http://nas\nlisten: ", 1))
	require.NotEqual(t, other.HashWithout(overruled), c.HashWithout(overruled))
}

func loadText(t *testing.T, dir, text string) *Config {
	t.Helper()
	file := filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	c, err := Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	return c
}
