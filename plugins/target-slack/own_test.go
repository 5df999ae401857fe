package slack

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func parse(t require.TestingT, text string) *template.Template {
	parsed, err := template.Parse("", text)
	require.NoError(t, err)
	return parsed
}

func withText(t *testing.T, text string) func(c *config) {
	t.Helper()
	return func(c *config) { c.Templates = template.ByType[own]{"media.*": {Text: parse(t, text)}} }
}

func withBlocks(t *testing.T, text string) func(c *config) {
	t.Helper()
	return func(c *config) { c.Templates = template.ByType[own]{"media.*": {Blocks: parse(t, text)}} }
}

// shown is the message that an event makes, and the fallback.
func shown(t *testing.T, e sdk.Event, change ...func(c *config)) (endpoint.SlackBody, string) {
	t.Helper()
	b := setup(t, change...)
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err, b.slack.Refused())
	return b.slack.Messages()[0], receipt.Fallback
}

const blocksTemplate = `[
	{"type": "header", "text": {"type": "plain_text", "text": {{.message.headline | json}}}},
	{"type": "section", "text": {"type": "mrkdwn", "text": "*{{.event.title}}* {{.event.media.overview}}"}}
]`

func TestATextReplacesTheBlocks(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title = `M*A*S*H & "<!channel>"`
	got, fallback := shown(t, e, withText(t, "*New:* {{.event.title}}\nSee <https://example.org/|the library>"))
	require.Empty(t, fallback)
	require.Equal(t, []endpoint.SlackBlock{{Type: "section", Text: &endpoint.SlackText{
		Type: "mrkdwn", Verbatim: new(true),
		Text: "*New:* M∗A∗S∗H &amp; \"&lt;!channel&gt;\"\nSee <https://example.org/|the library>",
	}}}, got.Blocks)
	require.Equal(t, "✅ Item imported: M∗A∗S∗H &amp; \"&lt;!channel&gt;\"", strings.ReplaceAll(got.Text, "Movie", "Item"))

	e.URL = "https://radarr.example/~me/*?a=b&c=_d_"
	got, _ = shown(t, e, withText(t, "<{{.event.url}}|open> {{.event.url}}"))
	const url = "https://radarr.example/~me/*?a=b&amp;c=_d_"
	require.Equal(t, "<"+url+"|open> "+url, got.Blocks[0].Text.Text, "a URL is one")

	other, _ := shown(t, sdk.Event{Type: sdk.TypeTest, Title: "Test"}, withText(t, "x"))
	require.Equal(t, "header", other.Blocks[0].Type, "other types have the built-in message")
}

func TestALongTextIsCutInWholeLines(t *testing.T) {
	t.Parallel()
	got, fallback := shown(t, imported, withText(t, strings.Repeat(strings.Repeat("a", 998)+"\n", 13)))
	require.Empty(t, fallback)
	require.Len(t, got.Blocks, 3)
	require.Equal(t, strings.Repeat(strings.Repeat("a", 998)+"\n", 2)+strings.Repeat("a", 998), got.Blocks[0].Text.Text)
	require.True(t, strings.HasSuffix(got.Blocks[2].Text.Text, "a\n…"))

	got, _ = shown(t, imported, withText(t, strings.Repeat("ü", 4000)+"\nend"))
	require.Len(t, got.Blocks, 2)
	require.Equal(t, strings.Repeat("ü", 2997)+"…", got.Blocks[0].Text.Text)
	require.Equal(t, "end", got.Blocks[1].Text.Text)

	for end, want := range map[string]string{"&amp;": "…", "<https://example.org/|there>": "…", "& all": "…"} {
		start := strings.Repeat("a", 2995)
		got, _ = shown(t, imported, func(c *config) {
			c.Templates = template.ByType[own]{"*": {Text: parse(t, start+end+strings.Repeat("b", 9))}}
		})
		require.Equal(t, start+want, got.Blocks[0].Text.Text)
	}
}

