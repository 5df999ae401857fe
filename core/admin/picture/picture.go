// Package picture reads what the targets that come with Hookarr send to people, as far as
// it can be shown without loading anything: texts, fields, buttons, the addresses of pictures
// and a colour. The requests of other plugins have no picture.
package picture

import (
	"net/http"
	"strings"
)

// Picture is one message as people see it.
type Picture struct {
	Parts []Part
	// Color is 0xRRGGBB, and nil where the message has none.
	Color *int
}

// Part is a piece of a message, below the one before it: a strong line, a text, a text with
// what it is, fields or buttons.
type Part struct {
	// Strong is a line that stands out, such as a title.
	Strong string
	// Text may have several lines. Label is what it is where people do not see it as it is
	// here, such as the address of a picture.
	Label, Text string
	// Fields stand beside each other, as far as there is room, and so do Buttons.
	Fields  []Field
	Buttons []Button
}

// Button is what people may press.
type Button struct {
	Text string
	// URL is what it opens; empty for one that does something else.
	URL string
}

// Field is a fact with its name.
type Field struct{ Name, Value string }

// Message is a request that shows a message to people.
type Message struct {
	// Plugin is the name of the one that makes it.
	Plugin string
	Header http.Header
	Body   string
}

// Read returns the pictures of a message, and none for a plugin or a body that is not known.
func Read(m Message) []Picture {
	switch m.Plugin {
	case "discord":
		return discord(m.Body)
	case "slack":
		return slack(m.Body)
	case "telegram":
		return telegram(m)
	case "email":
		return letter(m)
	case "ntfy", "apprise", "webhook":
		return note(m.Body)
	default:
		return nil
	}
}

// strong, text and fields add a part, unless there is nothing in it.
func (p *Picture) strong(line string) {
	if strings.TrimSpace(line) != "" {
		p.Parts = append(p.Parts, Part{Strong: line})
	}
}

func (p *Picture) text(text string) {
	if text = strings.Trim(text, "\r\n"); strings.TrimSpace(text) != "" {
		p.Parts = append(p.Parts, Part{Text: text})
	}
}

func (p *Picture) fields(fields ...Field) {
	if len(fields) > 0 {
		p.Parts = append(p.Parts, Part{Fields: fields})
	}
}

// labelled adds a text with what it is, unless there is nothing in it.
func (p *Picture) labelled(label, text string) {
	if strings.TrimSpace(text) != "" {
		p.Parts = append(p.Parts, Part{Label: label, Text: text})
	}
}

func (p *Picture) buttons(buttons ...Button) {
	if len(buttons) > 0 {
		p.Parts = append(p.Parts, Part{Buttons: buttons})
	}
}

// one is the picture, if there is anything in it.
func one(p Picture) []Picture {
	if len(p.Parts) == 0 {
		return nil
	}
	return []Picture{p}
}
