package endpoint_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// answer is what a service answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// send makes a request on a connection of its own: servers of other tests end those that
// are shared.
func send(t *testing.T, method, url, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(got))}
}

func embeds(n int, of string) string {
	return `{"embeds":[` + strings.TrimSuffix(strings.Repeat(of+",", n), ",") + `]}`
}

func embed(members string) string { return embeds(1, "{"+members+"}") }

func fields(n int, name, value string) string {
	f := fmt.Sprintf(`{"name":%q,"value":%q},`, name, value)
	return embed(`"fields":[` + strings.TrimSuffix(strings.Repeat(f, n), ",") + `]`)
}

func TestDiscordRefusesEveryBreach(t *testing.T) {
	t.Parallel()
	a := func(n int) string { return strings.Repeat("a", n) }
	for name, c := range map[string]struct{ good, bad, member string }{
		"content":           {`{"content":"` + a(2000) + `"}`, `{"content":"` + a(2001) + `"}`, "content"},
		"surrogates":        {`{"content":"` + strings.Repeat("😀", 1000) + `"}`, `{"content":"` + strings.Repeat("😀", 1001) + `"}`, "content"},
		"trimmed":           {`{"content":"  ` + a(2000) + `  "}`, `{"content":"   "}`, "message"},
		"nothing":           {`{"content":"a"}`, `{}`, "message"},
		"unknown member":    {`{"content":"a"}`, `{"content":"a","embed":{}}`, "message"},
		"not JSON":          {`{"content":"a"}`, `{"content":`, "message"},
		"embeds":            {embeds(10, `{"title":"a"}`), embeds(11, `{"title":"a"}`), "embeds"},
		"empty embed":       {embed(`"title":"a"`), embed(`"color":1`), "embeds"},
		"title":             {embed(`"title":"` + a(256) + `"`), embed(`"title":"` + a(257) + `"`), "embeds"},
		"empty title":       {embed(`"description":"a"`), embed(`"title":" ","description":"a"`), "embeds"},
		"description":       {embed(`"description":"` + a(4096) + `"`), embed(`"description":"` + a(4097) + `"`), "embeds"},
		"author":            {embed(`"author":{"name":"` + a(256) + `"}`), embed(`"author":{"name":"` + a(257) + `"}`), "embeds"},
		"footer":            {embed(`"footer":{"text":"` + a(2048) + `"}`), embed(`"footer":{"text":"` + a(2049) + `"}`), "embeds"},
		"fields":            {fields(25, "a", "b"), fields(26, "a", "b"), "embeds"},
		"field name":        {fields(1, a(256), "b"), fields(1, a(257), "b"), "embeds"},
		"empty field name":  {fields(1, "a", "b"), fields(1, " ", "b"), "embeds"},
		"field value":       {fields(1, "a", a(1024)), fields(1, "a", a(1025)), "embeds"},
		"empty field value": {fields(1, "a", "b"), fields(1, "a", "\n"), "embeds"},
		"total":             {embeds(2, `{"description":"`+a(3000)+`"}`), embeds(2, `{"description":"`+a(3001)+`"}`), "embeds"},
		"relative image":    {embed(`"image":{"url":"https://a.example/b.jpg"}`), embed(`"image":{"url":"/MediaCover/1.jpg"}`), "embeds"},
		"thumbnail":         {embed(`"thumbnail":{"url":"http://10.0.0.1/b.jpg"}`), embed(`"thumbnail":{"url":""}`), "embeds"},
		"bare host":         {embed(`"title":"a","url":"http://a.example"`), embed(`"title":"a","url":"http://radarr:7878/"`), "embeds"},
		"timestamp":         {embed(`"title":"a","timestamp":"2026-11-23T10:00:00Z"`), embed(`"title":"a","timestamp":"today"`), "embeds"},
		"color":             {embed(`"title":"a","color":16777215`), embed(`"title":"a","color":16777216`), "embeds"},
		"username":          {`{"content":"a","username":"` + a(80) + `"}`, `{"content":"a","username":"` + a(81) + `"}`, "username"},
		"reserved name":     {`{"content":"a","username":"Hookarr"}`, `{"content":"a","username":"My Discord bot"}`, "username"},
		"avatar":            {`{"content":"a","avatar_url":"https://a.example/b.png"}`, `{"content":"a","avatar_url":"b.png"}`, "avatar_url"},
		"thread name":       {`{"content":"a"}`, `{"content":"a","thread_name":"` + a(101) + `"}`, "thread_name"},
		"mention kind":      {`{"content":"a","allowed_mentions":{"parse":["users"]}}`, `{"content":"a","allowed_mentions":{"parse":["here"]}}`, "allowed_mentions"},
		"mention id":        {`{"content":"a","allowed_mentions":{"parse":[],"roles":["123456789012345678"]}}`, `{"content":"a","allowed_mentions":{"parse":[],"roles":["admins"]}}`, "allowed_mentions"},
		"mention twice":     {`{"content":"a","allowed_mentions":{"parse":["roles"],"users":["123456789012345678"]}}`, `{"content":"a","allowed_mentions":{"parse":["users"],"users":["123456789012345678"]}}`, "allowed_mentions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d endpoint.Discord
			url := d.URL(serve(t, &d))
			got := send(t, http.MethodPost, url, c.good)
			require.Equal(t, http.StatusNoContent, got.status, got.body)
			require.Len(t, d.Messages(), 1)

			got = send(t, http.MethodPost, url, c.bad)
			require.Equal(t, http.StatusBadRequest, got.status)
			require.Len(t, d.Messages(), 1)
			require.Len(t, d.Refused(), 1)
			var told map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.body), &told))
			require.Contains(t, told, c.member)
		})
	}
}

