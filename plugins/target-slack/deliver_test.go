package slack

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

type testBundle struct {
	slack  *endpoint.Slack
	target sdk.Target
}

func setup(t *testing.T, change ...func(c *config)) testBundle {
	t.Helper()
	slack := &endpoint.Slack{}
	server := httptest.NewServer(slack)
	t.Cleanup(server.Close)
	c := config{WebhookURL: sdk.Secret(slack.URL(server.URL)), APIURL: server.URL}
	for _, f := range change {
		f(&c)
	}
	return testBundle{slack, start(t, c)}
}

var imported = sdk.Event{
	Type: sdk.TypeMediaImported, Title: "Dune: Part Two (2024)",
	Media: &sdk.Media{Kind: "movie", Poster: "https://image.example/p.jpg"},
}

// TestGoldens delivers every event and story in every look, to an endpoint that refuses
// what Slack would.
func TestGoldens(t *testing.T) {
	t.Parallel()
	deliveries := map[string]sdk.Delivery{}
	for _, c := range eventtest.Events() {
		deliveries[c.Name] = eventtest.Delivery(t, c.Event)
	}
	for _, s := range eventtest.Stories() {
		deliveries["story_"+s.Name] = eventtest.StoryDelivery(t, s.Events...)
	}
	for name, d := range deliveries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looks := map[message.Look]endpoint.SlackBody{}
			for _, look := range message.Looks() {
				b := setup(t, func(c *config) { c.Look = look })
				receipt, err := b.target.Deliver(t.Context(), d)
				require.NoError(t, err, b.slack.Refused())
				require.Equal(t, sdk.Receipt{Status: http.StatusOK, Excerpt: "ok"}, receipt)
				looks[look] = b.slack.Messages()[0]
			}
			eventtest.Golden(t, "testdata/"+name+".golden.json", looks)
		})
	}
}

func pictures(m endpoint.SlackBody) int {
	n := 0
	for _, b := range m.Blocks {
		if b.Accessory != nil || b.Type == "image" {
			n++
		}
	}
	return n
}

func TestRefusedPictureIsLeftOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Empty(t, receipt.Fallback)
	require.Equal(t, 1, pictures(b.slack.Messages()[0]))

	b.slack.Fail(http.StatusBadRequest, "invalid_blocks")
	receipt, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NoError(t, err)
	require.Equal(t, "Slack refused the message with a picture (invalid_blocks): sent without", receipt.Fallback)
	require.Len(t, b.slack.Messages(), 2)
	require.Zero(t, pictures(b.slack.Messages()[1]))

	b.slack.Fail(http.StatusBadRequest, "invalid_blocks")
	b.slack.Fail(http.StatusBadRequest, "invalid_blocks")
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, _ := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassPermanent, class, "twice is enough")

	b.slack.Fail(http.StatusBadRequest, "invalid_blocks")
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, sdk.Event{Title: "no picture"}))
	class, _ = sdk.ClassOf(err)
	require.Equal(t, sdk.ClassPermanent, class, "nothing to leave out")
	require.Len(t, b.slack.Messages(), 2)
}

func TestPicturesAreAsTheyAreConfigured(t *testing.T) {
	t.Parallel()
	for way, all := range map[string][]config{
		"thumbnail": {{}, {Look: "rich"}, {Look: "poster", Images: "thumbnail"}, {Look: "compact", Images: "thumbnail"}},
		"large":     {{Look: "poster"}, {Images: "large"}, {Look: "compact", Images: "large"}},
		"none":      {{Look: "compact"}, {Images: "off"}, {Look: "poster", Images: "off"}},
	} {
		for _, given := range all {
			got, _ := shown(t, imported, func(c *config) { c.Look, c.Images = given.Look, given.Images })
			thumbnails := slices.ContainsFunc(got.Blocks, func(b endpoint.SlackBlock) bool { return b.Accessory != nil })
			large := slices.ContainsFunc(got.Blocks, func(b endpoint.SlackBlock) bool { return b.Type == "image" })
			require.Equal(t, way == "thumbnail", thumbnails, given)
			require.Equal(t, way == "large", large, given)
		}
	}
}

