// Package ntfy shows events on phones, by an ntfy server.
package ntfy

import (
	"context"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "ntfy",
		Version:  "0.1.0",
		Summary:  "Shows events on phones, by an ntfy server.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureTest, sdk.FeaturePreview},
		Defaults: sdk.Defaults{
			// One at a time keeps order. A server takes 60 requests and then one more each
			// 5 s, unless it is configured otherwise; phones at the same address draw on
			// them too (https://docs.ntfy.sh/publish/#limitations).
			Concurrency: 1, Rate: 0.2, Burst: 40,
			Group:        sdk.GroupDefaults{By: "download", Wait: 20 * time.Second, MaxWait: 5 * time.Minute, Max: 100},
			FoldUpgrades: true,
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	c.Templates.Warn(env, "templates")
	c.Priorities.Warn(env, "priorities")
	return &target{
		http: env.HTTP, server: strings.TrimSuffix(c.Server, "/") + "/", topic: c.Topic,
		token: c.Token, basic: c.basic,
		look: c.Look, images: c.Images, icon: message.WebURL(c.Icon), markdown: c.Markdown,
		priorities: c.Priorities, templates: c.Templates, now: time.Now,
	}, nil
}
