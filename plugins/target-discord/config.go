package discord

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// config is one webhook.
type config struct {
	WebhookURL   sdk.Secret             `json:"webhook_url" hookarr:"required,title=Webhook URL" jsonschema:"example=https://discord.com/api/webhooks/123456789012345678/token" doc:"URL of the webhook, from the channel's settings: https://discord.com/api/webhooks/ID/TOKEN."`
	Username     string                 `json:"username" hookarr:"title=Name,group=Sender" doc:"Name to post under instead of the webhook's own: at most 80 characters."`
	AvatarURL    string                 `json:"avatar_url" hookarr:"title=Picture,group=Sender" doc:"Picture to post under instead of the webhook's own: a URL that Discord can reach."`
	ThreadID     string                 `json:"thread_id" hookarr:"group=Thread" doc:"Id of a thread, or of a forum's post, to post to."`
	ThreadName   *template.Template     `json:"thread_name" hookarr:"group=Thread" doc:"For the webhook of a forum: a template of the name of the post that every message begins, such as {{.message.title}}."`
	MentionRoles []string               `json:"mention_roles" hookarr:"group=Mentions" doc:"Ids of roles that every message notifies, at most 20. Nobody else is ever notified. An edit of a message notifies nobody."`
	MentionUsers []string               `json:"mention_users" hookarr:"group=Mentions" doc:"Ids of users that every message notifies, at most 20. Nobody else is ever notified. An edit of a message notifies nobody."`
	Look         message.Look           `json:"look" hookarr:"default=standard,enum=compact|standard|rich|poster,group=Look" doc:"How much is shown: compact is two lines, rich is everything, poster is a large picture with few facts."`
	Images       string                 `json:"images" hookarr:"enum=thumbnail|large|off,group=Look" doc:"How pictures are shown. The look decides where this is not given: none in compact, large in poster, thumbnails in the others."`
	Templates    template.ByType[parts] `json:"templates" hookarr:"group=Own words" doc:"Messages in your own words, by event type or pattern such as media.* or *. The most specific one is used, and of several events that of the last. What it does not have is as the look has it."`
}

// The ways of pictures that are not those of every look.
const (
	imagesLarge = "large"
	imagesOff   = "off"
)

const (
	maxUsername = 80
	// maxMentions of both kinds stay within the 2,000 characters of a message's text.
	maxMentions = 20
)

// Validate checks what the tags cannot say. The rules for names are those of
// https://docs.discord.com/developers/resources/webhook#create-webhook.
func (c config) Validate() error {
	webhook, err := endpointurl.Parse("webhook_url", c.WebhookURL)
	problems := []error{err}
	if err == nil && (strings.HasSuffix(webhook.Path, "/slack") || strings.HasSuffix(webhook.Path, "/github")) {
		problems = append(problems, sdk.Problem("webhook_url", "leads to Discord's imitation of another service; remove what follows the token"))
	}
	lower := strings.ToLower(c.Username)
	switch {
	case c.Username != strings.TrimSpace(c.Username), message.Len(c.Username) > maxUsername:
		problems = append(problems, sdk.Problem("username", "needs 1 to 80 characters without spaces around them"))
	case strings.Contains(lower, "discord"), strings.Contains(lower, "clyde"):
		problems = append(problems, sdk.Problem("username", `is refused by Discord with "discord" or "clyde" in it; take another`))
	}
	if c.AvatarURL != "" && publicURL(message.WebURL(c.AvatarURL)) == "" {
		problems = append(problems, sdk.Problem("avatar_url", "is not a URL that Discord takes; write https:// and a host with a domain"))
	}
	if c.ThreadID != "" && !isSnowflake(c.ThreadID) {
		problems = append(problems, sdk.Problem("thread_id", notSnowflake))
	}
	if c.ThreadID != "" && !c.ThreadName.Empty() {
		problems = append(problems, sdk.Problem("thread_name", "begins a thread for every message, and thread_id has them all in one; remove either"))
	}
	problems = append(problems, c.Templates.Problems("templates"))
	for _, key := range slices.Sorted(maps.Keys(c.Templates)) {
		if n := len(c.Templates[key].Fields); n > maxFields {
			problems = append(problems, sdk.Problem("templates."+key+".fields", fmt.Sprintf("has %d entries; Discord takes %d", n, maxFields)))
		}
	}
	problems = append(problems, mentionProblems("mention_roles", c.MentionRoles)...)
	problems = append(problems, mentionProblems("mention_users", c.MentionUsers)...)
	return errors.Join(problems...)
}

const notSnowflake = "is not an id; turn on the developer mode of your Discord client and copy it, 15 to 20 digits in quotes"

func mentionProblems(key string, ids []string) []error {
	var problems []error
	if len(ids) > maxMentions {
		problems = append(problems, sdk.Problem(key, fmt.Sprintf("has %d entries; at most %d fit", len(ids), maxMentions)))
	}
	for i, id := range ids {
		if !isSnowflake(id) {
			problems = append(problems, sdk.Problem(fmt.Sprintf("%s[%d]", key, i), notSnowflake))
		}
	}
	return problems
}

// isSnowflake reports whether s can be one of Discord's ids.
func isSnowflake(s string) bool {
	return len(s) >= 15 && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// discordGaveOut reports whether u looks like what Discord shows in a channel's
// settings. Anything else may be a proxy.
func discordGaveOut(u *url.URL) bool {
	host := strings.TrimPrefix(strings.TrimPrefix(u.Host, "canary."), "ptb.")
	return u.Scheme == "https" && (host == "discord.com" || host == "discordapp.com") &&
		regexp.MustCompile(`^/api(/v\d+)?/webhooks/\d+/[\w-]+$`).MatchString(u.Path)
}
