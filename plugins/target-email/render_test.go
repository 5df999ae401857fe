package email

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// written is a target that needs no server.
func written(t require.TestingT, change func(c *config)) *target {
	c := config{Host: "mail", TLS: tlsNone, From: "Hookarr <hookarr@example.com>", To: []string{"a@example.org"}, SubjectPrefix: "[Hookarr]", Images: imagesOff}
	if change != nil {
		change(&c)
	}
	made, err := newTarget(context.Background(), sdk.Env{Instance: "family", HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	typed, ok := made.(*target)
	require.True(t, ok)
	return typed
}

// read is a delivery's mail as its readers see it.
func read(t require.TestingT, from *target, d sdk.Delivery) endpoint.Mail {
	l, err := from.writer.write(d)
	require.NoError(t, err)
	var raw bytes.Buffer
	_, err = from.mime(l).WriteTo(&raw)
	require.NoError(t, err)
	m, err := endpoint.ReadMail(raw.Bytes())
	require.NoError(t, err, "%s", &raw)
	return m
}

// shown is what a reader sees of a mail. The page is without its frame and its styles,
// which are the same in all.
type shown struct{ Subject, Text, Page string }

func show(m endpoint.Mail) shown {
	_, page, _ := strings.Cut(m.HTML, "<body")
	page, _, _ = strings.Cut(page, "</body>")
	return shown{m.Header["Subject"], m.Text, regexp.MustCompile(` (style|role|cellpadding|cellspacing)="[^"]*"`).ReplaceAllString(page, "")}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, look := range message.Looks() {
		t.Run(string(look), func(t *testing.T) {
			t.Parallel()
			from := written(t, func(c *config) { c.Look, c.Images = look, imagesLink })
			all := map[string]shown{}
			for _, c := range eventtest.Events() {
				if c.Name == "extreme_everything" || c.Name == "extreme_files" || c.Name == "extreme_rtl_emoji" {
					continue // they are long, and nothing else
				}
				all[c.Name] = show(read(t, from, eventtest.Delivery(t, c.Event)))
			}
			for _, s := range eventtest.Stories() {
				all["story_"+s.Name] = show(read(t, from, eventtest.StoryDelivery(t, s.Events...)))
			}
			eventtest.Golden(t, "testdata/"+string(look)+".golden.json", all)
		})
	}
}

// One mail is looked at as a whole.
func TestGoldenOfAMail(t *testing.T) {
	t.Parallel()
	e := sdk.Event{
		Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)", Summary: "Imported it", URL: "https://radarr.example/movie/1",
		App: "radarr", Instance: "Radarr 4K", CorrelationKey: "ABCD1234",
		Media: &sdk.Media{Kind: "movie", Overview: "Follow the journey.", Poster: "https://image.tmdb.org/t/p/w780/p.jpg", IDs: map[string]string{"tmdb": "693134"}},
	}
	m := read(t, written(t, func(c *config) { c.Look, c.Images = message.LookRich, imagesLink }), eventtest.StoryDelivery(t, e))
	eventtest.Golden(t, "testdata/mail.golden.json", m)
}

func TestAnyEventMakesAMail(t *testing.T) {
	t.Parallel()
	from := written(t, func(c *config) { c.Look, c.Images = message.LookRich, imagesLink })
	eventtest.Check(t, func(t require.TestingT, e sdk.Event) { check(t, from, e) })
}

func FuzzMail(f *testing.F) {
	from := written(f, func(c *config) { c.Look = message.LookRich })
	eventtest.Fuzz(f, func(t require.TestingT, e sdk.Event) { check(t, from, e) })
}

// check holds a mail to what no event may change: who gets it, and that it has one of
// each field.
func check(t require.TestingT, from *target, e sdk.Event) {
	m := read(t, from, sdk.Delivery{ID: e.ID, CorrelationKey: e.Title, Event: e, Events: []sdk.Event{e}})
	require.Equal(t, "<a@example.org>", m.Header["To"])
	require.Equal(t, `"Hookarr" <hookarr@example.com>`, m.Header["From"])
	require.NotContains(t, m.Header, "Bcc")
	require.LessOrEqual(t, message.Len(m.Header["Subject"]), maxSubject)
	require.True(t, strings.HasPrefix(m.Header["Subject"], "[Hookarr] "), m.Header["Subject"])
}

func TestLongTextsMakeNoLongMail(t *testing.T) {
	t.Parallel()
	from := written(t, func(c *config) { c.Look, c.Images = message.LookRich, imagesLink })
	long := strings.Repeat("ü", 50_000)
	e := sdk.Event{
		Type: sdk.TypeMediaUpgraded, Title: long, Summary: long + long, Instance: long, DeleteReason: long, URL: "https://radarr.example/" + long,
		Media:    &sdk.Media{Kind: "movie", Title: long, Overview: long, Path: long, Genres: []string{long}, Poster: "https://image.example/" + long},
		Release:  &sdk.Release{Title: long, Indexer: long, Group: long, CustomFormats: []string{long}},
		Download: &sdk.Download{Client: long, Messages: []string{long, long}},
	}
	for range 20 {
		e.Files = append(e.Files, sdk.File{Path: long, RelativePath: long, Quality: long})
		e.Episodes = append(e.Episodes, sdk.Episode{Title: long})
	}
	m := read(t, from, eventtest.Delivery(t, e))
	require.Less(t, len(m.Text)+len(m.HTML), 100_000)
	for _, c := range eventtest.Extremes() {
		m := read(t, from, eventtest.Delivery(t, c.Event))
		require.Less(t, len(m.Text)+len(m.HTML), 100_000, c.Name)
	}
}

func TestNothingInAPageIsAnEvents(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script><img src=x onerror=alert(1)>"'` + "`" + `</td></table></body>`
	e := sdk.Event{
		Type: sdk.TypeHealthIssue, Title: hostile, Summary: hostile, URL: "https://radarr.example/\"><script>", Instance: hostile,
		Health: &sdk.Health{Check: hostile, Message: hostile, WikiURL: "javascript:alert(1)"},
		Media:  &sdk.Media{Title: hostile, Overview: hostile, Poster: `https://image.example/"onerror="alert(1)`},
	}
	m := read(t, written(t, func(c *config) { c.Look, c.Images = message.LookRich, imagesLink }), eventtest.Delivery(t, e))
	for _, tag := range []string{"<script", "<img src=x", "javascript:", `"onerror`} {
		require.NotContains(t, m.HTML, tag)
	}
	require.Equal(t, 1, strings.Count(m.HTML, "</body>"))
}

func TestPageLoadsNothingUnlessAsked(t *testing.T) {
	t.Parallel()
	e := sdk.Event{Type: sdk.TypeMediaImported, Title: "x", Media: &sdk.Media{Poster: "https://image.tmdb.org/t/p/w780/p.jpg"}}
	d := eventtest.Delivery(t, e)
	off := read(t, written(t, nil), d)
	require.Empty(t, off.Loads())
	for _, look := range []message.Look{message.LookStandard, message.LookPoster} {
		linked := read(t, written(t, func(c *config) { c.Images, c.Look = imagesLink, look }), d)
		require.Equal(t, []string{"https://image.tmdb.org/t/p/w780/p.jpg"}, linked.Loads(), look)
	}
}
