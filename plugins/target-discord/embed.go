package discord

import (
	"net"
	"net/url"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/message"
)

// What Discord takes, in characters:
// https://docs.discord.com/developers/resources/message#embed-object-embed-limits and
// https://docs.discord.com/developers/resources/webhook#execute-webhook.
const (
	maxContent     = 2000
	maxTitle       = 256
	maxAuthor      = 256
	maxFooter      = 2048
	maxDescription = 4096
	maxName        = 256
	maxValue       = 1024
	maxFields      = 25
	maxTotal       = 6000
	maxThreadName  = 100
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
	Title       string  `json:"title,omitempty"`
	Description string  `json:"description,omitempty"`
	URL         string  `json:"url,omitempty"`
	Timestamp   string  `json:"timestamp,omitempty"`
	Color       int     `json:"color,omitempty"`
	Author      *author `json:"author,omitempty"`
	Footer      *footer `json:"footer,omitempty"`
	Thumbnail   *image  `json:"thumbnail,omitempty"`
	Image       *image  `json:"image,omitempty"`
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

// take cuts text that is escaped already.
func (r *renderer) take(s string, limit int) string {
	s = strings.TrimSpace(message.Fit(s, min(limit, r.left), message.Plain))
	r.left -= message.Len(s)
	return s
}

func (r *renderer) fields(all []draftField) []field {
	var fields []field
	for _, f := range all {
		name := strings.TrimSpace(message.Fit(f.name, maxName, message.Plain))
		limit := min(maxValue, r.left-message.Len(name))
		if len(fields) == maxFields || limit < leastValue {
			break
		}
		value := strings.TrimSpace(message.Fit(f.value, limit, f.escape))
		if f.code {
			value = "`" + message.Fit(f.value, limit-len("``"), message.Code) + "`"
		}
		if name == "" || value == "" {
			continue
		}
		fields = append(fields, field{name, value, f.inline})
		r.left -= message.Len(name) + message.Len(value)
	}
	return fields
}

// bare is e without anything that Discord might refuse for what it points to.
func (e embed) bare() embed {
	e.URL, e.Thumbnail, e.Image = "", nil, nil
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
