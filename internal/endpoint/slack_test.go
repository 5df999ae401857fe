package endpoint_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

func blocks(n int, block string) string {
	return `{"text":"a","blocks":[` + strings.TrimSuffix(strings.Repeat(block+",", n), ",") + `]}`
}

func section(text string) string {
	return `{"type":"section","text":{"type":"mrkdwn","text":"` + text + `"}}`
}

func columns(n int, text string) string {
	return `{"type":"section","fields":[` + strings.TrimSuffix(strings.Repeat(`{"type":"mrkdwn","text":"`+text+`"},`, n), ",") + `]}`
}

func TestSlackRefusesEveryBreach(t *testing.T) {
	t.Parallel()
	a := func(n int) string { return strings.Repeat("a", n) }
	header := func(n int) string {
		return `{"type":"header","text":{"type":"plain_text","text":"` + a(n) + `"}}`
	}
	picture := func(url, alt string) string {
		return `{"type":"section","text":{"type":"mrkdwn","text":"a"},"accessory":{"type":"image","image_url":"` + url + `","alt_text":"` + alt + `"}}`
	}
	context := func(n int) string {
		return `{"type":"context","elements":[` + strings.TrimSuffix(strings.Repeat(`{"type":"mrkdwn","text":"a"},`, n), ",") + `]}`
	}
	for name, c := range map[string]struct{ good, bad, word string }{
		"no text":         {`{"text":"a"}`, `{"text":" "}`, "no_text"},
		"not JSON":        {`{"text":"a"}`, `payload`, "invalid_payload"},
		"unknown member":  {`{"text":"a"}`, `{"text":"a","channel":"b"}`, "invalid_payload"},
		"blocks":          {blocks(50, `{"type":"divider"}`), blocks(51, `{"type":"divider"}`), "invalid_blocks"},
		"unknown block":   {blocks(1, `{"type":"divider"}`), blocks(1, `{"type":"line"}`), "invalid_blocks"},
		"header":          {blocks(1, header(150)), blocks(1, header(151)), "invalid_blocks"},
		"empty header":    {blocks(1, header(1)), blocks(1, header(0)), "invalid_blocks"},
		"section":         {blocks(1, section(a(3000))), blocks(1, section(a(3001))), "invalid_blocks"},
		"empty section":   {blocks(1, section("a")), blocks(1, `{"type":"section"}`), "invalid_blocks"},
		"fields":          {blocks(1, columns(10, "a")), blocks(1, columns(11, "a")), "invalid_blocks"},
		"field":           {blocks(1, columns(1, a(2000))), blocks(1, columns(1, a(2001))), "invalid_blocks"},
		"elements":        {blocks(1, context(10)), blocks(1, context(11)), "invalid_blocks"},
		"total":           {blocks(3, section(a(3000))), blocks(4, section(a(3000))), "msg_blocks_too_long"},
		"relative image":  {blocks(1, picture("https://a.example/b.jpg", "c")), blocks(1, picture("/b.jpg", "c")), "invalid_blocks"},
		"image text":      {blocks(1, picture("https://a.example/b.jpg", "c")), blocks(1, picture("https://a.example/b.jpg", "")), "invalid_blocks"},
		"unescaped":       {blocks(1, section("a &amp; &lt;b&gt;")), blocks(1, section("a & b")), "invalid_blocks"},
		"mention":         {blocks(1, section("<https://a.example/|b>")), blocks(1, section("<!channel>")), "invalid_blocks"},
		"mention in text": {`{"text":"<!date^1^{time}|then>"}`, `{"text":"<@U1>"}`, "invalid_payload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s endpoint.Slack
			url := s.URL(serve(t, &s))
			got := send(t, http.MethodPost, url, c.good)
			require.Equal(t, http.StatusOK, got.status, s.Refused())
			require.Equal(t, "ok", got.body)

			got = send(t, http.MethodPost, url, c.bad)
			require.Equal(t, http.StatusBadRequest, got.status)
			require.Equal(t, c.word, got.body)
			require.Len(t, s.Refused(), 1)
			require.Len(t, s.Messages(), 1)
		})
	}
}

func TestSlackTurnsAway(t *testing.T) {
	t.Parallel()
	var s endpoint.Slack
	server := serve(t, &s)
	got := send(t, http.MethodPost, server+"/services/T/B/x", `{"text":"a"}`)
	require.Equal(t, http.StatusNotFound, got.status)
	require.Equal(t, "no_service", got.body)

	s.Throttle(1500 * time.Millisecond)
	got = send(t, http.MethodPost, s.URL(server), `{"text":"a"}`)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "2", got.header.Get("Retry-After"))
	require.JSONEq(t, `{"retry_after":2,"ok":false,"error":"rate_limited"}`, got.body)

	s.Fail(http.StatusForbidden, "action_prohibited")
	got = send(t, http.MethodPost, s.URL(server), `{"text":"a"}`)
	require.Equal(t, http.StatusForbidden, got.status)
	require.Equal(t, "action_prohibited", got.body)

	got = send(t, http.MethodPost, s.URL(server), `{"text":"a"}`)
	require.Equal(t, http.StatusOK, got.status)
}
