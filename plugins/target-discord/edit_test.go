package discord

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// deliver delivers an event in place of a message, and returns the receipt.
func (b testBundle) deliver(t *testing.T, e sdk.Event, previous *sdk.Receipt) sdk.Receipt {
	t.Helper()
	d := eventtest.Delivery(t, e)
	d.Previous = previous
	receipt, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err, b.discord.Refused())
	require.NotEmpty(t, receipt.MessageID)
	return receipt
}

func TestAMessageThatCannotBeEditedIsPostedAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(b *testBundle, r sdk.Receipt)
		says  string
	}{
		"deleted": {func(b *testBundle, r sdk.Receipt) { b.discord.DeleteMessage(r.MessageID) }, "was deleted"},
		"foreign": {func(b *testBundle, r sdk.Receipt) { b.discord.Disown(r.MessageID) }, "another author's"},
		"archived": {func(b *testBundle, _ sdk.Receipt) {
			b.discord.Next(answering(400, nil, `{"message":"Thread is archived","code":50083}`))
		}, "archived"},
		"proxy":      {func(b *testBundle, _ sdk.Receipt) { b.discord.Next(answering(404, nil, `nothing here`)) }, "was not found"},
		"post alone": {func(b *testBundle, _ sdk.Receipt) { b.discord.Next(answering(405, nil, ``)) }, "edits no messages"},
		"thread":     {func(b *testBundle, _ sdk.Receipt) { b.change(func(t *target) { t.threadID = "222222222222222222" }) }, "another thread"},
		"webhook": {func(b *testBundle, _ sdk.Receipt) {
			b.change(func(t *target) { t.webhook.Path = strings.Replace(t.webhook.Path, "webhooks", "webhooks/9/proxied", 1) })
		}, "another webhook's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(c *config) { c.Username = "Hookarr" })
			first := b.deliver(t, imported, nil)
			c.spoil(&b, first)
			if name == "webhook" { // it leads nowhere, and a post is tried
				d := eventtest.Delivery(t, imported)
				d.Previous = &first
				b.discord.Next(answering(200, nil, `{"id":"7"}`))
				receipt, err := b.target.Deliver(t.Context(), d)
				require.NoError(t, err)
				require.Equal(t, "7", receipt.MessageID)
				require.Contains(t, receipt.Fallback, c.says)
				return
			}
			second := b.deliver(t, imported, &first)
			require.NotEqual(t, first.MessageID, second.MessageID)
			require.Contains(t, second.Fallback, c.says)
			require.Contains(t, second.Fallback, "posted anew")
			messages := b.discord.Messages()
			require.Equal(t, "Hookarr", *messages[len(messages)-1].Username)
			posts, edits := b.discord.Counts()
			require.Equal(t, []int{2, 0}, []int{posts, edits})

			third := b.deliver(t, imported, &second)
			require.Equal(t, second.MessageID, third.MessageID)
			require.Empty(t, third.Fallback)
		})
	}
}

// change changes the target as a reload would.
func (b *testBundle) change(change func(*target)) {
	changed := *b.target.(*target)
	webhook := *changed.webhook
	changed.webhook = &webhook
	change(&changed)
	b.target = &changed
}

func TestAnEditThatIsNotRefusedForTheMessageIsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	first := b.deliver(t, imported, nil)
	for body, c := range map[string]struct {
		status int
		class  sdk.Class
	}{
		`{"message":"Unknown Webhook","code":10015}`: {404, sdk.ClassMisconfigured},
		`{"code":50027}`:    {401, sdk.ClassMisconfigured},
		`{"retry_after":1}`: {429, sdk.ClassThrottled},
		`oh`:                {500, sdk.ClassRetryable},
	} {
		b.discord.Next(answering(c.status, nil, body))
		d := eventtest.Delivery(t, imported)
		d.Previous = &first
		_, err := b.target.Deliver(t.Context(), d)
		class, _ := sdk.ClassOf(err)
		require.Equal(t, c.class, class, body)
	}
	posts, edits := b.discord.Counts()
	require.Equal(t, []int{1, 0}, []int{posts, edits})
}

// What is no id of a message leads nowhere else, whatever a receipt holds.
func TestOnlyMessagesAreEdited(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"..", ".", "7/../..", "7?wait=true", strings.Repeat("7", 1024)} {
		b := setup(t, nil)
		second := b.deliver(t, imported, &sdk.Receipt{MessageID: id, State: []byte("\x00{")})
		require.Equal(t, "the message to edit has no id of Discord's: posted anew", second.Fallback)
		third := b.deliver(t, imported, &second)
		require.Equal(t, second.MessageID, third.MessageID)
		require.Empty(t, b.discord.Refused())
	}
}

