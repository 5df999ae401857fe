package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// bot posts by Slack's Web API, with the token of an app, and edits what it has posted.
type bot struct {
	http  *sdk.HTTP
	log   *slog.Logger
	api   *url.URL
	token sdk.Secret
	// channel is an id or a name.
	channel string
}

// call is what a method takes.
type call struct {
	Channel string  `json:"channel"`
	TS      string  `json:"ts,omitempty"`
	Parse   string  `json:"parse,omitempty"`
	Text    string  `json:"text"`
	Blocks  []block `json:"blocks,omitzero"`
	Unfurl  *bool   `json:"unfurl_links,omitempty"`
	Media   *bool   `json:"unfurl_media,omitempty"`
}

// place is where a message is: the state of its receipt.
type place struct {
	// Channel is the id, by which alone messages are edited
	// (slackapi/python-slack-sdk#696).
	Channel string `json:"channel"`
	// Configured is the target's channel of then.
	Configured string `json:"configured"`
}

// deliver posts the message, or edits the one that it replaces. A message that cannot be
// edited any more is posted anew.
func (b *bot) deliver(ctx context.Context, m draft, previous *sdk.Receipt) (sdk.Receipt, error) {
	if previous != nil && previous.MessageID != "" {
		at, reason := b.placeOf(previous)
		if reason == "" {
			edited := m
			resp, err := b.send(ctx, &edited, func(p payload) (string, call) { return "chat.update", edit(p, at.Channel, previous.MessageID) })
			if resp == nil {
				return edited.receipt(nil, err)
			}
			if reason = lost(read(resp.Body)); reason == "" {
				return b.receipt(edited, resp, err, previous)
			}
		}
		b.log.InfoContext(ctx, "the message cannot be edited, posting anew", "reason", reason)
		m = m.because(reason + ": posted anew")
	}
	resp, err := b.send(ctx, &m, func(p payload) (string, call) { return "chat.postMessage", post(p, b.channel) })
	if resp == nil {
		return m.receipt(nil, err)
	}
	return b.receipt(m, resp, err, nil)
}

func post(p payload, channel string) call {
	return call{Channel: channel, Text: p.Text, Blocks: p.Blocks, Unfurl: new(false), Media: new(false)}
}

// edit has parse because an edit's default makes links and mentions of what looks like
// some, unlike a post's, and blocks because those that are not named may stay:
// https://docs.slack.dev/reference/methods/chat.update.
func edit(p payload, channel, ts string) call {
	return call{Channel: channel, TS: ts, Parse: "none", Text: p.Text, Blocks: append([]block{}, p.Blocks...)}
}

// placeOf returns where a message is, or why that is of no use.
func (b *bot) placeOf(previous *sdk.Receipt) (at place, reason string) {
	switch err := json.Unmarshal(previous.State, &at); {
	case err != nil || at.Channel == "":
		return place{}, "nothing tells the channel of the message to edit"
	case at.Configured != b.channel:
		return place{}, "the message to edit is in the channel that the target had before"
	default:
		return at, ""
	}
}

// lost returns why a message cannot be edited, or nothing for one that may be.
func lost(a answer) string {
	if !a.refused {
		return ""
	}
	switch a.word {
	case "message_not_found":
		return "the message to edit was deleted"
	case "cant_update_message":
		return "the bot may not edit the message"
	case "edit_window_closed":
		return "the workspace does not let a message be edited so late"
	case "channel_not_found", "is_archived", "is_inactive", "not_in_channel", "team_not_found":
		return "the bot cannot reach the channel of the message to edit"
	case "block_mismatch", "streaming_state_conflict", "msg_too_long":
		return "Slack does not let the message be edited (" + a.word + ")"
	default:
		return ""
	}
}

// send calls a method, or calls it twice: Slack refuses a whole message for one block in
// it that it dislikes, or one picture that it cannot fetch, so a refused message is sent
// once more in a simpler form, which m then is.
func (b *bot) send(ctx context.Context, m *draft, as func(payload) (string, call)) (*sdk.Response, error) {
	resp, err := b.call(ctx, as, m.payload)
	if resp == nil {
		return nil, err
	}
	a := read(resp.Body)
	if !aboutBlocks(a.word) && a.word != "msg_blocks_too_long" && a.word != "invalid_arguments" {
		return resp, err
	}
	simple, ok := m.bare(a.word)
	if !ok || m.builtIn == nil && !a.aboutImage {
		simple, ok = m.text(a.word)
	}
	if !ok {
		return resp, err
	}
	b.log.WarnContext(ctx, "Slack refused the message, sending a simpler one", "word", a.word)
	*m = simple
	return b.call(ctx, as, m.payload)
}

