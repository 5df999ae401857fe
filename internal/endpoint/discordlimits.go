package endpoint

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DiscordBody is what may be posted, and all but the names may be edited.
type DiscordBody struct {
	Content         *string          `json:"content,omitempty"`
	Username        *string          `json:"username,omitempty"`
	AvatarURL       string           `json:"avatar_url,omitempty"`
	Embeds          []DiscordEmbed   `json:"embeds,omitempty"`
	AllowedMentions *DiscordMentions `json:"allowed_mentions,omitempty"`
	ThreadName      string           `json:"thread_name,omitempty"`
}

// DiscordEmbed is one embed.
type DiscordEmbed struct {
	Title       *string        `json:"title,omitempty"`
	Description *string        `json:"description,omitempty"`
	URL         string         `json:"url,omitempty"`
	Timestamp   string         `json:"timestamp,omitempty"`
	Color       int            `json:"color,omitempty"`
	Author      *DiscordAuthor `json:"author,omitempty"`
	Footer      *DiscordFooter `json:"footer,omitempty"`
	Image       *DiscordImage  `json:"image,omitempty"`
	Thumbnail   *DiscordImage  `json:"thumbnail,omitempty"`
	Fields      []DiscordField `json:"fields,omitempty"`
}

// DiscordAuthor is the small line above an embed's title.
type DiscordAuthor struct {
	Name    string `json:"name"`
	URL     string `json:"url,omitempty"`
	IconURL string `json:"icon_url,omitempty"`
}

// DiscordFooter is the small line below an embed.
type DiscordFooter struct {
	Text    string `json:"text"`
	IconURL string `json:"icon_url,omitempty"`
}

// DiscordImage is a picture of an embed.
type DiscordImage struct {
	URL string `json:"url"`
}

// DiscordField is one field of an embed.
type DiscordField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Inline bool   `json:"inline,omitempty"`
}

// DiscordMentions says whom a message may notify.
type DiscordMentions struct {
	Parse []string `json:"parse"`
	Roles []string `json:"roles,omitempty"`
	Users []string `json:"users,omitempty"`
}

// breach is one thing wrong with a body.
type breach struct {
	// path is where: embeds 0 title.
	path    []string
	message string
}

func (b *breach) Error() string { return strings.Join(b.path, ".") + ": " + b.message }

// write answers 400: an old client, one without a version in its path, is told the
// member and, for embeds, no more than the index.
func (b *breach) write(w http.ResponseWriter, version string) {
	if version == "" {
		detail := b.message
		if b.path[0] == "embeds" && len(b.path) > 1 {
			detail = b.path[1]
		}
		writeJSON(w, http.StatusBadRequest, map[string][]string{b.path[0]: {detail}})
		return
	}
	var nested any = map[string]any{"_errors": []map[string]string{{"code": "BASE_TYPE_INVALID", "message": b.message}}}
	for _, p := range slices.Backward(b.path) {
		nested = map[string]any{p: nested}
	}
	writeJSON(w, http.StatusBadRequest, map[string]any{"message": "Invalid Form Body", "code": 50035, "errors": nested})
}

func (d *DiscordBody) empty() bool {
	return (d.Content == nil || length(*d.Content) == 0) && len(d.Embeds) == 0
}

// check collects the first breach.
type check struct{ found *breach }

func (c *check) that(ok bool, message string, path ...string) {
	if !ok && c.found == nil {
		c.found = &breach{path: path, message: message}
	}
}

// text checks a text that must be there.
func (c *check) text(s string, longest int, path ...string) int {
	n := length(s)
	c.that(n > 0, "This field is required", path...)
	c.that(n <= longest, fmt.Sprintf("Must be %d or fewer in length.", longest), path...)
	return n
}

// optional checks a text that may be absent.
func (c *check) optional(s *string, longest int, path ...string) int {
	if s == nil {
		return 0
	}
	return c.text(*s, longest, path...)
}

func (c *check) url(s string, path ...string) {
	c.that(s == "" || wellFormed(s), "Not a well formed URL.", path...)
}

