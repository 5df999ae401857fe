package slack

import (
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
	"github.com/hookarr/hookarr/sdk"
)

type botBundle struct {
	slack  *endpoint.SlackAPI
	target sdk.Target
	config config
}

func setupBot(t *testing.T) botBundle {
	t.Helper()
	slack := &endpoint.SlackAPI{}
	server := httptest.NewServer(slack)
	t.Cleanup(server.Close)
	c := config{BotToken: sdk.Secret(slack.Token()), Channel: "#" + endpoint.SlackChannelName, APIURL: slack.URL(server.URL)}
	return botBundle{slack, start(t, c), c}
}

// start makes a target that is configured like this.
func start(t *testing.T, c config) sdk.Target {
	t.Helper()
	require.NoError(t, c.Validate())
	target, err := newTarget(t.Context(), sdk.Env{Instance: "movies", Log: slog.New(slog.DiscardHandler), HTTP: &sdk.HTTP{}}, c)
	require.NoError(t, err)
	return target
}

// about is a delivery of events, with the message that it replaces.
func about(previous *sdk.Receipt, events ...sdk.Event) sdk.Delivery {
	return sdk.Delivery{ID: "1", Attempt: 1, Event: events[0], Events: events, Previous: previous}
}

func (b botBundle) deliver(t *testing.T, previous *sdk.Receipt, events ...sdk.Event) *sdk.Receipt {
	t.Helper()
	receipt, err := b.target.Deliver(t.Context(), about(previous, events...))
	require.NoError(t, err, b.slack.Refused())
	return &receipt
}

// story is what happens to a movie, oldest first.
func story() []sdk.Event {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	var events []sdk.Event
	for i, typ := range []sdk.Type{sdk.TypeReleaseGrabbed, sdk.TypeMediaImported, sdk.TypeMediaUpgraded} {
		e := imported
		e.ID, e.Type, e.Time = string(rune('a'+i)), typ, at.Add(time.Duration(i)*time.Minute)
		events = append(events, e)
	}
	return events
}

func heading(m endpoint.SlackBody) string { return m.Blocks[0].Text.Text }

func TestAStoryIsOneMessage(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	events := story()
	first := b.deliver(t, nil, events[0])
	require.NotEmpty(t, first.MessageID)
	require.JSONEq(t, `{"channel":"C0000MEDIA","configured":"#media"}`, string(first.State))
	require.Contains(t, heading(b.slack.Messages()[0].SlackBody), "grabbed")

	second := b.deliver(t, first, events[:2]...)
	third := b.deliver(t, second, events...)
	require.Equal(t, first.MessageID, third.MessageID)
	require.Equal(t, first.State, third.State)
	require.Empty(t, third.Fallback)
	require.Len(t, b.slack.Messages(), 1)
	require.Equal(t, 2, b.slack.Messages()[0].Edits)
	require.Contains(t, heading(b.slack.Messages()[0].SlackBody), "upgraded")
}

func TestAMessageThatCannotBeEditedIsPostedAnew(t *testing.T) {
	t.Parallel()
	for word, says := range map[string]string{
		"cant_update_message": "the bot may not edit the message",
		"edit_window_closed":  "the workspace does not let a message be edited so late",
		"channel_not_found":   "the bot cannot reach the channel of the message to edit",
		"is_inactive":         "the bot cannot reach the channel of the message to edit",
		"block_mismatch":      "Slack does not let the message be edited (block_mismatch)",
		"message_not_found":   "the message to edit was deleted",
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			b := setupBot(t)
			first := b.deliver(t, nil, story()[0])
			if word == "message_not_found" {
				b.slack.DeleteMessages()
			} else {
				b.slack.Refuse("chat.update", word)
			}
			anew := b.deliver(t, first, story()...)
			require.Equal(t, says+": posted anew", anew.Fallback)
			require.NotEqual(t, first.MessageID, anew.MessageID)
			messages := b.slack.Messages()
			require.Contains(t, heading(messages[len(messages)-1].SlackBody), "upgraded")
			require.Zero(t, messages[len(messages)-1].Edits)

			b.slack.Refuse("chat.update", "")
			require.Empty(t, b.deliver(t, anew, story()...).Fallback, "the new message can be edited")
		})
	}
}

