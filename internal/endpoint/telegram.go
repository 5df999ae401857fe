package endpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the one bot of a Telegram may write to: a supergroup with one topic.
const (
	TelegramToken  = "1234567890:AAH-tok_EN-of-the-bot-0123456789abc"
	TelegramChat   = "-1001234567890"
	TelegramThread = 42
)

// Telegram is the Bot API for one bot and one chat. Its limits are those of
// https://core.telegram.org/bots/api; what it says when it refuses is what
// tdlib/telegram-bot-api, the server itself, says. It is stricter than Telegram in a few
// things: unknown parameters, links that Telegram would drop without a word, mentions, and
// an ampersand that was not escaped are refused. The zero value is ready.
//
// With a Limit it holds clients to that: Telegram's own is 20 messages a minute in a
// group. Traffic says how they kept to it, and to the pauses that they were asked for.
type Telegram struct {
	channel[TelegramMessage]
	meter
	Limit  Limit
	posted int
}

// TelegramMessage is a message as it stands in the chat.
type TelegramMessage struct {
	ID     int
	Thread int
	// Silent says that it was posted without a sound.
	Silent bool
	// Edits counts the changes since it was posted.
	Edits int
	// HTML is the text or the caption as it came; Text is what people read of it.
	HTML, Text string
	// Photo is the picture's bytes, or its URL.
	Photo string
}

// URL returns the API's URL on a server that serves t.
func (*Telegram) URL(server string) string { return server }

// Throttle answers the next request with 429. Telegram rounds up to whole seconds.
func (t *Telegram) Throttle(after time.Duration) {
	t.Next(func(w http.ResponseWriter, _ *http.Request) { t.refuse(w, after) })
}

// refuse answers 429.
func (t *Telegram) refuse(w http.ResponseWriter, after time.Duration) {
	if t.Limit.NoRetryAfter {
		t.throttled(0)
		telegramError(w, http.StatusTooManyRequests, "Too Many Requests", nil)
		return
	}
	seconds := wholeSeconds(after)
	t.throttled(time.Duration(seconds) * time.Second)
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	telegramError(w, http.StatusTooManyRequests, fmt.Sprintf("Too Many Requests: retry after %d", seconds), map[string]any{"retry_after": seconds})
}

// Fail answers the next request with one of Telegram's errors.
func (t *Telegram) Fail(status int, description string) {
	t.Next(func(w http.ResponseWriter, _ *http.Request) { telegramError(w, status, description, nil) })
}

// Migrate answers the next request as for a group that became a supergroup.
func (t *Telegram) Migrate(to int64) {
	t.Next(func(w http.ResponseWriter, _ *http.Request) {
		telegramError(w, http.StatusBadRequest, "Bad Request: group chat was upgraded to a supergroup chat", map[string]any{"migrate_to_chat_id": to})
	})
}

// ServeHTTP answers like Telegram.
func (t *Telegram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := t.arrive()
	if t.scripted(w, r) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	path, bot := strings.CutPrefix(r.URL.Path, "/bot")
	token, method, ok := strings.Cut(path, "/")
	call, known := t.methods()[method]
	switch {
	case !bot || !ok:
		telegramError(w, http.StatusNotFound, "Not Found", nil)
		return
	case token != TelegramToken:
		telegramError(w, http.StatusUnauthorized, "Unauthorized", nil)
		return
	case !known:
		telegramError(w, http.StatusNotFound, "Not Found: method not found", nil)
		return
	}
	if t.Limit.Requests > 0 {
		if ok, _, reset := t.admit(t.Limit, now); !ok {
			t.refuse(w, reset)
			return
		}
	}
	message, err := t.take(w, r, call)
	if err != nil {
		t.refused = append(t.refused, err.Error())
		telegramError(w, http.StatusBadRequest, "Bad Request: "+err.Error(), nil)
		return
	}
	result := map[string]any{
		"message_id": message.ID, "date": 1764000000, "chat": map[string]any{"id": json.Number(TelegramChat), "type": "supergroup"},
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "result": result})
}

func telegramError(w http.ResponseWriter, status int, description string, parameters map[string]any) {
	told := map[string]any{"ok": false, "error_code": status, "description": description}
	if parameters != nil {
		told["parameters"] = parameters
	}
	writeJSON(w, status, told)
}

// telegramMethod is what a method does with a request that could be read.
type telegramMethod func(telegramRequest) (*TelegramMessage, error)

func (t *Telegram) methods() map[string]telegramMethod {
	return map[string]telegramMethod{
		"sendMessage":        t.sendMessage,
		"sendPhoto":          t.sendPhoto,
		"editMessageText":    t.editText,
		"editMessageCaption": t.editCaption,
		"editMessageMedia":   t.editMedia,
	}
}