func TestBlocksReplaceTheBuiltInOnes(t *testing.T) {
	t.Parallel()
	e := imported
	e.Title, e.Media = "quote \" backslash \\ line\nend", &sdk.Media{Kind: "movie"}
	for _, text := range []string{blocksTemplate, `{"blocks": ` + blocksTemplate + `}`} {
		got, fallback := shown(t, e, withBlocks(t, text))
		require.Empty(t, fallback)
		require.Len(t, got.Blocks, 2)
		require.Equal(t, "Movie imported", got.Blocks[0].Text.Text)
		require.Equal(t, "*quote \" backslash \\ line\nend* ", got.Blocks[1].Text.Text)
		require.NotEmpty(t, got.Text, "a notification shows a sentence")
	}

	got, fallback := shown(t, e, withBlocks(t, `[{"type":"section","text":{"type":"mrkdwn","text":"{{.event.media.overview}}"}},{"type":"divider"}]`))
	require.Empty(t, fallback)
	require.Equal(t, []endpoint.SlackBlock{{Type: "divider"}}, got.Blocks, "a block with nothing to say is left out")
}

func TestATemplateThatFailsIsReplaced(t *testing.T) {
	t.Parallel()
	builtIn, _ := shown(t, imported)
	divider := `{"type":"divider"}`
	header := func(n int) string {
		return `[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("a", n) + `"}}]`
	}
	many := func(n int, block string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(block+",", n), ",") + "]"
	}
	long := `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("a", 3000) + `"}}`
	for name, c := range map[string]struct {
		change func(c *config)
		says   string
	}{
		"execution":   {withText(t, `{{date "2006" .event.title}}`), "template media.* text: line 1, column"},
		"empty":       {withText(t, " {{.event.media.overview}}\n"), "template media.* text: it says nothing"},
		"no JSON":     {withBlocks(t, "{{.event.title}}"), "template media.* blocks: its JSON: invalid character"},
		"broken":      {withBlocks(t, `{"blocks":[}`), "template media.* blocks: its JSON: invalid character"},
		"blank":       {withBlocks(t, `[{"type":"section","text":{"type":"mrkdwn","text":"{{.event.media.overview}}"}}]`), "template media.* blocks: it says nothing"},
		"no blocks":   {withBlocks(t, `{}`), "template media.* blocks: it says nothing"},
		"51 blocks":   {withBlocks(t, many(51, divider)), "it has 51 blocks; Slack takes 50"},
		"no object":   {withBlocks(t, `["a"]`), "block 1: it is no block with a type"},
		"no type":     {withBlocks(t, `[`+divider+`,{"text":"a"}]`), "block 2: it is no block with a type"},
		"long header": {withBlocks(t, header(151)), "block 1: it has a text of 151 characters; Slack takes 150"},
		"fields":      {withBlocks(t, `[{"type":"section","fields":`+many(11, `{"type":"mrkdwn","text":"a"}`)+`}]`), "it has 11 fields"},
		"total":       {withBlocks(t, many(4, long)), "it has 12000 characters of text; Slack takes about 9000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, fallback := shown(t, imported, c.change)
			require.Contains(t, fallback, c.says)
			require.True(t, strings.HasSuffix(fallback, ": used the built-in message"), fallback)
			require.Equal(t, builtIn, got)
		})
	}
	for _, good := range []string{header(150), many(50, divider), many(3, long)} {
		_, fallback := shown(t, imported, withBlocks(t, good))
		require.Empty(t, fallback)
	}
}

// Slack knows what is wrong with blocks better than this plugin.
func TestATemplateThatSlackRefusesIsReplaced(t *testing.T) {
	t.Parallel()
	got, fallback := shown(t, imported, withBlocks(t, `[{"type":"nothing"}]`))
	require.Equal(t, "Slack refused the message of a template (invalid_blocks): used the built-in message", fallback)
	require.Equal(t, "header", got.Blocks[0].Type)
	require.Zero(t, pictures(got))

	b := setupBot(t)
	withBlocks(t, `[{"type":"nothing"}]`)(&b.config)
	b.target = start(t, b.config)
	receipt := b.deliver(t, nil, imported)
	require.Equal(t, fallback, receipt.Fallback)
	b.slack.Next(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ok":false,"error":"message_not_found"}`)
	})
	anew := b.deliver(t, receipt, imported)
	require.Equal(t, "the message to edit was deleted: posted anew; "+fallback, anew.Fallback)
}

func TestAnEditHasTheWordsOfATemplate(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	withText(t, "{{.count}} events, now {{.event.type}}")(&b.config)
	b.target = start(t, b.config)
	first := b.deliver(t, nil, story()[1])
	b.deliver(t, first, story()...)
	require.Len(t, b.slack.Messages(), 1)
	require.Equal(t, "3 events, now media.upgraded", b.slack.Messages()[0].Blocks[0].Text.Text)
}

