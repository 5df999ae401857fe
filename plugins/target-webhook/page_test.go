package main

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/manual"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	manual.Check(t, plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "http://127.0.0.1:9900/hook"}))
}
