package discord

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// post has a target compose a message, and posts it to an endpoint that enforces Discord's
// limits.
func post(t require.TestingT, target *target, events ...sdk.Event) {
	c := target.compose(events)
	eventtest.Post(t, &endpoint.Discord{}, body{Content: &c.content, AllowedMentions: allowedMentions{Parse: []string{}}, Embeds: c.embeds})
	require.LessOrEqual(t, message.Len(c.threadName), maxThreadName)
}

func TestAnyEventsAreWithinTheLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		look := rapid.SampledFrom(message.Looks()).Draw(t, "look")
		images := rapid.SampledFrom([]string{"", "large", "off"}).Draw(t, "images")
		post(t, &target{look: look, images: images}, rapid.SliceOfN(eventtest.Any(), 1, 3).Draw(t, "events")...)
	})
}

// A group may be of many, each of which is at an edge.
func TestManyExtremeEventsAreWithinTheLimits(t *testing.T) {
	t.Parallel()
	var events []sdk.Event
	for i := range 100 {
		extremes := eventtest.Extremes()
		e := extremes[i%len(extremes)].Event
		e.ID, e.Time = strconv.Itoa(i), time.Unix(int64(i), 0)
		events = append(events, e)
	}
	for _, look := range message.Looks() {
		post(t, &target{look: look}, events...)
	}
}

// Templates may render any text: whatever events have, escaped and as it is.
func TestAnyTemplatesAreWithinTheLimits(t *testing.T) {
	t.Parallel()
	var templates []*template.Template
	for _, source := range []string{
		"", "{{.event.summary}}", "{{raw .event.summary}}", "{{raw .event.title}}{{raw .event.url}}", "{{.message.text}}{{.event.media.overview}}",
		"{{range .events}}{{json .}}{{end}}", "{{.event.files}}", "{{.event.url}}", "#FFFFFF", "16777215", "https://e.example/{{raw .event.title}}",
	} {
		templates = append(templates, parsed(t, source))
	}
	rapid.Check(t, func(t *rapid.T) {
		part := func(name string) *template.Template {
			return rapid.SampledFrom(append(templates, nil)).Draw(t, name)
		}
		p := parts{
			Content: part("content"), Author: part("author"), Title: part("title"), URL: part("url"), Description: part("description"),
			Image: part("image"), Footer: part("footer"), Color: part("color"),
		}
		for range rapid.IntRange(0, 30).Draw(t, "fields") {
			p.Fields = append(p.Fields, partField{Name: part("name"), Value: part("value")})
		}
		post(t, &target{
			mentions: strings.Repeat("<@99999999999999999999> ", 40), threadName: part("thread name"),
			templates: template.ByType[parts]{"*": p},
		}, rapid.SliceOfN(eventtest.Any(), 1, 3).Draw(t, "events")...)
	})
}

func FuzzRender(f *testing.F) {
	eventtest.Fuzz(f, func(t require.TestingT, e sdk.Event) { post(t, &target{}, e) })
}

// Every event and every story in every look, as it stands in the channel.
func TestGoldens(t *testing.T) {
	t.Parallel()
	deliveries := map[string]sdk.Delivery{}
	for _, c := range eventtest.Events() {
		deliveries[c.Name] = eventtest.Delivery(t, c.Event)
	}
	for _, s := range eventtest.Stories() {
		deliveries["story_"+s.Name] = eventtest.StoryDelivery(t, s.Events...)
	}
	for name, d := range deliveries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looks := map[message.Look]endpoint.DiscordBody{}
			for _, look := range message.Looks() {
				b := setup(t, func(c *config) { c.Look = look })
				_, err := b.target.Deliver(t.Context(), d)
				require.NoError(t, err, b.discord.Refused())
				looks[look] = b.discord.Messages()[0].DiscordBody
			}
			eventtest.Golden(t, "testdata/"+name+".golden.json", looks)
		})
	}
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for u, want := range map[string]bool{
		"https://radarr.example/movie/1": true,
		"http://192.168.1.5:7878/movie":  true,
		"http://[fd00::1]:7878/movie":    true,
		"http://radarr:7878/movie":       false,
		"http://localhost/movie":         false,
		"http://radarr./movie":           false,
		"":                               false,
	} {
		require.Equal(t, want, publicURL(u) != "", "%q", u)
	}
}

func TestMarkdownIsShownAsItIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"M*A*S*H":            `M\*A\*S\*H`,
		"# not a heading":    `\# not a heading`,
		"Spider-Man #3 > 2":  "Spider-Man #3 > 2",
		"[x](https://e.com)": `\[x\](https://e.com)`,
		"<@1> ||s||":         `\<@1> \|\|s\|\|`,
		"a\n- b\n> c":        "a\n\\- b\n\\> c",
		`\*`:                 `\\\*`,
	} {
		require.Equal(t, want, message.Fit(text, 1000, markdown))
	}
}
