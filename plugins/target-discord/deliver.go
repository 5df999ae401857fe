package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// target posts to one webhook.
type target struct {
	http       *sdk.HTTP
	log        *slog.Logger
	webhook    *url.URL
	threadID   string
	threadName *template.Template
	look       message.Look
	images     string
	templates  template.ByType[parts]
	sender     sender
	// mentions is the text that notifies those that allowed has.
	mentions string
	allowed  allowedMentions
}

// sender is how a message's author looks. An edit cannot change it.
type sender struct {
	Username  string `json:"username,omitempty"`
	AvatarURL string `json:"avatar_url,omitempty"`
}

// allowedMentions notifies exactly those that are listed: the empty Parse makes
// everything else that looks like a mention plain text.
type allowedMentions struct {
	Parse []string `json:"parse"`
	Roles []string `json:"roles,omitempty"`
	Users []string `json:"users,omitempty"`
}

// body is a message as it is posted or edited. An edit leaves alone what it does not have.
type body struct {
	*sender
	ThreadName      string          `json:"thread_name,omitempty"`
	Content         *string         `json:"content,omitempty"`
	AllowedMentions allowedMentions `json:"allowed_mentions"`
	Embeds          []embed         `json:"embeds"`
}

// composed is a message that is ready to be sent.
type composed struct {
	content    string
	embeds     []embed
	threadName string
	// fallbacks say why it is not as it was to be.
	fallbacks []string
}

// compose puts events into a message, in the words of the templates where there are some.
func (t *target) compose(events []sdk.Event) composed {
	m := message.New(events...)
	shown := m.In(t.look)
	if t.images != "" {
		shown.Image = m.Image // whether or not the look has one
	}
	builtIn := draftOf(shown, t.images)
	builtIn.mentions = t.mentions
	d := builtIn
	var r partsRenderer
	p, key, ok := t.templates.For(events)
	if ok || !t.threadName.Empty() {
		r = partsRenderer{data: template.NewData(events...), key: key}
	}
	if ok {
		r.apply(p, &d, t.images)
	}
	c := composed{content: d.text(), embeds: d.embeds()}
	if c.content == "" && len(c.embeds) == 0 {
		r.fallbacks = append(r.fallbacks, fmt.Sprintf("template %s renders nothing: used the built-in message", r.key))
		c.embeds = builtIn.embeds()
	}
	if !t.threadName.Empty() {
		name := builtIn.threadName
		s, err := t.threadName.Render(r.data, nil)
		if s = oneLine(s); s != "" {
			name = s
		}
		if err != nil {
			r.fallbacks = append(r.fallbacks, fmt.Sprintf("template thread_name: %v: used the title", err))
		}
		c.threadName = strings.TrimSpace(message.Fit(name, maxThreadName, message.Plain))
	}
	c.fallbacks = r.fallbacks
	return c
}

// Deliver posts the events as a message, or edits the one that tells some of them already.
// Where that one is gone, a new one is posted.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	c := t.compose(d.Events)
	if d.Previous == nil || d.Previous.MessageID == "" {
		return t.post(ctx, c)
	}
	at := t.placeOf(d.Previous.State)
	if why := t.cannotEdit(d.Previous.MessageID, at); why != "" {
		c.fallbacks = append(c.fallbacks, why)
		return t.post(ctx, c)
	}
	receipt, err := t.edit(ctx, d.Previous.MessageID, at, c)
	if gone, ok := errors.AsType[*goneError](err); ok {
		c.fallbacks = append(c.fallbacks, gone.why)
		return t.post(ctx, c)
	}
	return receipt, err
}

// Test posts a message: only that shows that the webhook, its thread and its mentions
// are right.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}

func (t *target) post(ctx context.Context, c composed) (sdk.Receipt, error) {
	b := body{sender: &t.sender, ThreadName: c.threadName, AllowedMentions: t.allowed, Embeds: c.embeds}
	if c.content != "" {
		b.Content = &c.content
	}
	receipt, posted, err := t.send(ctx, http.MethodPost, t.postURL(), b, c.fallbacks)
	if err != nil {
		return receipt, err
	}
	at := place{Webhook: webhookID(t.webhook), Configured: t.threadID, Thread: t.threadID}
	if c.threadName != "" {
		at.Thread = posted.ChannelID
	}
	if c.threadName == "" || at.Thread != "" { // else nobody knows where it is
		receipt.MessageID = posted.ID
		receipt.State = at.state()
	}
	return receipt, nil
}

// edit returns a goneError where there is no message to edit.
func (t *target) edit(ctx context.Context, id string, at place, c composed) (sdk.Receipt, error) {
	// What the message says no longer must go.
	b := body{Content: &c.content, AllowedMentions: t.allowed, Embeds: c.embeds}
	receipt, _, err := t.send(ctx, http.MethodPatch, t.messageURL(id, at.Thread), b, c.fallbacks)
	if err != nil {
		return receipt, err
	}
	receipt.MessageID = id
	receipt.State = at.state()
	return receipt, nil
}

// send makes one request, or two: Discord refuses a whole message for one URL in it
// that it dislikes, so a refused embed is sent once more without any.
func (t *target) send(ctx context.Context, method, endpoint string, b body, fallbacks []string) (sdk.Receipt, posted, error) {
	resp, err := t.request(ctx, method, endpoint, b)
	if resp != nil && resp.Status == http.StatusBadRequest && len(b.Embeds) > 0 && bytes.Contains(resp.Body, []byte(`"embeds"`)) {
		t.log.WarnContext(ctx, "Discord refused the embed, sending it without links and pictures")
		b.Embeds = []embed{b.Embeds[0].bare()}
		fallbacks = append(fallbacks, "Discord refused a link or picture: sent without any")
		resp, err = t.request(ctx, method, endpoint, b)
	}
	fallback := strings.Join(fallbacks, "; ")
	if resp == nil {
		return sdk.Receipt{Fallback: fallback}, posted{}, err
	}
	receipt := resp.Receipt
	receipt.Limit, receipt.Fallback = limit(resp.Header), fallback
	if err != nil {
		return receipt, posted{}, explain(resp, method == http.MethodPatch, err)
	}
	var p posted
	// The message is there whether or not its answer can be read.
	_ = json.Unmarshal(resp.Body, &p)
	return receipt, p, nil
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
