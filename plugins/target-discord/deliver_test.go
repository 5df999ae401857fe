package discord

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/sdk"
)

type testBundle struct {
	discord *endpoint.Discord
	target  sdk.Target
}

func setup(t *testing.T, change func(c *config)) testBundle {
	t.Helper()
	discord := &endpoint.Discord{}
	server := httptest.NewServer(discord)
	t.Cleanup(server.Close)
	c := config{WebhookURL: sdk.Secret(discord.URL(server.URL))}
	if change != nil {
		change(&c)
	}
	target, err := newTarget(t.Context(), sdk.Env{Instance: "movies", Log: textLog(io.Discard), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	return testBundle{discord, target}
}

var imported = sdk.Event{
	Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)", URL: "https://radarr.example/movie/1",
	Media: &sdk.Media{Kind: "movie", Poster: "https://image.example/p.jpg"},
}

func TestReceiptHasTheMessageAndTheLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	// The answer repeats the message before its id: longer than an excerpt.
	e := imported
	e.Media = &sdk.Media{Overview: strings.Repeat("plot ", 200)}
	e.Summary = strings.Repeat("long ", 2000)
	e.Download = &sdk.Download{Client: strings.Repeat("x", 2000), Title: strings.Repeat("y", 2000)}
	e.Release = &sdk.Release{Indexer: strings.Repeat("z", 2000), Group: strings.Repeat("g", 2000)}
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, receipt.Status)
	require.Equal(t, b.discord.Messages()[0].ID, receipt.MessageID)
	require.Equal(t, &sdk.Limit{Remaining: 4, ResetAfter: 400 * time.Millisecond}, receipt.Limit)
}

func TestNobodyIsMentionedUnlessConfigured(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	m := b.discord.Messages()[0]
	require.Equal(t, &endpoint.DiscordMentions{Parse: []string{}}, m.AllowedMentions)
	require.Nil(t, m.Content)
	require.Nil(t, m.Username)

	b = setup(t, func(c *config) {
		c.MentionRoles, c.MentionUsers = []string{"111111111111111111"}, []string{"222222222222222222"}
		c.Username, c.AvatarURL, c.ThreadID = "Hookarr", "https://a.example/b.png", "333333333333333333"
	})
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	m = b.discord.Messages()[0]
	require.Equal(t, "<@&111111111111111111> <@222222222222222222>", *m.Content)
	require.Equal(t, &endpoint.DiscordMentions{Parse: []string{}, Roles: []string{"111111111111111111"}, Users: []string{"222222222222222222"}}, m.AllowedMentions)
	require.Equal(t, "Hookarr", *m.Username)
	require.Equal(t, "https://a.example/b.png", m.AvatarURL)
	require.Equal(t, "333333333333333333", m.ThreadID)
}

func TestEditReplacesTheMessage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Username, c.ThreadID = "Hookarr", "333333333333333333" })
	first, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, sdk.Event{Type: sdk.TypeReleaseGrabbed, Title: "Dune"}))
	require.NoError(t, err)

	d := eventtest.Delivery(t, imported)
	d.Previous = &first
	second, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, first.MessageID, second.MessageID)
	require.Len(t, b.discord.Messages(), 1)
	require.Equal(t, 1, b.discord.Messages()[0].Edits)
	require.Equal(t, "Dune: Part Two (2024)", *b.discord.Messages()[0].Embeds[0].Title)

	require.JSONEq(t, `{"webhook":"1012345678901234567","configured":"333333333333333333","thread":"333333333333333333"}`, string(second.State))
	require.Empty(t, second.Fallback)

	b.discord.DeleteMessages()
	d.Previous = &second
	third, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Len(t, b.discord.Messages(), 1)
	require.Equal(t, b.discord.Messages()[0].ID, third.MessageID)
	require.Equal(t, "the message to edit was deleted: posted anew", third.Fallback)
	require.Zero(t, b.discord.Messages()[0].Edits)
	require.Equal(t, "Hookarr", *b.discord.Messages()[0].Username)

	d.Previous = &third
	b.discord.DeleteWebhook()
	_, err = b.target.Deliver(t.Context(), d)
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassMisconfigured, class)
}

