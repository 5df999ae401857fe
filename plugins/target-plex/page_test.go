package main

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/manual"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	manual.Check(t, plugintest.StartTarget(t, info(), newTarget, map[string]any{"url": "http://plex.example:32400", "token": "t"}))
}
