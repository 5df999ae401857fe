package ntfy

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

type testBundle struct {
	ntfy   *endpoint.Ntfy
	target *target
}

func setup(t *testing.T, ntfy *endpoint.Ntfy, change func(c *config)) testBundle {
	t.Helper()
	server := httptest.NewServer(ntfy)
	t.Cleanup(server.Close)
	c := good()
	c.Server = server.URL
	if change != nil {
		change(&c)
	}
	require.NoError(t, c.Validate())
	made, err := newTarget(t.Context(), sdk.Env{Instance: "phone", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	return testBundle{ntfy, made.(*target)}
}

func imported() sdk.Event {
	return sdk.Event{
		Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)", URL: "http://radarr:7878/movie/1", Summary: "Imported Dune",
		Media: &sdk.Media{Kind: "movie", Poster: "https://image.tmdb.org/t/p/original/a.jpg"},
	}
}

func TestNotification(t *testing.T) {
	t.Parallel()
	b := setup(t, &endpoint.Ntfy{}, func(c *config) { c.Icon = "https://a.example/icon.png" })
	d := eventtest.Delivery(t, imported())
	receipt, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err, b.ntfy.Refused())
	require.Empty(t, receipt.Fallback)
	require.Equal(t, d.ID, receipt.MessageID)
	require.Equal(t, endpoint.NtfyBody{
		Topic: endpoint.NtfyTopic, SequenceID: d.ID, Title: "Movie imported: Dune: Part Two (2024)", Message: "Imported Dune", Priority: 3,
		Tags: []string{"white_check_mark"}, Click: "http://radarr:7878/movie/1", Attach: "https://image.tmdb.org/t/p/w780/a.jpg",
		Icon: "https://a.example/icon.png",
	}, b.ntfy.Messages()[0].NtfyBody)
}

func TestPagesAreButtons(t *testing.T) {
	t.Parallel()
	b := setup(t, &endpoint.Ntfy{}, func(c *config) { c.Look = message.LookRich })
	e := imported()
	e.Media.IDs = map[string]string{"tmdb": "1", "imdb": "tt1", "tvdb": "1", "tvmaze": "1"}
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
	require.NoError(t, err, b.ntfy.Refused())
	actions := b.ntfy.Messages()[0].Actions
	require.Len(t, actions, 3)
	require.Equal(t, endpoint.NtfyAction{Action: "view", Label: "TMDb", URL: "https://www.themoviedb.org/movie/1"}, actions[0])
}

// Phones fetch what is attached: a URL that only the house can reach, or that lets them in,
// stays in it.
func TestOnlyPublicPostersAreAttached(t *testing.T) {
	t.Parallel()
	for _, poster := range []string{"http://radarr:7878/MediaCover/1/poster.jpg", "https://image.tmdb.org/a.jpg?apikey=s3cret", ""} {
		b := setup(t, &endpoint.Ntfy{}, nil)
		e := imported()
		e.Media.Poster = poster
		_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
		require.NoError(t, err)
		require.Empty(t, b.ntfy.Messages()[0].Attach)
	}
	b := setup(t, &endpoint.Ntfy{}, func(c *config) { c.Images = "off" })
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported()))
	require.NoError(t, err)
	require.Empty(t, b.ntfy.Messages()[0].Attach)
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for header, change := range map[string]func(c *config){
		"Bearer tk_s3cret":       func(c *config) { c.Token = "tk_s3cret" },
		"Basic cGhpbDpzZWNyZXQ=": func(c *config) { c.Username, c.Password = "phil", "secret" },
		"":                       nil,
	} {
		b := setup(t, &endpoint.Ntfy{Authorization: header}, change)
		_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported()))
		require.NoError(t, err)
		require.Len(t, b.ntfy.Messages(), 1)
	}
	b := setup(t, &endpoint.Ntfy{Authorization: "Bearer other"}, nil)
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported()))
	require.ErrorContains(t, err, "set token")
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassMisconfigured, class)
}

