package slack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

const hook = "https://hooks.slack.com/services/T0/B0/s3cret"

func TestWarnings(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": hook})
	for name, c := range map[string]struct {
		config map[string]any
		keys   []string
	}{
		"webhook": {map[string]any{"webhook_url": hook}, nil},
		// Compatible servers may be anywhere.
		"another server": {map[string]any{"webhook_url": "https://mattermost.example/hooks/s3cret"}, []string{"webhook_url"}},
		"bot":            {map[string]any{"bot_token": "xoxb-s3cret", "channel": "media"}, nil},
		"app token":      {map[string]any{"bot_token": "xapp-s3cret", "channel": "media"}, []string{"bot_token"}},
	} {
		warnings, err := target.Warnings(t.Context(), plugintest.Config(t, c.config))
		require.NoError(t, err, name)
		require.Len(t, warnings, len(c.keys), name)
		for i, key := range c.keys {
			require.Equal(t, key, warnings[i].Key)
			require.Contains(t, warnings[i].Message, "does not look like")
			require.NotContains(t, warnings[i].Message, "s3cret")
		}
	}
}

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	const api = "https://slack.com/api/"
	require.NoError(t, config{WebhookURL: hook, APIURL: api}.Validate())
	require.NoError(t, config{BotToken: "xoxb-s3cret", Channel: "C0123", APIURL: "http://127.0.0.1:9900"}.Validate())
	for name, c := range map[string]struct {
		config config
		want   string
	}{
		"nothing":         {config{APIURL: api}, "webhook_url: is required, unless bot_token and channel are set"},
		"channel alone":   {config{Channel: "media", APIURL: api}, "webhook_url: is required, unless"},
		"both":            {config{WebhookURL: hook, BotToken: "xoxb-s3cret", Channel: "media", APIURL: api}, "bot_token: is another way"},
		"webhook channel": {config{WebhookURL: hook, Channel: "media", APIURL: api}, "channel: is for bot_token; remove it"},
		"no channel":      {config{BotToken: "xoxb-s3cret", Channel: " ", APIURL: api}, "channel: is required with bot_token"},
		"broken token":    {config{BotToken: "xoxb-s3cret\n", Channel: "media", APIURL: api}, "bot_token: has a character"},
		"webhook":         {config{WebhookURL: "hooks.slack.com/services/T0/B0/s3cret", APIURL: api}, "webhook_url: "},
		"api":             {config{WebhookURL: hook, APIURL: "slack.com/api"}, "api_url: "},
	} {
		err := c.config.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
}

// Everybody in the channel can read the URL of a picture.
func TestNoCredentialIsInAPicture(t *testing.T) {
	t.Parallel()
	event := plugintest.EventOf(sdk.TypeMediaImported)
	event.Media.Poster = "https://radarr.example/MediaCover/1/poster.jpg?apikey=s3cret"
	r, err := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": hook}).Preview(t.Context(), plugintest.Delivery(t, "1", event))
	require.NoError(t, err)
	require.Contains(t, r.Body, event.Title)
	require.NotContains(t, r.Body, "poster.jpg")
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": hook})
	event := plugintest.EventOf(sdk.TypeMediaImported)
	event.Media.Poster = "https://image.example/p.jpg"
	preview := func() string {
		r, err := target.Preview(t.Context(), plugintest.Delivery(t, "1", event))
		require.NoError(t, err)
		return r.Body
	}
	body := preview()
	require.Contains(t, body, `"accessory"`, "with pictures")
	require.Contains(t, body, `"header"`, "in the look standard")

	problems, err := target.Configure(t.Context(), plugintest.Config(t, map[string]any{"webhook_url": hook, "look": "compact", "images": "large"}))
	require.NoError(t, err)
	require.Empty(t, problems)
	body = preview()
	require.NotContains(t, body, `"header"`)
	require.Contains(t, body, `"image_url"`)
	problems, err = target.Configure(t.Context(), plugintest.Config(t, map[string]any{"webhook_url": hook, "look": "huge"}))
	require.NoError(t, err)
	require.Equal(t, "look", problems[0].Key)
}
