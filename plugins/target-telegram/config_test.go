package telegram

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func good() config {
	return config{BotToken: endpoint.TelegramToken, ChatID: endpoint.TelegramChat, Look: message.LookStandard, Images: imagesUpload, APIURL: "https://api.telegram.org"}
}

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	for _, chat := range []chatID{"-1001234567890", "5", "@hookarr_news"} {
		c := good()
		c.ChatID, c.MessageThreadID, c.ImageHosts, c.Silent = chat, 42, []string{"nas.lan:7878"}, []string{"release.grabbed", "*"}
		require.NoError(t, c.Validate())
	}
	for name, c := range map[string]struct {
		change func(c *config)
		want   string
	}{
		"token":      {func(c *config) { c.BotToken = "s3cret" }, "bot_token: "},
		"bot's URL":  {func(c *config) { c.BotToken = "https://api.telegram.org/bot1:s3cret" }, "bot_token: "},
		"slash":      {func(c *config) { c.BotToken = "1:s3cret/x" }, "bot_token: "},
		"name":       {func(c *config) { c.ChatID = "hookarr" }, "chat_id: "},
		"link":       {func(c *config) { c.ChatID = "https://t.me/hookarr" }, "chat_id: "},
		"zero":       {func(c *config) { c.ChatID = "0" }, "chat_id: "},
		"api":        {func(c *config) { c.APIURL = "api.telegram.org" }, "api_url: "},
		"api's user": {func(c *config) { c.APIURL = "https://u:s3cret@api.telegram.org" }, "api_url: "},
		"metadata":   {func(c *config) { c.APIURL = "http://169.254.169.254" }, "api_url: "},
		"host":       {func(c *config) { c.ImageHosts = []string{"http://nas.lan"} }, "image_hosts[0]: "},
		"silent":     {func(c *config) { c.Silent = []string{"media.["} }, "silent.media.[: "},
		"templates":  {func(c *config) { c.Templates = template.ByType[template.Template]{"": {}} }, "templates.: "},
	} {
		bad := good()
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
}

// YAML has a number where people write one.
func TestChatIDIsANumberOrAName(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]chatID{
		"-1001234567890": "-1001234567890", `"-1001234567890"`: "-1001234567890", `"@hookarr"`: "@hookarr", "9007199254740993": "9007199254740993",
	} {
		var got chatID
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got)
	}
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"bot_token": endpoint.TelegramToken, "chat_id": "@hookarr"})
	for _, wrong := range []any{true, 1.5, "", []int{1}} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, map[string]any{"bot_token": endpoint.TelegramToken, "chat_id": wrong}))
		require.NoError(t, err)
		require.Len(t, problems, 1, wrong)
		require.Equal(t, "chat_id", problems[0].Key)
	}
}

func TestTheURLHasTheToken(t *testing.T) {
	t.Parallel()
	c := good()
	require.Equal(t, "https://api.telegram.org/bot"+endpoint.TelegramToken+"/", c.base())
	c.APIURL = "http://127.0.0.1:8081/telegram/"
	require.Equal(t, "http://127.0.0.1:8081/telegram/bot"+endpoint.TelegramToken+"/", c.base())
}

func TestProblemOfATemplateNamesIt(t *testing.T) {
	t.Parallel()
	config := map[string]any{"bot_token": endpoint.TelegramToken, "chat_id": 5}
	target := plugintest.StartTarget(t, info(), newTarget, config)
	config["templates"] = map[string]string{"media.*": "<b>{{.event.titel}}</b>"}
	problems, err := target.Configure(t.Context(), plugintest.Config(t, config))
	require.NoError(t, err)
	require.Len(t, problems, 1)
	require.Equal(t, "templates.media.*", problems[0].Key)
	require.Contains(t, problems[0].Message, `there is no field "titel"`)
}

func TestPatternsOfNoTypeAreWarnedOf(t *testing.T) {
	t.Parallel()
	config := map[string]any{"bot_token": endpoint.TelegramToken, "chat_id": 5}
	target := plugintest.StartTarget(t, info(), newTarget, config)
	config["silent"], config["templates"] = []string{"helth.*"}, map[string]string{"media.*": "{{.event.title}}", "movie.*": "x"}
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, config))
	require.NoError(t, err)
	require.Len(t, warnings, 2)
	require.Equal(t, "templates.movie.*", warnings[0].Key)
	require.Equal(t, "silent.helth.*", warnings[1].Key)
}