func TestEditReplacesTheNotification(t *testing.T) {
	t.Parallel()
	b := setup(t, &endpoint.Ntfy{}, nil)
	grabbed := imported()
	grabbed.Type = sdk.TypeReleaseGrabbed
	d := eventtest.Delivery(t, grabbed)
	first, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)

	// A second attempt after an answer that was lost shows no second notification.
	again, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, first.MessageID, again.MessageID)
	require.Len(t, b.ntfy.Messages(), 1)

	next := eventtest.Delivery(t, imported())
	next.ID, next.Previous = "0197b1f0-5a3c-7c11-9d7e-000000000002", &again
	second, err := b.target.Deliver(t.Context(), next)
	require.NoError(t, err)
	require.Equal(t, first.MessageID, second.MessageID)
	require.Len(t, b.ntfy.Messages(), 1)
	require.Equal(t, 2, b.ntfy.Messages()[0].Edits)
	require.Contains(t, b.ntfy.Messages()[0].Title, "imported")
}

// What an old server shows cannot be replaced, so that nobody must try.
func TestOldServerGivesNoMessageID(t *testing.T) {
	t.Parallel()
	b := setup(t, &endpoint.Ntfy{Old: true}, nil)
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported()))
	require.NoError(t, err)
	require.Empty(t, receipt.MessageID)
}

func TestRefusedNotificationIsSentBare(t *testing.T) {
	t.Parallel()
	for _, code := range []int{codeAttachmentURL, codeNoAttachments, codeActions, codeIcon, codeAttachmentTooLong, codeJSONTooLong} {
		b := setup(t, &endpoint.Ntfy{}, nil)
		b.ntfy.Fail(code, "no")
		e := imported()
		e.Summary = strings.Repeat("long ", 1000)
		receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
		require.NoError(t, err)
		require.Equal(t, "the server refused the notification: shortened, without links and pictures", receipt.Fallback)
		require.NotEmpty(t, receipt.MessageID)
		m := b.ntfy.Messages()[0]
		require.Empty(t, m.Attach+m.Click+m.Icon)
		require.Empty(t, m.Actions)
		require.LessOrEqual(t, len(m.Message), fewBytes)
	}
}

func TestPriorities(t *testing.T) {
	t.Parallel()
	priority := func(b testBundle, e sdk.Event) int {
		n, _ := b.target.note(message.New(e), []sdk.Event{e})
		return n.Priority
	}
	b := setup(t, &endpoint.Ntfy{}, nil)
	require.Equal(t, 3, priority(b, imported()))
	require.Equal(t, 4, priority(b, sdk.Event{Type: sdk.TypeDownloadFailed}))
	require.Equal(t, 3, priority(b, sdk.Event{Type: sdk.TypeManualInteractionRequired}))
	require.Equal(t, 2, priority(b, sdk.Event{Type: sdk.TypeFileRenamed}))
	b = setup(t, &endpoint.Ntfy{}, func(c *config) { c.Priorities = template.ByType[int]{"media.*": 1, "media.imported": 5} })
	require.Equal(t, 5, priority(b, imported()))
	require.Equal(t, 1, priority(b, sdk.Event{Type: sdk.TypeMediaAdded}))

	_, err := b.target.Test(t.Context(), eventtest.Delivery(t, imported()))
	require.NoError(t, err)
	require.Equal(t, 2, b.ntfy.Messages()[0].Priority, "a test makes no sound")
}

func TestOwnTexts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, message, said string }{
		"own":   {"{{.event.title}} <3\n", "Dune: Part Two (2024) <3", ""},
		"fails": {`{{index .event.files 7}}`, "Imported Dune", "template *: "},
		"empty": {` `, "Imported Dune", "it says nothing"},
		"long":  {strings.Repeat("é", 3000), strings.Repeat("é", 2046) + "…", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var own template.Template
			require.NoError(t, own.UnmarshalText([]byte(c.text)))
			b := setup(t, &endpoint.Ntfy{}, func(cfg *config) { cfg.Templates = template.ByType[template.Template]{"*": own} })
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported()))
			require.NoError(t, err, b.ntfy.Refused())
			require.Contains(t, receipt.Fallback, c.said)
			require.Equal(t, c.said == "", receipt.Fallback == "")
			require.Equal(t, c.message, b.ntfy.Messages()[0].Message)
		})
	}
}

// In Markdown, an event writes no links of its own.
func TestOwnTextsInMarkdown(t *testing.T) {
	t.Parallel()
	var own template.Template
	require.NoError(t, own.UnmarshalText([]byte("**{{.event.title}}**")))
	for markdown, want := range map[bool]string{false: "**[a](https://evil.example)**", true: `**\[a\](https://evil.example)**`} {
		b := setup(t, &endpoint.Ntfy{}, func(c *config) {
			c.Markdown, c.Templates = markdown, template.ByType[template.Template]{"*": own}
		})
		e := imported()
		e.Title = "[a](https://evil.example)"
		_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, e))
		require.NoError(t, err)
		require.Equal(t, want, b.ntfy.Messages()[0].Message)
	}
}

