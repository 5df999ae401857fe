package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// target writes to one chat.
type target struct {
	api
	chat      chatID
	thread    int
	look      message.Look
	images    images
	posters   poster.Fetcher
	silent    template.ByType[bool]
	templates template.ByType[template.Template]
}

// state is what an edit has to know of a message besides its id.
type state struct {
	Chat chatID `json:"chat"`
	Kind kind   `json:"kind"`
	// Poster tells whether the photo is still the right one.
	Poster string `json:"poster,omitempty"`
}

// kind is what a message is: Telegram edits the two by different methods.
type kind string

const (
	kindText  kind = "text"
	kindPhoto kind = "photo"
)

// Deliver posts the events' message, or edits the one that it replaces. A message that is
// gone is posted anew.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	loud := slices.ContainsFunc(d.Events, func(e sdk.Event) bool {
		silent, _, _ := t.silent.For([]sdk.Event{e})
		return !silent
	})
	return t.deliver(ctx, d, !loud)
}

// Test posts a message without a sound: only that shows that the token, the chat and the
// bot's rights in it are right.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.deliver(ctx, d, true)
}

func (t *target) deliver(ctx context.Context, d sdk.Delivery, silent bool) (sdk.Receipt, error) {
	m := t.draft(d.Events)
	receipt, err := t.show(ctx, d.Previous, m, silent)
	receipt.Fallback = m.fallback()
	return receipt, err
}

func (t *target) show(ctx context.Context, previous *sdk.Receipt, m *draft, silent bool) (sdk.Receipt, error) {
	if previous != nil && previous.MessageID != "" {
		if receipt, gone, err := t.edit(ctx, *previous, m); !gone {
			return receipt, err
		}
	}
	return t.post(ctx, m, silent)
}

func (t *target) post(ctx context.Context, m *draft, silent bool) (sdk.Receipt, error) {
	p := parameters{ChatID: t.chat, MessageThreadID: t.thread, DisableNotification: silent}
	if photo, ok := t.photo(ctx, m); ok {
		receipt, refused, err := t.send(ctx, "sendPhoto", p, m, &photo)
		if !refused.photo {
			return receipt, err
		}
		m.note("Telegram refused the poster: sent as text")
	}
	receipt, _, err := t.send(ctx, "sendMessage", p, m, nil)
	return receipt, err
}

// edit changes a message. It reports whether the message is gone, and may be posted anew.
func (t *target) edit(ctx context.Context, previous sdk.Receipt, m *draft) (receipt sdk.Receipt, gone bool, err error) {
	id, was, ok := read(previous)
	if !ok || was.Chat != t.chat {
		m.note("the message to edit is in another chat: posted anew")
		return sdk.Receipt{}, true, nil
	}
	p := parameters{ChatID: t.chat, MessageID: id}
	if m.image != "" && posterKey(m.image) != was.Poster {
		if photo, ok := t.photo(ctx, m); ok {
			receipt, refused, err := t.send(ctx, "editMessageMedia", p, m, &photo)
			if !refused.photo {
				return t.edited(previous, receipt, refused, m, err)
			}
			m.note("Telegram refused the poster: edited without it")
		}
	}
	method := "editMessageText"
	if was.Kind == kindPhoto {
		method = "editMessageCaption"
	}
	receipt, refused, err := t.send(ctx, method, p, m, nil)
	if err == nil {
		receipt.State = previous.State // Neither changes the photo.
	}
	return t.edited(previous, receipt, refused, m, err)
}

// read returns what a receipt says of its message.
func read(r sdk.Receipt) (id int64, is state, ok bool) {
	id, err := strconv.ParseInt(r.MessageID, 10, 64)
	if err != nil || json.Unmarshal(r.State, &is) != nil {
		return 0, state{}, false
	}
	return id, is, true
}

// edited is the outcome of an edit.
func (t *target) edited(previous, receipt sdk.Receipt, refused refusal, m *draft, err error) (sdk.Receipt, bool, error) {
	switch {
	case refused.gone:
		m.note("the message to edit is gone: posted anew")
		return receipt, true, err
	case refused.same:
		receipt.Accepted, receipt.MessageID, receipt.State = true, previous.MessageID, previous.State
		return receipt, false, nil
	}
	return receipt, false, err
}

