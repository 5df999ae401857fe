package main

import (
	"testing"

	"github.com/hookarr/hookarr/plugins/internal/manual"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestPage(t *testing.T) {
	t.Parallel()
	manual.Check(t, plugintest.StartTarget(t, info(), newTarget, map[string]any{"bot_token": "1234567890:AAH", "chat_id": "@channel"}))
}
