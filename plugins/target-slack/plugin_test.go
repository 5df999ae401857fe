package main

import (
	"io"
	"net/http"
	"testing"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestPlugin(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config:  func(endpointURL string) any { return map[string]any{"webhook_url": endpointURL} },
		Accepts: func(r *http.Request) error { return eventtest.Accepted(&endpoint.Slack{}, r) },
		Answer:  func(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok") },
	})
}
