package email

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // mail.html.tmpl
	"encoding/hex"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

const (
	// maxSubject keeps a subject readable in a list, in characters.
	maxSubject = 180
	// maxText bounds the plain text, in characters. It is more than the parts have that
	// people read.
	maxText = 20_000
)

// What people read of a part, in characters: one that somebody filled with a book leaves
// the mail one that every server takes.
const (
	readTitle = 300
	readText  = 4000
	readItem  = 500
)

//go:embed mail.html.tmpl
var page string

// letter is a mail in words.
type letter struct {
	// id and thread are identifiers without their brackets. The thread is that of the
	// story that the mail belongs to, or empty.
	id, thread string
	subject    string
	text, html string
	// image is the URL of the poster that the page has inside of the mail, and picture
	// the poster once it is fetched.
	image   string
	picture *poster.Image
	// urgent is what somebody should look at now.
	urgent bool
	// fallback says why the mail is not as it was to be.
	fallback string
}

// writer puts events into words.
type writer struct {
	look      message.Look
	prefix    string
	images    string
	host      string
	templates template.ByType[own]
	page      *htmltemplate.Template
}

// newWriter prepares what c asks for.
func newWriter(c config, host string) (writer, error) {
	parsed, err := htmltemplate.New("mail").Parse(page)
	if err != nil {
		return writer{}, fmt.Errorf("read the mail's page: %w", err)
	}
	return writer{look: c.Look, prefix: c.SubjectPrefix, images: c.Images, host: host, templates: c.Templates, page: parsed}, nil
}

// pictureID is the identifier of the poster inside of a mail.
func (w writer) pictureID() string { return "poster@" + w.host }

// write puts a delivery's events into a letter: that of a template, if there is one for
// them, or else the built-in one.
func (w writer) write(d sdk.Delivery) (letter, error) {
	m := message.New(d.Events...)
	l, err := w.builtIn(m)
	if err != nil {
		return l, err
	}
	l.id, l.urgent = identifier(d.ID)+"@"+w.host, m.Severity == message.SeverityBad
	if d.CorrelationKey != "" {
		l.thread = "story-" + digest(d.CorrelationKey) + "@" + w.host
	}
	words, key, ok := w.templates.For(d.Events)
	if !ok {
		return l, nil
	}
	said, part, err := words.over(l, d.Events, w.subject)
	if err != nil {
		l.fallback = fmt.Sprintf("template %s.%s: %v: used the built-in message", key, part, err)
		return l, nil
	}
	return said, nil
}

// builtIn is the built-in message.
func (w writer) builtIn(m message.Message) (letter, error) {
	m = readable(m.In(w.look))
	l := letter{subject: w.subject(m.Heading()), text: plain(m)}
	var source htmltemplate.URL
	switch w.images {
	case imagesLink:
		source = htmltemplate.URL(poster.Public(m.Image)) //nolint:gosec // Of a known site.
	case imagesEmbed:
		if l.image = m.Image; m.Image != "" {
			source = htmltemplate.URL("cid:" + w.pictureID()) //nolint:gosec // Of the mail itself.
		}
	}
	var err error
	l.html, err = w.render(m, source)
	return l, err
}

// withoutPicture is a letter whose poster could not be fetched.
func (w writer) withoutPicture(l letter, d sdk.Delivery, because error) (letter, error) {
	w.images = imagesOff
	plain, err := w.write(d)
	if l.fallback = plain.fallback; l.fallback == "" {
		l.fallback = because.Error() + ": sent without the poster"
	}
	l.html, l.image = plain.html, ""
	return l, err
}

// readable is a message whose parts are no longer than people read.
func readable(m message.Message) message.Message {
	m.Title = message.Fit(m.Title, readTitle, message.Plain)
	m.Headline = message.Fit(m.Headline, readTitle, message.Plain)
	m.Summary = message.Fit(m.Summary, readItem, message.Plain)
	m.Text = message.Fit(m.Text, readText, message.Plain)
	m.Footer = message.Fit(m.Footer, readItem, message.Plain)
	m.List, m.Fields = slices.Clone(m.List), slices.Clone(m.Fields)
	for i, item := range m.List {
		m.List[i] = message.Fit(item, readItem, message.Plain)
	}
	for i, f := range m.Fields {
		m.Fields[i].Value = message.Fit(f.Value, readItem, message.Plain)
	}
	return m
}

// subject is a text in one line, after the configured prefix.
func (w writer) subject(text string) string {
	line := strings.Join(strings.Fields(w.prefix+" "+text), " ")
	return message.Fit(line, maxSubject, message.Plain)
}

// plain is the message as text, with the pages that it leads to.
func plain(m message.Message) string {
	var b strings.Builder
	b.WriteString(m.Plain(maxText))
	if m.URL != "" {
		b.WriteString("\n\n" + m.URL)
	}
	for i, l := range m.Links {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString("\n" + l.Name + ": " + l.URL)
	}
	return b.String() + "\n"
}

// render is the message as a page, in which everything is escaped.
func (w writer) render(m message.Message, picture htmltemplate.URL) (string, error) {
	data := struct {
		message.Message
		Heading, Headline, Color string
		Picture                  htmltemplate.URL
	}{
		Message: m, Heading: m.Heading(), Headline: strings.TrimSpace(m.Emoji + " " + m.Headline), Color: fmt.Sprintf("#%06X", m.Color), Picture: picture,
	}
	var b bytes.Buffer
	if err := w.page.Execute(&b, data); err != nil {
		return "", fmt.Errorf("write the mail's page: %w", err)
	}
	return b.String(), nil
}

// identifier is a delivery's id in the letters that an identifier of a mail may have:
// RFC 5322, section 3.6.4. It is the same for every attempt, so that who gets the mail
// once more can tell.
func identifier(id string) string {
	const longest = 64
	plain := strings.IndexFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}) < 0
	if id != "" && plain && len(id) <= longest {
		return id
	}
	return digest(id)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
