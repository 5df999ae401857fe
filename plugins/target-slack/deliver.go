package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

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
	if resp != nil && resp.Status == http.StatusBadRequest && aboutBlocks(read(resp.Body).word) {
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

// Test posts a message: Slack has no other way to try a webhook.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
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

// answer is what Slack says of a message: the whole body of an incoming webhook's answer
// is its word, ok or an error; its Web API and what imitates it answer with JSON.
type answer struct {
	refused bool
	// word is empty for what is none of Slack's, such as a proxy's page.
	word string
}

func read(body []byte) answer {
	var a struct {
		OK    any
		Error string
	}
	// A member of another type leaves the others as they are.
	_ = json.Unmarshal(body, &a)
	if a.OK == nil && a.Error == "" {
		return answer{word: wordOf(string(body))}
	}
	return answer{refused: a.OK == false, word: wordOf(a.Error)}
}

var words = regexp.MustCompile(`^[a-z][a-z0-9_]{1,63}$`)

// wordOf returns s when it looks like one of Slack's words.
func wordOf(s string) string {
	if s = strings.TrimSpace(s); words.MatchString(s) {
		return s
	}
	return ""
}

func aboutBlocks(word string) bool {
	return word == "invalid_payload" || strings.HasPrefix(word, "invalid_blocks") || strings.HasPrefix(word, "invalid_attachments")
}

// explain classifies a refusal by Slack's own word, which says more than the status:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
// and https://docs.slack.dev/reference/methods/chat.postMessage#errors. A word that is
// not known leaves the status to decide, unless that is 200.
func explain(resp *sdk.Response, err error) error {
	a, accepted := read(resp.Body), err == nil
	if accepted && !a.refused {
		return nil
	}
	if accepted {
		err = fmt.Errorf("the endpoint answered %d and refused", resp.Status)
	}
	said := err
	if a.word != "" {
		said = fmt.Errorf("%w: %s", err, a.word)
	}
	if class, after := sdk.ClassOf(err); class == sdk.ClassThrottled {
		return sdk.Throttled(after, said)
	}
	switch class, fix := judge(a.word); {
	case class == sdk.ClassThrottled:
		return sdk.Throttled(pause(resp.Header), said)
	case class == sdk.ClassMisconfigured:
		return sdk.Misconfigured(fmt.Errorf("%w: %s", said, fix))
	case class == sdk.ClassPermanent, accepted && !passing(a.word):
		return sdk.Permanent(said)
	default:
		return said
	}
}

// judge returns the class that a word stands for, if it is known, and what a person can
// do about a misconfigured one.
func judge(word string) (class sdk.Class, fix string) {
	switch word {
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

// passing reports whether a word that is not known speaks of trouble inside Slack. A
// refusal without a word accuses nobody.
func passing(word string) bool {
	return word == "" || word == "service_unavailable" || strings.HasSuffix(word, "_error")
}

// pause is the pause that the answer asks for, whatever its status.
func pause(h http.Header) time.Duration {
	_, after := sdk.ClassOf(sdk.Classify(&http.Response{StatusCode: http.StatusTooManyRequests, Header: h}))
	return after
}
