package ui_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/operate"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// hostile is a text as a sender may write it: markup, control characters, ones that turn
// the direction, and more than anybody reads.
func hostile() string {
	return `<img src=x onerror="alert(1)"><script>alert('x')</script>{{.}}` + "\x1b[31m\x07\u202e\r\n\t\u2028\ufeff" + `"' --> ]]>` + strings.Repeat("long ", 2000)
}

// elements are the names of a page's elements, and what would be run of it.
func elements(t *testing.T, page string) (names map[string]int, run []string) {
	t.Helper()
	names = map[string]int{}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			require.ErrorIs(t, z.Err(), io.EOF)
			return names, run
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			names[token.Data]++
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					run = append(run, token.String())
				}
			}
		default: // text
		}
	}
}

func TestForeignTextIsShownAsText(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	text := hostile()
	in := admintest.Imported("Arrival", "ops", "news")
	in.Event.Title, in.Event.Summary, in.Event.Fingerprint, in.Event.CorrelationKey = text, text, text, text
	in.Event.Request = event.Request{Method: http.MethodPost, Query: text, Header: http.Header{"X-" + text: {text}, "User-Agent": {text}}, Body: []byte(text)}
	normalized, err := json.Marshal(sdk.Event{ID: "1", Source: "radarr", Type: sdk.TypeMediaImported, Title: text, Summary: text, Media: &sdk.Media{Title: text, Year: 2016}})
	require.NoError(t, err)
	in.Event.Normalized = normalized
	a := r.Accept(t, in)
	_, err = r.Store.Settle(t.Context(), &store.Settlement{
		DeliveryID: a.Deliveries[0].ID, State: event.Dead, Reason: text, Attempt: &event.Attempt{
			DeliveryID: a.Deliveries[0].ID, Number: 1, StartedAt: time.Now().UTC(), Class: sdk.Class(text), Status: 400, Message: text, Excerpt: text, Request: text, Counted: true,
		},
	})
	require.NoError(t, err)
	_, err = r.Store.Settle(t.Context(), &store.Settlement{DeliveryID: a.Deliveries[1].ID, State: event.Delivered, MessageID: text, Note: text})
	require.NoError(t, err)
	odd := admintest.Imported("Odd")
	odd.Event.State, odd.Event.Reason, odd.Event.Normalized = event.Undecodable, text, nil
	r.Accept(t, odd)
	_, err = r.Operate.PauseTarget(t.Context(), operate.Actor{Who: text, Via: text}, "news", text)
	require.NoError(t, err)
	action, err := r.Operate.Begin(t.Context(), operate.Actor{Who: text, Via: text}, operate.Bulk{
		What: store.ActionReplay, Events: &store.EventFilter{Source: "radarr"},
	})
	require.NoError(t, err)

	e, d := "/events/"+a.Event.ID.String(), "/deliveries/"+a.Deliveries[0].ID.String()
	layout, _ := elements(t, newRig(t).get("/actions").body)
	for _, path := range []string{
		"/events", e, e + "/body", e + "/replay", "/events/" + odd.Event.ID.String(), "/deliveries", "/dead", d, "/deliveries/" + a.Deliveries[1].ID.String(),
		"/actions", "/actions/" + action.ID.String(), "/events/replay", "/deliveries/retry",
		"/events?q=" + strings.Repeat("%3Cscript%3E", 10), "/events?source=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&since=%3Cb%3E", "/deliveries?event=%3Cscript%3E",
		"/events/%3Cscript%3E",
	} {
		page := r.get(path)
		require.Less(t, page.status, 500, path)
		require.Less(t, len(page.body), 250<<10, "%s: foreign text is cut", path)
		for _, c := range "\x1b\x07\u202e" {
			require.NotContains(t, page.body, string(c), path)
		}
		names, run := elements(t, page.body)
		require.Empty(t, run, path)
		require.Equal(t, layout["script"], names["script"], path)
		require.Equal(t, layout["img"], names["img"], path)
		require.Equal(t, 1, names["h1"], path)
	}
	require.NotContains(t, r.get(e).body, "correlation_key=", "there is no link to what no form takes")
	require.Contains(t, r.get("/events").body, "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;")
}