func (b *bot) call(ctx context.Context, as func(payload) (string, call), p payload) (*sdk.Response, error) {
	method, c := as(p)
	req, err := request(ctx, "api_url", b.api.JoinPath(method).String(), c)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+b.token.Reveal())
	return b.http.Send(req)
}

// receipt has what an edit needs: of the message that was edited, unless the answer says
// better.
func (b *bot) receipt(m draft, resp *sdk.Response, err error, edited *sdk.Receipt) (sdk.Receipt, error) {
	if err == nil && !slackSpoke(resp) {
		return resp.Receipt, sdk.Misconfigured(fmt.Errorf("the endpoint answered %d, but not as Slack does; check api_url", resp.Status))
	}
	receipt, err := m.receipt(resp, explain(resp, err, judgeBot))
	if err != nil {
		return receipt, err
	}
	if edited != nil {
		receipt.MessageID, receipt.State = edited.MessageID, edited.State
	}
	if a := read(resp.Body); a.ts != "" && a.channel != "" {
		// Two strings always have a JSON form.
		state, _ := json.Marshal(place{Channel: a.channel, Configured: b.channel})
		receipt.MessageID, receipt.State = a.ts, state
	}
	return receipt, nil
}

// slackSpoke reports whether an answer with a status of success may be Slack's, which
// always has the member ok. What broke off may have had it.
func slackSpoke(resp *sdk.Response) bool {
	a, text := read(resp.Body), strings.TrimSpace(string(resp.Body))
	return a.accepted || a.refused || resp.Truncated && (text == "" || text[0] == '{')
}

// judgeBot knows the words of https://docs.slack.dev/reference/methods/chat.postMessage
// and chat.update.
func judgeBot(a answer) (class sdk.Class, fix string) {
	switch a.word {
	case "not_authed", "invalid_auth":
		return sdk.ClassMisconfigured, "set bot_token to the Bot User OAuth Token of your Slack app"
	case "account_inactive", "token_revoked":
		return sdk.ClassMisconfigured, "the app was removed from the workspace, or its token revoked; install the app again and set bot_token"
	case "token_expired":
		return sdk.ClassMisconfigured, "turn token rotation off for the app, which cannot be renewed here, and set bot_token"
	case "not_allowed_token_type":
		return sdk.ClassMisconfigured, "set bot_token to the Bot User OAuth Token of your Slack app, which begins with xoxb-"
	case "missing_scope":
		return sdk.ClassMisconfigured, "the app lacks the scope " + cmp.Or(a.needed, "chat:write") +
			"; add it under OAuth & Permissions in the app's settings and install the app again"
	case "not_in_channel":
		return sdk.ClassMisconfigured, "write /invite @ and the app's name in the channel, or give the app the scope chat:write.public"
	case "channel_not_found":
		return sdk.ClassMisconfigured, "check channel, whose id is in the channel's details; to a private channel the bot has to be invited: /invite @ and the app's name"
	case "is_archived", "is_inactive":
		return sdk.ClassMisconfigured, "the channel is archived; unarchive it or set another channel"
	case "no_permission", "access_denied", "ekm_access_denied", "team_access_not_granted", "accesslimited",
		"enterprise_is_restricted", "two_factor_setup_required":
		return sdk.ClassMisconfigured, "the workspace does not let the app post; ask its administrators"
	case "unknown_method", "method_deprecated", "deprecated_endpoint":
		return sdk.ClassMisconfigured, "check api_url"
	case "invalid_blocks", "invalid_blocks_format", "invalid_attachments", "no_text", "msg_too_long", "msg_blocks_too_long",
		"too_many_attachments", "invalid_arguments":
		return sdk.ClassPermanent, ""
	case "request_timeout", "update_failed", "external_channel_migrating", "team_added_to_org", "org_login_required":
		return sdk.ClassRetryable, ""
	case "rate_limited", "ratelimited":
		return sdk.ClassThrottled, ""
	}
	if strings.HasPrefix(a.word, "restricted_action") {
		return sdk.ClassMisconfigured, "the workspace or the channel does not let the bot post; change who may post there, or set another channel"
	}
	return "", ""
}
