package discord

import (
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
)

// draft is a message before it is cut to what Discord takes. What is empty is left out.
type draft struct {
	// mentions is the text that notifies; content goes below it.
	mentions, content              string
	author, title, url, footer     string
	description, image, threadName string
	large                          bool
	timestamp                      string
	color                          int
	fields                         []draftField
}

// draftField is a field whose value is escaped when it is known how much room it has.
type draftField struct {
	name, value  string
	code, inline bool
	escape       message.Escape
}

// draftOf is a message as its look has it.
func draftOf(m message.Message, images string) draft {
	d := draft{
		author:      m.Emoji + " " + m.Headline,
		title:       message.Fit(m.Title, maxTitle, markdown),
		url:         publicURL(m.URL),
		footer:      message.Fit(m.Footer, readFooter, message.Plain),
		description: describe(m),
		large:       images == imagesLarge || images == "" && m.Large,
		color:       m.Color,
		threadName:  m.Title,
	}
	if images != imagesOff {
		d.image = publicURL(poster.Shareable(m.Image))
	}
	if y := m.Time.Year(); y >= 1970 && y <= 9999 {
		d.timestamp = m.Time.Format(time.RFC3339)
	}
	for _, f := range m.Fields {
		d.fields = append(d.fields, draftField{name: f.Name, value: f.Value, code: f.Code, inline: !f.Code, escape: markdown})
	}
	if line := linkLine(m.Links, maxValue); line != "" {
		d.fields = append(d.fields, draftField{name: "Links", value: line, escape: message.Plain})
	}
	return d
}

// describe puts the prose and the list of a message below each other. Lines of the list
// that do not fit are left out with those after them.
func describe(m message.Message) string {
	paragraphs := make([]string, 0, 3)
	for _, p := range []string{message.Fit(m.Summary, readSummary, markdown), message.Fit(m.Text, readText, markdown)} {
		if p != "" {
			paragraphs = append(paragraphs, p)
		}
	}
	left := maxDescription - message.Len(strings.Join(paragraphs, "\n\n")) - len("\n\n")
	lines := make([]string, 0, len(m.List))
	for _, item := range m.List {
		line := "• " + message.Fit(item, readItem, markdown)
		if left -= message.Len(line) + len("\n"); left < 0 {
			break
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 {
		paragraphs = append(paragraphs, strings.Join(lines, "\n"))
	}
	return strings.Join(paragraphs, "\n\n")
}

// linkLine joins the links that fit whole.
func linkLine(links []message.Link, limit int) string {
	line := ""
	for _, l := range links {
		u := publicURL(l.URL)
		if u == "" {
			continue
		}
		next := "[" + l.Name + "](" + u + ")"
		if line != "" {
			next = line + " · " + next
		}
		if message.Len(next) > limit {
			break
		}
		line = next
	}
	return line
}

// text is what is written above the embed, within the limit.
func (d draft) text() string {
	switch {
	case d.content == "":
		return d.mentions
	case d.mentions == "":
		return message.Fit(d.content, maxContent, message.Plain)
	default:
		return d.mentions + "\n" + message.Fit(d.content, maxContent-message.Len(d.mentions)-len("\n"), message.Plain)
	}
}

// embeds is the draft's embed within every limit, or none for a draft of nothing. What
// matters most takes its characters first.
func (d draft) embeds() []embed {
	r := renderer{left: maxTotal}
	e := embed{
		Title:     r.take(d.title, maxTitle),
		URL:       d.url,
		Timestamp: d.timestamp,
		Color:     d.color,
	}
	if name := r.take(d.author, maxAuthor); name != "" {
		e.Author = &author{name}
	}
	if s := r.take(d.footer, maxFooter); s != "" {
		e.Footer = &footer{s}
	}
	e.Description = r.take(d.description, maxDescription)
	e.Fields = r.fields(d.fields)
	switch {
	case d.image == "":
	case d.large:
		e.Image = &image{d.image}
	default:
		e.Thumbnail = &image{d.image}
	}
	if e.Title == "" && e.Description == "" && e.Author == nil && e.Footer == nil && len(e.Fields) == 0 && d.image == "" {
		return []embed{}
	}
	return []embed{e}
}
