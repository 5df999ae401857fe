package telegram

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

type testBundle struct {
	telegram *endpoint.Telegram
	target   *target
	// posters is the URL of a server that has two pictures, /one.png and /two.png.
	posters string
}

func setup(t *testing.T, change func(c *config)) testBundle {
	t.Helper()
	telegram := &endpoint.Telegram{}
	server := httptest.NewServer(telegram)
	t.Cleanup(server.Close)
	posters := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/one.png":
			_, _ = w.Write(picture(1))
		case "/two.png":
			_, _ = w.Write(picture(2))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(posters.Close)
	c := good()
	c.APIURL, c.ImageHosts = server.URL, []string{strings.TrimPrefix(posters.URL, "http://")}
	if change != nil {
		change(&c)
	}
	require.NoError(t, c.Validate())
	made, err := newTarget(t.Context(), sdk.Env{Instance: "movies", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	return testBundle{telegram, made.(*target), posters.URL}
}

// picture is a PNG of some width.
func picture(width int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 3))) // a buffer takes everything
	return b.Bytes()
}

// imported is the end of a story whose poster is somewhere.
func imported(poster string) sdk.Event {
	return sdk.Event{
		Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)", URL: "https://radarr.example/movie/1",
		Summary: "Imported <Dune> & more", Media: &sdk.Media{Kind: "movie", Poster: poster},
	}
}

func (b testBundle) deliver(t *testing.T, previous *sdk.Receipt, events ...sdk.Event) (sdk.Receipt, error) {
	t.Helper()
	d := eventtest.Delivery(t, events[0])
	d.Events, d.Previous = events, previous
	receipt, err := b.target.Deliver(t.Context(), d)
	if err != nil {
		require.NotContains(t, err.Error(), "AAH-tok_EN")
	}
	return receipt, err
}

func (b testBundle) accepted(t *testing.T, previous *sdk.Receipt, events ...sdk.Event) sdk.Receipt {
	t.Helper()
	receipt, err := b.deliver(t, previous, events...)
	require.NoError(t, err, b.telegram.Refused())
	return receipt
}

func TestPosterIsUploaded(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.MessageThreadID = endpoint.TelegramThread })
	receipt := b.accepted(t, nil, imported(b.posters+"/one.png"))
	require.Empty(t, receipt.Fallback)
	require.Equal(t, "101", receipt.MessageID)
	require.JSONEq(t, `{"chat":"-1001234567890","kind":"photo","poster":"`+posterKey(b.posters+"/one.png")+`"}`, string(receipt.State))
	require.NotContains(t, string(receipt.State), "http", "the URL may be a secret")
	m := b.telegram.Messages()[0]
	require.Equal(t, string(picture(1)), m.Photo)
	require.Equal(t, endpoint.TelegramThread, m.Thread)
	require.Contains(t, m.Text, "Imported <Dune> & more")
}

func TestPosterThatCannotBeSentLeavesText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		images images
		poster string
		said   string
	}{
		"gone":     {imagesUpload, "/three.png", "404 Not Found: sent without the poster"},
		"far away": {imagesUpload, "http://nas.lan/s3cret.png", "posters are not fetched from nas.lan unless image_hosts has it: sent without the poster"},
		"at home":  {imagesURL, "/one.png", "the poster is not on a site that anybody can fetch it from: sent without"},
		"a token":  {imagesURL, "https://image.tmdb.org/t/p/a.jpg?token=s3cret", "the poster is not on a site that anybody can fetch it from: sent without"},
		"off":      {"off", "/one.png", ""},
		"none":     {imagesUpload, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(cfg *config) { cfg.Images = c.images })
			poster := c.poster
			if strings.HasPrefix(poster, "/") {
				poster = b.posters + poster
			}
			receipt := b.accepted(t, nil, imported(poster))
			require.Contains(t, receipt.Fallback, c.said)
			require.Equal(t, c.said == "", receipt.Fallback == "")
			require.NotContains(t, receipt.Fallback, "s3cret")
			require.Empty(t, b.telegram.Messages()[0].Photo)
			require.JSONEq(t, `{"chat":"-1001234567890","kind":"text"}`, string(receipt.State))
		})
	}
}

