package message_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
)

func TestCheckNamesTheLooks(t *testing.T) {
	t.Parallel()
	require.NoError(t, message.Look("").Check("look"))
	for _, look := range message.Looks() {
		require.NoError(t, look.Check("look"))
	}
	require.EqualError(t, message.Look("tiny").Check("look"), "look: is none of compact, standard, rich, poster")
}

func TestLooksLeaveOut(t *testing.T) {
	t.Parallel()
	m := described(t, "media_upgraded")
	rich, standard, compact, poster := m.In(message.LookRich), m.In(""), m.In(message.LookCompact), m.In(message.LookPoster)
	require.Equal(t, m, rich)
	require.Equal(t, standard, m.In(message.LookStandard))
	require.Equal(t, standard, m.In("of tomorrow"))

	require.Empty(t, compact.Fields)
	require.Empty(t, compact.Text)
	require.Contains(t, compact.Summary, "WEBDL-1080p → Bluray-2160p")
	require.Equal(t, m.Title, compact.Title)

	require.True(t, poster.Large)
	require.False(t, standard.Large)
	m.Image = ""
	require.False(t, m.In(message.LookPoster).Large, "there is none")
}

func TestTextsOfAMessage(t *testing.T) {
	t.Parallel()
	m := message.Message{
		Headline: "Movie imported", Emoji: "✅", Title: "A <b>", URL: "https://a.example/?a=1&b=2", Summary: "It's *here*",
		Text: "First.\nSecond.", List: []string{"one", "two"}, Footer: "Radarr",
		Fields: []message.Field{{Name: "Size", Value: "1 GiB"}, {Name: "Path", Value: "a`b", Code: true}},
		Links:  []message.Link{{Name: "TMDb", URL: "https://tmdb.example/1"}, {Name: "IMDb", URL: "https://imdb.example/1"}},
	}
	require.Equal(t, "✅ Movie imported: A <b>", m.Heading())
	require.Equal(t, `✅ Movie imported: A <b>
It's *here*
First.
Second.
• one
• two
Size: 1 GiB
Path: a`+"`"+`b
Radarr`, m.Plain(4096))
	require.Equal(t, `<b>✅ Movie imported</b>: <a href="https://a.example/?a=1&amp;b=2">A &lt;b&gt;</a>

It's *here*

First.
Second.

• one
• two

<b>Size:</b> 1 GiB
<b>Path:</b> <code>a`+"`"+`b</code>

<a href="https://tmdb.example/1">TMDb</a> · <a href="https://imdb.example/1">IMDb</a>

<i>Radarr</i>`, m.HTML(4096))
	require.Equal(t, `**✅ Movie imported**: [A \<b\>](https://a.example/?a=1&b=2)

It's \*here\*

First.  
Second.

- one
- two

* **Size:** 1 GiB
* **Path:** `+"`aˋb`"+`

[TMDb](https://tmdb.example/1) · [IMDb](https://imdb.example/1)

*Radarr*`, m.Markdown(4096))
	require.Equal(t, "It's *here*", strings.SplitN(m.Body().Plain(4096), "\n", 2)[0])
	require.Equal(t, "✅ Movie imported: A <b>", m.Plain(23))
	require.Equal(t, "✅ Movie imported", m.Plain(21), "a title of four characters says nothing")
	require.Empty(t, m.Plain(0))
}

func TestTextsNeverExceedTheirLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := message.New(eventtest.Any().Draw(t, "event")).In(rapid.SampledFrom(message.Looks()).Draw(t, "look"))
		limit := rapid.IntRange(-1, 5000).Draw(t, "limit")
		for _, s := range []string{m.Plain(limit), m.HTML(limit), m.Markdown(limit), m.Body().HTML(limit)} {
			require.LessOrEqual(t, message.Len(s), max(limit, 0))
		}
		require.LessOrEqual(t, strings.Count(m.In(message.LookCompact).Plain(5000), "\n"), 1, "one or two lines")
		html := m.HTML(limit)
		for _, tag := range []string{"b", "i", "code"} {
			require.Equal(t, strings.Count(html, "<"+tag+">"), strings.Count(html, "</"+tag+">"))
		}
	})
}
