package fakearr

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// masked stands for a password that is kept.
const masked = "********"

// connection is a webhook that a user registered.
type connection struct {
	id       int
	name     string
	flags    map[string]bool
	tags     []int
	settings settings
	backoff  backoff
}

type settings struct {
	url                string
	method             int
	username, password string
	headers            []header
}

type header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// connectionBody is a connection as clients send it. Flags are members of their own.
type connectionBody struct {
	ID             int     `json:"id"`
	Name           string  `json:"name"`
	Implementation string  `json:"implementation"`
	ConfigContract string  `json:"configContract"`
	Tags           []int   `json:"tags"`
	Fields         []field `json:"fields"`
}

type field struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

func (a *Arr) connection(id int) *connection {
	if i := slices.IndexFunc(a.connections, func(c *connection) bool { return c.id == id }); i >= 0 {
		return a.connections[i]
	}
	return nil
}

// enabled reports whether the connection asks for anything.
func (a *Arr) enabled(c *connection) bool {
	for flag, on := range c.flags {
		if on && !narrows(flag) && (flag != "onRename" || a.profile.renameAlone) {
			return true
		}
	}
	return false
}

// parse reads a connection. Unknown members and fields are ignored. Of an existing
// connection, the password is kept when its mask is sent back.
func (a *Arr) parse(raw []byte, existing *connection) (*connection, connectionBody, error) {
	var body connectionBody
	var members map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &body), json.Unmarshal(raw, &members)); err != nil {
		return nil, body, err
	}
	c := &connection{id: body.ID, name: body.Name, flags: map[string]bool{}, tags: body.Tags}
	for _, flag := range a.profile.flags {
		if value, ok := members[flag]; ok {
			var on bool
			if err := json.Unmarshal(value, &on); err != nil {
				return nil, body, fmt.Errorf("%s: %w", flag, err)
			}
			c.flags[flag] = on
		}
	}
	c.settings.method = 1
	for _, f := range body.Fields {
		if err := c.settings.set(f, a.profile.headers); err != nil {
			return nil, body, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	if existing != nil {
		c.backoff = existing.backoff
		if c.settings.password == masked {
			c.settings.password = existing.settings.password
		}
	}
	return c, body, nil
}

func (s *settings) set(f field, headers bool) error {
	if len(f.Value) == 0 || string(f.Value) == "null" {
		return nil
	}
	switch f.Name {
	case "url":
		return json.Unmarshal(f.Value, &s.url)
	case "method":
		n, err := strconv.Atoi(strings.Trim(string(f.Value), `"`))
		s.method = n
		return err
	case "username":
		return json.Unmarshal(f.Value, &s.username)
	case "password":
		return json.Unmarshal(f.Value, &s.password)
	case "headers":
		if headers {
			return json.Unmarshal(f.Value, &s.headers)
		}
	}
	return nil
}

// failure is one reason for which the API refuses a connection.
type failure struct {
	PropertyName   string `json:"propertyName"`
	ErrorMessage   string `json:"errorMessage"`
	AttemptedValue any    `json:"attemptedValue,omitempty"`
	Severity       string `json:"severity"`
	IsWarning      bool   `json:"isWarning"`
}

func refuse(property, message string, attempted any) failure {
	return failure{PropertyName: property, ErrorMessage: message, AttemptedValue: attempted, Severity: "error"}
}

// check returns what is wrong with the connection itself.
func (a *Arr) check(c *connection, body connectionBody) []failure {
	var out []failure
	empty := func(property, value string) {
		if strings.TrimSpace(value) == "" {
			out = append(out, refuse(property, fmt.Sprintf("'%s' must not be empty.", property), value))
		}
	}
	empty("Name", body.Name)
	empty("Implementation", body.Implementation)
	empty("ConfigContract", body.ConfigContract)
	if slices.ContainsFunc(a.connections, func(o *connection) bool { return o.id != c.id && strings.EqualFold(o.name, c.name) }) {
		out = append(out, refuse("Name", "Should be unique", c.name))
	}
	if body.Fields == nil {
		out = append(out, refuse("Fields", "'Fields' must not be empty.", nil))
	}
	return out
}

// checkSettings returns what is wrong with where the connection leads.
func (c *connection) checkSettings() []failure {
	u, err := url.Parse(c.settings.url)
	if err != nil || !u.IsAbs() || u.Host == "" || strings.Contains(c.settings.url, " ") {
		return []failure{refuse("Url", fmt.Sprintf("Invalid Url: '%s'", c.settings.url), c.settings.url)}
	}
	return nil
}

// resource is the connection as the API shows it: the password masked, headers in
// clear.
func (a *Arr) resource(c *connection) object {
	value := func(name string, v any, kind, privacy string) object {
		return object{{"name", name}, {"label", strings.ToUpper(name[:1]) + name[1:]}, {"value", v}, {"type", kind}, {"privacy", privacy}}
	}
	s := c.settings
	password := s.password
	if password != "" {
		password = masked
	}
	fields := []object{
		value("url", text(s.url), "url", "normal"),
		value("method", s.method, "select", "normal"),
		value("username", text(s.username), "textbox", "userName"),
		value("password", text(password), "password", "password"),
	}
	if a.profile.headers {
		fields = append(fields, value("headers", list(s.headers), "keyValueList", "normal"))
	}
	o := object{}
	for _, flag := range a.profile.flags {
		o = append(o, member{flag, c.flags[flag]})
	}
	for _, flag := range a.profile.flags {
		if flag != "includeHealthWarnings" {
			o = append(o, member{"supports" + strings.ToUpper(flag[:1]) + flag[1:], true})
		}
	}
	o = append(o, object{
		{"name", c.name},
		{"fields", fields},
		{"implementationName", "Webhook"},
		{"implementation", "Webhook"},
		{"configContract", "WebhookSettings"},
		{"tags", list(c.tags)},
	}...)
	if c.id > 0 {
		o = append(o, member{"id", c.id})
	}
	return o
}
