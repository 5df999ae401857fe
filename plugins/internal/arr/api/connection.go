package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/plugins/internal/arr"
)

// methodPost is how applications number the HTTP method.
const methodPost = 1

// connection is one that is registered in the application, with all that the
// application says of it: what Hookarr does not know is sent back as it came.
type connection map[string]json.RawMessage

// field is one of a connection's settings.
type field struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value,omitempty"`
}

// pair is one of the headers that a connection sends.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func (c connection) name() string { return c.text("name") }

func (c connection) id() string {
	var id arr.ID
	c.read("id", &id)
	return string(id)
}

func (c connection) webhook() bool { return c.text("implementation") == "Webhook" }

func (c connection) text(key string) string {
	var s string
	c.read(key, &s)
	return s
}

// read leaves into as it is when the key is absent or of another type.
func (c connection) read(key string, into any) { _ = json.Unmarshal(c[key], into) }

// set writes what JSON can hold.
func (c connection) set(key string, v any) {
	data, err := json.Marshal(v)
	if err == nil {
		c[key] = data
	}
}

func (c connection) fields() []field {
	var all []field
	c.read("fields", &all)
	return all
}

func (c connection) has(name string) bool {
	return slices.ContainsFunc(c.fields(), func(f field) bool { return f.Name == name })
}

// field is a setting that is a text or a number.
func (c connection) field(name string) string {
	var s arr.Name
	var n arr.Number
	c.setting(name, &s)
	if c.setting(name, &n); s == "" && n != 0 {
		return strconv.FormatInt(n.Int(), 10)
	}
	return string(s)
}

func (c connection) tags() []arr.ID {
	var all []arr.ID
	c.read("tags", &all)
	return all
}

func (c connection) headers() []pair {
	var all []pair
	c.setting("headers", &all)
	return all
}

func (c connection) setting(name string, into any) {
	for _, f := range c.fields() {
		if f.Name == name && len(f.Value) > 0 {
			_ = json.Unmarshal(f.Value, into)
		}
	}
}

// flags are the events that a connection of the application can ask for, in order.
func (c connection) flags() []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(c)) {
		var on bool
		isFlag := strings.HasPrefix(key, "on") && len(key) > 2 && key[2] >= 'A' && key[2] <= 'Z' || key == "includeHealthWarnings"
		if !isFlag || json.Unmarshal(c[key], &on) != nil {
			continue
		}
		supported := true
		c.read("supports"+arr.Capital(key), &supported)
		if supported {
			all = append(all, key)
		}
	}
	return all
}

func (c connection) on(flag string) bool {
	var on bool
	c.read(flag, &on)
	return on
}

// summary describes a connection that is new: "Hookarr" (13 triggers, basic auth).
func (c connection) summary() string {
	on := 0
	for _, flag := range c.flags() {
		if c.on(flag) {
			on++
		}
	}
	way := "no credential but the URL's"
	switch {
	case len(c.headers()) > 0:
		way = "header " + c.headers()[0].Key
	case c.field("username") != "" || c.field("password") != "":
		way = "basic auth"
	}
	return fmt.Sprintf("%q (%d triggers, %s)", c.name(), on, way)
}

// wanted is a connection as it should be, made of one that exists or a template.
func (j *job) wanted(from connection) (connection, error) {
	out := maps.Clone(from)
	out.set("tags", []int{}) // with any, events of other titles never come
	for _, flag := range out.flags() {
		out.set(flag, !slices.Contains(j.app.Unwanted, flag))
	}
	username, password, headers, err := j.credential(out.has("headers"))
	if err != nil {
		return nil, err
	}
	values := map[string]any{"url": j.request.URL, "method": methodPost, "username": username, "password": password}
	if out.has("headers") {
		values["headers"] = headers
	}
	fields := out.fields()
	for i := range fields {
		v, ok := values[fields[i].Name]
		if !ok {
			continue
		}
		data, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		fields[i].Value = data
	}
	out.set("fields", fields)
	return out, nil
}

