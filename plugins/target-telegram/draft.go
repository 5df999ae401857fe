package telegram

import (
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"

	markup "golang.org/x/net/html"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// What Telegram takes. The first two are in UTF-16 code units of what people read:
// https://core.telegram.org/bots/api#sendmessage and #sendphoto. The last is in bytes of
// the HTML: tdlib/telegram-bot-api, Client::get_formatted_text.
const (
	maxText    = 4096
	maxCaption = 1024
	maxHTML    = 1 << 15
)

// draft is a message on its way: as it was meant, and what became of that.
type draft struct {
	message message.Message
	// own is the text of the operator's template; empty is the built-in message.
	own string
	// image is the URL of the poster that is to be shown, or empty.
	image string
	// plain leaves the markup out.
	plain bool
	// notes say why the message is not as it was to be.
	notes []string
}

func (t *target) draft(events []sdk.Event) *draft {
	m := &draft{message: message.New(events...).In(t.look)}
	if t.images == imagesUpload || t.images == imagesURL {
		m.image = m.message.Image
	}
	own, pattern, ok := t.templates.For(events)
	if !ok {
		return m
	}
	text, err := own.Say(template.NewData(events...), func(s string) string { return html.EscapeString(muted(s)) })
	switch {
	case err != nil:
	case len(text) > maxHTML:
		err = fmt.Errorf("it has %d bytes of HTML; Telegram takes %d", len(text), maxHTML)
	case strings.TrimSpace(readable(text)) == "":
		err = errors.New("it has nothing to read")
	}
	if err != nil {
		m.note("template " + pattern + ": " + err.Error() + ": used the built-in message")
		return m
	}
	m.own = text
	return m
}

// note adds a reason why the message is not as it was to be.
func (m *draft) note(reason string) {
	if !slices.Contains(m.notes, reason) {
		m.notes = append(m.notes, reason)
	}
}

func (m *draft) fallback() string { return strings.Join(m.notes, "; ") }

// captions reports whether the text can be a photo's caption without being cut. The
// built-in message is made to fit.
func (m *draft) captions() bool { return message.Len(readable(m.own)) <= maxCaption }

// text is the text within a limit, and its parse mode.
func (m *draft) text(limit int) (text, parseMode string) {
	switch {
	case m.own != "" && !m.plain && message.Len(readable(m.own)) <= limit:
		return m.own, "HTML"
	case m.own != "":
		if !m.plain {
			m.note("the template printed more than fits: cut, without its markup")
		}
		return message.Fit(strings.TrimSpace(readable(m.own)), limit, message.Plain), ""
	case m.plain:
		return message.Fit(muted(m.message.Plain(limit)), limit, message.Plain), ""
	default:
		return builtIn(m.message, limit), "HTML"
	}
}

// builtIn is the message in HTML with at most limit UTF-16 code units for people to read.
// A message counts its markup too, so that it is asked for more as long as that fits.
func builtIn(m message.Message, limit int) string {
	// Three bytes are the most that a code unit takes.
	for most := min(4*limit, maxHTML/3); ; {
		text := mutedHTML(m.HTML(most))
		over := message.Len(readable(text)) - limit
		// Muting at most doubles a text.
		if over <= 0 || most <= limit/2 {
			return text
		}
		most = max(min(most, message.Len(text))-over, limit/2)
	}
}

// muted makes of names behind an @ what Telegram does not take for people: it would notify
// them. Between the two comes a word joiner, which nobody sees.
func muted(s string) string { return strings.ReplaceAll(s, "@", "@\u2060") }

// mutedHTML is muted for the texts in HTML. In code, Telegram looks for nobody.
func mutedHTML(s string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	var b strings.Builder
	code := false
	z := markup.NewTokenizer(strings.NewReader(s))
	for {
		switch kind := z.Next(); kind {
		case markup.ErrorToken:
			return b.String()
		case markup.TextToken:
			if !code {
				b.WriteString(muted(string(z.Raw())))
				continue
			}
			b.Write(z.Raw())
		default:
			b.Write(z.Raw()) // before TagName, which changes it
			if name, _ := z.TagName(); string(name) == "code" {
				code = kind == markup.StartTagToken
			}
		}
	}
}

// readable is what people read of HTML. What is none it leaves as it is.
func readable(s string) string {
	var b strings.Builder
	z := markup.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case markup.ErrorToken:
			return b.String()
		case markup.TextToken:
			b.WriteString(html.UnescapeString(string(z.Raw())))
		default:
		}
	}
}
