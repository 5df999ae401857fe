package discord

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// parts are the templates of a message. A part that is not given is as the look has it, and
// one that renders nothing is left out.
type parts struct {
	Content     *template.Template `json:"content" doc:"Text above the embed."`
	Author      *template.Template `json:"author" doc:"Small line above the title, without markup."`
	Title       *template.Template `json:"title" doc:"Title."`
	URL         *template.Template `json:"url" doc:"Page that the title leads to."`
	Description *template.Template `json:"description" doc:"Text below the title."`
	Fields      []partField        `json:"fields" doc:"Fields instead of the look's own, in their order. An empty list is none."`
	Image       *template.Template `json:"image" doc:"URL of the picture."`
	Footer      *template.Template `json:"footer" doc:"Small line at the end, without markup."`
	Color       *template.Template `json:"color" doc:"Color such as #2E9E5B."`
}

// partField is a field of a message. One without a name or a value is left out.
type partField struct {
	Name   *template.Template `json:"name" hookarr:"required" doc:"Name, without markup."`
	Value  *template.Template `json:"value" hookarr:"required" doc:"Value."`
	Inline bool               `json:"inline" doc:"Show it beside others that are inline."`
}

// partsRenderer renders a message's templates, and keeps what is wrong with them.
type partsRenderer struct {
	data *template.Data
	key  string
	// fallbacks say which parts are not as they were to be, and why.
	fallbacks []string
}

// apply puts what the templates say into a draft. A part whose template fails stays as it is.
func (r *partsRenderer) apply(p parts, d *draft, images string) {
	r.set("content", p.Content, markdownValue, func(s string) error { d.content = strings.TrimSpace(s); return nil })
	r.set("author", p.Author, nil, func(s string) error { d.author = oneLine(s); return nil })
	r.set("title", p.Title, markdownValue, func(s string) error { d.title = oneLine(s); return nil })
	r.set("description", p.Description, markdownValue, func(s string) error { d.description = s; return nil })
	r.set("footer", p.Footer, nil, func(s string) error { d.footer = oneLine(s); return nil })
	r.set("url", p.URL, nil, func(s string) error { return urlPart(s, &d.url) })
	r.set("color", p.Color, nil, func(s string) error { return colorPart(s, &d.color) })
	if images != imagesOff {
		r.set("image", p.Image, nil, func(s string) error { return urlPart(s, &d.image) })
	}
	if p.Fields != nil {
		if fields, ok := r.fields(p.Fields); ok {
			d.fields = fields
		}
	}
}

func (r *partsRenderer) fields(all []partField) (fields []draftField, ok bool) {
	ok = true
	for i, f := range all {
		field := draftField{inline: f.Inline, escape: message.Plain}
		at := fmt.Sprintf("fields[%d].", i)
		ok = r.set(at+"name", f.Name, nil, func(s string) error { field.name = oneLine(s); return nil }) && ok
		ok = r.set(at+"value", f.Value, markdownValue, func(s string) error { field.value = s; return nil }) && ok
		fields = append(fields, field)
	}
	return fields, ok
}

// set renders a template and hands it on. It reports whether that went well.
func (r *partsRenderer) set(part string, t *template.Template, escape func(string) string, set func(string) error) bool {
	if t == nil {
		return true
	}
	s, err := t.Render(r.data, escape)
	if err == nil {
		err = set(s)
	}
	if err != nil {
		r.fallbacks = append(r.fallbacks, fmt.Sprintf("template %s %s: %v: used the built-in part", r.key, part, err))
	}
	return err == nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// urlPart sets a URL that Discord takes, or none.
func urlPart(s string, to *string) error {
	s = strings.TrimSpace(s)
	u := publicURL(message.WebURL(s))
	if s != "" && u == "" {
		return fmt.Errorf("%q is not a URL that Discord takes", sdk.Cut(s, 80, sdk.Runes))
	}
	*to = u
	return nil
}

// colorPart sets a color, or Discord's own.
func colorPart(s string, to *int) error {
	s = strings.TrimSpace(s)
	if s == "" {
		*to = 0
		return nil
	}
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(s, "#"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 24)
	if err != nil {
		return fmt.Errorf("%q is not a color such as #2E9E5B", sdk.Cut(s, 80, sdk.Runes))
	}
	*to = int(n)
	return nil
}

// markdownValue escapes what an action prints. A URL is left to be one.
func markdownValue(s string) string {
	if u := message.WebURL(s); u != "" {
		return u
	}
	return message.Escaped(s, markdown)
}