// credential is the first of those asked for that the application can send. Without
// any, the URL has one in it.
func (j *job) credential(canHeaders bool) (username, password string, headers []pair, err error) {
	headers = []pair{}
	for i, c := range j.request.Credentials {
		j.result.Credential = i
		switch {
		case c.Username != "" || c.Password != "":
			return c.Username, c.Password.Reveal(), headers, nil
		case canHeaders:
			return "", "", append(headers, pair{c.HeaderName, c.HeaderValue.Reveal()}), nil
		}
	}
	if len(j.request.Credentials) > 0 {
		return "", "", nil, errors.New("this version of " + string(j.app.Name) + " sends no headers of its own: let the source accept basic auth")
	}
	return "", "", headers, nil
}

// compare lists how a connection is from how it should be, without secrets. A masked
// password passes for the wanted one.
func (j *job) compare(ctx context.Context, from, to connection) error {
	for _, flag := range to.flags() {
		if from.on(flag) != to.on(flag) {
			j.change(flag, strconv.FormatBool(from.on(flag)), strconv.FormatBool(to.on(flag)))
		}
	}
	if a, b := from.field("url"), to.field("url"); a != b {
		from, to := place(a), place(b)
		switch {
		case sameButSpelling(a, b):
			from += " in another spelling"
		case from == to:
			from += " with another credential"
		}
		j.change("url", from, to)
	}
	if a, b := from.field("method"), to.field("method"); a != b {
		j.change("method", strings.Replace(a, "2", "PUT", 1), "POST")
	}
	if a, b := from.field("username"), to.field("username"); a != b {
		j.change("username", a, b)
	}
	if a, b := from.field("password"), to.field("password"); a != b && (!masked(a) || b == "") {
		j.change("password", shownSecret(a), shownSecret(b))
	}
	if a, b := from.headers(), to.headers(); !slices.Equal(a, b) {
		j.change("headers", shownHeaders(a), shownHeaders(b))
	}
	tags := from.tags()
	if len(tags) == 0 {
		return nil
	}
	labels, err := Library{Client: j.client}.Labels(ctx, tags)
	if err != nil {
		return err
	}
	j.change("tags", cmp.Or(strings.Join(labels, ", "), "unknown"), "none")
	return nil
}

// masked reports whether the application shows that there is a password, and not which.
func masked(s string) bool { return s != "" && strings.Trim(s, "*") == "" }

func shownSecret(s string) string {
	if s == "" {
		return "none"
	}
	return "set"
}

func shownHeaders(all []pair) string {
	if len(all) == 0 {
		return "none"
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Key
	}
	return strings.Join(names, ", ")
}

// place is where a webhook's URL leads, as it may be shown: the query, and the path
// after the name of the source, may be a credential. Of a path without a source, all
// may be.
func place(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "none"
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	shown := url.URL{Scheme: scheme, Host: host}
	if before, after, ok := strings.Cut(u.Path, "/hooks/"); ok {
		name, _, _ := strings.Cut(after, "/")
		shown.Path = before + "/hooks/" + name
		return shown.String()
	}
	if strings.Trim(u.Path, "/") != "" {
		return shown.String() + "/…"
	}
	return shown.String()
}

// sameButSpelling reports whether two URLs are equal but for letters' case, a slash at
// the end, and what need not be written.
func sameButSpelling(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && place(a) == place(b) && strings.TrimRight(x.Path, "/") == strings.TrimRight(y.Path, "/") && x.RawQuery == y.RawQuery
}

// samePlace reports whether two URLs lead to the same source of one server.
func samePlace(a, b string) bool { return place(a) == place(b) && sameSource(a, b) }

// sameSource reports whether two URLs lead to sources of one name, on whatever server.
// Behind a proxy that changes paths, they do when the paths are equal.
func sameSource(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	if errX != nil || errY != nil {
		return false
	}
	name := func(u *url.URL) (string, bool) {
		_, after, ok := strings.Cut(u.Path, "/hooks/")
		name, _, _ := strings.Cut(after, "/")
		return name, ok
	}
	sourceX, okX := name(x)
	sourceY, okY := name(y)
	if !okX && !okY {
		return strings.TrimRight(x.Path, "/") == strings.TrimRight(y.Path, "/")
	}
	return okX && okY && sourceX == sourceY
}
