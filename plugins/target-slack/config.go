package slack

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// config is one of two ways into a channel. A webhook's channel, name and picture are set
// in Slack: a webhook of an app cannot choose them.
type config struct {
	WebhookURL sdk.Secret `json:"webhook_url" hookarr:"title=Webhook URL,group=A webhook" doc:"URL of an incoming webhook, from the app's settings: https://hooks.slack.com/services/T…/B…/…. Set it, or bot_token and channel."`
	BotToken   sdk.Secret `json:"bot_token" hookarr:"title=Token,group=A bot" doc:"Bot User OAuth Token of a Slack app with the scope chat:write: xoxb-…. A bot edits its messages in place, a webhook cannot."`
	Channel    string     `json:"channel" hookarr:"group=A bot,title=Channel,options" doc:"Where the bot posts to: the channel's id, from its details, or its name."`
	APIURL     string     `json:"api_url" hookarr:"default=https://slack.com/api/,advanced" doc:"Address of Slack's Web API, for a proxy."`

	Look   message.Look `json:"look" hookarr:"default=standard,enum=compact|standard|rich|poster,group=Look" doc:"How much is shown: compact is two lines, rich is everything, poster is a large picture with few facts."`
	Images string       `json:"images" hookarr:"enum=thumbnail|large|off,group=Look" doc:"How pictures are shown, which Slack fetches from the internet. The look decides where this is not given: none in compact, large in poster, thumbnails in the others."`

	Templates template.ByType[own] `json:"templates" hookarr:"group=Own words" doc:"Messages in your own words, by event type or pattern such as media.*; the most specific one is used. Each has text or blocks."`
}

// The ways of pictures that are not those of every look.
const (
	imagesLarge = "large"
	imagesOff   = "off"
)

// JSONSchemaExtend adds an example: no key is required, and none is not enough.
func (config) JSONSchemaExtend(s *jsonschema.Schema) {
	s.Examples = []any{map[string]any{"webhook_url": "https://hooks.slack.com/services/T000/B000/token"}}
}

// Validate checks what the tags cannot say.
func (c config) Validate() error {
	var problems []error
	problem := func(key, message string) { problems = append(problems, sdk.Problem(key, message)) }
	switch {
	case c.WebhookURL == "" && c.BotToken == "":
		problem("webhook_url", "is required, unless bot_token and channel are set")
	case c.WebhookURL != "" && c.BotToken != "":
		problem("bot_token", "is another way than webhook_url; keep one of them: a bot edits its messages, a webhook cannot")
	case c.WebhookURL != "" && c.Channel != "":
		problem("channel", "is for bot_token; remove it: a webhook posts to the channel that it was made for")
	case c.BotToken != "" && strings.TrimSpace(c.Channel) == "":
		problem("channel", "is required with bot_token; write the channel's id, from its details, or its name")
	}
	if strings.IndexFunc(c.BotToken.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		problem("bot_token", "has a character that no token has; copy it anew from the app's page OAuth & Permissions")
	}
	if c.WebhookURL != "" {
		_, err := endpointurl.Parse("webhook_url", c.WebhookURL)
		problems = append(problems, err)
	}
	_, err := c.api()
	problems = append(problems, err, c.Templates.Problems("templates"))
	for _, key := range slices.Sorted(maps.Keys(c.Templates)) {
		if t := c.Templates[key]; (t.Text == nil) == (t.Blocks == nil) {
			problem("templates."+key, "needs one of text and blocks")
		}
	}
	return errors.Join(problems...)
}

// api is the address that methods follow.
func (c config) api() (*url.URL, error) {
	return endpointurl.Parse("api_url", sdk.Secret(strings.TrimSuffix(c.APIURL, "/")+"/"))
}

// warn tells what is probably wrong.
func (c config) warn(env sdk.Env) {
	c.Templates.Warn(env, "templates")
	if c.WebhookURL != "" && !strings.HasPrefix(c.WebhookURL.Reveal(), "https://hooks.slack.com/") {
		env.Warn("webhook_url", "does not look like Slack's https://hooks.slack.com/services/…; it is used as it is")
	}
	if c.BotToken != "" && !strings.HasPrefix(c.BotToken.Reveal(), "xoxb-") {
		env.Warn("bot_token", "does not look like a bot's token, xoxb-…; it is used as it is")
	}
}
