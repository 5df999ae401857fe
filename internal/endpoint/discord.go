package endpoint

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The id and token of the one webhook that a Discord has.
const (
	discordID    = "1012345678901234567"
	discordToken = "tok-EN_of-the-webhook"
)

// Discord is one Discord webhook. Its limits are those of the resources "message"
// and "webhook" and of the topic "rate limits" in Discord's documentation; the
// shapes of its errors are those that Discord was seen to give. The zero value is
// ready.
//
// With a Limit it holds clients to that: Discord's own is 5 requests in 2 s. Traffic
// says how they kept to it, and to the pauses that they were asked for.
type Discord struct {
	script
	meter
	Limit    Limit
	deleted  bool
	messages []DiscordMessage
	refused  []string
}

// DiscordMessage is a message as it stands in the channel.
type DiscordMessage struct {
	ID       string
	ThreadID string
	// Edits counts the changes since it was posted.
	Edits int
	DiscordBody
}

// URL returns the webhook's URL on a server that serves d.
func (d *Discord) URL(server string) string {
	return server + "/api/webhooks/" + discordID + "/" + discordToken
}

// Messages returns the channel, oldest first.
func (d *Discord) Messages() []DiscordMessage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.messages)
}

// Refused returns why requests were answered 400, in order.
func (d *Discord) Refused() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.refused)
}

// DeleteMessages empties the channel, as a moderator would.
func (d *Discord) DeleteMessages() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = nil
}

// DeleteWebhook makes every further request fail for good.
func (d *Discord) DeleteWebhook() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deleted = true
}

// Throttle answers the next request with 429, as Discord does for a webhook's own
// limit.
func (d *Discord) Throttle(after time.Duration) {
	d.Next(func(w http.ResponseWriter, _ *http.Request) { d.refuse(w, after) })
}

// refuse answers 429.
func (d *Discord) refuse(w http.ResponseWriter, after time.Duration) {
	told := map[string]any{"message": "You are being rate limited.", "global": false}
	if d.Limit.NoRetryAfter {
		d.throttled(0)
	} else {
		d.throttled(after)
		// The header holds whole seconds, the body milliseconds. Both are rounded up.
		w.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(after)))
		told["retry_after"] = (after + time.Millisecond - 1).Truncate(time.Millisecond).Seconds()
	}
	if !d.Limit.NoHeaders {
		w.Header().Set("X-RateLimit-Scope", "user")
		d.limitHeaders(w, 0, after)
	}
	writeJSON(w, http.StatusTooManyRequests, told)
}

// limited answers a request beyond the limit, and tells every other how much is left.
func (d *Discord) limited(w http.ResponseWriter, now time.Time) bool {
	remaining, reset := 4, 400*time.Millisecond
	if d.Limit.Requests > 0 {
		var ok bool
		if ok, remaining, reset = d.admit(d.Limit, now); !ok {
			d.refuse(w, reset)
			return true
		}
	}
	if !d.Limit.NoHeaders {
		d.limitHeaders(w, remaining, reset)
	}
	return false
}

func (d *Discord) limitHeaders(w http.ResponseWriter, remaining int, resetAfter time.Duration) {
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(cmp.Or(d.Limit.Requests, 5)))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	w.Header().Set("X-RateLimit-Reset-After", strconv.FormatFloat(resetAfter.Seconds(), 'f', 3, 64))
	w.Header().Set("X-RateLimit-Bucket", "8a4b9b1c6ab5e5c5b9c1")
}

// ServeHTTP answers like Discord.
func (d *Discord) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := d.arrive()
	if d.scripted(w, r) {
		return
	}
	version, id, token, messageID, ok := discordPath(r.URL.Path)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !ok:
		discordError(w, http.StatusNotFound, 0, "404: Not Found")
		return
	case id != discordID || d.deleted:
		discordError(w, http.StatusNotFound, 10015, "Unknown Webhook")
		return
	case token != discordToken:
		discordError(w, http.StatusUnauthorized, 50027, "Invalid Webhook Token")
		return
	case messageID == "" && r.Method != http.MethodPost, messageID != "" && r.Method != http.MethodPatch:
		discordError(w, http.StatusMethodNotAllowed, 0, "405: Method Not Allowed")
		return
	case d.limited(w, now):
		return
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		discordError(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	var body DiscordBody
	if err := strict(w, r, &body); err != nil {
		d.refused = append(d.refused, err.Error())
		discordError(w, http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
		return
	}
	if body.empty() {
		d.refused = append(d.refused, "empty message")
		discordError(w, http.StatusBadRequest, 50006, "Cannot send an empty message")
		return
	}
	if b := body.breach(messageID != ""); b != nil {
		d.refused = append(d.refused, b.Error())
		b.write(w, version)
		return
	}
	d.keep(w, r, messageID, body)
}

// keep posts or edits a message that is within the limits.
func (d *Discord) keep(w http.ResponseWriter, r *http.Request, messageID string, body DiscordBody) {
	thread := r.URL.Query().Get("thread_id")
	if messageID != "" {
		i := slices.IndexFunc(d.messages, func(m DiscordMessage) bool { return m.ID == messageID && m.ThreadID == thread })
		if i < 0 {
			discordError(w, http.StatusNotFound, 10008, "Unknown Message")
			return
		}
		d.messages[i].DiscordBody = body
		d.messages[i].Edits++
		d.messages[i].answer(w)
		return
	}
	m := DiscordMessage{ID: strconv.Itoa(1200000000000000000 + len(d.messages)), ThreadID: thread, DiscordBody: body}
	d.messages = append(d.messages, m)
	if r.URL.Query().Get("wait") != "true" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	m.answer(w)
}

// answer writes the message with its id behind the embeds, where Discord has it.
func (m DiscordMessage) answer(w http.ResponseWriter) {
	writeJSON(w, http.StatusOK, struct {
		Type      int             `json:"type"`
		Content   *string         `json:"content"`
		Embeds    []DiscordEmbed  `json:"embeds"`
		Flags     int             `json:"flags"`
		ID        string          `json:"id"`
		ChannelID string          `json:"channel_id"`
		Author    json.RawMessage `json:"author"`
		WebhookID string          `json:"webhook_id"`
	}{0, m.Content, m.Embeds, 0, m.ID, "1012345678900000000", json.RawMessage(`{"bot":true}`), discordID})
}

// discordPath takes /api/webhooks/ID/TOKEN[/messages/ID] apart, with or without a
// version behind /api.
func discordPath(path string) (version, id, token, messageID string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "", "", "", "", false
	}
	parts := strings.Split(rest, "/")
	if strings.HasPrefix(parts[0], "v") {
		version, parts = parts[0], parts[1:]
	}
	switch {
	case len(parts) == 3 && parts[0] == "webhooks":
		return version, parts[1], parts[2], "", true
	case len(parts) == 5 && parts[0] == "webhooks" && parts[3] == "messages" && parts[4] != "":
		return version, parts[1], parts[2], parts[4], true
	default:
		return "", "", "", "", false
	}
}

func discordError(w http.ResponseWriter, status, code int, message string) {
	writeJSON(w, status, map[string]any{"message": message, "code": code})
}
