package endpoint_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

func noted(message, members string) string {
	return fmt.Sprintf(`{"topic":%q,"message":%q%s}`, endpoint.NtfyTopic, message, members)
}

func TestNtfyRefusesEveryBreach(t *testing.T) {
	t.Parallel()
	a := func(n int) string { return strings.Repeat("a", n) }
	button := func(n int, action string) string {
		return `,"actions":[` + strings.TrimSuffix(strings.Repeat(`{"action":"`+action+`","label":"a","url":"https://a.example"},`, n), ",") + `]`
	}
	for name, c := range map[string]struct {
		good, bad string
		code      int
	}{
		"message":        {noted(a(4096), ""), noted(a(4097), ""), 40014},
		"bytes":          {noted(strings.Repeat("é", 2048), ""), noted(strings.Repeat("é", 2049), ""), 40014},
		"whole":          {noted(a(4096), `,"title":"`+a(4000)+`"`), noted(a(4096), `,"title":"`+a(4096)+`"`), 41303},
		"empty":          {noted("a", ""), noted(" ", ""), 40000},
		"topic":          {noted("a", ""), strings.Replace(noted("a", ""), "hookarr-", "hookarr/", 1), 40009},
		"sequence":       {noted("a", `,"sequence_id":"`+a(64)+`"`), noted("a", `,"sequence_id":"`+a(65)+`"`), 40049},
		"priority":       {noted("a", `,"priority":5`), noted("a", `,"priority":6`), 40007},
		"attachment":     {noted("a", `,"attach":"https://a.example/b.jpg"`), noted("a", `,"attach":"/b.jpg"`), 40013},
		"icon":           {noted("a", `,"icon":"https://a.example/b.png"`), noted("a", `,"icon":"b.png"`), 40021},
		"actions":        {noted("a", button(3, "view")), noted("a", button(4, "view")), 40018},
		"kind of action": {noted("a", button(1, "view")), noted("a", button(1, "open")), 40018},
		"unknown member": {noted("a", `,"tags":["x"],"click":"https://a.example","markdown":true`), noted("a", `,"tag":["x"]`), 40017},
		"not JSON":       {noted("a", ""), "hello", 40017},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n endpoint.Ntfy
			url := n.URL(serve(t, &n))
			got := send(t, http.MethodPost, url, c.good)
			require.Equal(t, http.StatusOK, got.status, got.body)
			got = send(t, http.MethodPost, url, c.bad)
			require.Equal(t, c.code/100, got.status)
			require.Contains(t, got.body, fmt.Sprintf(`"code":%d,`, c.code))
			require.Len(t, n.Messages(), 1)
			require.Len(t, n.Refused(), 1)
		})
	}
}

func TestNtfyShowsTheLastOfASequence(t *testing.T) {
	t.Parallel()
	var n endpoint.Ntfy
	url := n.URL(serve(t, &n))
	got := send(t, http.MethodPost, url, noted("one", `,"sequence_id":"s"`))
	require.Contains(t, got.body, `"sequence_id":"s"`)
	send(t, http.MethodPost, url, noted("two", ""))
	send(t, http.MethodPost, url, noted("three", `,"sequence_id":"s"`))
	require.Len(t, n.Messages(), 2)
	require.Equal(t, "three", n.Messages()[0].Message)
	require.Equal(t, 1, n.Messages()[0].Edits)

	old := endpoint.Ntfy{Old: true}
	url = old.URL(serve(t, &old))
	for range 2 {
		got = send(t, http.MethodPost, url, noted("one", `,"sequence_id":"s"`))
		require.Equal(t, http.StatusOK, got.status)
		require.NotContains(t, got.body, "sequence_id")
	}
	require.Len(t, old.Messages(), 2)
}

func TestNtfyTurnsAway(t *testing.T) {
	t.Parallel()
	n := endpoint.Ntfy{Limit: endpoint.Limit{Requests: 1, Window: long}}
	url := n.URL(serve(t, &n))
	require.Equal(t, http.StatusNotFound, send(t, http.MethodPost, url+"topic", noted("a", "")).status)
	n.Fail(42908, "limit reached: daily message quota reached")
	got := send(t, http.MethodPost, url, noted("a", ""))
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Contains(t, got.body, `"code":42908`)
	require.Equal(t, http.StatusOK, send(t, http.MethodPost, url, noted("a", "")).status)
	got = send(t, http.MethodPost, url, noted("a", ""))
	require.Contains(t, got.body, `"code":42901`)
	require.Empty(t, got.header.Get("Retry-After"), "ntfy never says how long")
	require.Equal(t, 2, n.Traffic().Throttled)

	closed := endpoint.Ntfy{Authorization: "Bearer tk_x"}
	url = closed.URL(serve(t, &closed))
	require.Contains(t, send(t, http.MethodPost, url, noted("a", "")).body, `"code":40301`)
}
