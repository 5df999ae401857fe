package slack

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
)

// What Slack takes, in characters: https://docs.slack.dev/reference/block-kit/blocks.
const (
	maxBlocks     = 50
	maxHeader     = 150
	maxSection    = 3000
	maxFieldText  = 2000
	maxFields     = 10
	maxAltText    = 2000
	maxContext    = 3000
	leastReadable = 12
	// The sum is documented nowhere; chat.postMessage took 9,597 and refused 11,341
	// (slackapi/bolt-js#2867).
	maxTotal = 9000
)

// What people read: shorter than what Slack takes, so that one long text does not
// push out everything else.
const (
	readSentence = 400
	readTitle    = 300
	readSummary  = 600
	readText     = 800
	readItem     = 160
	readFooter   = 200
)

// payload is what an incoming webhook takes.
type payload struct {
	// Text is what notifications and old clients show.
	Text        string  `json:"text"`
	Blocks      []block `json:"blocks,omitempty"`
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
}

type block struct {
	Type      string  `json:"type"`
	Text      *text   `json:"text,omitempty"`
	Fields    []text  `json:"fields,omitempty"`
	Accessory *image  `json:"accessory,omitempty"`
	Elements  []*text `json:"elements,omitempty"`
	ImageURL  string  `json:"image_url,omitempty"`
	AltText   string  `json:"alt_text,omitempty"`

	// raw is the JSON of a block that a template made.
	raw json.RawMessage
}

// MarshalJSON implements json.Marshaler.
func (b block) MarshalJSON() ([]byte, error) {
	if b.raw != nil {
		return b.raw, nil
	}
	type plain block
	return json.Marshal(plain(b))
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
	// Verbatim keeps Slack from making links and mentions of what looks like some.
	// Plain text does not have it.
	Verbatim bool `json:"verbatim,omitempty"`
}

type image struct {
	Type     string `json:"type"`
	ImageURL string `json:"image_url"`
	AltText  string `json:"alt_text"`
}

func mrkdwn(s string) *text { return &text{Type: "mrkdwn", Text: s, Verbatim: true} }

func section(s string) block { return block{Type: "section", Text: mrkdwn(s)} }

// renderer hands out the characters that the message has left.
type renderer struct{ left int }

func (r *renderer) take(s string, limit int, escape message.Escape) string {
	s = message.Fit(s, min(limit, r.left), escape)
	r.left -= message.Len(s)
	return s
}

// markup accounts for characters that are not the event's.
func (r *renderer) markup(s string) string {
	r.left -= message.Len(s)
	return s
}

// render maps m, which is in a look, to a message within every limit. What matters most
// takes its characters first.
func render(m message.Message, look message.Look) payload {
	if look == message.LookCompact {
		return compact(m)
	}
	r := renderer{left: maxTotal}
	headline := m.Emoji + " " + m.Headline
	header := block{Type: "header", Text: &text{Type: "plain_text", Text: r.take(headline, maxHeader, message.Plain)}}
	lead := r.lead(m)
	footer := r.footer(m)
	body := r.body(m)
	// A picture beside a title alone leaves the place under the title empty.
	if m.Image != "" && !m.Large && body != "" && message.Len(lead)+len("\n")+message.Len(body) <= maxSection {
		lead, body = lead+"\n"+body, ""
	}
	blocks := withPicture([]block{header, section(lead)}, m)
	if body != "" {
		blocks = append(blocks, section(body))
	}
	blocks = append(blocks, r.fields(m)...)
	if footer != "" {
		blocks = append(blocks, block{Type: "context", Elements: []*text{mrkdwn(footer)}})
	}
	return payload{Text: sentence(m), Blocks: blocks}
}

// compact maps m to one block of a few lines.
func compact(m message.Message) payload {
	r := renderer{left: maxSection}
	headline := r.take(m.Emoji+" "+m.Headline, maxHeader, escape) + r.markup(": ")
	return payload{Text: sentence(m), Blocks: withPicture([]block{section(headline + r.lead(m))}, m)}
}

// withPicture puts the picture of m, if there is one, beside the last of the blocks or below
// it.
func withPicture(blocks []block, m message.Message) []block {
	alt := message.Fit(m.Title, maxAltText, message.Plain)
	switch {
	case m.Image == "":
	case m.Large:
		blocks = append(blocks, block{Type: "image", ImageURL: m.Image, AltText: alt})
	default:
		blocks[len(blocks)-1].Accessory = &image{Type: "image", ImageURL: m.Image, AltText: alt}
	}
	return blocks
}

