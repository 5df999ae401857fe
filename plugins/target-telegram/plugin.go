// Package telegram shows events in a Telegram chat.
package telegram

import (
	"context"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "telegram",
		Version:  "0.1.0",
		Summary:  "Shows events in a Telegram chat.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureTest, sdk.FeaturePreview},
		Defaults: sdk.Defaults{
			// One at a time keeps order. A group takes 20 messages a minute, a private chat
			// one a second (https://core.telegram.org/bots/faq); which of them a chat is,
			// its id does not always say. The burst and what follows it in the same minute
			// are 20.
			Concurrency: 1, Rate: 0.3, Burst: 3,
			Group:        sdk.GroupDefaults{By: "download", Wait: 20 * time.Second, MaxWait: 5 * time.Minute, Max: 100},
			FoldUpgrades: true,
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	c.Templates.Warn(env, "templates")
	c.silent().Warn(env, "silent")
	return &target{
		api: api{http: env.HTTP, base: c.base()}, chat: c.ChatID, thread: c.MessageThreadID,
		look: c.Look, images: c.Images, posters: poster.New(env.HTTP, c.ImageHosts),
		silent: c.silent(), templates: c.Templates,
	}, nil
}