func TestPublicPosterIsSentAsURL(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Images = imagesURL })
	receipt := b.accepted(t, nil, imported("https://image.tmdb.org/t/p/original/a.jpg"))
	require.Empty(t, receipt.Fallback)
	require.Equal(t, "https://image.tmdb.org/t/p/w780/a.jpg", b.telegram.Messages()[0].Photo)

	b.telegram.Fail(http.StatusBadRequest, "Bad Request: failed to get HTTP URL content")
	receipt = b.accepted(t, nil, imported("https://image.tmdb.org/t/p/original/a.jpg"))
	require.Equal(t, "Telegram refused the poster: sent as text", receipt.Fallback)
	require.Empty(t, b.telegram.Messages()[1].Photo)
}

func TestRefusedPosterLeavesText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		said   string
	}{
		{400, "Bad Request: PHOTO_INVALID_DIMENSIONS"},
		{400, "Bad Request: IMAGE_PROCESS_FAILED"},
		{400, "Bad Request: not enough rights to send photos to the chat"},
		{413, "Request Entity Too Large"},
	} {
		b := setup(t, nil)
		b.telegram.Fail(c.status, c.said)
		receipt := b.accepted(t, nil, imported(b.posters+"/one.png"))
		require.Equal(t, "Telegram refused the poster: sent as text", receipt.Fallback, c.said)
		require.Equal(t, http.StatusOK, receipt.Status)
		require.Len(t, b.telegram.Messages(), 1)
		require.Empty(t, b.telegram.Messages()[0].Photo)
	}
}

func TestUnreadableHTMLIsSentPlain(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.telegram.Fail(http.StatusBadRequest, `Bad Request: can't parse entities: Unsupported start tag "x" at byte offset 7`)
	receipt := b.accepted(t, nil, imported(""))
	require.Equal(t, "Telegram refused the message's HTML: sent as plain text", receipt.Fallback)
	require.Contains(t, b.telegram.Messages()[0].HTML, "Imported <Dune> & more")
	require.NotContains(t, b.telegram.Messages()[0].HTML, "<b>")
}

func TestEditKeepsTheMessageAndItsPhoto(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	grabbed := imported(b.posters + "/one.png")
	grabbed.Type = sdk.TypeReleaseGrabbed
	first := b.accepted(t, nil, grabbed)
	second := b.accepted(t, &first, grabbed, imported(b.posters+"/one.png"))
	require.Empty(t, second.Fallback)
	require.Equal(t, first.MessageID, second.MessageID)
	require.Equal(t, first.State, second.State)
	m := b.telegram.Messages()[0]
	require.Equal(t, 1, m.Edits)
	require.Contains(t, m.Text, "imported")

	// The same once more, as after an answer that was lost.
	third := b.accepted(t, &second, grabbed, imported(b.posters+"/one.png"))
	require.True(t, third.Accepted)
	require.Equal(t, http.StatusBadRequest, third.Status)
	require.Equal(t, second.MessageID, third.MessageID)
	require.Equal(t, second.State, third.State)
	require.Empty(t, third.Fallback)
	require.Equal(t, 1, b.telegram.Messages()[0].Edits)
}

func TestEditBringsAnotherPoster(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := b.accepted(t, nil, imported(""))
	second := b.accepted(t, &first, imported(b.posters+"/one.png"))
	require.Equal(t, string(picture(1)), b.telegram.Messages()[0].Photo, "a text becomes a photo")
	require.Contains(t, string(second.State), `"kind":"photo"`)

	third := b.accepted(t, &second, imported(b.posters+"/two.png"))
	require.Equal(t, string(picture(2)), b.telegram.Messages()[0].Photo)

	// Without one there is still the old: a photo cannot become a text.
	e := imported("")
	e.Summary = "Imported once more"
	fourth := b.accepted(t, &third, e)
	require.Equal(t, string(picture(2)), b.telegram.Messages()[0].Photo)
	require.Equal(t, third.State, fourth.State)
	require.Contains(t, b.telegram.Messages()[0].Text, "once more")

	b.telegram.Fail(http.StatusBadRequest, "Bad Request: IMAGE_PROCESS_FAILED")
	fifth := b.accepted(t, &fourth, imported(b.posters+"/one.png"))
	require.Equal(t, "Telegram refused the poster: edited without it", fifth.Fallback)
	require.Equal(t, fourth.State, fifth.State)
	require.Equal(t, string(picture(2)), b.telegram.Messages()[0].Photo)
	require.Len(t, b.telegram.Messages(), 1)
}