func TestDiscordErrorShapes(t *testing.T) {
	t.Parallel()
	var d endpoint.Discord
	url := d.URL(serve(t, &d))
	bad := embed(`"title":"` + strings.Repeat("a", 257) + `"`)

	got := send(t, http.MethodPost, url, bad)
	require.JSONEq(t, `{"embeds":["0"]}`, got.body)

	got = send(t, http.MethodPost, strings.Replace(url, "/api/", "/api/v10/", 1), bad)
	require.JSONEq(t, `{"message":"Invalid Form Body","code":50035,"errors":{"embeds":{"0":{"title":{"_errors":[
		{"code":"BASE_TYPE_INVALID","message":"Must be 256 or fewer in length."}]}}}}}`, got.body)
}

func TestDiscordKeepsAndEditsMessages(t *testing.T) {
	t.Parallel()
	var d endpoint.Discord
	url := d.URL(serve(t, &d))
	got := send(t, http.MethodPost, url+"?wait=true&thread_id=42", `{"content":"before"}`)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "4", got.header.Get("X-RateLimit-Remaining"))
	var posted struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &posted))

	got = send(t, http.MethodPatch, url+"/messages/"+posted.ID, `{"content":"after"}`)
	require.Equal(t, http.StatusNotFound, got.status, "a message of a thread needs thread_id")
	got = send(t, http.MethodPatch, url+"/messages/"+posted.ID+"?thread_id=42", `{"content":"after"}`)
	require.Equal(t, http.StatusOK, got.status)
	require.Len(t, d.Messages(), 1)
	require.Equal(t, 1, d.Messages()[0].Edits)
	require.Equal(t, "after", *d.Messages()[0].Content)

	d.DeleteMessages()
	got = send(t, http.MethodPatch, url+"/messages/"+posted.ID+"?thread_id=42", `{"content":"after"}`)
	require.Equal(t, http.StatusNotFound, got.status)
	require.JSONEq(t, `{"message":"Unknown Message","code":10008}`, got.body)
}

