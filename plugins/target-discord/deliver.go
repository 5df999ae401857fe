package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

// target posts to one webhook.
type target struct {
	http    *sdk.HTTP
	log     *slog.Logger
	webhook *url.URL
	sender
	mentions
}

// sender is how a message's author looks. An edit cannot change it.
type sender struct {
	Username  string `json:"username,omitempty"`
	AvatarURL string `json:"avatar_url,omitempty"`
}

// mentions is whom a message notifies.
type mentions struct {
	Content         string          `json:"content,omitempty"`
	AllowedMentions allowedMentions `json:"allowed_mentions"`
}

// allowedMentions notifies exactly those that are listed: the empty Parse makes
// everything else that looks like a mention plain text.
type allowedMentions struct {
	Parse []string `json:"parse"`
	Roles []string `json:"roles,omitempty"`
	Users []string `json:"users,omitempty"`
}

// body is a message as it is posted or edited.
type body struct {
	*sender
	mentions
	Embeds []embed `json:"embeds"`
}

// Deliver posts the event, or edits the message that it replaces. A message that
// somebody deleted is posted anew.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	b := body{mentions: t.mentions, Embeds: []embed{render(message.New(d.Event))}}
	if d.Previous != nil && d.Previous.MessageID != "" {
		receipt, err := t.send(ctx, http.MethodPatch, t.messageURL(d.Previous.MessageID), b)
		if receipt.Status != http.StatusNotFound {
			return receipt, err
		}
	}
	b.sender = &t.sender
	return t.send(ctx, http.MethodPost, t.postURL(), b)
}

// Test posts a message: only that shows that the webhook, its thread and its mentions
// are right.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}

// postURL asks Discord to answer when the message is there: without wait, it reports
// no error for one that it could not save.
func (t *target) postURL() string {
	u := *t.webhook
	q := u.Query()
	q.Set("wait", "true")
	u.RawQuery = q.Encode()
	return u.String()
}

func (t *target) messageURL(id string) string {
	return t.webhook.JoinPath("messages", url.PathEscape(id)).String()
}

// send makes one request, or two: Discord refuses a whole message for one URL in it
// that it dislikes, so a refused embed is sent once more without any.
func (t *target) send(ctx context.Context, method, endpoint string, b body) (sdk.Receipt, error) {
	resp, err := t.request(ctx, method, endpoint, b)
	if resp != nil && resp.Status == http.StatusBadRequest && bytes.Contains(resp.Body, []byte(`"embeds"`)) {
		t.log.WarnContext(ctx, "Discord refused the embed, sending it without links and pictures")
		b.Embeds = []embed{b.Embeds[0].bare()}
		resp, err = t.request(ctx, method, endpoint, b)
	}
	if resp == nil {
		return sdk.Receipt{}, err
	}
	receipt := resp.Receipt
	receipt.Limit = limit(resp.Header)
	if err != nil {
		return receipt, explain(resp, err)
	}
	var posted struct {
		ID string `json:"id"`
	}
	// The message is there whether or not its answer can be read.
	if json.Unmarshal(resp.Body, &posted) == nil {
		receipt.MessageID = posted.ID
	}
	return receipt, nil
}

func (t *target) request(ctx context.Context, method, endpoint string, b body) (*sdk.Response, error) {
	payload, err := json.Marshal(b)
	if err != nil {
		return nil, sdk.Permanent(fmt.Errorf("write the message's JSON: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, method, endpoint, bytes.NewReader(payload))
	if err != nil {
		return nil, sdk.Misconfigured(errors.New("webhook_url is not a valid URL"))
	}
	req.Header.Set("Content-Type", "application/json")
	return t.http.Send(req)
}

// limit reads what Discord says of the webhook's rate limit:
// https://docs.discord.com/developers/topics/rate-limits#header-format.
func limit(h http.Header) *sdk.Limit {
	remaining, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if err != nil {
		return nil
	}
	reset, ok := seconds(h.Get("X-RateLimit-Reset-After"))
	if !ok {
		return nil
	}
	return &sdk.Limit{Remaining: max(remaining, 0), ResetAfter: reset}
}

// seconds reads a decimal number of seconds, of which a year is the most.
func seconds(s string) (time.Duration, bool) {
	const most = 365 * 24 * time.Hour
	f, err := strconv.ParseFloat(s, 64)
	// What is out of a float64's range comes as infinity.
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	return time.Duration(math.Round(min(f, most.Seconds())*1e6)) * time.Microsecond, true
}

// answer is the part of a refusal that says why. Codes:
// https://docs.discord.com/developers/topics/opcodes-and-status-codes#json.
type answer struct {
	Message string `json:"message"`
	Code    int    `json:"code"`
	// RetryAfter is a number. One that is written as a string is taken too.
	RetryAfter json.RawMessage `json:"retry_after"`
	Global     bool            `json:"global"`
}

const (
	codeUnknownChannel  = 10003
	codeUnknownWebhook  = 10015
	codeInvalidToken    = 50027
	codeThreadIsMissing = 220001
)

// explain makes a better error of a refusal than its status does.
func explain(resp *sdk.Response, err error) error {
	var a answer
	// An answer that is not Discord's JSON leaves the status to speak.
	_ = json.Unmarshal(resp.Body, &a)
	if resp.Status == http.StatusTooManyRequests {
		return throttled(resp, a, err)
	}
	switch a.Code {
	case codeUnknownWebhook, codeInvalidToken:
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook was deleted or its URL is wrong; create one in the channel's settings and set webhook_url", err))
	case codeUnknownChannel:
		return sdk.Misconfigured(fmt.Errorf("%w: the channel or thread does not exist; check thread_id", err))
	case codeThreadIsMissing:
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook belongs to a forum channel; set thread_id", err))
	}
	if said := strings.TrimSpace(a.Message); said != "" {
		return fmt.Errorf("%w: %s", err, message.Fit(said, readItem, message.Plain))
	}
	return err
}

// throttled honours the pause that Discord asks for. The body has it exactly, the
// header rounded up to whole seconds; of the two the smaller is right, because
// undocumented versions of the API give either in milliseconds
// (discord/discord-api-docs#2360, #4722).
func throttled(resp *sdk.Response, a answer, err error) error {
	_, after := sdk.ClassOf(err)
	if exact, ok := seconds(strings.Trim(string(a.RetryAfter), `"`)); ok && (exact < after || after == 0) {
		after = exact
	}
	scope := cmp.Or(resp.Header.Get("X-RateLimit-Scope"), "user")
	if a.Global {
		scope = "global"
	}
	return sdk.Throttled(after, fmt.Errorf("%w: rate limit of scope %s", err, message.Fit(scope, readItem, message.Plain)))
}