func TestMessageThatIsGoneIsPostedAnew(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := b.accepted(t, nil, imported(""))
	b.telegram.DeleteMessages()
	second := b.accepted(t, &first, imported(""))
	require.Equal(t, "the message to edit is gone: posted anew", second.Fallback)
	require.Equal(t, "102", second.MessageID)

	b.telegram.Fail(http.StatusBadRequest, "Bad Request: message can't be edited")
	third := b.accepted(t, &second, imported(""))
	require.Equal(t, "103", third.MessageID)

	moved := setup(t, nil)
	third.State = []byte(`{"chat":"5","kind":"text"}`)
	fourth := moved.accepted(t, &third, imported(""))
	require.Equal(t, "the message to edit is in another chat: posted anew", fourth.Fallback)
	require.Equal(t, "101", fourth.MessageID)
	// What is no id of a message would be refused for good.
	fourth.MessageID = "0"
	require.Equal(t, "102", moved.accepted(t, &fourth, imported("")).MessageID)
}

func TestSilentTypesMakeNoSound(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Silent = []string{"release.*", "health.*"} })
	grabbed := imported("")
	grabbed.Type = sdk.TypeReleaseGrabbed
	b.accepted(t, nil, grabbed)
	b.accepted(t, nil, imported(""))
	b.accepted(t, nil, grabbed, imported(""))
	_, err := b.target.Test(t.Context(), eventtest.Delivery(t, imported("")))
	require.NoError(t, err)
	for i, silent := range []bool{true, false, false, true} {
		require.Equal(t, silent, b.telegram.Messages()[i].Silent, i)
	}
}

func TestOwnTexts(t *testing.T) {
	t.Parallel()
	parse := func(text string) template.Template {
		var own template.Template
		require.NoError(t, own.UnmarshalText([]byte(text)))
		return own
	}
	for name, c := range map[string]struct {
		text       string
		html, said string
		photo      bool
	}{
		"own":      {"<b>{{.event.title}}</b>: {{.event.summary}}\n", "<b>Dune: Part Two (2024)</b>: Imported &lt;Dune&gt; &amp; more", "", true},
		"fails":    {`{{index .event.files 7}}`, "", "template media.*: ", true},
		"empty":    {` {{if false}}x{{end}} `, "", "it says nothing", true},
		"markup":   {`<p>{{.event.title}}</p>`, "Dune: Part Two (2024)", "Telegram refused the message's HTML: sent as plain text", true},
		"long":     {strings.Repeat("word ", 300) + "<b>end</b>", strings.Repeat("word ", 300) + "<b>end</b>", "too long for a caption", false},
		"too long": {"<b>" + strings.Repeat("word ", 900) + "</b>", strings.Repeat("word ", 819)[:4094] + "…", "printed more than fits", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(cfg *config) {
				cfg.Templates = template.ByType[template.Template]{"media.*": parse(c.text)}
			})
			receipt := b.accepted(t, nil, imported(b.posters+"/one.png"))
			require.Contains(t, receipt.Fallback, c.said)
			require.Equal(t, c.said == "", receipt.Fallback == "", receipt.Fallback)
			m := b.telegram.Messages()[0]
			require.Equal(t, c.photo, m.Photo != "")
			if c.html != "" {
				require.Equal(t, c.html, m.HTML)
			} else {
				require.Contains(t, m.Text, "Movie imported", "the built-in message")
			}
		})
	}
}