func TestAnotherChannelGetsANewMessage(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	first := b.deliver(t, nil, story()[0])
	b.config.Channel = endpoint.SlackChannel
	b.target = start(t, b.config)
	require.Contains(t, b.deliver(t, first, story()...).Fallback, "the channel that the target had before: posted anew")

	for _, state := range []string{"", "null", "{}", `{"channel":1}`, "\xff"} {
		anew := b.deliver(t, &sdk.Receipt{MessageID: first.MessageID, State: []byte(state)}, story()...)
		require.Equal(t, "nothing tells the channel of the message to edit: posted anew", anew.Fallback, state)
	}
	require.Empty(t, b.deliver(t, &sdk.Receipt{State: first.State}, story()...).Fallback, "there is no message to edit")
}

// What fails but leaves the message as it was is no reason to post a second one.
func TestATroubledEditPostsNothing(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	first := b.deliver(t, nil, story()[0])
	for word, class := range map[string]sdk.Class{
		"internal_error": sdk.ClassRetryable, "update_failed": sdk.ClassRetryable, "external_channel_migrating": sdk.ClassRetryable,
		"ratelimited": sdk.ClassThrottled, "token_revoked": sdk.ClassMisconfigured, "missing_scope": sdk.ClassMisconfigured,
	} {
		b.slack.Refuse("chat.update", word)
		_, err := b.target.Deliver(t.Context(), about(first, story()...))
		got, _ := sdk.ClassOf(err)
		require.Equal(t, class, got, word)
	}
	b.slack.Refuse("chat.update", "")
	b.slack.Throttle(30 * time.Second)
	_, err := b.target.Deliver(t.Context(), about(first, story()...))
	class, after := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassThrottled, class)
	require.Equal(t, 30*time.Second, after)
	require.Len(t, b.slack.Messages(), 1)
	require.Zero(t, b.slack.Messages()[0].Edits)
}

func TestABotsAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for word, c := range map[string]struct {
		class sdk.Class
		says  string
	}{
		"invalid_auth":                        {sdk.ClassMisconfigured, "set bot_token"},
		"not_authed":                          {sdk.ClassMisconfigured, "set bot_token"},
		"account_inactive":                    {sdk.ClassMisconfigured, "install the app again"},
		"token_revoked":                       {sdk.ClassMisconfigured, "install the app again"},
		"token_expired":                       {sdk.ClassMisconfigured, "token rotation"},
		"not_allowed_token_type":              {sdk.ClassMisconfigured, "xoxb-"},
		"missing_scope":                       {sdk.ClassMisconfigured, "the scope chat:write;"},
		"no_permission":                       {sdk.ClassMisconfigured, "administrators"},
		"not_in_channel":                      {sdk.ClassMisconfigured, "/invite @"},
		"channel_not_found":                   {sdk.ClassMisconfigured, "check channel"},
		"is_archived":                         {sdk.ClassMisconfigured, "unarchive"},
		"restricted_action":                   {sdk.ClassMisconfigured, "who may post"},
		"restricted_action_read_only_channel": {sdk.ClassMisconfigured, "who may post"},
		"unknown_method":                      {sdk.ClassMisconfigured, "check api_url"},
		"ratelimited":                         {sdk.ClassThrottled, ""},
		"msg_too_long":                        {sdk.ClassPermanent, ""},
		"no_text":                             {sdk.ClassPermanent, ""},
		"too_many_attachments":                {sdk.ClassPermanent, ""},
		"something_new":                       {sdk.ClassPermanent, ""},
		"internal_error":                      {sdk.ClassRetryable, ""},
		"fatal_error":                         {sdk.ClassRetryable, ""},
		"service_unavailable":                 {sdk.ClassRetryable, ""},
		"request_timeout":                     {sdk.ClassRetryable, ""},
		"team_added_to_org":                   {sdk.ClassRetryable, ""},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			b := setupBot(t)
			b.slack.Refuse("", word)
			receipt, err := b.target.Deliver(t.Context(), about(nil, imported))
			class, _ := sdk.ClassOf(err)
			require.Equal(t, c.class, class, err)
			require.ErrorContains(t, err, "the endpoint answered 200 and refused: "+word)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), b.slack.Token())
			require.Empty(t, receipt.MessageID)
			require.Equal(t, http.StatusOK, receipt.Status)
		})
	}
}

