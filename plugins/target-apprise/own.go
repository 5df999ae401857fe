package apprise

import (
	"fmt"
	"html"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// own is what operators say instead of the built-in message.
type own struct {
	Title *template.Template `json:"title" doc:"The title, in plain text."`
	Body  *template.Template `json:"body" doc:"The body, in what format says."`
}

// over puts what the templates make of events over a message. With an error there is the
// part that it is of.
func (o own) over(f form, events []sdk.Event, maxBody int) (_ form, part string, err error) {
	data := template.NewData(events...)
	if o.Title != nil {
		said, err := o.Title.Render(data, nil)
		if err != nil {
			return f, "title", err
		}
		f.Title = message.Fit(strings.Join(strings.Fields(said), " "), maxTitle, message.Plain)
	}
	if o.Body == nil {
		return f, "", nil
	}
	said, err := o.Body.Say(data, escapeOf(f.Format))
	switch {
	case err != nil:
		return f, "body", err
	case f.Format == formatHTML && message.Len(said) > maxBody:
		// Cut anywhere, it would be no HTML.
		return f, "body", fmt.Errorf("it makes %d characters, and max_body is %d", message.Len(said), maxBody)
	}
	f.Body = message.Fit(said, maxBody, message.Plain)
	return f, "", nil
}

// escapeOf returns what makes a text stand for itself in a format.
func escapeOf(format string) func(string) string {
	switch format {
	case formatMarkdown:
		return func(s string) string { return message.Escaped(s, message.MarkdownEscape) }
	case formatHTML:
		return html.EscapeString
	default:
		return nil
	}
}
