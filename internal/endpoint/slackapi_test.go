package endpoint_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

// call calls a method as the bot.
func call(t *testing.T, s *endpoint.SlackAPI, server, method, body string) answer {
	t.Helper()
	return sendAs(t, "Bearer "+s.Token(), s.URL(server)+method, body)
}

func sendAs(t *testing.T, authorization, url, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(got))}
}

func TestSlackAPIKeepsMessages(t *testing.T) {
	t.Parallel()
	var s endpoint.SlackAPI
	server := serve(t, &s)
	got := call(t, &s, server, "chat.postMessage", `{"channel":"#media","text":"a","unfurl_links":false}`)
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, `"ts":"1764374400.000001"`)
	require.Contains(t, got.body, `"channel":"C0000MEDIA"`)
	require.Equal(t, "a", s.Messages()[0].Text)

	update := `{"channel":"C0000MEDIA","ts":"1764374400.000001","parse":"none","text":"b","blocks":[]}`
	got = call(t, &s, server, "chat.update", update)
	require.Contains(t, got.body, `"ok":true`)
	require.Len(t, s.Messages(), 1)
	require.Equal(t, "b", s.Messages()[0].Text)
	require.Equal(t, 1, s.Messages()[0].Edits)

	s.DeleteMessages()
	require.JSONEq(t, `{"ok":false,"error":"message_not_found"}`, call(t, &s, server, "chat.update", update).body)
}

func TestSlackAPIRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 2001)
	for name, c := range map[string]struct{ method, body, word string }{
		"method":       {"chat.nothing", `{}`, "unknown_method"},
		"not JSON":     {"chat.postMessage", `x`, "invalid_json"},
		"member":       {"chat.postMessage", `{"channel":"media","text":"a","colour":"red"}`, "invalid_json"},
		"empty":        {"chat.postMessage", `{"channel":"media","text":""}`, "no_text"},
		"channel":      {"chat.postMessage", `{"channel":"elsewhere","text":"a"}`, "channel_not_found"},
		"no member of": {"chat.postMessage", `{"channel":"C000OTHERS","text":"a"}`, "not_in_channel"},
		"blocks":       {"chat.postMessage", `{"channel":"media","text":"a","blocks":[{"type":"line"}]}`, "invalid_blocks"},
		"mention":      {"chat.postMessage", `{"channel":"media","text":"<!channel>"}`, "invalid_arguments"},
		"post with ts": {"chat.postMessage", `{"channel":"media","text":"a","ts":"1"}`, "invalid_arguments"},
		"no ts":        {"chat.update", `{"channel":"C0000MEDIA","text":"a","parse":"none"}`, "invalid_arguments"},
		"parse":        {"chat.update", `{"channel":"C0000MEDIA","ts":"1","text":"a"}`, "invalid_arguments"},
		"unfurl":       {"chat.update", `{"channel":"C0000MEDIA","ts":"1","parse":"none","text":"a","unfurl_links":false}`, "invalid_arguments"},
		"long edit":    {"chat.update", `{"channel":"C0000MEDIA","ts":"1","parse":"none","text":"` + long + `"}`, "msg_too_long"},
		"by name":      {"chat.update", `{"channel":"media","ts":"1","parse":"none","text":"a"}`, "channel_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s endpoint.SlackAPI
			got := call(t, &s, serve(t, &s), c.method, c.body)
			require.Equal(t, http.StatusOK, got.status)
			require.Contains(t, got.body, `"error":"`+c.word+`"`)
			require.Contains(t, got.body, `"ok":false`)
			require.Empty(t, s.Messages())
		})
	}
}

func TestSlackAPIAsksForTheToken(t *testing.T) {
	t.Parallel()
	var s endpoint.SlackAPI
	url := s.URL(serve(t, &s)) + "chat.postMessage"
	const body = `{"channel":"media","text":"a"}`
	require.JSONEq(t, `{"ok":false,"error":"not_authed"}`, sendAs(t, "", url, body).body)
	require.JSONEq(t, `{"ok":false,"error":"invalid_auth"}`, sendAs(t, "Bearer xoxb-other", url, body).body)

	s.Refuse("", "token_revoked")
	require.JSONEq(t, `{"ok":false,"error":"token_revoked"}`, sendAs(t, "Bearer "+s.Token(), url, body).body)
	s.Refuse("", "")
	s.Refuse("chat.postMessage", "missing_scope")
	require.JSONEq(t, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"channels:read"}`, sendAs(t, "Bearer "+s.Token(), url, body).body)
	s.Refuse("chat.postMessage", "")
	require.Contains(t, sendAs(t, "Bearer "+s.Token(), url, body).body, `"ok":true`)
}

func TestSlackAPIThrottlesEachChannel(t *testing.T) {
	t.Parallel()
	s := endpoint.SlackAPI{Limit: endpoint.Limit{Requests: 1, Window: time.Hour}}
	server := serve(t, &s)
	const body = `{"channel":"C0000MEDIA","text":"a"}`
	require.Contains(t, call(t, &s, server, "chat.postMessage", body).body, `"ok":true`)
	got := call(t, &s, server, "chat.postMessage", body)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "3600", got.header.Get("Retry-After"))
	require.JSONEq(t, `{"ok":false,"error":"ratelimited"}`, got.body)
	got = call(t, &s, server, "chat.postMessage", `{"channel":"C000OTHERS","text":"a"}`)
	require.Contains(t, got.body, "not_in_channel", "another channel has a limit of its own")
	require.Equal(t, 1, s.Traffic().Throttled)
}

func TestSlackAPIFollowsAScript(t *testing.T) {
	t.Parallel()
	var s endpoint.SlackAPI
	server := serve(t, &s)
	const body = `{"channel":"C0000MEDIA","text":"a"}`
	s.Fail("internal_error")
	require.JSONEq(t, `{"ok":false,"error":"internal_error"}`, call(t, &s, server, "chat.postMessage", body).body)
	s.Throttle(1500 * time.Millisecond)
	require.Equal(t, "2", call(t, &s, server, "chat.postMessage", body).header.Get("Retry-After"))

	silent := endpoint.SlackAPI{Limit: endpoint.Limit{NoRetryAfter: true}}
	silent.Throttle(time.Hour)
	got := call(t, &silent, serve(t, &silent), "chat.postMessage", body)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Empty(t, got.header.Get("Retry-After"))
}
