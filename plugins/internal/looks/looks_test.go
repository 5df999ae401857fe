package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
)

// seen is what a browser finds on a page.
type seen struct {
	// messages are the classes of all of a case, by its name.
	messages map[string][]string
	// links are where the index leads.
	links []string
	// texts are in their order, with as many as there are elements.
	texts []string
}

func (s seen) says(text string) bool {
	return slices.ContainsFunc(s.texts, func(t string) bool { return strings.Contains(t, text) })
}

// look reads a page and fails for any element or attribute that the template does not have:
// text of an event that became one.
func look(t *testing.T, html string) seen {
	t.Helper()
	elements := strings.Fields("html head meta title style body svg defs symbol rect circle path use input div span label nav details summary a main h2 h3 h4 small section article b i code blockquote br table tr td ul li")
	attributes := strings.Fields("lang charset name content http-equiv class style title id for type checked href width height viewBox aria-hidden role fill cx cy r d")
	d := xml.NewDecoder(strings.NewReader(html))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	found := seen{messages: map[string][]string{}}
	var section string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.CharData:
			found.texts = append(found.texts, string(token))
		case xml.StartElement:
			require.Contains(t, elements, token.Name.Local)
			for _, a := range token.Attr {
				require.Contains(t, attributes, a.Name.Local)
				require.NotContains(t, a.Value, "ZgotmplZ", "html/template refused a value")
				switch {
				case a.Name.Local == "href":
					require.True(t, strings.HasPrefix(a.Value, "#"), "the page leads to %s", a.Value)
					found.links = append(found.links, a.Value)
				case a.Name.Local == "id" && token.Name.Local == "section":
					section = a.Value
				case a.Name.Local == "class" && token.Name.Local == "article":
					found.messages[section] = append(found.messages[section], a.Value)
				}
			}
		}
	}
}

func written(t *testing.T, p page, err error) string {
	t.Helper()
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, p.write(&b))
	return b.String()
}

func TestEveryCaseIsShownInEveryLook(t *testing.T) {
	t.Parallel()
	p, err := newPage("../..", targets())
	page := look(t, written(t, p, err))
	var names []string
	for _, c := range eventtest.Events() {
		names = append(names, c.Name)
		require.Contains(t, page.links, "#"+c.Name)
	}
	for _, s := range eventtest.Stories() {
		names = append(names, "story_"+s.Name)
		for _, e := range s.Events {
			require.True(t, slices.Contains(page.texts, string(e.Type)), "the index lacks %s", e.Type)
		}
	}
	require.Len(t, page.messages, len(names))
	for _, name := range names {
		for _, target := range targets() {
			if slices.Contains(target.leaves, name) {
				continue
			}
			for _, look := range message.Looks() {
				require.Contains(t, page.messages[name], "m "+target.Name+" "+string(look), name)
			}
		}
	}
	require.True(t, page.says("<@123456789012345678>"), "what is no mention is not shown")
	require.True(t, page.says("<b>&amp;</b>"), "what is no markup is not shown")
}

func TestAPictureHasTheMessagesAlone(t *testing.T) {
	t.Parallel()
	p, err := newPage("../..", targets()[:1], "story_movie")
	p.Bare = true
	page := look(t, written(t, p, err))
	require.Len(t, page.messages["story_movie"], len(message.Looks()))
	require.False(t, page.says("all looks"))
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	_, err := newPage(t.TempDir(), targets())
	require.ErrorContains(t, err, "story_movie.golden.json")
	_, err = fromHTML("<b>a</b><marquee>b</marquee>")
	require.EqualError(t, err, "read HTML: there is no way to draw <marquee>")
	_, err = drawSlack([]byte(`{"blocks": [{"type": "actions"}]}`))
	require.ErrorContains(t, err, `"actions"`)
}

// plain writes nodes so that a test can compare them.
func plain(nodes []node) string {
	var b strings.Builder
	for _, n := range nodes {
		switch n.Tag {
		case "":
			b.WriteString(n.Text)
		case tagBreak:
			b.WriteString("/")
		default:
			b.WriteString(n.Tag + "(" + n.URL + " " + plain(n.Kids) + ")")
		}
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`a **b** c`:                   "a b( b) c",
		`\*\*b\*\* \<@1>`:             "**b** <@1>",
		"`a*b` [T\\[1\\]](https://x)": "code( a*b) a(https://x T[1])",
		"** [x] ` a":                  "** [x] ` a",
		"• a\n• b":                    "• a/• b",
		"":                            "",
	} {
		require.Equal(t, want, plain(markdown(source)), "%q", source)
	}
}

func TestMrkdwn(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"*<https://x|A &amp; B>*\nc":               "b( a(https://x A & B))/c",
		"`&lt;a&gt;` *":                            "code( <a>) *",
		"<!date^1^{date}|2026-11-23> · <https://x": "div( 2026-11-23) · <https://x",
		"&lt;!channel&gt;":                         "<!channel>",
		"":                                         "",
	} {
		require.Equal(t, want, plain(mrkdwn(source)), "%q", source)
	}
}