// Whom the operator mentions is mentioned, and nobody else.
func TestOwnTextsMentionThoseWhomTheyName(t *testing.T) {
	t.Parallel()
	var own template.Template
	require.NoError(t, own.UnmarshalText([]byte(`@me: {{.event.title}}`)))
	to := target{templates: template.ByType[template.Template]{"*": own}}
	require.Equal(t, "@me: &lt;@\u2060all&gt;", to.draft([]sdk.Event{{Type: sdk.TypeTest, Title: "<@all>"}}).own)
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		class  sdk.Class
		after  time.Duration
		says   string
	}{
		"wait":         {429, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`, sdk.ClassThrottled, 35 * time.Second, "retry after 35"},
		"for ever":     {429, `{"parameters":{"retry_after":1e300}}`, sdk.ClassThrottled, 365 * 24 * time.Hour, ""},
		"wait, no how": {429, `<html>`, sdk.ClassThrottled, 0, ""},
		"token":        {401, `{"ok":false,"error_code":401,"description":"Unauthorized"}`, sdk.ClassMisconfigured, 0, "check bot_token"},
		"no such bot":  {404, `{"ok":false,"error_code":404,"description":"Not Found"}`, sdk.ClassMisconfigured, 0, "check bot_token"},
		"kicked":       {403, `{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the group chat"}`, sdk.ClassMisconfigured, 0, "add the bot"},
		"chat":         {400, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, sdk.ClassMisconfigured, 0, "check chat_id"},
		"thread":       {400, `{"ok":false,"error_code":400,"description":"Bad Request: message thread not found"}`, sdk.ClassMisconfigured, 0, "check message_thread_id"},
		"topic":        {400, `{"ok":false,"error_code":400,"description":"Bad Request: TOPIC_CLOSED"}`, sdk.ClassMisconfigured, 0, "check message_thread_id"},
		"rights":       {400, `{"ok":false,"error_code":400,"description":"Bad Request: not enough rights to send text messages to the chat"}`, sdk.ClassMisconfigured, 0, "let the bot write"},
		"migrated":     {400, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009876543210}}`, sdk.ClassMisconfigured, 0, "set chat_id to -1009876543210"},
		"bad request":  {400, `{"ok":false,"error_code":400,"description":"Bad Request: something new"}`, sdk.ClassPermanent, 0, "something new"},
		"conflict":     {409, `{}`, sdk.ClassPermanent, 0, "409"},
		"unavailable":  {502, `<html>`, sdk.ClassRetryable, 0, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.telegram.Next(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			receipt, err := b.deliver(t, nil, imported(b.posters+"/one.png"))
			if c.class == sdk.ClassPermanent && c.status == http.StatusBadRequest {
				require.NoError(t, err, "what is wrong with a photo is not with a text")
				b = setup(t, nil)
				b.telegram.Next(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, c.body)
				})
				receipt, err = b.deliver(t, nil, imported(""))
			}
			require.Error(t, err)
			class, after := sdk.ClassOf(err)
			require.Equal(t, c.class, class)
			require.Equal(t, c.after, after)
			require.Contains(t, err.Error(), c.says)
			require.Equal(t, c.status, receipt.Status)
			require.Equal(t, c.body, receipt.Excerpt)
			require.Empty(t, receipt.MessageID)
			require.Empty(t, b.telegram.Messages())
		})
	}
}

func TestThrottledByTheEndpoint(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.telegram.Throttle(1500 * time.Millisecond)
	_, err := b.deliver(t, nil, imported(""))
	class, after := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassThrottled, class)
	require.Equal(t, 2*time.Second, after)
}

func TestPreviewShowsThePhotoAndFetchesNothing(t *testing.T) {
	t.Parallel()
	p := plugintest.StartTarget(t, info(), newTarget, map[string]any{
		"bot_token": endpoint.TelegramToken, "chat_id": 5, "image_hosts": []string{"images.example"},
	})
	shown, err := p.Preview(t.Context(), plugintest.Delivery(t, "1", plugintest.EventOf(sdk.TypeMediaImported)))
	require.NoError(t, err)
	require.Equal(t, "https://api.telegram.org/bot[redacted]/sendPhoto", shown.URL)
	require.Contains(t, shown.Body, "The Long Reel")
}

// A group takes 20 messages a minute, whenever the minute begins.
func TestThePaceFitsIntoAnyMinute(t *testing.T) {
	t.Parallel()
	d := info().Defaults
	require.LessOrEqual(t, float64(d.Burst-1)+math.Ceil(d.Rate*60), 20.0)
}