// The SDK takes what a server repeats out of what is shown.
func TestCredentialsShowNowhere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"code":40301,"error":"no right for %s"}`, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	for _, credentials := range []map[string]any{{"username": "phil", "password": "s3cret"}, {"token": "tk_s3cret"}} {
		credentials["server"], credentials["topic"] = server.URL, endpoint.NtfyTopic
		outcome, err := plugintest.StartTarget(t, info(), newTarget, credentials).Deliver(t.Context(), plugintest.Delivery(t, "1", imported()))
		require.NoError(t, err)
		said := fmt.Sprintf("%+v", outcome)
		require.Contains(t, said, "no right for B")
		require.NotContains(t, said, "s3cret")
		require.NotContains(t, said, "cGhpbDpzM2NyZXQ=")
	}
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code int
		class        sdk.Class
		after        time.Duration
		says         string
	}{
		"requests":      {429, 42901, sdk.ClassThrottled, 5 * time.Second, "said so"},
		"day":           {429, 42908, sdk.ClassThrottled, 90 * time.Minute, "said so"},
		"other limit":   {429, 42905, sdk.ClassThrottled, 0, "said so"},
		"failed logins": {429, 42909, sdk.ClassMisconfigured, 0, "check token"},
		"unauthorized":  {401, 40101, sdk.ClassMisconfigured, 0, "check token"},
		"forbidden":     {403, 40301, sdk.ClassMisconfigured, 0, "right to write"},
		"topic":         {400, 40009, sdk.ClassMisconfigured, 0, "check topic"},
		"topic's name":  {400, 40010, sdk.ClassMisconfigured, 0, "check topic"},
		"not found":     {404, 40401, sdk.ClassMisconfigured, 0, "said so"},
		"bad request":   {400, 40000, sdk.ClassPermanent, 0, "said so"},
		"storage":       {507, 50701, sdk.ClassRetryable, 0, "said so"},
		"internal":      {500, 50001, sdk.ClassRetryable, 0, "said so"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, &endpoint.Ntfy{}, nil)
			b.target.now = func() time.Time { return time.Date(2026, 11, 29, 22, 30, 0, 0, time.UTC) }
			body := fmt.Sprintf(`{"code":%d,"http":%d,"error":"said so"}`, c.code, c.status)
			b.ntfy.Next(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, body)
			})
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported()))
			require.Error(t, err)
			class, after := sdk.ClassOf(err)
			require.Equal(t, c.class, class)
			require.Equal(t, c.after, after)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), endpoint.NtfyTopic)
			require.Equal(t, c.status, receipt.Status)
			require.Equal(t, body, receipt.Excerpt)
			require.Empty(t, receipt.MessageID)
		})
	}
}

// The whole has a limit too. Its escapes count, and the message gives way.
func TestTheWholeFits(t *testing.T) {
	t.Parallel()
	b := setup(t, &endpoint.Ntfy{}, nil)
	for _, piece := range []string{`"\`, "\n", "😀", "a"} {
		n := note{
			Topic: endpoint.NtfyTopic, Title: cut(strings.Repeat(piece, 300), maxTitle), Message: "x" + cut(strings.Repeat(piece, 4096), maxMessage-1),
			Click: "https://a.example/" + strings.Repeat("b", 1980), Attach: "https://a.example/" + strings.Repeat("c", 1980), Icon: "https://a.example/" + strings.Repeat("d", 1980),
		}
		_, _, err := b.target.publish(t.Context(), n)
		require.NoError(t, err, b.ntfy.Refused())
	}
}

func TestSequence(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0197b1f0-5a3c", sequence("0197b1f0-5a3c"))
	require.Equal(t, "a_b__c", sequence("a/b é" + "c")[:6])
	require.Len(t, sequence(strings.Repeat("x", 100)), 64)
}

// A server takes 60 requests, and one more each 5 s. Some are left for phones.
func TestThePaceFitsTheBucket(t *testing.T) {
	t.Parallel()
	d := info().Defaults
	require.Less(t, d.Burst, 60)
	require.LessOrEqual(t, d.Rate, 0.2)
}
