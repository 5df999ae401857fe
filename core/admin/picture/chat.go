package picture

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// discord reads https://discord.com/developers/docs/resources/message#embed-object.
func discord(body string) []Picture {
	type named struct{ Name, Text, URL string }
	var m struct {
		Content string
		Embeds  []struct {
			Title, Description, URL, Timestamp string
			Color                              *int
			Author, Footer, Thumbnail, Image   named
			Fields                             []struct {
				Name, Value string
				Inline      bool
			}
		}
	}
	if json.Unmarshal([]byte(body), &m) != nil {
		return nil
	}
	var all []Picture
	if m.Content != "" {
		p := Picture{}
		p.text(fromMarkdown(m.Content))
		all = append(all, one(p)...)
	}
	for _, e := range m.Embeds {
		p := Picture{Color: e.Color}
		p.text(e.Author.Name)
		p.strong(fromMarkdown(e.Title))
		p.text(e.URL)
		p.text(fromMarkdown(e.Description))
		var beside []Field
		for _, f := range e.Fields {
			field := Field{fromMarkdown(f.Name), fromMarkdown(f.Value)}
			if f.Inline {
				beside = append(beside, field)
				continue
			}
			p.fields(beside...)
			p.fields(field)
			beside = nil
		}
		p.fields(beside...)
		p.labelled("picture", e.Image.URL)
		p.labelled("thumbnail", e.Thumbnail.URL)
		p.text(joined(" · ", e.Footer.Text, e.Timestamp))
		all = append(all, one(p)...)
	}
	return all
}

// slackText is https://docs.slack.dev/reference/block-kit/composition-objects/text-object, or
// an image among others.
type slackText struct {
	Type, Text string
	ImageURL   string `json:"image_url"`
	AltText    string `json:"alt_text"`
}

func (t *slackText) String() string {
	switch {
	case t == nil:
		return ""
	case t.Type == "image":
		return t.AltText
	case t.Type == "mrkdwn":
		return fromMrkdwn(t.Text)
	default:
		return t.Text
	}
}

// slack reads https://docs.slack.dev/reference/block-kit/blocks. The text of a message with
// blocks is for notifications alone.
func slack(body string) []Picture {
	var m struct {
		Text   string
		Blocks []struct {
			Type      string
			Text      *slackText
			Fields    []*slackText
			Accessory *slackText
			Elements  []json.RawMessage
			ImageURL  string `json:"image_url"`
		}
	}
	if json.Unmarshal([]byte(body), &m) != nil {
		return nil
	}
	p := Picture{}
	if len(m.Blocks) == 0 {
		p.text(fromMrkdwn(m.Text))
	}
	for _, b := range m.Blocks {
		if b.Type == "header" {
			p.strong(b.Text.String())
		} else {
			p.text(b.Text.String())
		}
		var fields []Field
		for _, f := range b.Fields {
			name, value, _ := strings.Cut(f.String(), "\n")
			fields = append(fields, Field{name, value})
		}
		p.fields(fields...)
		if b.Accessory != nil {
			p.labelled("thumbnail", b.Accessory.ImageURL)
		}
		p.labelled("picture", b.ImageURL)
		var elements []string
		var buttons []Button
		for _, raw := range b.Elements {
			var e slackText
			var button struct {
				Type, URL string
				Text      *slackText
			}
			switch {
			case json.Unmarshal(raw, &e) == nil:
				elements = append(elements, e.String())
			case json.Unmarshal(raw, &button) == nil && button.Type == "button":
				buttons = append(buttons, Button{button.Text.String(), button.URL})
			}
		}
		p.text(joined(" ", elements...))
		p.buttons(buttons...)
	}
	return one(p)
}

// telegram reads the parameters of https://core.telegram.org/bots/api#sendmessage and of its
// likes, as JSON or as a form with a photo.
func telegram(m Message) []Picture {
	type message struct {
		Text, Caption, Photo string
		ParseMode            string `json:"parse_mode"`
		Media                struct {
			Media, Caption string
			ParseMode      string `json:"parse_mode"`
		}
	}
	var t message
	if kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		t.Text, t.Caption, t.ParseMode = "", "", ""
		fields := form(m.Body, params["boundary"])
		t.Caption, t.ParseMode, t.Photo = fields["caption"], fields["parse_mode"], fields["photo"]
		_ = json.Unmarshal([]byte(fields["media"]), &t.Media) // only edits have it
	} else if json.Unmarshal([]byte(m.Body), &t) != nil {
		return nil
	}
	text := joined("\n", t.Text, t.Caption, t.Media.Caption)
	if t.ParseMode == "HTML" || t.Media.ParseMode == "HTML" {
		text = fromHTML(text)
	}
	p := Picture{}
	p.text(text)
	switch photo := joined("", t.Photo, t.Media.Media); {
	case strings.Contains(photo, "://") && !strings.HasPrefix(photo, "attach:"):
		p.labelled("picture", photo)
	case photo != "":
		p.labelled("picture", "uploaded with the message")
	}
	return one(p)
}

// form returns the texts of a form, and the names of its files.
func form(body, boundary string) map[string]string {
	fields := map[string]string{}
	r := multipart.NewReader(bytes.NewReader([]byte(body)), boundary)
	for {
		part, err := r.NextPart()
		if err != nil {
			return fields // as far as it can be read
		}
		value, _ := io.ReadAll(part) // the body is bounded, and may be cut
		fields[part.FormName()] = string(value)
		if name := part.FileName(); name != "" {
			fields[part.FormName()] = name
		}
	}
}

// joined are the texts that there are.
func joined(separator string, texts ...string) string {
	var there []string
	for _, t := range texts {
		if t != "" {
			there = append(there, t)
		}
	}
	return strings.Join(there, separator)
}