// wellFormed reports whether Discord takes s: it refuses hosts that are bare names
// (bugsink/bugsink#280, unraid/webgui#1153).
func wellFormed(s string) bool {
	if !absolute(s) || len(s) > 2048 {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	return strings.Contains(strings.Trim(u.Hostname(), "."), ".") || net.ParseIP(u.Hostname()) != nil
}

func (d *DiscordBody) breach(edit bool) *breach {
	var c check
	if d.Content != nil {
		c.that(length(*d.Content) <= 2000, "Must be 2000 or fewer in length.", "content")
	}
	if d.Username != nil {
		c.text(*d.Username, 80, "username")
		lower := strings.ToLower(*d.Username)
		c.that(!strings.Contains(lower, "discord") && !strings.Contains(lower, "clyde"), `Username cannot contain "discord"`, "username")
		c.that(!edit, "A message keeps its username", "username")
	}
	c.that(length(d.ThreadName) <= 100, "Must be 100 or fewer in length.", "thread_name")
	c.that(!edit || d.ThreadName == "", "A message keeps its thread", "thread_name")
	c.url(d.AvatarURL, "avatar_url")
	c.that(len(d.Embeds) <= 10, "Must be 10 or fewer in length.", "embeds")
	total := 0
	for i := range d.Embeds {
		total += d.Embeds[i].check(&c, strconv.Itoa(i))
	}
	c.that(total <= 6000, "Embed size exceeds maximum size of 6000", "embeds", "0")
	d.AllowedMentions.check(&c)
	return c.found
}

// check returns how much of the message's total the embed takes.
func (e *DiscordEmbed) check(c *check, i string) int {
	total := c.optional(e.Title, 256, "embeds", i, "title") + c.optional(e.Description, 4096, "embeds", i, "description")
	c.url(e.URL, "embeds", i, "url")
	if e.Author != nil {
		total += c.text(e.Author.Name, 256, "embeds", i, "author", "name")
		c.url(e.Author.URL, "embeds", i, "author", "url")
		c.url(e.Author.IconURL, "embeds", i, "author", "icon_url")
	}
	if e.Footer != nil {
		total += c.text(e.Footer.Text, 2048, "embeds", i, "footer", "text")
		c.url(e.Footer.IconURL, "embeds", i, "footer", "icon_url")
	}
	c.that(e.Image == nil || wellFormed(e.Image.URL), "Not a well formed URL.", "embeds", i, "image", "url")
	c.that(e.Thumbnail == nil || wellFormed(e.Thumbnail.URL), "Not a well formed URL.", "embeds", i, "thumbnail", "url")
	c.that(len(e.Fields) <= 25, "Must be 25 or fewer in length.", "embeds", i, "fields")
	for j, f := range e.Fields {
		at := []string{"embeds", i, "fields", strconv.Itoa(j)}
		total += c.text(f.Name, 256, append(at, "name")...)
		total += c.text(f.Value, 1024, append(at, "value")...)
	}
	_, err := time.Parse(time.RFC3339, e.Timestamp)
	c.that(e.Timestamp == "" || err == nil, "Could not parse the timestamp", "embeds", i, "timestamp")
	c.that(e.Color >= 0 && e.Color <= 0xFFFFFF, "Must be between 0 and 16777215.", "embeds", i, "color")
	c.that(total > 0 || e.Image != nil || e.Thumbnail != nil, "This field is required", "embeds", i)
	return total
}

var snowflake = regexp.MustCompile(`^\d{15,20}$`)

func (m *DiscordMentions) check(c *check) {
	if m == nil {
		return
	}
	m.ids(c, "roles", m.Roles)
	m.ids(c, "users", m.Users)
	for _, p := range m.Parse {
		c.that(p == "roles" || p == "users" || p == "everyone", "Value must be one of ('roles', 'users', 'everyone').", "allowed_mentions", "parse")
	}
}

func (m *DiscordMentions) ids(c *check, kind string, ids []string) {
	c.that(len(ids) <= 100, "Must be 100 or fewer in length.", "allowed_mentions", kind)
	c.that(len(ids) == 0 || !slices.Contains(m.Parse, kind), "parse and "+kind+" are mutually exclusive", "allowed_mentions")
	for _, id := range ids {
		c.that(snowflake.MatchString(id), "Value is not snowflake.", "allowed_mentions", kind)
	}
}
