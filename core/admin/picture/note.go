package picture

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// note reads a title and a text, as ntfy (https://docs.ntfy.sh/publish/#publish-as-json),
// Apprise (https://github.com/caronc/apprise-api#api-details) and many receivers of webhooks
// call them.
func note(body string) []Picture {
	var n struct {
		Title, Message, Body, Text, Type, Format string
		Priority                                 json.RawMessage
		Tags                                     []string
		Click, Attach                            string
		Actions                                  []struct{ Label, URL string }
	}
	if json.Unmarshal([]byte(body), &n) != nil {
		return nil
	}
	text := joined("\n", n.Message, n.Body, n.Text)
	if text == "" {
		return nil
	}
	if n.Format == "html" {
		text = fromHTML(text)
	}
	p := Picture{Color: noteColor(n.Type)}
	p.strong(n.Title)
	p.text(text)
	p.labelled("opens", n.Click)
	var buttons []Button
	for _, a := range n.Actions {
		buttons = append(buttons, Button{a.Label, a.URL})
	}
	p.buttons(buttons...)
	p.labelled("picture", n.Attach)
	priority := strings.Trim(string(n.Priority), `"`)
	if _, err := strconv.Atoi(priority); err != nil {
		priority = ""
	}
	p.labelled("priority", priority)
	p.labelled("tags", strings.Join(n.Tags, ", "))
	return one(p)
}

// noteColor is the one that Apprise has for a type of message: apprise/common.py.
func noteColor(kind string) *int {
	switch kind {
	case "success":
		return new(0x3AA337)
	case "warning":
		return new(0xCACF29)
	case "failure":
		return new(0xA32037)
	default:
		return nil
	}
}

// letter reads what target-email records: the headers that people see, and the text in front
// of the page.
func letter(m Message) []Picture {
	text := m.Body
	for _, begins := range []string{"<!doctype html", "<html"} {
		if i := strings.Index(strings.ToLower(text), begins); i >= 0 {
			text = text[:i]
		}
	}
	p := Picture{}
	p.strong(m.Header.Get("Subject"))
	p.text(headers(m.Header, "From", "To", "Cc"))
	p.text(text)
	return one(p)
}

func headers(h http.Header, names ...string) string {
	var lines []string
	for _, name := range names {
		if value := h.Get(name); value != "" {
			lines = append(lines, name+": "+value)
		}
	}
	return strings.Join(lines, "\n")
}
