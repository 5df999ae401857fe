// Package slack shows events in a Slack channel.
package slack

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "slack",
		Version:  "0.1.0",
		Summary:  "Shows events in a Slack channel.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureTest, sdk.FeaturePreview, sdk.FeatureOptions},
		Defaults: sdk.Defaults{
			// One at a time keeps order. Slack takes one message per second from a webhook,
			// and into a channel, with short bursts: https://docs.slack.dev/apis/web-api/rate-limits.
			Concurrency: 1, Rate: 1, Burst: 1,
			Group:        sdk.GroupDefaults{By: "download", Wait: 20 * time.Second, MaxWait: 5 * time.Minute, Max: 100},
			FoldUpgrades: true,
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	c.warn(env)
	t := &target{composer: composer{look: c.Look, images: c.Images, templates: c.Templates}}
	if c.WebhookURL != "" {
		t.way = &webhook{http: env.HTTP, log: env.Log, url: c.WebhookURL}
		return t, nil
	}
	api, err := c.api()
	if err != nil {
		return nil, err
	}
	env.HTTP.LimitBody(maxAnswer)
	t.way = &bot{http: env.HTTP, log: env.Log, api: api, token: c.BotToken, channel: c.Channel}
	return t, nil
}