func TestAnswersAreClassified(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		word   string
		class  sdk.Class
	}{
		{400, "invalid_payload", sdk.ClassPermanent},
		{400, "no_text", sdk.ClassPermanent},
		{400, "too_many_attachments", sdk.ClassPermanent},
		{400, "msg_blocks_too_long", sdk.ClassPermanent},
		{400, "user_not_found", sdk.ClassMisconfigured},
		{400, "invalid_token", sdk.ClassMisconfigured},
		{400, "no_service_id", sdk.ClassMisconfigured},
		{400, "team_disabled", sdk.ClassMisconfigured},
		{403, "action_prohibited", sdk.ClassMisconfigured},
		{403, "posting_to_general_channel_denied", sdk.ClassMisconfigured},
		{404, "channel_not_found", sdk.ClassMisconfigured},
		{404, "no_service", sdk.ClassMisconfigured},
		{404, "no_team", sdk.ClassMisconfigured},
		{404, "no_active_hooks", sdk.ClassMisconfigured},
		{410, "channel_is_archived", sdk.ClassMisconfigured},
		{410, "something_new", sdk.ClassMisconfigured},
		{400, "something_new", sdk.ClassPermanent},
		{500, "rollup_error", sdk.ClassRetryable},
		{200, `{"ok":false,"error":"invalid_token"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"something_new"}`, sdk.ClassPermanent},
		{200, `{"ok":false,"error":"internal_error"}`, sdk.ClassRetryable},
		{200, `{"ok":false,"error":"fatal_error"}`, sdk.ClassRetryable},
		{200, `{"ok":false,"error":"service_unavailable"}`, sdk.ClassRetryable},
		{200, `{"ok":false}`, sdk.ClassRetryable},
		{200, `{"ok":false,"error":{"text":"no"}}`, sdk.ClassRetryable},
		{200, `{ "ok" : false , "error" : "invalid_auth" }`, sdk.ClassMisconfigured},
		{200, "{\n\t\"error\": \"token_revoked\",\n\t\"ok\": false\n}\n", sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"not_authed"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"account_inactive"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"token_expired"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"no_permission"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"missing_scope"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"is_archived"}`, sdk.ClassMisconfigured},
		{200, `{"ok":false,"error":"msg_too_long"}`, sdk.ClassPermanent},
		{200, `{"ok":false,"error":"rate_limited"}`, sdk.ClassThrottled},
		{400, `{"ok": false, "error": "no_text"}`, sdk.ClassPermanent},
		{502, `<html>bad gateway</html>`, sdk.ClassRetryable},
		{200, `{"ok":false,"error":"ratelimited"}`, sdk.ClassThrottled},
	} {
		t.Run(c.word, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.slack.Fail(c.status, c.word)
			receipt, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, sdk.Event{Title: "x"}))
			require.Error(t, err)
			class, _ := sdk.ClassOf(err)
			require.Equal(t, c.class, class, err)
			require.NotContains(t, err.Error(), "sEcReT")
			require.Equal(t, c.status, receipt.Status)
			require.Equal(t, c.word, receipt.Excerpt)
		})
	}
}

func TestThrottled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.slack.Throttle(30 * time.Second)
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, after := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassThrottled, class)
	require.Equal(t, 30*time.Second, after)
	require.Empty(t, b.slack.Messages())
}

func TestARefusalShowsSlacksWord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.slack.Next(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		_, _ = io.WriteString(w, `{ "ok": false, "error": "ratelimited" }`)
	})
	_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, after := sdk.ClassOf(err)
	require.Equal(t, sdk.ClassThrottled, class)
	require.Equal(t, 30*time.Second, after, "the pause is in the header, whatever the status")
	require.EqualError(t, err, "the endpoint answered 200 and refused: ratelimited")

	b.slack.Fail(http.StatusOK, `{"ok":false,"error":"invalid_auth","warning":"missing_charset"}`)
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.ErrorContains(t, err, "refused: invalid_auth: ")
	require.ErrorContains(t, err, "set webhook_url")

	b.slack.Fail(http.StatusBadRequest, "something_new")
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.ErrorContains(t, err, "400 Bad Request: something_new")

	b.slack.Fail(http.StatusBadGateway, "<html>all of a page</html>")
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	require.NotContains(t, err.Error(), "html")

	b.slack.Fail(http.StatusServiceUnavailable, "service_unavailable")
	_, err = b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
	class, _ = sdk.ClassOf(err)
	require.Equal(t, sdk.ClassRetryable, class)
}

func TestCompatibleServersMayAnswerOtherwise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, body := range []string{
		"", "ok", "ok\n", `{"success":true}`, `{"ok":true}`, `{ "ok" : true, "error" : "none" }`, `{"ok":"false"}`, `{"ok":false`,
		"<html>log in</html>", "null", "[1]", "\xff",
	} {
		b.slack.Next(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader(body)) })
		_, err := b.target.Deliver(t.Context(), eventtest.Delivery(t, imported))
		require.NoError(t, err, body)
	}
}
