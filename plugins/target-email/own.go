package email

import (
	"html"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// own is what operators say instead of the built-in message.
type own struct {
	Subject *template.Template `json:"subject" doc:"The subject, without subject_prefix."`
	Text    *template.Template `json:"text" doc:"The mail as plain text. Without html it is the page too."`
	HTML    *template.Template `json:"html" doc:"The mail as HTML: a whole page, or what is in its body."`
}

// empty reports whether o says nothing at all.
func (o own) empty() bool { return o.Subject == nil && o.Text == nil && o.HTML == nil }

// over puts what the templates make of events over a letter. With an error there is the
// part that it is of.
func (o own) over(l letter, events []sdk.Event, subject func(string) string) (_ letter, part string, err error) {
	data := template.NewData(events...)
	if o.Subject != nil {
		said, err := o.Subject.Say(data, nil)
		if err != nil {
			return l, "subject", err
		}
		l.subject = subject(said)
	}
	if o.Text != nil {
		said, err := o.Text.Say(data, nil)
		if err != nil {
			return l, "text", err
		}
		l.text = said + "\n"
		l.html = document(`<div style="white-space:pre-wrap">` + html.EscapeString(said) + "</div>")
		l.image = ""
	}
	if o.HTML != nil {
		said, err := o.HTML.Say(data, html.EscapeString)
		if err != nil {
			return l, "html", err
		}
		l.html, l.image = document(said), ""
	}
	return l, "", nil
}

// document makes a page of what is in its body, unless it is one.
func document(body string) string {
	if strings.Contains(strings.ToLower(body), "<html") {
		return body + "\n"
	}
	return "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"></head>\n<body>\n" + body + "\n</body>\n</html>\n"
}
