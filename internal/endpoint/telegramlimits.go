package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// telegramBody bounds a request: a photo has at most 10 MB.
const telegramBody = 11 << 20

// telegramRequest holds the parameters of the methods that a Telegram has.
type telegramRequest struct {
	ChatID              json.RawMessage  `json:"chat_id"`
	MessageThreadID     int              `json:"message_thread_id"`
	MessageID           int              `json:"message_id"`
	DisableNotification bool             `json:"disable_notification"`
	ParseMode           string           `json:"parse_mode"`
	Text                string           `json:"text"`
	Caption             string           `json:"caption"`
	Photo               string           `json:"photo"`
	Media               *telegramMedia   `json:"media"`
	LinkPreview         *telegramPreview `json:"link_preview_options"`

	files map[string][]byte
}

type telegramMedia struct {
	Type      string `json:"type"`
	Media     string `json:"media"`
	Caption   string `json:"caption"`
	ParseMode string `json:"parse_mode"`
}

type telegramPreview struct {
	IsDisabled bool `json:"is_disabled"`
}

// telegramRead takes JSON, and forms whose objects are JSON.
func telegramRead(w http.ResponseWriter, r *http.Request) (telegramRequest, error) {
	var req telegramRequest
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/json":
		err = strict(w, r, &req)
		return req, err
	case err != nil || kind != "multipart/form-data":
		return req, errors.New("unsupported Content-Type")
	}
	r.Body = http.MaxBytesReader(w, r.Body, telegramBody)
	if err := r.ParseMultipartForm(telegramBody); err != nil {
		return req, fmt.Errorf("can't parse the form: %w", err)
	}
	req.files = map[string][]byte{}
	for name, headers := range r.MultipartForm.File {
		f, err := headers[0].Open()
		if err != nil {
			return req, err
		}
		data, err := io.ReadAll(f)
		_ = f.Close() // It was only read.
		if err != nil {
			return req, err
		}
		req.files[name] = data
	}
	return req, req.form(r.MultipartForm.Value)
}

// form reads the values of a form as if they had been in JSON.
func (r *telegramRequest) form(values map[string][]string) error {
	fields := map[string]json.RawMessage{}
	for name, v := range values {
		switch name {
		case "message_thread_id", "message_id", "disable_notification", "media", "link_preview_options":
			fields[name] = json.RawMessage(v[0])
		default:
			quoted, err := json.Marshal(v[0])
			if err != nil {
				return err
			}
			fields[name] = quoted
		}
	}
	all, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(all)))
	d.DisallowUnknownFields()
	return d.Decode(r)
}

// chat returns the chat's id, which may be a number or a string.
func (r telegramRequest) chat() string { return strings.Trim(string(r.ChatID), `"`) }

// text returns what people read of a text, if it is within every limit.
func (r telegramRequest) text(s string, most int) (string, error) {
	const longest, entities = 1 << 15, 100 // bytes before its entities are parsed; what has a format
	if len(s) > longest {
		return "", errors.New("text is too long")
	}
	text, loud := s, s
	if r.ParseMode != "" {
		if r.ParseMode != "HTML" {
			return "", errors.New("unsupported parse_mode")
		}
		var found int
		var err error
		if text, loud, found, err = telegramHTML(s); err != nil {
			return "", fmt.Errorf("can't parse entities: %w", err)
		}
		if found > entities {
			return "", errors.New("entities too long")
		}
	}
	if telegramMention.MatchString(loud) {
		return "", errors.New("somebody is mentioned")
	}
	if n := length(text); n > most {
		if most == 4096 {
			return "", errors.New("message is too long")
		}
		return "", errors.New("message caption is too long")
	}
	return strings.TrimSpace(text), nil
}

// The tags and entities of https://core.telegram.org/bots/api#html-style.
var (
	telegramTag    = regexp.MustCompile(`^<(/?)([a-z-]+)((?: [a-z]+(?:="[^"<>]*")?)*)>`)
	telegramEntity = regexp.MustCompile(`^&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);`)
	telegramHref   = regexp.MustCompile(`^ href="([^"]+)"$`)
)

// telegramMention is what Telegram makes a link to somebody of, who is notified.
var telegramMention = regexp.MustCompile(`\B@\w`)

// telegramHTML returns the text of Telegram's HTML, what of it is no code, and how many
// entities it has.
func telegramHTML(s string) (text, loud string, entities int, err error) {
	var b, l strings.Builder
	var open []string
	write := func(part string) {
		b.WriteString(part)
		if !slices.Contains(open, "code") && !slices.Contains(open, "pre") {
			l.WriteString(part)
		}
	}
	for i := 0; i < len(s); {
		switch s[i] {
		case '<':
			tag := telegramTag.FindStringSubmatch(s[i:])
			if tag == nil {
				return "", "", 0, fmt.Errorf("unsupported start tag at byte offset %d", i)
			}
			if open, err = telegramNest(open, tag[1] == "/", tag[2], tag[3]); err != nil {
				return "", "", 0, fmt.Errorf("%w at byte offset %d", err, i)
			}
			if tag[1] == "" {
				entities++
			}
			i += len(tag[0])
		case '&':
			entity := telegramEntity.FindString(s[i:])
			if entity == "" {
				return "", "", 0, fmt.Errorf("unescaped ampersand at byte offset %d", i)
			}
			write(html.UnescapeString(entity))
			i += len(entity)
		default:
			write(s[i : i+1])
			i++
		}
	}
	if len(open) > 0 {
		return "", "", 0, fmt.Errorf("can't find end tag corresponding to start tag %q", open[len(open)-1])
	}
	return b.String(), l.String(), entities, nil
}

// telegramNest opens or closes a tag.
func telegramNest(open []string, closing bool, name, attributes string) ([]string, error) {
	if closing {
		if len(open) == 0 || open[len(open)-1] != name || attributes != "" {
			return nil, fmt.Errorf("unexpected end tag %q", name)
		}
		return open[:len(open)-1], nil
	}
	ok := attributes == "" && slices.Contains([]string{"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "tg-spoiler", "blockquote"}, name)
	switch name {
	case "a":
		href := telegramHref.FindStringSubmatch(attributes)
		ok = href != nil && absolute(html.UnescapeString(href[1]))
	case "blockquote":
		ok = ok || attributes == " expandable"
	}
	if !ok {
		return nil, fmt.Errorf("unsupported start tag %q", name)
	}
	return append(open, name), nil
}

// privateHost reports whether a URL's host is an address at home.
func privateHost(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return true
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && (addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast())
}
