package slack

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"testing"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

func TestPluginWithAWebhook(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config:  func(endpointURL string) any { return map[string]any{"webhook_url": endpointURL} },
		Accepts: func(r *http.Request) error { return eventtest.Accepted(&endpoint.Slack{}, r) },
		Answer:  func(w http.ResponseWriter) { _, _ = io.WriteString(w, "ok") },
	})
}

func TestPluginWithABot(t *testing.T) {
	t.Parallel()
	slack := &endpoint.SlackAPI{}
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		PublicURL: true,
		Config: func(endpointURL string) any {
			return map[string]any{"bot_token": slack.Token(), "channel": endpoint.SlackChannel, "api_url": endpointURL}
		},
		Accepts: func(r *http.Request) error {
			api := &endpoint.SlackAPI{}
			err := eventtest.Accepted(method{api, path.Base(r.URL.Path)}, r)
			if err == nil && len(api.Messages()) == 0 {
				err = fmt.Errorf("no message: %v", api.Refused())
			}
			return err
		},
		Answer: func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"ok":true,"channel":"C0000MEDIA","ts":"1764374400.000001"}`)
		},
		// Slack says that it took a message, and by a 200 alone.
		Class: func(status int) sdk.Class {
			if status > http.StatusOK && status < http.StatusMultipleChoices {
				return sdk.ClassMisconfigured
			}
			return ""
		},
	})
}

// method is one method of the Web API as an endpoint.
type method struct {
	*endpoint.SlackAPI
	name string
}

// URL implements eventtest.Endpoint.
func (m method) URL(server string) string { return m.SlackAPI.URL(server) + m.name }
