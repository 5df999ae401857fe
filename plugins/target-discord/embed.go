package main

import (
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/hookarr/hookarr/plugins/internal/message"
)

// What Discord takes, in characters:
// https://docs.discord.com/developers/resources/message#embed-object-embed-limits.
// A description may have 4,096, of which the parts below make no use.
const (
	maxTitle  = 256
	maxAuthor = 256
	maxName   = 256
	maxValue  = 1024
	maxFields = 25
	maxTotal  = 6000
)

// What people read: shorter than what Discord takes, so that one long text does not
// push out everything else.
const (
	readFooter  = 200
	readSummary = 600
	readText    = 800
	readItem    = 160
	// A field with less room than this is left out.
	leastValue = 12
)

// embed is the rich part of a message.
type embed struct {
	Title       string  `json:"title"`
	Description string  `json:"description,omitempty"`
	URL         string  `json:"url,omitempty"`
	Timestamp   string  `json:"timestamp,omitempty"`
	Color       int     `json:"color"`
	Author      author  `json:"author"`
	Footer      *footer `json:"footer,omitempty"`
	Thumbnail   *image  `json:"thumbnail,omitempty"`
	Fields      []field `json:"fields,omitempty"`
}

type (
	author struct {
		Name string `json:"name"`
	}
	footer struct {
		Text string `json:"text"`
	}
	image struct {
		URL string `json:"url"`
	}
	field struct {
		Name   string `json:"name"`
		Value  string `json:"value"`
		Inline bool   `json:"inline"`
	}
)

// renderer hands out the characters that the embed has left.
type renderer struct{ left int }

func (r *renderer) take(s string, limit int, escape message.Escape) string {
	s = message.Fit(s, min(limit, r.left), escape)
	r.left -= message.Len(s)
	return s
}

// render maps m to an embed within every limit. What matters most takes its
// characters first.
func render(m message.Message) embed {
	r := renderer{left: maxTotal}
	e := embed{
		Title:  r.take(m.Title, maxTitle, markdown),
		Author: author{r.take(m.Emoji+" "+m.Headline, maxAuthor, message.Plain)},
		URL:    publicURL(m.URL),
		Color:  m.Color,
	}
	if text := r.take(m.Footer, readFooter, message.Plain); text != "" {
		e.Footer = &footer{text}
	}
	if y := m.Time.Year(); y >= 1970 && y <= 9999 {
		e.Timestamp = m.Time.Format(time.RFC3339)
	}
	if u := publicURL(m.Image); u != "" {
		e.Thumbnail = &image{u}
	}
	e.Description = r.description(m)
	e.Fields = r.fields(m)
	return e
}

func (r *renderer) description(m message.Message) string {
	parts := make([]string, 0, 3)
	if s := r.take(m.Summary, readSummary, markdown); s != "" {
		parts = append(parts, s)
	}
	if s := r.take(m.Text, readText, markdown); s != "" {
		parts = append(parts, s)
	}
	lines := make([]string, 0, len(m.List))
	for _, item := range m.List {
		lines = append(lines, "• "+r.take(item, readItem, markdown))
	}
	if len(lines) > 0 {
		parts = append(parts, strings.Join(lines, "\n"))
	}
	s := strings.Join(parts, "\n\n")
	r.left -= len("• \n")*len(lines) + len("\n\n")*len(parts)
	return s
}

func (r *renderer) fields(m message.Message) []field {
	var all []field
	add := func(name string, value func(limit int) string, inline bool) {
		limit := min(maxValue, r.left-message.Len(name))
		if len(all) == maxFields || limit < leastValue {
			return
		}
		if v := value(limit); v != "" {
			all = append(all, field{name, v, inline})
			r.left -= message.Len(name) + message.Len(v)
		}
	}
	for _, f := range m.Fields {
		add(message.Fit(f.Name, maxName, message.Plain), func(limit int) string {
			if f.Code {
				return "`" + message.Fit(f.Value, limit-len("``"), message.Code) + "`"
			}
			return message.Fit(f.Value, limit, markdown)
		}, !f.Code)
	}
	add("Links", func(limit int) string { return linkLine(m.Links, limit) }, false)
	return all
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

// bare is e without anything that Discord might refuse for what it points to.
func (e embed) bare() embed {
	e.URL, e.Thumbnail = "", nil
	return e
}

// markdown escapes what Discord's markdown gives a meaning.
func markdown(prev, r rune) string {
	switch r {
	case '\\', '*', '_', '~', '|', '`', '[', ']', '<':
		return `\` + string(r)
	case '>', '#', '-':
		if prev == '\n' {
			return `\` + string(r)
		}
	}
	return string(r)
}

// publicURL returns u when Discord takes it in an embed. It refuses the whole message
// for a host that is a bare name, as http://radarr:7878 has (bugsink/bugsink#280,
// unraid/webgui#1153); addresses are fine (go-gitea/gitea#11124).
func publicURL(u string) string {
	parsed, err := url.Parse(u)
	if err != nil {
		return ""
	}
	host := strings.Trim(parsed.Hostname(), ".")
	if !strings.Contains(host, ".") && net.ParseIP(host) == nil {
		return ""
	}
	return u
}