func TestARefusalInAnySpacingIsOne(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	for _, body := range []string{
		`{"ok":false,"error":"invalid_auth"}`, `{ "ok" : false , "error" : "invalid_auth" }`, "\n{\n\t\"error\": \"invalid_auth\",\n\t\"ok\": false\n}\n",
		`{"ok":false,"error":"invalid_auth","warning":"missing_charset","response_metadata":{"warnings":["missing_charset"]}}`,
	} {
		b.slack.Next(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader(body)) })
		_, err := b.target.Deliver(t.Context(), about(nil, imported))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassMisconfigured, class, body)
	}
	b.slack.Next(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ok":false,"error":"missing_scope","needed":"chat:write.customize","provided":"x"}`)
	})
	_, err := b.target.Deliver(t.Context(), about(nil, imported))
	require.ErrorContains(t, err, "the scope chat:write.customize;")
}

// What is not Slack's took no message, though its status says so: an address that leads to
// a page, for one.
func TestAnAnswerThatIsNotSlacksIsNoSuccess(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	for _, body := range []string{"", "ok", "<html>log in</html>", "null", "[1]", "\xff", `{"success":true}`, `{"ok":"true"}`} {
		b.slack.Next(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader(body)) })
		_, err := b.target.Deliver(t.Context(), about(nil, imported))
		class, _ := sdk.ClassOf(err)
		require.Equal(t, sdk.ClassMisconfigured, class, body)
		require.ErrorContains(t, err, "check api_url")
	}
	// Slack took the message, and the rest of its answer was lost.
	b.slack.Next(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		_, _ = io.WriteString(w, `{"ok":true,"chann`)
	})
	receipt, err := b.target.Deliver(t.Context(), about(nil, imported))
	require.NoError(t, err)
	require.Empty(t, receipt.MessageID, "it cannot be edited")
}

func TestABotsRefusedMessageIsSimplified(t *testing.T) {
	t.Parallel()
	const unreachable = `{"ok":false,"error":"invalid_blocks","errors":["downloading image failed [json-pointer:/blocks/1/accessory/image_url]"]}`
	for name, c := range map[string]struct {
		answer   string
		pictures int
		blocks   bool
		fallback string
	}{
		"picture": {unreachable, 0, true, "Slack refused the message with a picture (invalid_blocks): sent without"},
		"blocks":  {`{"ok":false,"error":"invalid_blocks"}`, 0, false, "Slack refused the message's blocks (invalid_blocks): sent as text"},
		"length":  {`{"ok":false,"error":"msg_blocks_too_long"}`, 0, false, "Slack refused the message's blocks (msg_blocks_too_long): sent as text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupBot(t)
			refuse := func() {
				b.slack.Next(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.answer) })
			}
			refuse()
			first := b.deliver(t, nil, imported)
			require.Equal(t, c.fallback, first.Fallback)
			require.NotEmpty(t, first.MessageID)
			require.Zero(t, pictures(b.slack.Messages()[0].SlackBody))
			require.Equal(t, c.blocks, len(b.slack.Messages()[0].Blocks) > 0)
			require.Contains(t, b.slack.Messages()[0].Text, "Dune")

			refuse()
			edited := b.deliver(t, first, imported)
			require.Equal(t, c.fallback, edited.Fallback)
			require.Equal(t, first.MessageID, edited.MessageID)
			require.Equal(t, 1, b.slack.Messages()[0].Edits)

			refuse()
			refuse()
			_, err := b.target.Deliver(t.Context(), about(nil, imported))
			class, _ := sdk.ClassOf(err)
			require.Equal(t, sdk.ClassPermanent, class, "twice is enough")
		})
	}
}

func TestATestPosts(t *testing.T) {
	t.Parallel()
	b := setupBot(t)
	tester, ok := b.target.(sdk.Tester)
	require.True(t, ok)
	d := eventtest.Delivery(t, sdk.Event{Type: sdk.TypeTest, Title: "Test"})
	_, err := tester.Test(t.Context(), d)
	require.NoError(t, err)
	require.Len(t, b.slack.Messages(), 1)

	b.config.Channel = endpoint.SlackForeignChannel
	tester, ok = start(t, b.config).(sdk.Tester)
	require.True(t, ok)
	_, err = tester.Test(t.Context(), d)
	require.ErrorContains(t, err, "/invite")
	require.Len(t, b.slack.Messages(), 1)
}
