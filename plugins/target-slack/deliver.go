package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// target posts to one incoming webhook.
type target struct {
	http *sdk.HTTP
	log  *slog.Logger
	url  sdk.Secret
}

// Deliver posts the event. Slack fetches pictures before it accepts a message and
// refuses the whole for one that it cannot fetch, so such a message is posted once
// more without.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	p := render(message.New(d.Event))
	resp, err := t.post(ctx, p)
	if resp != nil && resp.Status == http.StatusBadRequest && aboutBlocks(word(resp.Body)) {
		if bare, had := p.bare(); had {
			t.log.WarnContext(ctx, "Slack refused the message, sending it without pictures")
			resp, err = t.post(ctx, bare)
		}
	}
	if resp == nil {
		return sdk.Receipt{}, err
	}
	return resp.Receipt, explain(resp, err)
}

func (t *target) post(ctx context.Context, p payload) (*sdk.Response, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return nil, sdk.Permanent(fmt.Errorf("write the message's JSON: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.Reveal(), bytes.NewReader(body))
	if err != nil {
		return nil, sdk.Misconfigured(errors.New("webhook_url is not a valid URL"))
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return t.http.Send(req)
}

// word is Slack's error string: the whole body of an incoming webhook's answer, or
// the member "error" of a JSON one.
func word(body []byte) string {
	var a struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &a) == nil && a.Error != "" {
		return a.Error
	}
	return strings.TrimSpace(string(body))
}

func aboutBlocks(word string) bool {
	return word == "invalid_payload" || strings.HasPrefix(word, "invalid_blocks") || strings.HasPrefix(word, "invalid_attachments")
}

// explain classifies a refusal by Slack's own word, which says more than the status:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors.
// Words that are not known leave the status to decide.
func explain(resp *sdk.Response, err error) error {
	w := word(resp.Body)
	if err == nil {
		if !bytes.Contains(resp.Body, []byte(`"ok":false`)) {
			return nil
		}
		err = errors.New("the endpoint answered 200 and refused")
	}
	if class, _ := sdk.ClassOf(err); class == sdk.ClassThrottled {
		return err
	}
	said := fmt.Errorf("%w: %s", err, w)
	switch w {
	case "invalid_payload", "invalid_blocks", "invalid_attachments", "no_text", "msg_too_long",
		"msg_blocks_too_long", "too_many_attachments":
		return sdk.Permanent(said)
	case "channel_not_found", "channel_is_archived", "posting_to_general_channel_denied", "user_not_found":
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook's channel does not take messages any more", said))
	case "invalid_token", "no_service", "no_service_id", "no_active_hooks", "no_team", "team_disabled",
		"action_prohibited":
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook was removed or forbidden; create one in the app's settings and set webhook_url", said))
	case "rate_limited", "ratelimited":
		return sdk.Throttled(0, said)
	default:
		return err
	}
}
