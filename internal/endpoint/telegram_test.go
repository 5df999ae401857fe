package endpoint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

func telegramURL(server, method string) string {
	return server + "/bot" + endpoint.TelegramToken + "/" + method
}

// said is a text message of the chat.
func said(text string) string {
	return fmt.Sprintf(`{"chat_id":%s,"parse_mode":"HTML","text":%s}`, endpoint.TelegramChat, quoted(text))
}

// shown is a photo of the chat, which Telegram fetches.
func shown(photo, caption string) string {
	return fmt.Sprintf(`{"chat_id":%q,"parse_mode":"HTML","photo":%q,"caption":%s}`, endpoint.TelegramChat, photo, quoted(caption))
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestTelegramRefusesEveryBreach(t *testing.T) {
	t.Parallel()
	a := func(n int) string { return strings.Repeat("a", n) }
	const web = "https://a.example/b.jpg"
	for name, c := range map[string]struct{ method, good, bad, says string }{
		"text":          {"sendMessage", said(a(4096)), said(a(4097)), "message is too long"},
		"surrogates":    {"sendMessage", said(strings.Repeat("😀", 2048)), said(strings.Repeat("😀", 2049)), "message is too long"},
		"markup":        {"sendMessage", said("<b>" + a(4090) + "</b>&lt;&gt;&amp;"), said("<b>" + a(4097) + "</b>"), "message is too long"},
		"bytes":         {"sendMessage", said(strings.Repeat("&lt;", 4096)), said(strings.Repeat("<b></b>", 4682)), "text is too long"},
		"formats":       {"sendMessage", said(strings.Repeat("<b>a</b>", 100)), said(strings.Repeat("<b>a</b>", 101)), "entities too long"},
		"nothing":       {"sendMessage", said("a"), said("<b> </b>"), "message text is empty"},
		"caption":       {"sendPhoto", shown(web, a(1024)), shown(web, a(1025)), "message caption is too long"},
		"bare host":     {"sendPhoto", shown(web, "a"), shown("http://radarr:7878/b.jpg", "a"), "failed to get HTTP URL content"},
		"home":          {"sendPhoto", shown(web, "a"), shown("http://192.168.1.5/b.jpg", "a"), "failed to get HTTP URL content"},
		"no photo":      {"sendPhoto", shown(web, "a"), shown("", "a"), "failed to get HTTP URL content"},
		"unknown tag":   {"sendMessage", said("<code>a</code>"), said("<p>a</p>"), "can't parse entities"},
		"attribute":     {"sendMessage", said("<blockquote expandable>a</blockquote>"), said(`<b class="x">a</b>`), "can't parse entities"},
		"open tag":      {"sendMessage", said("<i>a</i>"), said("<i>a"), "can't parse entities"},
		"crossed tags":  {"sendMessage", said("<b><i>a</i></b>"), said("<b><i>a</b></i>"), "can't parse entities"},
		"less than":     {"sendMessage", said("1 &lt; 2"), said("1 < 2"), "can't parse entities"},
		"ampersand":     {"sendMessage", said("a &amp; b"), said("a & b"), "can't parse entities"},
		"link":          {"sendMessage", said(`<a href="https://a.example/?b&amp;c">a</a>`), said(`<a href="/b">a</a>`), "can't parse entities"},
		"mention":       {"sendMessage", said("a@b <code>@c</code> @\u2060d"), said("a @everyone"), "somebody is mentioned"},
		"parse mode":    {"sendMessage", said("a"), strings.Replace(said("a"), "HTML", "Markdown", 1), "unsupported parse_mode"},
		"unknown field": {"sendMessage", said("a"), strings.Replace(said("a"), "{", `{"txt":1,`, 1), "txt"},
		"not JSON":      {"sendMessage", said("a"), "text=a", "invalid character"},
		"chat":          {"sendMessage", said("a"), strings.Replace(said("a"), "-100", "-200", 1), "chat not found"},
		"thread":        {"sendMessage", strings.Replace(said("a"), "{", `{"message_thread_id":42,`, 1), strings.Replace(said("a"), "{", `{"message_thread_id":43,`, 1), "message thread not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var telegram endpoint.Telegram
			url := telegramURL(serve(t, &telegram), c.method)
			got := send(t, http.MethodPost, url, c.good)
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Len(t, telegram.Messages(), 1)

			got = send(t, http.MethodPost, url, c.bad)
			require.Equal(t, http.StatusBadRequest, got.status)
			require.Contains(t, got.body, `"ok":false`)
			require.Contains(t, got.body, quoted(c.says)[1:len(c.says)])
			require.Len(t, telegram.Messages(), 1)
			require.Len(t, telegram.Refused(), 1)
		})
	}
}

