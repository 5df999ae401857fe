package slack

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// webhook is one incoming webhook. It gives messages no ids: none can be edited.
type webhook struct {
	http *sdk.HTTP
	log  *slog.Logger
	url  sdk.Secret
}

// deliver posts the message. Slack fetches pictures before it accepts a message and
// refuses the whole for one that it cannot fetch, so such a message is posted once
// more without.
func (h *webhook) deliver(ctx context.Context, m draft, _ *sdk.Receipt) (sdk.Receipt, error) {
	resp, err := h.post(ctx, m.payload)
	if resp != nil && resp.Status == http.StatusBadRequest {
		word := read(resp.Body).word
		dislikes := aboutBlocks(word) || word == "invalid_payload" || word == "msg_blocks_too_long" && m.builtIn != nil
		if simple, ok := m.bare(word); ok && dislikes {
			h.log.WarnContext(ctx, "Slack refused the message, sending a simpler one")
			m = simple
			resp, err = h.post(ctx, m.payload)
		}
	}
	if resp == nil {
		return m.receipt(nil, err)
	}
	return m.receipt(resp, explain(resp, err, judgeWebhook))
}

func (h *webhook) post(ctx context.Context, p payload) (*sdk.Response, error) {
	req, err := request(ctx, "webhook_url", h.url.Reveal(), p)
	if err != nil {
		return nil, err
	}
	return h.http.Send(req)
}

// aboutBlocks reports whether Slack dislikes what a message is made of.
func aboutBlocks(word string) bool {
	return strings.HasPrefix(word, "invalid_blocks") || strings.HasPrefix(word, "invalid_attachments")
}

// judgeWebhook knows the words of
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
// and those of the Web API, which servers that imitate Slack use as well.
func judgeWebhook(a answer) (class sdk.Class, fix string) {
	switch a.word {
	case "invalid_payload", "invalid_blocks", "invalid_attachments", "no_text", "msg_too_long",
		"msg_blocks_too_long", "too_many_attachments":
		return sdk.ClassPermanent, ""
	case "channel_not_found", "channel_is_archived", "is_archived", "not_in_channel",
		"posting_to_general_channel_denied", "user_not_found":
		return sdk.ClassMisconfigured, "the webhook's channel does not take messages any more"
	case "invalid_token", "no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled",
		"action_prohibited":
		return sdk.ClassMisconfigured, "the webhook was removed or forbidden; create one in the app's settings and set webhook_url"
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
		"no_permission", "missing_scope", "access_denied", "not_allowed_token_type":
		return sdk.ClassMisconfigured, "the credentials are not accepted or not enough; set webhook_url to the URL of an incoming webhook"
	case "rate_limited", "ratelimited":
		return sdk.ClassThrottled, ""
	default:
		return "", ""
	}
}
