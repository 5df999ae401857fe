package webhook

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

const (
	formatTemplate = "template"
	mediaTypeJSON  = "application/json"
	// maxHeader is more than servers take in one header, in bytes.
	maxHeader = 4 << 10
)

// templateParts is a request in the operator's words.
type templateParts struct {
	ContentType string                       `json:"content_type" hookarr:"default=application/json" doc:"Media type of the body. It decides how what is printed is escaped: for JSON as the inside of a string, for application/x-www-form-urlencoded as a value, for XML and HTML as text, and for others not."`
	Body        template.Template            `json:"body" hookarr:"required" doc:"Template of the body. One of JSON must result in JSON: \"{{.event.title}}\" or {{.event.title | json}}."`
	Headers     map[string]template.Template `json:"headers" doc:"Templates of further headers by name. One that results in nothing is not sent."`
}

// checkTemplates judges what is configured for the format template, and that nothing is
// configured for it in vain.
func (c config) checkTemplates() error {
	given := c.Template != nil || len(c.Templates) > 0
	if c.Format != formatTemplate {
		if given {
			key := "templates"
			if c.Template != nil {
				key = "template"
			}
			return sdk.Problem(key, "is for the format template; add format: template")
		}
		return nil
	}
	if !given {
		return sdk.Problem("template", "is missing, and format is template; add template: {body: …}")
	}
	problems := []error{c.Templates.Problems("templates")}
	if c.Template != nil {
		problems = append(problems, c.checkParts("template", *c.Template))
	}
	for _, pattern := range slices.Sorted(maps.Keys(c.Templates)) {
		problems = append(problems, c.checkParts("templates."+pattern, c.Templates[pattern]))
	}
	return errors.Join(problems...)
}

func (c config) checkParts(key string, p templateParts) error {
	var problems []error
	mediaType, _, err := mime.ParseMediaType(cmp.Or(p.ContentType, mediaTypeJSON))
	if err != nil || !strings.Contains(mediaType, "/") || !httpguts.ValidHeaderFieldValue(p.ContentType) {
		problems = append(problems, sdk.Problem(key+".content_type", "is no media type; write one such as application/json or text/plain; charset=utf-8"))
	}
	set := map[string]string{}
	for name := range c.header() {
		set[name] = "set for every delivery"
	}
	for field, name := range c.HeaderNames.configured() {
		set[textproto.CanonicalMIMEHeaderKey(name)] = "set by header_names." + field
	}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		fault := headerFault(name, "")
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case fault != "":
		case canonical == "Content-Type":
			fault = "is content_type; remove it"
		case set[canonical] != "":
			fault = "is " + set[canonical] + "; remove one of them"
		}
		if fault != "" {
			problems = append(problems, sdk.Problem(key+".headers."+name, fault))
		}
	}
	return errors.Join(problems...)
}

// templates writes deliveries in the operator's words. What has no template, or one that
// fails, is written in the format standard: an event is never lost to a template.
type templates struct {
	events
	all    *templateParts
	byType template.ByType[templateParts]
}

// choose returns the parts for a delivery, and their key.
func (w templates) choose(all []sdk.Event) (templateParts, string, bool) {
	if parts, pattern, ok := w.byType.For(all); ok {
		return parts, "templates." + pattern, true
	}
	if w.all != nil {
		return *w.all, "template", true
	}
	return templateParts{}, "", false
}

func (w templates) write(d sdk.Delivery) (content, error) {
	all, err := w.seen(d)
	if err != nil {
		return content{}, err
	}
	parts, key, ok := w.choose(all)
	if !ok {
		return w.standard(d)
	}
	data := template.NewData(all...)
	contentType := cmp.Or(parts.ContentType, mediaTypeJSON)
	body, err := parts.Body.Render(data, escaping(contentType))
	if err == nil && isJSON(contentType) {
		err = checkJSON(body)
	}
	if err != nil {
		c, failed := w.standard(d)
		c.fallback = fmt.Sprintf("%s.body: %v: sent in the format standard", key, err)
		return c, failed
	}
	c := content{body: []byte(body), mediaType: contentType, agent: ownAgent, event: typeOf(d)}
	c.header, c.fallback = headers(parts, key, data)
	return c, nil
}

// seen are the events as templates see them: without what is left out.
func (w templates) seen(d sdk.Delivery) ([]sdk.Event, error) {
	all := make([]sdk.Event, 0, len(d.Events))
	for i := range max(len(d.Events), 1) {
		e := eventAt(d, i)
		if !w.filter.Empty() {
			data, err := w.data(d, i)
			if err != nil {
				return nil, err
			}
			typ := e.Type // It chooses the template, whether templates see it or not.
			e = sdk.Event{}
			if err := json.Unmarshal(data, &e); err != nil {
				return nil, fmt.Errorf("read what is left of the event: %w", err)
			}
			e.Type = typ
		}
		all = append(all, e)
	}
	return all, nil
}

// headers are those that templates make. One whose template fails is not sent, and
// what no header can have is taken out, of which fallback tells.
func headers(parts templateParts, key string, data *template.Data) (h http.Header, fallback string) {
	h = http.Header{}
	for _, name := range slices.Sorted(maps.Keys(parts.Headers)) {
		t := parts.Headers[name]
		value, err := t.Render(data, nil)
		if err != nil {
			fallback = fmt.Sprintf("%s.headers.%s: %v: sent without it", key, name, err)
			continue
		}
		value = strings.TrimSpace(value)
		if !httpguts.ValidHeaderFieldValue(value) {
			fallback = fmt.Sprintf("%s.headers.%s: has line breaks or control characters: sent without them", key, name)
			value = headerValue(strings.Join(strings.Fields(value), " "))
		}
		if value != "" {
			h.Set(name, sdk.Cut(value, maxHeader, sdk.Bytes))
		}
	}
	return h, fallback
}

// escaping returns what makes a value part of a body of a media type, or nil.
func escaping(contentType string) func(string) string {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	switch {
	case isJSON(contentType):
		return insideString
	case mediaType == "application/x-www-form-urlencoded":
		return url.QueryEscape
	case mediaType == "text/html", mediaType == "text/xml", mediaType == "application/xml", strings.HasSuffix(mediaType, "+xml"):
		return html.EscapeString
	default:
		return nil
	}
}

func isJSON(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == mediaTypeJSON || strings.HasSuffix(mediaType, "+json")
}

// insideString is s as it is written between the quotes of a string in JSON.
func insideString(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return "" // Every string can be written.
	}
	return string(quoted[1 : len(quoted)-1])
}

// checkJSON reports a body that is not one value of JSON.
func checkJSON(body string) error {
	var v json.RawMessage
	err := json.Unmarshal([]byte(body), &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + strings.Count(body[:min(int(syntax.Offset), len(body))], "\n")
		return fmt.Errorf("the result is not JSON: line %d: %w", line, err)
	}
	return err
}
