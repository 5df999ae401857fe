package main

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/manual"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser"
	"github.com/hookarr/hookarr/plugins/internal/mediabrowser/mediabrowsertest"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestPlugin(t *testing.T) {
	t.Parallel()
	mediabrowsertest.Plugin(t, info(), newTarget, mediabrowser.Jellyfin())
}

func TestPage(t *testing.T) {
	t.Parallel()
	manual.Check(t, plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "http://media:8096", "api_key": mediabrowsertest.Key}))
}
