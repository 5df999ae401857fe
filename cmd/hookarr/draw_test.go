package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/picture"
)

const season = `{
  "content": "<@&7> look\u202e\u001b[2J",
  "embeds": [{
    "title": "The Phantom Empire S01E01–E12", "url": "https://sonarr.example/series/the-phantom-empire", "timestamp": "2026-11-23T10:00:49Z",
    "color": 3055195, "author": {"name": "✅ 12 episodes imported"}, "footer": {"text": "Sonarr"},
    "description": "A **singing** cowboy finds a kingdom under his ranch, and a job that he has to be back for at two every afternoon.\n• S01E01 The Singing Cowboy",
    "thumbnail": {"url": "https://image.tmdb.org/t/p/original/a-picture-with-a-name-that-is-longer-than-a-terminal-is-wide-0123456789.jpg"},
    "fields": [
      {"name": "Quality", "value": "WEBDL-480p", "inline": true}, {"name": "Size", "value": "4.2 GiB", "inline": true},
      {"name": "Languages", "value": "English, Japanese 日本語, German, French, Italian", "inline": true},
      {"name": "Indexer", "value": "Nyx", "inline": true}, {"name": "Flags", "value": "G\\_Freeleech", "inline": true},
      {"name": "Release", "value": "` + "`The.Phantom.Empire.S01.480p.WEB-DL.x264`" + `"},
      {"name": "Links", "value": "[TM\\]Db](https://www.themoviedb.org/tv/1) · [IMDb](https://www.imdb.com/title/tt0026867)"}
    ]
  }, {"title": "and more"}],
  "allowed_mentions": {"parse": []}
}`

func messages() map[string]picture.Message {
	return map[string]picture.Message{
		"discord": {Plugin: "discord", Body: season},
		"slack": {Plugin: "slack", Body: `{"text": "not shown", "blocks": [
			{"type": "header", "text": {"type": "plain_text", "text": "✨ Movie upgraded *"}},
			{"type": "section", "text": {"type": "mrkdwn", "text": "*<https://radarr.example/movie/1|Sintel &amp; friends (2010)>*"},
				"accessory": {"type": "image", "image_url": "https://image.tmdb.org/t/p/w780/sintel.jpg", "alt_text": "Sintel"}},
			{"type": "section", "fields": [{"type": "mrkdwn", "text": "*Quality*\nWEBDL-720p → Bluray-1080p"}, {"type": "mrkdwn", "text": "*Size*\n0.7 → 2.5 GiB"}]},
			{"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Open"}}]},
			{"type": "image", "image_url": "https://image.tmdb.org/t/p/w780/fanart.jpg"},
			{"type": "context", "elements": [{"type": "mrkdwn", "text": "Radarr  ·  <!date^1795428000^{date_short_pretty}|2026-11-23 10:00 UTC>  ·  <https://www.imdb.com/title/tt1727587|IMDb>"}]}
		]}`},
		"slack text": {Plugin: "slack", Body: `{"channel": "C1", "text": "*Sintel* &lt;3"}`},
		"telegram":   {Plugin: "telegram", Body: `{"chat_id": 1, "parse_mode": "HTML", "text": "<b>✅ Imported</b>: <a href=\"https://radarr.example/\">Sintel</a> 1 &lt; 2\n\n<b>Quality:</b> Bluray-1080p"}`},
		"telegram photo": {Plugin: "telegram", Header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, Body: "--x\r\n" +
			"Content-Disposition: form-data; name=\"caption\"\r\n\r\n<b>Sintel</b>\r\n--x\r\nContent-Disposition: form-data; name=\"parse_mode\"\r\n\r\nHTML\r\n--x\r\n" +
			"Content-Disposition: form-data; name=\"photo\"; filename=\"poster.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\r\n--x--\r\n"},
		"telegram edit": {Plugin: "telegram", Body: `{"message_id": 5, "media": {"type": "photo", "media": "https://image.tmdb.org/p.jpg", "caption": "<i>Sintel</i>", "parse_mode": "HTML"}}`},
		"ntfy": {Plugin: "ntfy", Body: `{"topic": "[redacted]", "title": "Movie imported: Sintel (2010)", "message": "Quality: Bluray-1080p\nRadarr", "priority": 3,
			"tags": ["white_check_mark"], "click": "https://radarr.example/movie/1", "attach": "https://image.tmdb.org/p.jpg", "actions": [{"action": "view", "label": "TMDb", "url": "https://www.themoviedb.org/movie/45745"}]}`},
		"apprise": {Plugin: "apprise", Body: `{"title": "Download failed: Sintel", "body": "<p>stalled &amp; given up</p>", "type": "failure", "format": "html"}`},
		"email": {
			Plugin: "email", Header: http.Header{"From": {"hookarr@example.org"}, "To": {"a@example.org, b@example.org"}, "Subject": {"[Hookarr] Sintel"}, "Message-Id": {"<1@x>"}},
			Body: "✅ Movie imported: Sintel (2010)\nQuality: Bluray-1080p\n\nhttps://radarr.example/movie/1\n\n<!DOCTYPE html>\n<html><body>not shown</body></html>\n",
		},
		"webhook": {Plugin: "webhook", Body: `{"title": "Gotify", "message": "Sintel (2010)", "priority": 5}`},
	}
}

func drawing(t *testing.T, m picture.Message, width int, colors bool) string {
	t.Helper()
	var out bytes.Buffer
	c := &cli{out: visible{&out}, width: width, colors: colors}
	pictures := picture.Read(m)
	require.NotEmpty(t, pictures)
	for _, p := range pictures {
		require.NoError(t, c.draw(p))
	}
	return out.String()
}

func TestDrawings(t *testing.T) {
	t.Parallel()
	for name, m := range messages() {
		golden(t, "draw-"+strings.ReplaceAll(name, " ", "-")+".txt", drawing(t, m, 0, false))
	}
	golden(t, "draw-narrow.txt", drawing(t, messages()["discord"], 40, false))
	golden(t, "draw-colors.txt", drawing(t, messages()["discord"], 60, true))
}

func TestDrawingsFit(t *testing.T) {
	t.Parallel()
	for _, m := range messages() {
		for _, width := range []int{1, 24, 31, 40, 79, 80, 100, 500} {
			for line := range strings.Lines(drawing(t, m, width, false)) {
				require.LessOrEqual(t, cells(strings.TrimSuffix(line, "\n")), max(leastWidth, min(width, readable)), line)
			}
		}
	}
}

func TestColorsHaveNames(t *testing.T) {
	t.Parallel()
	for rgb, want := range map[int]string{
		0x2E9E5B: "green", 0xE0A100: "orange", 0x8E5BD0: "purple", 0xD03B3B: "red", 0x3B82D0: "blue", 0x808080: "grey", 0: "grey", 0xFF0040: "red",
		0xFFEE00: "yellow", 0x00D0D0: "cyan", -1: "grey",
	} {
		name, _ := colorOf(rgb)
		require.Equal(t, want, name, "%06x", rgb)
	}
}
