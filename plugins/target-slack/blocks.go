package main

import (
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
)

// What Slack takes, in characters: https://docs.slack.dev/reference/block-kit/blocks.
const (
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
	readFallback = 400
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
	Blocks      []block `json:"blocks"`
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
}

type block struct {
	Type      string  `json:"type"`
	Text      *text   `json:"text,omitempty"`
	Fields    []text  `json:"fields,omitempty"`
	Accessory *image  `json:"accessory,omitempty"`
	Elements  []*text `json:"elements,omitempty"`
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

// render maps m to a message within every limit. What matters most takes its
// characters first.
func render(m message.Message) payload {
	r := renderer{left: maxTotal}
	headline := m.Emoji + " " + m.Headline
	header := block{Type: "header", Text: &text{Type: "plain_text", Text: r.take(headline, maxHeader, message.Plain)}}
	lead := section(r.lead(m))
	if m.Image != "" {
		lead.Accessory = &image{Type: "image", ImageURL: m.Image, AltText: message.Fit(m.Title, maxAltText, message.Plain)}
	}
	footer := r.footer(m)
	blocks := []block{header, lead}
	if s := r.body(m); s != "" {
		blocks = append(blocks, section(s))
	}
	blocks = append(blocks, r.fields(m)...)
	if footer != "" {
		blocks = append(blocks, block{Type: "context", Elements: []*text{mrkdwn(footer)}})
	}
	fallback := headline + ": " + m.Title
	if m.Summary != "" {
		fallback = m.Emoji + " " + m.Summary
	}
	return payload{Text: message.Fit(fallback, readFallback, escape), Blocks: blocks}
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

// body is the prose and the list.
func (r *renderer) body(m message.Message) string {
	var parts []string
	if s := r.take(m.Text, readText, escape); s != "" {
		parts = append(parts, s)
	}
	for _, item := range m.List {
		if s := r.take(item, readItem, escape); s != "" {
			parts = append(parts, r.markup("• ")+s)
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

// bare is p without the pictures, which Slack fetches before it accepts a message.
func (p payload) bare() (payload, bool) {
	had := false
	blocks := make([]block, len(p.Blocks))
	for i, b := range p.Blocks {
		had = had || b.Accessory != nil
		b.Accessory = nil
		blocks[i] = b
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
