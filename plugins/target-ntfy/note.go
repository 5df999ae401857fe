package ntfy

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// What a server takes, in bytes: https://docs.ntfy.sh/publish/#limitations and
// transformBodyJSON of binwiederhier/ntfy, server/server.go. A longer message becomes a
// file.
const (
	maxMessage = 4096
	maxJSON    = 2 * maxMessage
	maxActions = 3
)

const (
	// maxTitle is what people read of a title.
	maxTitle = 250 // bytes
	// fewBytes are what a server takes whose limits are lower than usual.
	fewBytes = 1000
)

// note is a notification: https://docs.ntfy.sh/publish/#publish-as-json.
type note struct {
	Topic      string   `json:"topic"`
	SequenceID string   `json:"sequence_id,omitempty"`
	Title      string   `json:"title,omitempty"`
	Message    string   `json:"message"`
	Priority   int      `json:"priority,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Click      string   `json:"click,omitempty"`
	Attach     string   `json:"attach,omitempty"`
	Icon       string   `json:"icon,omitempty"`
	Markdown   bool     `json:"markdown,omitempty"`
	Actions    []action `json:"actions,omitempty"`
}

// action is a button that opens a page.
type action struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
}

// note makes a notification of the message of events. The reason says why it is not as it
// was to be.
func (t *target) note(m message.Message, events []sdk.Event) (n note, reason string) {
	m = m.In(t.look)
	n = note{Topic: t.topic.Reveal(), Click: m.URL, Icon: t.icon, Markdown: t.markdown}
	if t.images == imagesURL {
		n.Attach = poster.Public(m.Image)
	}
	heading := m
	if tag := tagOf(m.Emoji); tag != "" {
		n.Tags, heading.Emoji = []string{tag}, ""
	}
	n.Title = sdk.Cut(heading.Heading(), maxTitle, sdk.Bytes)
	for _, l := range m.Links[:min(len(m.Links), maxActions)] {
		n.Actions = append(n.Actions, action{Action: "view", Label: l.Name, URL: l.URL})
	}
	n.Priority = t.priority(events, m.Severity)
	n.Message, reason = t.text(events, m)
	return n, reason
}

// priority is what the operator wants for a type of event, or what its severity asks for.
// The usual one makes a sound, and a low one none.
func (t *target) priority(events []sdk.Event, severity message.Severity) int {
	if p, _, ok := t.priorities.For(events); ok {
		return p
	}
	switch severity {
	case message.SeverityBad:
		return 4
	case message.SeverityInfo:
		return 2
	default:
		return 3
	}
}

// text is what the operator's template prints, or the built-in message.
func (t *target) text(events []sdk.Event, m message.Message) (text, reason string) {
	if own, pattern, ok := t.templates.For(events); ok {
		text, err := own.Say(template.NewData(events...), t.escape())
		if err == nil {
			return cut(text, maxMessage), ""
		}
		reason = "template " + pattern + ": " + err.Error() + ": used the built-in message"
	}
	write := m.Body().Plain
	if t.markdown {
		write = m.Body().Markdown
	}
	// A code unit has at least a byte, and a message more than one line of it.
	for most := maxMessage; ; most = most * 3 / 4 {
		if text = strings.TrimSpace(write(most)); len(text) <= maxMessage {
			break
		}
	}
	if text == "" {
		text = m.Headline
	}
	return text, reason
}

// escape is what makes a value of a template stand for itself, or nil.
func (t *target) escape() func(string) string {
	if !t.markdown {
		return nil
	}
	return func(s string) string { return message.Escaped(s, message.MarkdownEscape) }
}

// cut shortens a text to a number of bytes.
func cut(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	return strings.TrimSpace(sdk.Cut(text, limit-len(ellipsis), sdk.Bytes)) + ellipsis
}

// bare is the notification with as little in it as a server can dislike.
func (n note) bare() note {
	n.Click, n.Attach, n.Icon, n.Actions = "", "", "", nil
	n.Message = cut(n.Message, fewBytes)
	return n
}

// encode writes the notification. The message gives way when the whole has too many bytes.
func (n note) encode() ([]byte, error) {
	for {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false) // An escape is six bytes.
		if err := enc.Encode(n); err != nil {
			return nil, err
		}
		over := b.Len() - maxJSON
		if over <= 0 || len(n.Message) < utf8.UTFMax {
			return b.Bytes(), nil
		}
		n.Message = cut(n.Message, max(len(n.Message)-over, utf8.UTFMax))
	}
}

// tagOf is the name by which ntfy knows an emoji, which it then shows before the title:
// https://docs.ntfy.sh/emojis/.
func tagOf(emoji string) string {
	return map[string]string{
		"🔔": "bell", "📥": "inbox_tray", "✅": "white_check_mark", "✨": "sparkles", "❌": "x", "✏️": "pencil2", "🏷️": "label",
		"🗑️": "wastebasket", "♻️": "recycle", "➕": "heavy_plus_sign", "💚": "green_heart", "⬆️": "arrow_up", "✋": "raised_hand",
		"⏸️": "pause_button", "▶️": "arrow_forward", "📭": "mailbox_with_no_mail", "🧭": "compass", "👋": "wave", "💾": "floppy_disk", "🚨": "rotating_light", "⚠️": "warning",
		"ℹ️": "information_source", "📋": "clipboard", "📝": "memo", "❓": "question", "🧹": "broom", "🍿": "popcorn", "🙋": "raising_hand", "👍": "+1", "👎": "-1",
	}[emoji]
}
