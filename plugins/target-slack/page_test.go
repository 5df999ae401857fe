package main

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/manual"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	manual.Check(t, plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": "https://hooks.slack.com/services/T0/B0/x"}))
}
