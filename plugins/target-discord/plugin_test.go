package discord

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
		Config: func(endpointURL string) any {
			return map[string]any{
				"webhook_url": endpointURL, "username": "Hookarr", "thread_id": "333333333333333333",
				"mention_roles": []string{"111111111111111111"},
			}
		},
		Accepts: func(r *http.Request) error { return eventtest.Accepted(&endpoint.Discord{}, r) },
		Answer: func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"id":"1200000000000000000"}`)
		},
	})
}
