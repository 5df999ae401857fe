package discord

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/sdk"
)

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
	codeUnknownMessage  = 10008
	codeUnknownWebhook  = 10015
	codeAnothersMessage = 50005
	codeInvalidToken    = 50027
	codeThreadArchived  = 50083
	codeThreadIsMissing = 220001
	codeNoForum         = 220003
)

// goneError says that there is no message to edit, and that one is posted anew.
type goneError struct {
	why string
	err error
}

func (e *goneError) Error() string { return e.err.Error() }
func (e *goneError) Unwrap() error { return e.err }

// goneMessage returns why an edit was refused, when that is no reason against posting anew.
func goneMessage(status, code int) (why string, ok bool) {
	switch code {
	case codeUnknownMessage:
		return "the message to edit was deleted: posted anew", true
	case codeUnknownChannel:
		return "the thread of the message to edit was deleted: posted anew", true
	case codeThreadArchived:
		return "the thread of the message to edit is archived: posted anew", true
	case codeAnothersMessage:
		return "the message to edit is another author's: posted anew", true
	case codeUnknownWebhook:
		// Discord asks that such a webhook is not used again:
		// https://docs.discord.com/developers/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans.
		return "", false
	}
	switch status {
	case http.StatusNotFound: // from a proxy, say: the post tells whether anything is there
		return "the message to edit was not found: posted anew", true
	case http.StatusMethodNotAllowed:
		return "the endpoint edits no messages: posted anew", true
	default:
		return "", false
	}
}

// explain makes a better error of a refusal than its status does, and a goneError of one to
// edit a message that is not there.
func explain(resp *sdk.Response, edit bool, err error) error {
	var a answer
	// An answer that is not Discord's JSON leaves the status to speak.
	_ = json.Unmarshal(resp.Body, &a)
	if resp.Status == http.StatusTooManyRequests {
		return throttled(resp, a, err)
	}
	if why, ok := goneMessage(resp.Status, a.Code); ok && edit {
		return &goneError{why, err}
	}
	switch a.Code {
	case codeUnknownWebhook, codeInvalidToken:
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook was deleted or its URL is wrong; create one in the channel's settings and set webhook_url", err))
	case codeUnknownChannel:
		return sdk.Misconfigured(fmt.Errorf("%w: the channel or thread does not exist; check thread_id", err))
	case codeThreadIsMissing:
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook belongs to a forum channel; set thread_name, or thread_id", err))
	case codeNoForum:
		return sdk.Misconfigured(fmt.Errorf("%w: the webhook's channel is no forum; remove thread_name", err))
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