// A message of an earlier version has no state, and is where the target posts to.
func TestAReceiptWithoutStateIsOfTheSamePlace(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.ThreadID = "333333333333333333" })
	first := b.deliver(t, imported, nil)
	first.State = nil
	second := b.deliver(t, imported, &first)
	require.Equal(t, first.MessageID, second.MessageID)
	require.NotEmpty(t, second.State)
}

func TestAForumGetsAThreadForEveryMessage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) {
		c.ThreadName = parsed(t, "{{.event.media.kind}}: {{.message.title}}\n{{.event.summary}}")
	})
	b.discord.Forum = true
	e := imported
	e.Summary = strings.Repeat("long ", 100)
	first := b.deliver(t, e, nil)
	m := b.discord.Messages()[0]
	require.True(t, strings.HasPrefix(m.ThreadName, "movie: Dune: Part Two (2024) long long"), m.ThreadName)
	require.JSONEq(t, `{"webhook":"1012345678901234567","thread":"`+m.ThreadID+`"}`, string(first.State))

	second := b.deliver(t, imported, &first)
	require.Equal(t, first.MessageID, second.MessageID)
	require.Equal(t, first.State, second.State)
	require.Len(t, b.discord.Messages(), 1)

	b.discord.DeleteThread(m.ThreadID)
	third := b.deliver(t, imported, &second)
	require.Equal(t, "the thread of the message to edit was deleted: posted anew", third.Fallback)
	require.NotEqual(t, second.State, third.State)

	b.discord.Next(answering(200, nil, `{"id":"7"}`))
	d := eventtest.Delivery(t, imported)
	receipt, err := b.target.Deliver(t.Context(), d)
	require.NoError(t, err)
	require.Empty(t, receipt.MessageID, "a message in a thread that is not known cannot be edited")
}

func TestAThreadNeedsAName(t *testing.T) {
	t.Parallel()
	for source, says := range map[string]string{
		`{{.event.media.genres}}`:  "",
		`{{range 1000000}}{{end}}`: "template thread_name: line 1, column 9: the template takes more than",
		"\u200b":                   "",
	} {
		b := setup(t, func(c *config) { c.ThreadName = parsed(t, source) })
		b.discord.Forum = true
		receipt := b.deliver(t, imported, nil)
		require.NotEmpty(t, b.discord.Messages()[0].ThreadName)
		require.Contains(t, receipt.Fallback, says)
	}
}

// A preview fails where it would send, and shows it all the same.
func TestWhatIsNotAsItWasToBeIsSaidWhateverBecomesOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.ThreadName = parsed(t, `{{range 1000000}}{{end}}`) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	receipt, err := b.target.Deliver(ctx, eventtest.Delivery(t, imported))
	require.Error(t, err)
	require.Contains(t, receipt.Fallback, "template thread_name: ")
}

// What a message does not say any more goes with the edit.
func TestAnEditLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) {
		c.Templates = template.ByType[parts]{
			"release.grabbed": {Content: parsed(t, "grabbed {{.event.title}}"), Author: parsed(t, ""), Title: parsed(t, ""), Description: parsed(t, ""), Footer: parsed(t, ""), Image: parsed(t, ""), Fields: []partField{}},
		}
	})
	grabbed := sdk.Event{Type: sdk.TypeReleaseGrabbed, Title: "Dune *2*"}
	first := b.deliver(t, grabbed, nil)
	m := b.discord.Messages()[0]
	require.Equal(t, `grabbed Dune \*2\*`, *m.Content)
	require.Empty(t, m.Embeds)

	second := b.deliver(t, imported, &first)
	m = b.discord.Messages()[0]
	require.Empty(t, *m.Content)
	require.Len(t, m.Embeds, 1)

	b.deliver(t, grabbed, &second)
	require.Empty(t, b.discord.Messages()[0].Embeds)
}

func TestAPreviewShowsTheEdit(t *testing.T) {
	t.Parallel()
	discord := &endpoint.Discord{}
	server := httptest.NewServer(discord)
	t.Cleanup(server.Close)
	target := plugintest.StartTarget(t, info(), newTarget, map[string]any{"webhook_url": discord.URL(server.URL)})
	d := plugintest.Delivery(t, "0197b1f0-5a3c-7c11-9d7e-3f0b8a6c2d41", imported)
	r, err := target.Preview(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, http.MethodPost, r.Method)

	d.Previous = &sdk.Receipt{MessageID: "7", State: []byte(`{"webhook":"1012345678901234567","thread":"5"}`)}
	r, err = target.Preview(t.Context(), d)
	require.NoError(t, err)
	require.Equal(t, http.MethodPatch, r.Method)
	require.Contains(t, r.URL, "/messages/7?thread_id=5")
	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(r.Body), &shown))
	require.Contains(t, shown, "embeds")
	require.Empty(t, discord.Messages())
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
