package apprise

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// target posts to one set of services.
type target struct {
	http *sdk.HTTP
	url  *url.URL
	// stored is where the stored configuration is told; nil without one.
	stored       *url.URL
	retryPartial bool
	look         message.Look
	maxBody      int
	templates    template.ByType[own]
	// form has what is the same in every message.
	form form
}

// form is a message as it is posted.
type form struct {
	URLs   []string `json:"urls,omitempty"`
	Title  string   `json:"title,omitempty"`
	Body   string   `json:"body"`
	Type   string   `json:"type"`
	Format string   `json:"format"`
	Tag    string   `json:"tag,omitempty"`
}

const (
	formatMarkdown = "markdown"
	formatHTML     = "html"
)

const (
	// maxTitle is apprise.NotifyBase.title_maxlen, in characters.
	maxTitle = 250
	// maxSaid is how much of what the server logged is part of an error, in characters.
	maxSaid = 400
)

// Deliver posts a message about the events.
func (t *target) Deliver(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	f, fallback := t.compose(d.Events)
	receipt, err := t.post(ctx, f)
	receipt.Fallback = fallback
	return receipt, err
}

// compose makes the message of a template, if there is one for it, or else the built-in
// one. The fallback says why it is the built-in one all the same.
func (t *target) compose(events []sdk.Event) (f form, fallback string) {
	builtIn := t.write(message.New(events...).In(t.look))
	words, key, ok := t.templates.For(events)
	if !ok {
		return builtIn, ""
	}
	f, part, err := words.over(builtIn, events, t.maxBody)
	if err != nil {
		return builtIn, fmt.Sprintf("template %s.%s: %v: used the built-in message", key, part, err)
	}
	return f, ""
}

// Test posts a message: the server knows of a service only that it could be told.
func (t *target) Test(ctx context.Context, d sdk.Delivery) (sdk.Receipt, error) {
	return t.Deliver(ctx, d)
}

// write puts a message into the form.
func (t *target) write(m message.Message) form {
	f := t.form
	f.Type = kind(m.Severity)
	body := m.Body()
	if body.Plain(t.maxBody) == "" {
		body = m // a title is not needed, a body is
	} else {
		f.Title = message.Fit(m.Heading(), maxTitle, message.Plain)
	}
	switch f.Format {
	case formatMarkdown:
		f.Body = body.Markdown(t.maxBody)
	case formatHTML:
		f.Body = page(body, t.maxBody)
	default:
		f.Body = body.Plain(t.maxBody)
	}
	return f
}

// page is a message in HTML, in which line feeds are spaces: elements break the lines.
func page(m message.Message, limit int) string {
	for room := limit; ; {
		text := strings.ReplaceAll(m.HTML(room), "\n", "<br>")
		excess := message.Len(text) - limit
		if excess <= 0 {
			return text
		}
		room -= excess
	}
}

// kind is what Apprise calls the severity.
func kind(s message.Severity) string {
	switch s {
	case message.SeverityGood:
		return "success"
	case message.SeverityWarning:
		return "warning"
	case message.SeverityBad:
		return "failure"
	default:
		return "info"
	}
}

func (t *target) post(ctx context.Context, f form) (sdk.Receipt, error) {
	payload, err := json.Marshal(f)
	if err != nil {
		return sdk.Receipt{}, sdk.Permanent(fmt.Errorf("write the message's JSON: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(payload))
	if err != nil {
		return sdk.Receipt{}, sdk.Misconfigured(errors.New("url is not a valid URL"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	// The answer has what is logged meanwhile. At lower levels that can have credentials
	// of services in it.
	req.Header.Set("X-Apprise-Log-Level", "WARNING")
	resp, err := t.http.Send(req)
	if resp == nil {
		return sdk.Receipt{}, err
	}
	return resp.Receipt, t.explain(resp, err)
}

// answer is what the server says, and what it logged: lists of level, time and text.
type answer struct {
	Error   string     `json:"error"`
	Details [][]string `json:"details"`
}

// explain makes of a status what it means for Apprise:
// apprise_api/api/views.py in caronc/apprise-api.
func (t *target) explain(resp *sdk.Response, err error) error {
	var a answer
	// An answer that is not the server's JSON leaves the status to speak.
	readable := json.Unmarshal(resp.Body, &a) == nil
	switch {
	case resp.Status == http.StatusNoContent && len(t.form.URLs) > 0:
		return sdk.Misconfigured(errors.New("the server knows none of the services in urls: check how they are written"))
	case resp.Status == http.StatusNoContent:
		return sdk.Misconfigured(errors.New("the server has no configuration under this key: store one, or set key to that of another"))
	case resp.Status == http.StatusFailedDependency && readable && a.Details != nil && len(a.Details) == 0 && t.form.Tag != "":
		// A service that fails leaves a warning.
		return sdk.Misconfigured(fmt.Errorf("the configuration under this key has no service with the tag %q", t.form.Tag))
	case resp.Status == http.StatusFailedDependency:
		err = fmt.Errorf("the server could not tell some services, or any: %s", cmp.Or(a.said(), "it does not say why"))
		if t.retryPartial {
			return err
		}
		return sdk.Permanent(err)
	case err != nil && a.Error != "":
		return fmt.Errorf("%w: %s", err, message.Fit(a.Error, maxSaid, message.Plain))
	default:
		return err
	}
}

// said is what was logged, in a line.
func (a answer) said() string {
	var lines []string
	for _, entry := range a.Details {
		if len(entry) > 0 {
			lines = append(lines, strings.Join(strings.Fields(entry[len(entry)-1]), " "))
		}
	}
	if len(lines) == 0 {
		lines = []string{a.Error}
	}
	return message.Fit(strings.Join(lines, "; "), maxSaid, message.Plain)
}
