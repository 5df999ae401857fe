package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// TestWelcome comes after the reload that brings a route for it, once.
func TestWelcome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "plugins"), 0o700))
	load := func(routes string) *config.Config {
		file := filepath.Join(dir, "hookarr.yaml")
		require.NoError(t, os.WriteFile(file, []byte(`listen: 127.0.0.1:0
database: {url: "sqlite://hookarr.db"}
plugins: {dir: plugins}
sources: {radarr: {plugin: radarr, auth: [{basic: {username: radarr, password: a-secret-of-a-sender}}]}}
targets: {chat: {plugin: discord, config: {}}}
routes: [`+routes+`]
`), 0o600))
		c, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
		require.NoError(t, err)
		return c
	}
	const everything = `{name: everything, to: [chat]}`
	a, err := New(t.Context(), load(everything), Options{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.NoError(t, a.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, a.Stop(context.WithoutCancel(t.Context()))) })
	told := func() int {
		events, err := a.store.ListEvents(t.Context(), store.EventFilter{Type: sdk.TypeInstalled})
		require.NoError(t, err)
		return len(events)
	}
	require.Zero(t, told(), "no route brings it to anybody")
	for range 2 {
		_, err = a.Apply(t.Context(), load(everything+`, {name: hookarr, types: ["hookarr.*"], to: [chat]}`))
		require.NoError(t, err)
		require.Equal(t, 1, told())
	}
	require.False(t, a.unseen)
}