func TestTelegramKeepsAndEditsMessages(t *testing.T) {
	t.Parallel()
	var telegram endpoint.Telegram
	server := serve(t, &telegram)
	call := func(method, body string) answer { return send(t, http.MethodPost, telegramURL(server, method), body) }
	edit := func(id int, rest string) string {
		return fmt.Sprintf(`{"chat_id":%s,"message_id":%d,"parse_mode":"HTML",%s}`, endpoint.TelegramChat, id, rest)
	}
	require.Contains(t, call("sendMessage", said("<b>one</b>")).body, `"message_id":101`)
	require.Equal(t, http.StatusOK, call("editMessageText", edit(101, `"text":"two"`)).status)
	require.Equal(t, endpoint.TelegramMessage{ID: 101, Edits: 1, HTML: "two", Text: "two"}, telegram.Messages()[0])

	require.Contains(t, call("editMessageText", edit(101, `"text":"two"`)).body, "message is not modified")
	require.Contains(t, call("editMessageCaption", edit(101, `"caption":"three"`)).body, "there is no caption in the message to edit")
	require.Contains(t, call("editMessageText", edit(7, `"text":"two"`)).body, "message to edit not found")

	media := `"media":{"type":"photo","media":"https://a.example/b.jpg","caption":"three"}`
	require.Equal(t, http.StatusOK, call("editMessageMedia", edit(101, media)).status)
	require.Equal(t, "https://a.example/b.jpg", telegram.Messages()[0].Photo)
	require.Contains(t, call("editMessageText", edit(101, `"text":"two"`)).body, "there is no text in the message to edit")
	require.Equal(t, http.StatusOK, call("editMessageCaption", edit(101, `"caption":"four"`)).status)
	require.Equal(t, 3, telegram.Messages()[0].Edits)

	telegram.DeleteMessages()
	require.Contains(t, call("editMessageCaption", edit(101, `"caption":"five"`)).body, "message to edit not found")
}

func TestTelegramTakesUploads(t *testing.T) {
	t.Parallel()
	var telegram endpoint.Telegram
	url := telegramURL(serve(t, &telegram), "sendPhoto")
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 2, 3))))
	for _, c := range []struct {
		data   string
		status int
	}{{picture.String(), http.StatusOK}, {"<html>", http.StatusBadRequest}} {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		for name, value := range map[string]string{"chat_id": endpoint.TelegramChat, "disable_notification": "true", "caption": "a <", "message_thread_id": "42"} {
			require.NoError(t, form.WriteField(name, value))
		}
		part, err := form.CreateFormFile("photo", "p.png")
		require.NoError(t, err)
		_, err = part.Write([]byte(c.data))
		require.NoError(t, err)
		require.NoError(t, form.Close())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, &b)
		require.NoError(t, err)
		req.Header.Set("Content-Type", form.FormDataContentType())
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, c.status, resp.StatusCode, telegram.Refused())
	}
	require.Equal(t, []endpoint.TelegramMessage{{ID: 101, Thread: 42, Silent: true, HTML: "a <", Text: "a <", Photo: picture.String()}}, telegram.Messages())
}

func TestTelegramTurnsAway(t *testing.T) {
	t.Parallel()
	telegram := endpoint.Telegram{Limit: endpoint.Limit{Requests: 1, Window: long}}
	server := serve(t, &telegram)
	post := func(path string) answer { return send(t, http.MethodPost, server+path, said("a")) }
	require.Equal(t, http.StatusNotFound, post("/sendMessage").status)
	require.Equal(t, http.StatusUnauthorized, post("/bot1:x/sendMessage").status)
	require.Equal(t, http.StatusNotFound, post("/bot"+endpoint.TelegramToken+"/sendMesage").status)
	ok := "/bot" + endpoint.TelegramToken + "/sendMessage"

	telegram.Fail(http.StatusForbidden, "Forbidden: bot was kicked from the group chat")
	require.Contains(t, post(ok).body, "kicked")
	telegram.Migrate(-1009)
	require.Contains(t, post(ok).body, `"parameters":{"migrate_to_chat_id":-1009}`)
	telegram.Throttle(1500 * time.Millisecond)
	got := post(ok)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.JSONEq(t, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 2","parameters":{"retry_after":2}}`, got.body)

	require.Equal(t, http.StatusOK, post(ok).status)
	require.Equal(t, http.StatusTooManyRequests, post(ok).status)
	require.Equal(t, 2, telegram.Traffic().Throttled)
}
