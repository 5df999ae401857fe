// Command hookarr-target-slack shows events in a Slack channel.
package main

import (
	"context"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/sdk"
)

// config is one incoming webhook. Its channel, name and picture are set in Slack: a
// webhook of an app cannot choose them.
type config struct {
	WebhookURL sdk.Secret `json:"webhook_url" hookarr:"required" doc:"URL of the incoming webhook, from the app's settings: https://hooks.slack.com/services/T…/B…/…."`
}

func info() sdk.Info {
	return sdk.Info{
		Name:     "slack",
		Version:  "0.1.0",
		Summary:  "Shows events in a Slack channel.",
		Features: []sdk.Feature{sdk.FeatureTest, sdk.FeaturePreview},
		// One at a time keeps order. Slack takes one message per second and webhook,
		// with short bursts: https://docs.slack.dev/apis/web-api/rate-limits.
		Defaults: sdk.Defaults{Concurrency: 1, Rate: 1, Burst: 1},
	}
}

func main() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	if _, err := endpointurl.Parse("webhook_url", c.WebhookURL); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(c.WebhookURL.Reveal(), "https://hooks.slack.com/") {
		env.Warn("webhook_url", "does not look like Slack's https://hooks.slack.com/services/…; it is used as it is")
	}
	return &target{http: env.HTTP, log: env.Log, url: c.WebhookURL}, nil
}
