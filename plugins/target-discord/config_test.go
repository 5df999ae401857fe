package discord

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	good := config{
		WebhookURL: "https://discord.com/api/webhooks/1012345678901234567/abc", Username: strings.Repeat("ü", 80),
		AvatarURL: "https://a.example/b.png", ThreadID: "333333333333333333",
		MentionRoles: []string{"111111111111111111"}, MentionUsers: []string{"222222222222222222"},
	}
	require.NoError(t, good.Validate())
	require.NoError(t, config{WebhookURL: "http://127.0.0.1:9900/proxy"}.Validate(), "a proxy may be anywhere")

	tooMany := make([]string, 21)
	for i := range tooMany {
		tooMany[i] = "111111111111111111"
	}
	for name, c := range map[string]struct {
		change func(c *config)
		want   string
	}{
		"no scheme":       {func(c *config) { c.WebhookURL = "discord.com/api/webhooks/1/s3cret" }, "webhook_url: "},
		"slack form":      {func(c *config) { c.WebhookURL = "https://discord.com/api/webhooks/1/s3cret/slack" }, "webhook_url: "},
		"long name":       {func(c *config) { c.Username = strings.Repeat("a", 81) }, "username: "},
		"blank name":      {func(c *config) { c.Username = " " }, "username: "},
		"reserved name":   {func(c *config) { c.Username = "My DisCord" }, "username: "},
		"avatar":          {func(c *config) { c.AvatarURL = "/logo.png" }, "avatar_url: "},
		"local avatar":    {func(c *config) { c.AvatarURL = "http://nas/logo.png" }, "avatar_url: "},
		"thread":          {func(c *config) { c.ThreadID = "general" }, "thread_id: "},
		"role":            {func(c *config) { c.MentionRoles = []string{"111111111111111111", "@admins"} }, "mention_roles[1]: "},
		"user":            {func(c *config) { c.MentionUsers = []string{""} }, "mention_users[0]: "},
		"two threads":     {func(c *config) { c.ThreadName = parsed(t, "{{.message.title}}") }, "thread_name: "},
		"pattern":         {func(c *config) { c.Templates = template.ByType[parts]{"media.[": {}} }, "templates.media.[: "},
		"too many fields": {func(c *config) { c.Templates = template.ByType[parts]{"*": {Fields: make([]partField, 26)}} }, "templates.*.fields: has 26 entries; Discord takes 25"},
		"too many users":  {func(c *config) { c.MentionUsers = tooMany }, "mention_users: "},
	} {
		bad := good
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
}

func parsed(t require.TestingT, source string) *template.Template {
	parsed, err := template.Parse("test", source)
	require.NoError(t, err)
	return parsed
}

// Every mistake in a template is told with its key and its place.
func TestProblemsOfTemplatesNameTheirPlace(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/s3cret"})
	for key, c := range map[string]struct {
		config map[string]any
		says   string
	}{
		"templates.media.*.title":     {map[string]any{"templates": map[string]any{"media.*": map[string]any{"title": "a {{uper .count}}"}}}, `line 1, column 5: there is no function "uper"`},
		"templates.*.fields[1].value": {map[string]any{"templates": map[string]any{"*": map[string]any{"fields": []any{map[string]any{"name": "a", "value": "b"}, map[string]any{"name": "a", "value": "{{.event.titel}}"}}}}}, `line 1, column 10: there is no field "titel" here`},
		"templates.*.titel":           {map[string]any{"templates": map[string]any{"*": map[string]any{"titel": "x"}}}, "is an unknown key; did you mean title?"},
		"templates.*.fields[0].name":  {map[string]any{"templates": map[string]any{"*": map[string]any{"fields": []any{map[string]any{"value": "b"}}}}}, "is required"},
		"thread_name":                 {map[string]any{"thread_name": "{{"}, "line 1, column 1: this {{ is not closed by }}"},
		"look":                        {map[string]any{"look": "huge"}, "must be one of compact, standard, rich, poster"},
		"images":                      {map[string]any{"images": "small"}, "must be one of thumbnail, large, off"},
	} {
		c.config["webhook_url"] = "https://discord.com/api/webhooks/1/s3cret"
		problems, err := target.Configure(t.Context(), plugintest.Config(t, c.config))
		require.NoError(t, err)
		require.Len(t, problems, 1, key)
		require.Equal(t, key, problems[0].Key)
		require.Contains(t, problems[0].Message, c.says)
	}
}

func TestMentionsFitTheText(t *testing.T) {
	t.Parallel()
	ids := make([]string, maxMentions)
	for i := range ids {
		ids[i] = strings.Repeat("9", 20)
	}
	require.LessOrEqual(t, len(mentionLine(ids, ids)), 2000)
}

func TestDiscordGaveOut(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"https://discord.com/api/webhooks/1/a-B_c":            true,
		"https://discordapp.com/api/webhooks/1/abc":           true,
		"https://canary.discord.com/api/v10/webhooks/1/abc":   true,
		"https://ptb.discord.com/api/webhooks/1/abc?wait=1":   true,
		"http://discord.com/api/webhooks/1/abc":               false,
		"https://discord.com.evil.example/api/webhooks/1/abc": false,
		"https://discord.com/api/webhooks/1/abc/slack":        false,
		"https://discord.com/channels/1/2":                    false,
	} {
		u, err := url.Parse(raw)
		require.NoError(t, err)
		require.Equal(t, want, discordGaveOut(u), raw)
	}
}

func TestEffectiveURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, thread, post, message string }{
		{"https://discord.com/api/webhooks/1/abc", "", "https://discord.com/api/v10/webhooks/1/abc?wait=true", "https://discord.com/api/v10/webhooks/1/abc/messages/7"},
		{"https://discord.com/api/v9/webhooks/1/abc", "5", "https://discord.com/api/v9/webhooks/1/abc?thread_id=5&wait=true", "https://discord.com/api/v9/webhooks/1/abc/messages/7?thread_id=5"},
		{"http://proxy:8080/api/webhooks/1/abc?key=k", "5", "http://proxy:8080/api/webhooks/1/abc?key=k&thread_id=5&wait=true", "http://proxy:8080/api/webhooks/1/abc/messages/7?key=k&thread_id=5"},
	} {
		u, err := url.Parse(c.raw)
		require.NoError(t, err)
		target := target{webhook: effective(u), threadID: c.thread}
		require.Equal(t, c.post, target.postURL())
		require.Equal(t, c.message, target.messageURL("7", c.thread))
		require.Equal(t, c.raw, u.String(), "the given URL is left alone")
	}
	require.NotContains(t, (&target{webhook: &url.URL{Path: "/a"}}).messageURL("../../x", ""), "/../")
}

func TestForeignHostIsUsedWithAWarning(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": "https://discord.com/api/webhooks/1/s3cret"})
	for url, said := range map[string][]string{
		"https://discord.com/api/webhooks/1/s3cret": nil,
		"https://proxy.example/s3cret":              {"webhook_url"},
	} {
		warnings, err := target.Warnings(t.Context(), plugintest.Config(t, map[string]any{
			"webhook_url": url, "templates": map[string]any{"media.*": map[string]any{}, "*": map[string]any{}},
		}))
		require.NoError(t, err)
		require.Len(t, warnings, len(said), url)
		for i, key := range said {
			require.Equal(t, key, warnings[i].Key)
			require.Contains(t, warnings[i].Message, "does not look like")
			require.NotContains(t, warnings[i].Message, "s3cret")
		}
	}
}
