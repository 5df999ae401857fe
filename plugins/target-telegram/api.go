package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/sdk"
)

// api calls the methods of https://core.telegram.org/bots/api.
type api struct {
	http *sdk.HTTP
	// base is the URL that methods are put behind. The bot's token is in it.
	base string
}

// parameters are those of the methods that are used.
type parameters struct {
	ChatID              chatID   `json:"chat_id"`
	MessageThreadID     int      `json:"message_thread_id,omitempty"`
	MessageID           int64    `json:"message_id,omitempty"`
	DisableNotification bool     `json:"disable_notification,omitempty"`
	ParseMode           string   `json:"parse_mode,omitempty"`
	Text                string   `json:"text,omitempty"`
	Caption             string   `json:"caption,omitempty"`
	Photo               string   `json:"photo,omitempty"`
	Media               *media   `json:"media,omitempty"`
	LinkPreview         *preview `json:"link_preview_options,omitempty"`
}

// media is the photo of a message that is edited.
type media struct {
	Type      string `json:"type"`
	Media     string `json:"media"`
	Caption   string `json:"caption,omitempty"`
	ParseMode string `json:"parse_mode,omitempty"`
}

type preview struct {
	IsDisabled bool `json:"is_disabled"`
}

// fileName is the part of a form that holds an uploaded photo.
const fileName = "photo"

// answer is what every method answers.
type answer struct {
	Result struct {
		MessageID int64 `json:"message_id"`
	} `json:"result"`
	Description string `json:"description"`
	Parameters  struct {
		RetryAfter      float64 `json:"retry_after"` // seconds
		MigrateToChatID int64   `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// call makes one request. With an image, that is uploaded beside the parameters. The
// description is Telegram's, of a refusal.
func (a api) call(ctx context.Context, method string, p parameters, image *poster.Image) (receipt sdk.Receipt, description string, err error) {
	body, contentType, err := encode(p, image)
	if err != nil {
		return sdk.Receipt{}, "", sdk.Permanent(fmt.Errorf("write the request: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+method, bytes.NewReader(body))
	if err != nil {
		return sdk.Receipt{}, "", sdk.Misconfigured(errors.New("api_url is not a valid URL"))
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := a.http.Send(req)
	if resp == nil {
		return sdk.Receipt{}, "", err
	}
	var said answer
	// An answer that is not Telegram's JSON leaves the status to speak.
	_ = json.Unmarshal(resp.Body, &said)
	if err != nil {
		return resp.Receipt, said.Description, explain(resp, said, err)
	}
	receipt = resp.Receipt
	if said.Result.MessageID > 0 {
		receipt.MessageID = strconv.FormatInt(said.Result.MessageID, 10)
	}
	return receipt, "", nil
}

func encode(p parameters, image *poster.Image) (body []byte, contentType string, err error) {
	body, err = json.Marshal(p)
	if err != nil || image == nil {
		return body, "application/json", err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := string(fields[name])
		// Strings are themselves in a form, everything else is JSON.
		if s := ""; json.Unmarshal(fields[name], &s) == nil {
			value = s
		}
		if err := form.WriteField(name, value); err != nil {
			return nil, "", err
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+fileName+`"; filename="`+image.Name+`"`)
	h.Set("Content-Type", image.Type)
	part, err := form.CreatePart(h)
	if err != nil {
		return nil, "", err
	}
	if _, err := io.Copy(part, bytes.NewReader(image.Data)); err != nil {
		return nil, "", err
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), form.FormDataContentType(), nil
}

// explain makes a better error of a refusal than its status does. The descriptions are
// those of tdlib/telegram-bot-api, telegram-bot-api/Client.cpp, and of Telegram behind it,
// which names some in capitals.
func explain(resp *sdk.Response, said answer, err error) error {
	if said.Description != "" {
		err = fmt.Errorf("%w: %s", err, message.Fit(said.Description, 200, message.Plain))
	}
	switch {
	case resp.Status == http.StatusTooManyRequests:
		_, after := sdk.ClassOf(err)
		if told := said.Parameters.RetryAfter; told > 0 {
			const most = 365 * 24 * time.Hour
			after = time.Duration(min(told, most.Seconds()) * float64(time.Second))
		}
		return sdk.Throttled(after, err)
	case said.Parameters.MigrateToChatID != 0:
		return sdk.Misconfigured(fmt.Errorf("%w; set chat_id to %d", err, said.Parameters.MigrateToChatID))
	case resp.Status == http.StatusUnauthorized, resp.Status == http.StatusNotFound:
		return sdk.Misconfigured(fmt.Errorf("%w; check bot_token, and api_url if it is set: @BotFather shows the token", err))
	case resp.Status == http.StatusForbidden:
		return sdk.Misconfigured(fmt.Errorf("%w; add the bot to the chat, or press Start in a chat with it", err))
	case resp.Status != http.StatusBadRequest:
		return err
	case saysOne(said.Description, "thread not found", "topic_closed", "topic_deleted", "topic_id_invalid"):
		return sdk.Misconfigured(fmt.Errorf("%w; check message_thread_id", err))
	case saysOne(said.Description, "chat not found", "peer_id_invalid", "chat_id_invalid", "chat_id is empty", "user not found", "channel_private", "channel_invalid"):
		return sdk.Misconfigured(fmt.Errorf("%w; check chat_id, and that the bot is in the chat", err))
	case saysOne(said.Description, "rights to send text messages", "no rights to send a message", "need administrator rights", "chat_write_forbidden", "chat_admin_required", "chat_restricted", "chat_send_plain_forbidden", "group is deactivated"):
		return sdk.Misconfigured(fmt.Errorf("%w; let the bot write to the chat: in a channel it has to be an administrator", err))
	}
	return err
}

// saysOne reports whether a description has one of the phrases in it, which are lower case.
func saysOne(description string, phrases ...string) bool {
	description = strings.ToLower(description)
	return slices.ContainsFunc(phrases, func(phrase string) bool { return strings.Contains(description, phrase) })
}