func TestDiscordTurnsAway(t *testing.T) {
	t.Parallel()
	var d endpoint.Discord
	server := serve(t, &d)
	url := d.URL(server)
	got := send(t, http.MethodPost, url+"x", `{"content":"a"}`)
	require.Equal(t, http.StatusUnauthorized, got.status)
	got = send(t, http.MethodPut, url, `{"content":"a"}`)
	require.Equal(t, http.StatusMethodNotAllowed, got.status)

	d.Throttle(376 * time.Millisecond)
	got = send(t, http.MethodPost, url, `{"content":"a"}`)
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Equal(t, "0", got.header.Get("X-RateLimit-Remaining"))
	require.JSONEq(t, `{"message":"You are being rate limited.","retry_after":0.376,"global":false}`, got.body)

	d.DeleteWebhook()
	got = send(t, http.MethodPost, url, `{"content":"a"}`)
	require.Equal(t, http.StatusNotFound, got.status)
	require.JSONEq(t, `{"message":"Unknown Webhook","code":10015}`, got.body)
}

func TestDiscordForum(t *testing.T) {
	t.Parallel()
	d := endpoint.Discord{Forum: true}
	url := d.URL(serve(t, &d))
	for query, c := range map[string]struct{ body, code string }{
		"":             {`{"content":"a"}`, "220001"},
		"?thread_id=5": {`{"content":"a","thread_name":"b"}`, "220002"},
	} {
		got := send(t, http.MethodPost, url+query, c.body)
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Contains(t, got.body, c.code)
	}
	got := send(t, http.MethodPost, url+"?wait=true", `{"content":"a","thread_name":"Dune"}`)
	require.Equal(t, http.StatusOK, got.status)
	m := d.Messages()[0]
	require.Equal(t, "Dune", m.ThreadName)
	require.Contains(t, got.body, `"channel_id":"`+m.ThreadID+`"`)

	edit := url + "/messages/" + m.ID
	require.Equal(t, http.StatusNotFound, send(t, http.MethodPatch, edit, `{"content":"b"}`).status)
	edit += "?thread_id=" + m.ThreadID
	require.Equal(t, http.StatusBadRequest, send(t, http.MethodPatch, edit, `{"thread_name":"b"}`).status)
	require.Equal(t, http.StatusOK, send(t, http.MethodPatch, edit, `{"content":"b"}`).status)
	d.DeleteThread(m.ThreadID)
	got = send(t, http.MethodPatch, edit, `{"content":"b"}`)
	require.Equal(t, http.StatusNotFound, got.status)
	require.Contains(t, got.body, "10003")
	require.Contains(t, send(t, http.MethodPost, url+"?thread_id="+m.ThreadID, `{"content":"b"}`).body, "10003")

	var text endpoint.Discord
	require.Contains(t, send(t, http.MethodPost, text.URL(serve(t, &text)), `{"content":"a","thread_name":"b"}`).body, "220003")
}

func TestDiscordEditsWhatTheRequestHas(t *testing.T) {
	t.Parallel()
	var d endpoint.Discord
	url := d.URL(serve(t, &d))
	send(t, http.MethodPost, url, `{"content":"a","embeds":[{"title":"b"}]}`)
	id := d.Messages()[0].ID
	edit := url + "/messages/" + id
	require.Equal(t, http.StatusOK, send(t, http.MethodPatch, edit, `{"embeds":[{"title":"c"}]}`).status)
	require.Equal(t, "a", *d.Messages()[0].Content)
	require.Equal(t, http.StatusOK, send(t, http.MethodPatch, edit, `{"content":""}`).status)
	require.Equal(t, "c", *d.Messages()[0].Embeds[0].Title)
	require.Equal(t, http.StatusBadRequest, send(t, http.MethodPatch, edit, `{"embeds":[]}`).status, "nothing is left")
	require.Equal(t, http.StatusBadRequest, send(t, http.MethodPatch, edit, embed(`"title":"`+strings.Repeat("a", 257)+`"`)).status)
	posts, edits := d.Counts()
	require.Equal(t, []int{1, 2}, []int{posts, edits})

	d.Disown(id)
	got := send(t, http.MethodPatch, edit, `{"content":"b"}`)
	require.Equal(t, http.StatusForbidden, got.status)
	require.Contains(t, got.body, "50005")

	d.DeleteMessage(id)
	require.Equal(t, http.StatusNotFound, send(t, http.MethodPatch, edit, `{"content":"b"}`).status)
	send(t, http.MethodPost, url, `{"content":"a"}`)
	require.NotEqual(t, id, d.Messages()[0].ID, "an id is given once")
}
