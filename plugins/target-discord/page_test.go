package main

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/manual"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	manual.Check(t, plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": "https://discord.com/api/webhooks/123456789012345678/token"}))
}
