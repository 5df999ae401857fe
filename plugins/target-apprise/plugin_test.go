package apprise

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestMain(m *testing.M) { plugintest.Main(m) }

// noKey is what 204 stands for.
func noKey(status int) sdk.Class {
	if status == http.StatusNoContent {
		return sdk.ClassMisconfigured
	}
	return ""
}

func TestPlugin(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config: func(endpointURL string) any {
			return map[string]any{"url": endpointURL, "key": (&endpoint.Apprise{}).Key(), "tag": "family"}
		},
		Accepts: func(r *http.Request) error {
			return eventtest.Accepted(&endpoint.Apprise{Tags: []string{"family"}}, r)
		},
		Class: noKey,
	})
}

// Those who store nothing on the server have their credentials in the configuration.
func TestPluginWithoutStoredConfiguration(t *testing.T) {
	t.Parallel()
	plugintest.TestTarget(t, info(), newTarget, plugintest.TargetSuite{
		Config: func(endpointURL string) any {
			return map[string]any{
				"url": endpointURL, "urls": []string{"tgram://1234567890:bot-Token/-100200300", "mailto://user:passw0rd@example.com"},
				"format": "html", "look": "rich",
			}
		},
		Accepts: func(r *http.Request) error { return eventtest.Accepted(&stateless{}, r) },
		Class:   noKey,
	})
}

// stateless is the server as those use it who send URLs.
type stateless struct{ endpoint.Apprise }

func (*stateless) URL(server string) string { return server + "/notify" }

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", formatMarkdown, formatHTML} {
		target := target{look: message.LookRich, maxBody: 300, form: form{Format: format}}
		eventtest.Check(t, func(t require.TestingT, e sdk.Event) { post(t, target, e) })
	}
}

func FuzzMessage(f *testing.F) {
	eventtest.Fuzz(f, func(t require.TestingT, e sdk.Event) {
		post(t, target{look: message.LookRich, maxBody: 2000, form: form{Format: formatHTML}}, e)
	})
}

// post posts an event's message to an endpoint that enforces the limits.
func post(t require.TestingT, target target, e sdk.Event) {
	written := target.write(message.New(e).In(target.look))
	require.LessOrEqual(t, message.Len(written.Body), target.maxBody)
	eventtest.Post(t, &endpoint.Apprise{}, written)
}