// sentence is the message where there is no room for more, such as in a notification.
func sentence(m message.Message) string {
	s := m.Heading()
	if m.Summary != "" {
		s += " · " + m.Summary
	}
	return message.Fit(s, readSentence, escape)
}

// lead is the title, as a link where there is one, and the sentence below it.
func (r *renderer) lead(m message.Message) string {
	title := r.take(m.Title, readTitle, escape)
	if m.URL != "" {
		title = r.markup("<"+m.URL+"|") + title + r.markup(">")
	}
	title = r.markup("*") + title + r.markup("*")
	if m.Summary == "" {
		return title
	}
	return title + r.markup("\n") + r.take(m.Summary, readSummary, escape)
}

// footer says where the message comes from, in the reader's own time zone, and where
// to read on.
func (r *renderer) footer(m message.Message) string {
	var parts []string
	if s := r.take(m.Footer, readFooter, escape); s != "" {
		parts = append(parts, s)
	}
	if y := m.Time.Year(); y >= 1970 && y <= 9999 {
		parts = append(parts, r.markup(fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", m.Time.Unix(), m.Time.Format("2006-01-02 15:04 UTC"))))
	}
	for _, l := range m.Links {
		parts = append(parts, r.markup("<"+l.URL+"|"+message.Fit(l.Name, readItem, escape)+">"))
	}
	const separator = "  ·  "
	footer := ""
	for _, p := range parts {
		if footer != "" {
			p = footer + r.markup(separator) + p
		}
		if message.Len(p) > maxContext {
			break
		}
		footer = p
	}
	return footer
}

// body is the prose and the list, in one section. The last of a list says how many more
// there are, so all of it is shown, and shortened where it is long.
func (r *renderer) body(m message.Message) string {
	var parts []string
	if s := r.take(m.Text, readText, escape); s != "" {
		parts = append(parts, s)
	}
	const bullet = "• "
	room := maxSection - message.Len(strings.Join(parts, ""))
	limit := min(readItem, room/max(len(m.List), 1)-message.Len("\n"+bullet))
	for _, item := range m.List {
		if s := r.take(item, limit, escape); s != "" {
			parts = append(parts, r.markup(bullet)+s)
		}
	}
	return strings.Join(parts, r.markup("\n"))
}

// fields puts short facts in two columns, ten to a block, and long ones on lines of
// their own.
func (r *renderer) fields(m message.Message) []block {
	var blocks []block
	var columns []text
	var lines []string
	for _, f := range m.Fields {
		esc, quote := message.Escape(escape), ""
		if f.Code {
			esc, quote = code, "`"
		}
		name := "*" + message.Fit(f.Name, readItem, escape) + "*\n" + quote
		limit := min(maxFieldText/2, r.left) - message.Len(name) - len(quote) - len("\n")
		if limit < leastReadable {
			break
		}
		fact := r.markup(name) + r.take(f.Value, limit, esc) + r.markup(quote)
		if f.Code {
			lines = append(lines, fact+r.markup("\n"))
		} else {
			columns = append(columns, *mrkdwn(fact))
		}
	}
	for len(columns) > 0 {
		n := min(len(columns), maxFields)
		blocks = append(blocks, block{Type: "section", Fields: columns[:n]})
		columns = columns[n:]
	}
	for _, l := range lines {
		blocks = append(blocks, section(strings.TrimSuffix(l, "\n")))
	}
	return blocks
}

// bare is p without the pictures.
func (p payload) bare() (payload, bool) {
	had := false
	blocks := make([]block, 0, len(p.Blocks))
	for _, b := range p.Blocks {
		had = had || b.Accessory != nil || b.Type == "image"
		b.Accessory = nil
		if b.Type != "image" {
			blocks = append(blocks, b)
		}
	}
	p.Blocks = blocks
	return p, had
}

// escape replaces the three characters that Slack's markup reserves,
// https://docs.slack.dev/messaging/formatting-message-text#escaping, and lets
// look-alikes stand in for those that format text, for which there is no escape. An
// underscore does so only around whole words, where names seldom have one.
func escape(prev, r rune) string {
	switch r {
	case '*':
		return "∗"
	case '~':
		return "∼"
	case '`':
		return "ˋ"
	default:
		return code(prev, r)
	}
}

// code is escape inside a code span.
func code(prev, r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	default:
		return message.Code(prev, r)
	}
}
