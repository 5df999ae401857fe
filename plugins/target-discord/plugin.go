// Package discord shows events in a Discord channel.
package discord

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

func info() sdk.Info {
	return sdk.Info{
		Name:     "discord",
		Version:  "0.1.0",
		Summary:  "Shows events in a Discord channel.",
		Features: []sdk.Feature{sdk.FeatureGroup, sdk.FeatureEdit, sdk.FeatureTest, sdk.FeaturePreview},
		// One at a time keeps order. Discord documents no numbers and asks clients to
		// read the headers; 5 in 2 s is what users measured. They are spread evenly: a
		// burst of 5 and what goes on after it would be up to 10 in one of Discord's
		// windows, of which nobody knows where they begin.
		Defaults: sdk.Defaults{
			Concurrency: 1, Rate: 2.5, Burst: 1,
			Group:        sdk.GroupDefaults{By: "download", Wait: 20 * time.Second, MaxWait: 5 * time.Minute, Max: 100},
			FoldUpgrades: true,
		},
	}
}

// Serve serves the plugin to the Hookarr that started this process. It does not return.
func Serve() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	webhook, err := endpointurl.Parse("webhook_url", c.WebhookURL)
	if err != nil {
		return nil, err
	}
	if !discordGaveOut(webhook) {
		env.Warn("webhook_url", "does not look like https://discord.com/api/webhooks/ID/TOKEN; it is used as it is")
	}
	c.Templates.Warn(env, "templates")
	return &target{
		http: env.HTTP, log: env.Log, webhook: effective(webhook),
		threadID: c.ThreadID, threadName: c.ThreadName,
		look: c.Look, images: c.Images, templates: c.Templates,
		sender:   sender{c.Username, message.WebURL(c.AvatarURL)},
		mentions: mentionLine(c.MentionRoles, c.MentionUsers),
		allowed:  allowedMentions{Parse: []string{}, Roles: c.MentionRoles, Users: c.MentionUsers},
	}, nil
}

// effective adds the version of the API where Discord's own URL has none: without one,
// Discord serves a version that it does not document any more.
func effective(webhook *url.URL) *url.URL {
	u := *webhook
	if rest, ok := strings.CutPrefix(u.Path, "/api/webhooks/"); ok && discordGaveOut(webhook) {
		u.Path = "/api/v10/webhooks/" + rest
	}
	return &u
}

// mentionLine is the text that notifies; what an embed says does not.
func mentionLine(roles, users []string) string {
	all := make([]string, 0, len(roles)+len(users))
	for _, id := range roles {
		all = append(all, "<@&"+id+">")
	}
	for _, id := range users {
		all = append(all, "<@"+id+">")
	}
	return strings.Join(all, " ")
}
