package telegram

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// post posts an event's message in every look, as a text and as a caption, to an endpoint
// that enforces Telegram's limits.
func post(t require.TestingT, e sdk.Event) {
	whole := message.New(e)
	for _, look := range message.Looks() {
		for _, plain := range []bool{false, true} {
			m := draft{message: whole.In(look), plain: plain}
			p := parameters{ChatID: endpoint.TelegramChat}
			p.Text, p.ParseMode = m.text(maxText)
			call(t, "sendMessage", p)
			p = parameters{ChatID: endpoint.TelegramChat, Photo: "https://image.tmdb.org/t/p/w780/a.jpg"}
			p.Caption, p.ParseMode = m.text(maxCaption)
			call(t, "sendPhoto", p)
			require.Empty(t, m.notes)
		}
	}
}

func call(t require.TestingT, method string, p parameters) {
	var telegram endpoint.Telegram
	payload, err := json.Marshal(p)
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "/bot"+endpoint.TelegramToken+"/"+method, bytes.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	telegram.ServeHTTP(answer, r)
	require.Equal(t, http.StatusOK, answer.Code, "%s %s", telegram.Refused(), payload)
}

func TestAnyEventIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	eventtest.Check(t, post)
}

func FuzzRender(f *testing.F) { eventtest.Fuzz(f, post) }

// shownMessage is what a golden file has of a message.
type shownMessage struct {
	Method string `json:"method"`
	HTML   string `json:"html"`
}

func golden(t *testing.T, file string, events ...sdk.Event) {
	t.Helper()
	all := map[message.Look]shownMessage{}
	for _, look := range message.Looks() {
		b := setup(t, func(c *config) { c.Look, c.Images = look, imagesURL })
		d := eventtest.StoryDelivery(t, events...)
		receipt, err := b.target.Deliver(t.Context(), d)
		require.NoError(t, err, b.telegram.Refused())
		require.NotEmpty(t, receipt.MessageID)
		m := b.telegram.Messages()[0]
		shown := shownMessage{Method: "sendMessage", HTML: m.HTML}
		if m.Photo != "" {
			shown.Method = "sendPhoto"
		}
		all[look] = shown
	}
	eventtest.Golden(t, "testdata/"+file+".golden.json", all)
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, c := range eventtest.Events() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, c.Name, c.Event)
		})
	}
	for _, s := range eventtest.Stories() {
		t.Run("story_"+s.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, "story_"+s.Name, s.Events...)
		})
	}
}

func TestNobodyIsMentioned(t *testing.T) {
	t.Parallel()
	require.Equal(t, `<a href="https://a.example/@b">@`+"\u2060"+`c</a> <code>@d</code> @`+"\u2060"+`e`, mutedHTML(`<a href="https://a.example/@b">@c</a> <code>@d</code> @e`))
	require.Equal(t, "a <b>b</b>", mutedHTML("a <b>b</b>"))
}

func TestReadable(t *testing.T) {
	t.Parallel()
	for html, want := range map[string]string{
		"<b>a</b> &lt;b&gt; &amp;amp;":          "a <b> &amp;",
		`<a href="https://a.example">b</a> c`:   "b c",
		"1 < 2 & 3":                             "1 < 2 & 3",
		"line\nfeed<blockquote>x</blockquote>y": "line\nfeedxy",
		"":                                      "",
	} {
		require.Equal(t, want, readable(html))
	}
}

// A caption's markup does not count, so that more of the message fits than its length in
// HTML would allow.
func TestCaptionsAreFilled(t *testing.T) {
	t.Parallel()
	m := message.New(sdk.Event{
		Type: sdk.TypeMediaImported, Title: "T", URL: "https://radarr.example/" + strings.Repeat("x", 900),
		Media: &sdk.Media{Kind: "movie", Overview: strings.Repeat("plot & more ", 100)},
	}).In(message.LookRich)
	n := message.Len(readable(builtIn(m, maxCaption)))
	require.LessOrEqual(t, n, maxCaption)
	require.Greater(t, n, 500)
}
