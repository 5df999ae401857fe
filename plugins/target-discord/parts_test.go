package discord

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// shown delivers an event to a target with templates for all types.
func shown(t *testing.T, p parts, e sdk.Event) (endpoint.DiscordMessage, sdk.Receipt) {
	t.Helper()
	b := setup(t, func(c *config) { c.Templates = template.ByType[parts]{"*": p} })
	receipt := b.deliver(t, e, nil)
	return b.discord.Messages()[0], receipt
}

func dune(t *testing.T) sdk.Event {
	t.Helper()
	for _, c := range eventtest.Events() {
		if c.Name == "media_imported" {
			return c.Event
		}
	}
	require.Fail(t, "no such event")
	return sdk.Event{}
}

func TestTemplatesTakeThePlaceOfParts(t *testing.T) {
	t.Parallel()
	m, receipt := shown(t, parts{
		Content:     parsed(t, "<@1> {{.event.app}}"),
		Author:      parsed(t, "{{emoji .event}}\n{{.event.source}}*"),
		Title:       parsed(t, "**{{.event.media.title}}*"),
		URL:         parsed(t, "https://www.imdb.com/title/{{.event.media.ids.imdb}}"),
		Description: parsed(t, "[page]({{.event.url}}) {{.event.media.path}}"),
		Footer:      parsed(t, "{{.count}}"),
		Color:       parsed(t, "#010203"),
		Image:       parsed(t, "{{.event.media.poster}}"),
		Fields: []partField{
			{Name: parsed(t, "Size"), Value: parsed(t, "{{.event.files | pluck \"size_bytes\" | sum | size}}"), Inline: true},
			{Name: parsed(t, "Nothing"), Value: parsed(t, "{{.event.health.message}} ")},
			{Name: parsed(t, "Format"), Value: parsed(t, "`{{(first .event.files).quality}}`")},
		},
	}, dune(t))
	require.Empty(t, receipt.Fallback)
	require.Equal(t, "<@1> radarr", *m.Content)
	e := m.Embeds[0]
	require.Equal(t, "✅ radarr-4k*", e.Author.Name)
	require.Equal(t, "**Dune: Part Two*", *e.Title)
	require.Equal(t, "https://www.imdb.com/title/tt15239678", e.URL)
	require.Equal(t, "[page](https://radarr.example/movie/693134) /movies/Dune Part Two (2024)", *e.Description)
	require.Equal(t, "1", e.Footer.Text)
	require.Equal(t, 0x010203, e.Color)
	require.Equal(t, dune(t).Media.Poster, e.Thumbnail.URL)
	require.Len(t, e.Fields, 2)
	require.True(t, e.Fields[0].Inline)
	require.Equal(t, "`Bluray-2160p`", e.Fields[1].Value)
}

// Everybody in the channel can read the URL of a picture.
func TestNoCredentialIsInAPicture(t *testing.T) {
	t.Parallel()
	e := dune(t)
	e.Media.Poster = "https://radarr.example/MediaCover/1/poster.jpg?apikey=s3cret"
	m, _ := shown(t, parts{}, e)
	require.Nil(t, m.Embeds[0].Thumbnail)
	require.Nil(t, m.Embeds[0].Image)
}

func TestPartsThatAreNotGivenAreTheLooks(t *testing.T) {
	t.Parallel()
	m, _ := shown(t, parts{Title: parsed(t, "x")}, dune(t))
	plain, _ := shown(t, parts{}, dune(t))
	require.Equal(t, "x", *m.Embeds[0].Title)
	*m.Embeds[0].Title = *plain.Embeds[0].Title
	require.Equal(t, plain, m)
}

func TestPartsThatRenderNothingAreLeftOut(t *testing.T) {
	t.Parallel()
	nothing := parsed(t, "{{.event.health.message}} \n")
	m, receipt := shown(t, parts{Content: nothing, Author: nothing, URL: nothing, Description: nothing, Footer: nothing, Color: nothing, Image: nothing, Fields: []partField{}}, dune(t))
	require.Empty(t, receipt.Fallback)
	title := "Dune: Part Two (2024)"
	require.Equal(t, endpoint.DiscordEmbed{Title: &title, Timestamp: "2026-11-23T10:00:00Z"}, m.Embeds[0])
	require.Nil(t, m.Content)

	m, receipt = shown(t, parts{Author: nothing, Title: nothing, Description: nothing, Footer: nothing, Image: nothing, Fields: []partField{}}, dune(t))
	require.Equal(t, "template * renders nothing: used the built-in message", receipt.Fallback)
	require.Equal(t, title, *m.Embeds[0].Title)
}

func TestATemplateThatFailsLeavesTheBuiltInPart(t *testing.T) {
	t.Parallel()
	plain, _ := shown(t, parts{}, dune(t))
	for says, p := range map[string]parts{
		"template * title: line 1, column 15: ":                           {Title: parsed(t, "{{range .event.app}}{{end}}")},
		"template * color: \"red\" is not a color such as #2E9E5B":        {Color: parsed(t, "red")},
		"template * url: \"/movie/1\" is not a URL that Discord takes":    {URL: parsed(t, "/movie/1")},
		"template * image: \"http://nas/1\" is not a URL that Discord":    {Image: parsed(t, "http://nas/1")},
		"template * fields[1].value: line 1, column 3: \"x\" is no whole": {Fields: []partField{{Name: parsed(t, "a"), Value: parsed(t, "b")}, {Name: parsed(t, "a"), Value: parsed(t, `{{truncate "x" "y"}}`)}}},
	} {
		m, receipt := shown(t, p, dune(t))
		require.Contains(t, receipt.Fallback, says)
		require.Contains(t, receipt.Fallback, ": used the built-in part")
		require.Equal(t, plain, m)
	}
}

func TestTheMostSpecificTemplateIsUsed(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) {
		c.Templates = template.ByType[parts]{"media.*": {Title: parsed(t, "media")}, "media.imported": {Title: parsed(t, "imported {{.count}}")}}
	})
	for title, events := range map[string][]sdk.Event{
		"imported 2": {{Type: sdk.TypeReleaseGrabbed, Title: "a"}, imported},
		"media":      {{Type: sdk.TypeMediaAdded, Title: "a"}},
		"a":          {{Type: sdk.TypeReleaseGrabbed, Title: "a"}},
	} {
		d := eventtest.Delivery(t, events[0])
		d.Events = events
		_, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err)
		messages := b.discord.Messages()
		require.Equal(t, title, *messages[len(messages)-1].Embeds[0].Title)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	for want, configs := range map[string][]config{
		"thumbnail": {{}, {Look: "rich"}, {Look: "poster", Images: "thumbnail"}, {Look: "compact", Images: "thumbnail"}},
		"image":     {{Look: "poster"}, {Images: "large"}, {Look: "compact", Images: "large"}},
		"none":      {{Look: "compact"}, {Images: "off"}, {Look: "poster", Images: "off", Templates: template.ByType[parts]{"*": {Image: parsed(t, "https://a.example/b.png")}}}},
	} {
		for _, given := range configs {
			b := setup(t, func(c *config) { c.Look, c.Images, c.Templates = given.Look, given.Images, given.Templates })
			b.deliver(t, imported, nil)
			e := b.discord.Messages()[0].Embeds[0]
			require.Equal(t, want == "thumbnail", e.Thumbnail != nil, given)
			require.Equal(t, want == "image", e.Image != nil, given)
		}
	}
}
