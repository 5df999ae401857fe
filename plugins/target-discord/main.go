// Command hookarr-target-discord shows events in a Discord channel.
package main

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// config is one webhook.
type config struct {
	WebhookURL   sdk.Secret `json:"webhook_url" hookarr:"required" doc:"URL of the webhook, from the channel's settings: https://discord.com/api/webhooks/ID/TOKEN."`
	Username     string     `json:"username" doc:"Name to post under instead of the webhook's own: 1 to 80 characters."`
	AvatarURL    string     `json:"avatar_url" doc:"Picture to post under instead of the webhook's own: an http or https URL that the internet can reach."`
	ThreadID     string     `json:"thread_id" doc:"Id of a thread or forum post of the channel to post to."`
	MentionRoles []string   `json:"mention_roles" doc:"Ids of roles that every message notifies, at most 20. Nobody else is ever notified."`
	MentionUsers []string   `json:"mention_users" doc:"Ids of users that every message notifies, at most 20. Nobody else is ever notified."`
}

func info() sdk.Info {
	return sdk.Info{
		Name:     "discord",
		Version:  "0.1.0",
		Summary:  "Shows events in a Discord channel.",
		Features: []sdk.Feature{sdk.FeatureEdit},
		// One at a time keeps order. Discord documents no numbers and asks clients to
		// read the headers; 5 in 2 s is what users measured.
		Defaults: sdk.Defaults{Concurrency: 1, Rate: 2.5, Burst: 5},
	}
}

func main() { sdk.ServeTarget(info(), newTarget) }

func newTarget(ctx context.Context, env sdk.Env, c config) (sdk.Target, error) {
	webhook, err := url.Parse(c.WebhookURL.Reveal())
	if err != nil {
		return nil, err
	}
	if !officialURL(webhook) {
		env.Log.WarnContext(ctx, "webhook_url does not look like Discord's https://discord.com/api/webhooks/ID/TOKEN, using it as it is")
	} else if rest, ok := strings.CutPrefix(webhook.Path, "/api/webhooks/"); ok {
		// Without a version Discord serves one that it does not document any more.
		webhook.Path = "/api/v10/webhooks/" + rest
	}
	if c.ThreadID != "" {
		q := webhook.Query()
		q.Set("thread_id", c.ThreadID)
		webhook.RawQuery = q.Encode()
	}
	return &target{
		http: env.HTTP, log: env.Log, webhook: webhook,
		sender: sender{c.Username, c.AvatarURL},
		mentions: mentions{
			Content:         mentionLine(c.MentionRoles, c.MentionUsers),
			AllowedMentions: allowedMentions{Parse: []string{}, Roles: c.MentionRoles, Users: c.MentionUsers},
		},
	}, nil
}

// officialURL reports whether u is one that Discord gives out. Others may be a proxy.
func officialURL(u *url.URL) bool {
	host := strings.TrimPrefix(strings.TrimPrefix(u.Host, "canary."), "ptb.")
	return u.Scheme == "https" && (host == "discord.com" || host == "discordapp.com") &&
		regexp.MustCompile(`^/api(/v\d+)?/webhooks/\d+/[\w-]+$`).MatchString(u.Path)
}

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