// Whatever a template does with them, events notify nobody.
func TestOnlyTheTemplateMentions(t *testing.T) {
	t.Parallel()
	e := sdk.Event{Type: sdk.TypeMediaImported, Title: "<!channel> <@U012AB3CD> <!subteam^S1|a> a<b"}
	const quieted = "‹!channel> ‹@U012AB3CD> ‹!subteam^S1|a> a<b"
	for name, c := range map[string]struct {
		words own
		want  string
	}{
		"json":      {own{Blocks: parse(t, `[{"type":"section","text":{"type":"mrkdwn","text":{{.event.title | json}}}}]`)}, quieted},
		"raw":       {own{Text: parse(t, `{{raw .event.title}}`)}, quieted},
		"operators": {own{Text: parse(t, `<!here> <!date^0^{date}|then>`)}, "<!here> <!date^0^{date}|then>"},
	} {
		p, _, err := c.words.payload([]sdk.Event{e}, "")
		require.NoError(t, err, name)
		if raw := p.Blocks[0].raw; raw != nil {
			require.NoError(t, json.Unmarshal(raw, &p.Blocks[0]))
		}
		require.Equal(t, c.want, p.Blocks[0].Text.Text, name)
	}
}

func TestAnyEventsTemplateIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	all := `{{.message.title}} {{.message.summary}} {{.message.text}}{{range .message.list}}
• {{.}}{{end}}{{range .event.files}}
{{.relative_path}} {{.quality}}{{end}}`
	blocks := `[{"type":"section","text":{"type":"mrkdwn","text":"{{.event.title | truncate 200}} "}},
		{"type":"header","text":{"type":"plain_text","text":{{.event.title | truncate 140 | default "x" | printf "%s." | json}}}}]`
	both := []own{{Text: parse(t, all)}, {Blocks: parse(t, blocks)}}
	eventtest.Check(t, func(t require.TestingT, e sdk.Event) {
		for _, words := range both {
			c := composer{templates: template.ByType[own]{"*": words}}
			eventtest.Post(t, &endpoint.Slack{}, c.compose(sdk.Delivery{Events: []sdk.Event{e}}).payload)
		}
	})
}

func TestTemplatesAreChecked(t *testing.T) {
	t.Parallel()
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": hook})
	for _, c := range []struct {
		templates any
		key       string
	}{
		{map[string]any{"media.*": map[string]any{"text": "{{.event.titel}}"}}, "templates.media.*.text"},
		{map[string]any{"media.*": map[string]any{}}, "templates.media.*"},
		{map[string]any{"media.*": map[string]any{"text": "a", "blocks": "[]"}}, "templates.media.*"},
		{map[string]any{"media.[": map[string]any{"text": "a"}}, "templates.media.["},
		{map[string]any{"*": map[string]any{"txet": "a"}}, "templates.*.txet"},
	} {
		problems, err := target.Configure(t.Context(), plugintest.Config(t, map[string]any{"webhook_url": hook, "templates": c.templates}))
		require.NoError(t, err)
		require.Len(t, problems, 1)
		require.Equal(t, c.key, problems[0].Key, problems)
	}
	warnings, err := target.Warnings(t.Context(), plugintest.Config(t, map[string]any{"webhook_url": hook, "templates": map[string]any{"film.*": map[string]any{"text": "a"}}}))
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Equal(t, "templates.film.*", warnings[0].Key)
}

// TestTheGuidesExampleWorks delivers with the templates that the page of the target shows.
func TestTheGuidesExampleWorks(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/targets/slack.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(guide), "## Options")
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "```yaml\n")
	require.True(t, ok)
	example, _, _ := strings.Cut(rest, "```")
	var parsed struct {
		Targets map[string]struct{ Config map[string]any }
	}
	require.NoError(t, yaml.Unmarshal([]byte(example), &parsed))

	b := setupBot(t)
	c := parsed.Targets["team"].Config
	require.NotEmpty(t, c["templates"])
	c["bot_token"], c["channel"], c["api_url"] = b.slack.Token(), endpoint.SlackChannel, b.config.APIURL
	target := plugintest.StartTarget(t, info(), newTarget, c)
	for i, typ := range []sdk.Type{sdk.TypeMediaImported, sdk.TypeHealthIssue} {
		o, err := target.Deliver(t.Context(), plugintest.Delivery(t, "1", plugintest.EventOf(typ)))
		require.NoError(t, err)
		require.Equal(t, sdk.ClassOK, o.Class, o.Message)
		require.Empty(t, o.Receipt.Fallback)
		require.Len(t, b.slack.Messages()[i].Blocks, i+1)
	}
}
