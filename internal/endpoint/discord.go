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
	channel[DiscordMessage]
	meter
	Limit Limit
	// Forum makes the webhook's channel one of threads only: a message begins a thread, or
	// goes to one.
	Forum   bool
	deleted bool
	// gone are the threads that were deleted.
	gone         []string
	posts, edits int
}

// DiscordMessage is a message as it stands in the channel.
type DiscordMessage struct {
	ID       string
	ThreadID string
	// Edits counts the changes since it was posted.
	Edits int
	// Foreign messages have another author than the webhook.
	Foreign bool
	DiscordBody
}

// URL returns the webhook's URL on a server that serves d.
func (d *Discord) URL(server string) string {
	return server + "/api/webhooks/" + discordID + "/" + discordToken
}

// Counts returns how many messages were posted, and how many were edited.
func (d *Discord) Counts() (posts, edits int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.posts, d.edits
}

// DeleteMessage removes one message, as a moderator would.
func (d *Discord) DeleteMessage(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.messages = slices.DeleteFunc(d.messages, func(m DiscordMessage) bool { return m.ID == id })
}

// DeleteThread removes a thread with its messages.
func (d *Discord) DeleteThread(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = append(d.gone, id)
	d.messages = slices.DeleteFunc(d.messages, func(m DiscordMessage) bool { return m.ThreadID == id })
}

// Disown makes a message that of another author, which the webhook cannot edit.
func (d *Discord) Disown(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.messages {
		d.messages[i].Foreign = d.messages[i].Foreign || d.messages[i].ID == id
	}
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
	if messageID != "" {
		d.edit(w, r, messageID, version, body)
		return
	}
	if d.acceptable(w, version, body) && d.channelTakes(w, r, body) {
		d.post(w, r, body)
	}
}

// acceptable refuses a body that breaches a limit.
func (d *Discord) acceptable(w http.ResponseWriter, version string, body DiscordBody) bool {
	if body.empty() {
		d.refuseBody(w, http.StatusBadRequest, 50006, "Cannot send an empty message")
		return false
	}
	if b := body.breach(false); b != nil {
		d.refused = append(d.refused, b.Error())
		b.write(w, version)
		return false
	}
	return true
}

func (d *Discord) refuseBody(w http.ResponseWriter, status, code int, message string) {
	d.refused = append(d.refused, message)
	discordError(w, status, code, message)
}

// channelTakes refuses a message that names a thread where the channel has none, or none
// where it needs one.
func (d *Discord) channelTakes(w http.ResponseWriter, r *http.Request, body DiscordBody) bool {
	thread := r.URL.Query().Get("thread_id")
	switch named := body.ThreadName != ""; {
	case slices.Contains(d.gone, thread):
		d.refuseBody(w, http.StatusBadRequest, 10003, "Unknown Channel")
	case named && thread != "":
		d.refuseBody(w, http.StatusBadRequest, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id")
	case named && !d.Forum:
		d.refuseBody(w, http.StatusBadRequest, 220003, "Webhooks can only create threads in forum channels")
	case d.Forum && !named && thread == "":
		d.refuseBody(w, http.StatusBadRequest, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
	default:
		return true
	}
	return false
}

// post keeps a message. The thread that it begins has the message's id.
func (d *Discord) post(w http.ResponseWriter, r *http.Request, body DiscordBody) {
	m := DiscordMessage{ID: strconv.Itoa(1200000000000000000 + d.posts), ThreadID: r.URL.Query().Get("thread_id"), DiscordBody: body}
	if body.ThreadName != "" {
		m.ThreadID = m.ID
	}
	d.posts++
	d.messages = append(d.messages, m)
	if r.URL.Query().Get("wait") != "true" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	m.answer(w)
}

// edit changes the members of a message that the request has.
func (d *Discord) edit(w http.ResponseWriter, r *http.Request, id, version string, body DiscordBody) {
	thread := r.URL.Query().Get("thread_id")
	i := slices.IndexFunc(d.messages, func(m DiscordMessage) bool { return m.ID == id && m.ThreadID == thread })
	switch {
	case slices.Contains(d.gone, thread):
		discordError(w, http.StatusNotFound, 10003, "Unknown Channel")
		return
	case i < 0:
		discordError(w, http.StatusNotFound, 10008, "Unknown Message")
		return
	case d.messages[i].Foreign:
		discordError(w, http.StatusForbidden, 50005, "Cannot edit a message authored by another user")
		return
	}
	whole := d.messages[i].DiscordBody
	if body.Content != nil {
		whole.Content = body.Content
	}
	if body.Embeds != nil {
		whole.Embeds = body.Embeds
	}
	if body.AllowedMentions != nil {
		whole.AllowedMentions = body.AllowedMentions
	}
	if b := body.breach(true); b != nil {
		d.refused = append(d.refused, b.Error())
		b.write(w, version)
		return
	}
	if whole.empty() {
		d.refuseBody(w, http.StatusBadRequest, 50006, "Cannot send an empty message")
		return
	}
	d.edits++
	d.messages[i].DiscordBody = whole
	d.messages[i].Edits++
	d.messages[i].answer(w)
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
	}{0, m.Content, m.Embeds, 0, m.ID, cmp.Or(m.ThreadID, "1012345678900000000"), json.RawMessage(`{"bot":true}`), discordID})
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