func (t *Telegram) take(w http.ResponseWriter, r *http.Request, call telegramMethod) (*TelegramMessage, error) {
	req, err := telegramRead(w, r)
	if err != nil {
		return nil, err
	}
	if req.chat() != TelegramChat {
		return nil, errors.New("chat not found")
	}
	if req.MessageThreadID != 0 && req.MessageThreadID != TelegramThread {
		return nil, errors.New("message thread not found")
	}
	return call(req)
}

func (t *Telegram) sendMessage(r telegramRequest) (*TelegramMessage, error) {
	text, err := r.text(r.Text, 4096)
	switch {
	case err != nil:
		return nil, err
	case text == "":
		return nil, errors.New("message text is empty")
	}
	return t.post(r, TelegramMessage{HTML: r.Text, Text: text}), nil
}

func (t *Telegram) sendPhoto(r telegramRequest) (*TelegramMessage, error) {
	text, err := r.text(r.Caption, 1024)
	if err != nil {
		return nil, err
	}
	photo, err := r.photo("photo", r.Photo)
	if err != nil {
		return nil, err
	}
	return t.post(r, TelegramMessage{HTML: r.Caption, Text: text, Photo: photo}), nil
}

func (t *Telegram) post(r telegramRequest, m TelegramMessage) *TelegramMessage {
	t.posted++
	m.ID, m.Thread, m.Silent = 100+t.posted, r.MessageThreadID, r.DisableNotification
	t.messages = append(t.messages, m)
	return &m
}

func (t *Telegram) editText(r telegramRequest) (*TelegramMessage, error) {
	text, err := r.text(r.Text, 4096)
	switch {
	case err != nil:
		return nil, err
	case text == "":
		return nil, errors.New("message text is empty")
	}
	return t.edit(r, func(m *TelegramMessage) error {
		if m.Photo != "" {
			return errors.New("there is no text in the message to edit")
		}
		m.HTML, m.Text = r.Text, text
		return nil
	})
}

func (t *Telegram) editCaption(r telegramRequest) (*TelegramMessage, error) {
	text, err := r.text(r.Caption, 1024)
	if err != nil {
		return nil, err
	}
	return t.edit(r, func(m *TelegramMessage) error {
		if m.Photo == "" {
			return errors.New("there is no caption in the message to edit")
		}
		m.HTML, m.Text = r.Caption, text
		return nil
	})
}

func (t *Telegram) editMedia(r telegramRequest) (*TelegramMessage, error) {
	if r.Media == nil || r.Media.Type != "photo" {
		return nil, errors.New("can't parse InputMedia: media must be a photo")
	}
	r.ParseMode = r.Media.ParseMode
	text, err := r.text(r.Media.Caption, 1024)
	if err != nil {
		return nil, err
	}
	name, attached := strings.CutPrefix(r.Media.Media, "attach://")
	if !attached {
		name = ""
	}
	photo, err := r.photo(name, r.Media.Media)
	if err != nil {
		return nil, err
	}
	return t.edit(r, func(m *TelegramMessage) error {
		m.HTML, m.Text, m.Photo = r.Media.Caption, text, photo
		return nil
	})
}

func (t *Telegram) edit(r telegramRequest, change func(*TelegramMessage) error) (*TelegramMessage, error) {
	if r.MessageID <= 0 {
		return nil, errors.New("message identifier is not specified")
	}
	i := slices.IndexFunc(t.messages, func(m TelegramMessage) bool { return m.ID == r.MessageID })
	if i < 0 {
		return nil, errors.New("message to edit not found")
	}
	changed := t.messages[i]
	if err := change(&changed); err != nil {
		return nil, err
	}
	if changed == t.messages[i] {
		return nil, errors.New("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
	}
	changed.Edits++
	t.messages[i] = changed
	return &changed, nil
}

// photo returns the picture of a request: a file of its form, or a URL that Telegram can
// fetch from the internet.
func (r telegramRequest) photo(file, address string) (string, error) {
	if data, ok := r.files[file]; ok {
		kind := http.DetectContentType(data)
		if len(data) > 10<<20 || !slices.Contains([]string{"image/jpeg", "image/png", "image/webp"}, kind) {
			return "", errors.New("IMAGE_PROCESS_FAILED")
		}
		return string(bytes.Clone(data)), nil
	}
	if !wellFormed(address) || privateHost(address) {
		return "", errors.New("failed to get HTTP URL content")
	}
	return address, nil
}
