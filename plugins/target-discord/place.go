package discord

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
)

// place is where a message is: what its receipt keeps, so that it can be edited.
type place struct {
	Webhook string `json:"webhook"`
	// Configured is the thread_id that it was posted with.
	Configured string `json:"configured,omitempty"`
	// Thread is the thread that it is in. One that it began has no configured id.
	Thread string `json:"thread,omitempty"`
}

// posted is what Discord answers to a message.
type posted struct {
	ID string `json:"id"`
	// ChannelID is the thread of a message in one.
	ChannelID string `json:"channel_id"`
}

// placeOf reads a receipt's state. One without a state was posted where the target posts to.
func (t *target) placeOf(state []byte) place {
	var p place
	if json.Unmarshal(state, &p) != nil || p.Webhook == "" {
		return place{Webhook: webhookID(t.webhook), Configured: t.threadID, Thread: t.threadID}
	}
	return p
}

func (p place) state() []byte {
	state, err := json.Marshal(p)
	if err != nil {
		return nil
	}
	return state
}

// cannotEdit says why a message that is at p cannot be edited by the target, or nothing. A
// message belongs to the webhook that posted it. An id is a part of a path, and one of dots
// would lead to the webhook itself.
func (t *target) cannotEdit(id string, p place) string {
	switch {
	case !regexp.MustCompile(`^[\w-]{1,64}$`).MatchString(id):
		return "the message to edit has no id of Discord's: posted anew"
	case p.Webhook != webhookID(t.webhook):
		return "the message to edit is another webhook's: posted anew"
	case p.Configured != t.threadID:
		return "the message to edit is in another thread: posted anew"
	default:
		return ""
	}
}

// webhookID returns the id of a webhook, or of its URL where that has none, as a proxy's may
// not. The token is no part of it.
func webhookID(webhook *url.URL) string {
	if m := regexp.MustCompile(`/webhooks/(\d+)/`).FindStringSubmatch(webhook.Path); m != nil {
		return m[1]
	}
	const length = 8 // bytes; enough to tell one from another
	sum := sha256.Sum256([]byte(webhook.Scheme + "://" + webhook.Host + webhook.Path))
	return hex.EncodeToString(sum[:length])
}

// postURL asks Discord to answer when the message is there: without wait, it reports
// no error for one that it could not save.
func (t *target) postURL() string {
	u := withThread(t.webhook, t.threadID)
	q := u.Query()
	q.Set("wait", "true")
	u.RawQuery = q.Encode()
	return u.String()
}

func (t *target) messageURL(id, thread string) string {
	return withThread(t.webhook, thread).JoinPath("messages", url.PathEscape(id)).String()
}

func withThread(webhook *url.URL, thread string) *url.URL {
	u := *webhook
	if thread != "" {
		q := u.Query()
		q.Set("thread_id", thread)
		u.RawQuery = q.Encode()
	}
	return &u
}