// refusal is what can be done about an answer other than to fail.
type refusal struct {
	photo, gone, same bool
}

// send makes one request, or two: what Telegram cannot read as HTML is sent once more as
// plain text.
func (t *target) send(ctx context.Context, method string, p parameters, m *draft, photo *photo) (sdk.Receipt, refusal, error) {
	receipt, description, err := t.sendOnce(ctx, method, p, m, photo)
	if receipt.Status == http.StatusBadRequest && !m.plain && saysOne(description, "can't parse entities", "entities too long", "entity_", "entities_") {
		m.plain = true
		m.note("Telegram refused the message's HTML: sent as plain text")
		receipt, description, err = t.sendOnce(ctx, method, p, m, photo)
	}
	if err == nil {
		return receipt, refusal{}, nil
	}
	class, _ := sdk.ClassOf(err)
	if class != sdk.ClassPermanent || receipt.Status != http.StatusBadRequest && receipt.Status != http.StatusRequestEntityTooLarge {
		return receipt, refusal{}, err
	}
	r := refusal{
		gone: saysOne(description, "message to edit not found", "message can't be edited", "message_id_invalid", "message identifier is not specified", "no text in the message to edit", "no caption in the message to edit"),
		same: saysOne(description, "message is not modified"),
	}
	// Whatever else is wrong with a photo, of which Telegram has many words, is not with
	// a text.
	r.photo = photo != nil && !r.gone && !r.same
	return receipt, r, err
}

func (t *target) sendOnce(ctx context.Context, method string, p parameters, m *draft, photo *photo) (sdk.Receipt, string, error) {
	is := state{Chat: t.chat, Kind: kindText}
	var image *poster.Image
	switch method {
	case "sendMessage", "editMessageText":
		p.Text, p.ParseMode = m.text(maxText)
		p.LinkPreview = &preview{IsDisabled: true}
	case "editMessageCaption":
		p.Caption, p.ParseMode = m.text(maxCaption)
		is.Kind = kindPhoto
	case "sendPhoto":
		p.Caption, p.ParseMode = m.text(maxCaption)
		p.Photo = photo.url
	case "editMessageMedia":
		p.Media = &media{Type: "photo", Media: photo.url}
		p.Media.Caption, p.Media.ParseMode = m.text(maxCaption)
		if photo.image != nil {
			p.Media.Media = "attach://" + fileName
		}
	}
	if photo != nil {
		image = photo.image
		is.Kind, is.Poster = kindPhoto, posterKey(m.image)
	}
	receipt, description, err := t.call(ctx, method, p, image)
	if err == nil && receipt.MessageID != "" {
		// The state holds a string and two short words: it always marshals.
		receipt.State, _ = json.Marshal(is)
	}
	return receipt, description, err
}

// photo is a poster as it is sent: a URL for Telegram to fetch, or what Hookarr fetched.
type photo struct {
	url   string
	image *poster.Image
}

// photo returns the message's poster, if there is one that can be sent.
func (t *target) photo(ctx context.Context, m *draft) (photo, bool) {
	switch {
	case m.image == "":
		return photo{}, false
	case !m.captions():
		m.note("the text is too long for a caption: sent without the poster")
		return photo{}, false
	case t.images == imagesURL:
		u := poster.Public(m.image)
		if u == "" {
			m.note("the poster is not on a site that anybody can fetch it from: sent without")
		}
		return photo{url: u}, u != ""
	case sdk.Previewing(ctx):
		return photo{image: &poster.Image{Name: "poster.jpg", Type: "image/jpeg"}}, true
	}
	image, err := t.posters.Fetch(ctx, m.image)
	if err != nil {
		m.note(err.Error() + ": sent without the poster")
		return photo{}, false
	}
	return photo{image: &image}, true
}

// posterKey tells posters apart in a receipt, which is no place for a URL that may hold a
// credential.
func posterKey(url string) string {
	if url == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:8])
}