func answering(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestRefusedEmbedIsSentWithoutLinksAndPictures(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"unversioned": `{"embeds": ["0"]}`,
		"versioned":   `{"message": "Invalid Form Body", "code": 50035, "errors": {"embeds": {"0": {"url": {"_errors": [{"code": "URL_TYPE_INVALID_URL", "message": "Not a well formed URL."}]}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.discord.Next(answering(http.StatusBadRequest, nil, body))
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.NoError(t, err)
			require.NotEmpty(t, receipt.MessageID)
			require.Len(t, b.discord.Messages(), 1)
			e := b.discord.Messages()[0].Embeds[0]
			require.Empty(t, e.URL)
			require.Nil(t, e.Thumbnail)
			require.Equal(t, "Dune: Part Two (2024)", *e.Title)

			b.discord.Next(answering(http.StatusBadRequest, nil, body))
			b.discord.Next(answering(http.StatusBadRequest, nil, body))
			_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassPermanent, class, "twice is enough")
			require.Len(t, b.discord.Messages(), 1)
		})
	}
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header map[string]string
		body   string
		class  sdk.Class
		after  time.Duration
		says   string
	}{
		"body has it exactly": {429, map[string]string{"Retry-After": "1"}, `{"message":"You are being rate limited.","retry_after":0.376,"global":false}`, sdk.ClassThrottled, 376 * time.Millisecond, "scope user"},
		"header alone":        {429, map[string]string{"Retry-After": "7", "X-RateLimit-Scope": "shared"}, `slow down`, sdk.ClassThrottled, 7 * time.Second, "scope shared"},
		"body alone":          {429, nil, `{"retry_after":64.57,"global":true}`, sdk.ClassThrottled, 64570 * time.Millisecond, "scope global"},
		"body in ms":          {429, map[string]string{"Retry-After": "2"}, `{"retry_after":1337}`, sdk.ClassThrottled, 2 * time.Second, ""},
		"header in ms":        {429, map[string]string{"Retry-After": "1337"}, `{"retry_after":1.337}`, sdk.ClassThrottled, 1337 * time.Millisecond, ""},
		"a day":               {429, map[string]string{"Retry-After": "86400"}, `<html>banned</html>`, sdk.ClassThrottled, 24 * time.Hour, ""},
		"no end":              {429, map[string]string{"Retry-After": "inf"}, `{"retry_after":1e300}`, sdk.ClassThrottled, 365 * 24 * time.Hour, ""},
		"no number":           {429, nil, `{"retry_after":1e999}`, sdk.ClassThrottled, 365 * 24 * time.Hour, ""},
		"text":                {429, nil, `{"retry_after":"2.5","global":true}`, sdk.ClassThrottled, 2500 * time.Millisecond, "scope global"},
		"negative":            {429, map[string]string{"Retry-After": "-1"}, `{"retry_after":-1}`, sdk.ClassThrottled, 0, ""},
		"nonsense":            {429, nil, `{"retry_after":"soon"}`, sdk.ClassThrottled, 0, ""},
		"unknown webhook":     {404, nil, `{"message":"Unknown Webhook","code":10015}`, sdk.ClassMisconfigured, 0, "set webhook_url"},
		"not found":           {404, nil, `gone`, sdk.ClassMisconfigured, 0, "404"},
		"token":               {401, nil, `{"message":"Invalid Webhook Token","code":50027}`, sdk.ClassMisconfigured, 0, "set webhook_url"},
		"forbidden":           {403, nil, `{"message":"Missing Access","code":50001}`, sdk.ClassMisconfigured, 0, "Missing Access"},
		"thread":              {400, nil, `{"message":"Unknown Channel","code":10003}`, sdk.ClassMisconfigured, 0, "thread_id"},
		"forum":               {400, nil, `{"message":"Webhooks posted to forum channels must have a thread_name or thread_id","code":220001}`, sdk.ClassMisconfigured, 0, "set thread_name, or thread_id"},
		"no forum":            {400, nil, `{"message":"Webhooks can only create threads in forum channels","code":220003}`, sdk.ClassMisconfigured, 0, "remove thread_name"},
		"bad request":         {400, nil, `{"message":"Cannot send an empty message","code":50006}`, sdk.ClassPermanent, 0, "Cannot send an empty message"},
		"server error":        {502, nil, `<html>`, sdk.ClassRetryable, 0, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, nil)
			b.discord.Next(answering(c.status, c.header, c.body))
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
			require.Error(t, err)
			class, after := sdk.ClassOf(err)
			require.Equal(t, c.class, class)
			require.Equal(t, c.after, after)
			require.Contains(t, err.Error(), c.says)
			require.NotContains(t, err.Error(), "tok-EN")
			require.Equal(t, c.status, receipt.Status)
			require.Equal(t, c.body, receipt.Excerpt)
			require.Empty(t, b.discord.Messages())
		})
	}
}

func TestThrottledReceiptHasTheLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.discord.Throttle(1500 * time.Millisecond)
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, after := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassThrottled, class)
	require.Equal(t, 1500*time.Millisecond, after)
	require.Equal(t, &sdk.Limit{Remaining: 0, ResetAfter: 1500 * time.Millisecond}, receipt.Limit)
}

func TestLimitNeedsBothHeaders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		remaining, reset string
		want             *sdk.Limit
	}{
		"both":     {"3", "0.25", &sdk.Limit{Remaining: 3, ResetAfter: 250 * time.Millisecond}},
		"negative": {"-1", "1", &sdk.Limit{ResetAfter: time.Second}},
		"one":      {"3", "", nil},
		"other":    {"", "1", nil},
		"no time":  {"3", "NaN", nil},
		"no end":   {"0", "inf", &sdk.Limit{ResetAfter: 365 * 24 * time.Hour}},
		"too long": {"0", "1e999", &sdk.Limit{ResetAfter: 365 * 24 * time.Hour}},
	} {
		h := http.Header{}
		h.Set("X-RateLimit-Remaining", c.remaining)
		h.Set("X-RateLimit-Reset-After", c.reset)
		require.Equal(t, c.want, limit(h), name)
	}
}

// Whenever Discord's window begins: the burst and what follows it are within one.
func TestThePaceFitsIntoAnyWindow(t *testing.T) {
	t.Parallel()
	const requests, seconds = 5, 2
	d := info().Defaults
	require.LessOrEqual(t, float64(d.Burst-1)+math.Ceil(d.Rate*seconds), float64(requests))
}
