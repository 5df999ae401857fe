package ui

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

//go:embed templates/*.html
var templates embed.FS

const (
	// noticeCookie carries the sentence about an action to the page that follows it, and
	// maxNotice bounds it in characters.
	noticeCookie = "hookarr-notice"
	maxNotice    = 500
	themeCookie  = "hookarr-theme"
	maxAge       = 365 * 24 * 60 * 60
)

// document is what a template gets.
type document struct {
	view
	// Base precedes every path.
	Base string
	// Path is the page's own path and query, and Self the same below the base path.
	Path, Self string
	// Section is the first part of the path: the entry of the navigation.
	Section   string
	Principal admin.Principal
	Theme     string
	Notice    string
	// Streams is whether there is a stream of changes.
	Streams bool
	Queue   bool
}

// Operates reports whether the viewer may change something.
func (d document) Operates() bool { return d.Principal.May(config.RoleOperate) }

// Trigger is when htmx fetches the block "live" anew.
func (d document) Trigger() string {
	events := make([]string, 0, len(d.Changes)+1)
	for _, c := range append(d.Changes, "resync") {
		events = append(events, c+" from:#stream throttle:1s")
	}
	return strings.Join(events, ", ")
}

// template returns that of a page, with links that begin with a base path.
func (u *UI) template(base, name string) (*template.Template, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.pages[base] == nil {
		pages, err := parse(u.functions(base))
		if err != nil {
			return nil, fmt.Errorf("read templates: %w", err)
		}
		clear(u.pages) // a reload has changed the base path
		u.pages[base] = pages
	}
	t, ok := u.pages[base][name]
	if !ok {
		return nil, fmt.Errorf("there is no template %s", name)
	}
	return t, nil
}

// parse reads the templates: each page is one file beside the layout and the parts.
func parse(functions template.FuncMap) (map[string]*template.Template, error) {
	layout, err := template.New("layout.html").Funcs(functions).ParseFS(templates, "templates/layout.html", "templates/parts_*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "parts_") {
			continue
		}
		own, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if pages[name], err = own.ParseFS(templates, file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return pages, nil
}

// render writes a page, or for a request of htmx its block "live".
func (u *UI) render(w http.ResponseWriter, r *http.Request, name string, v view) {
	base := admin.BasePathOf(r.Context())
	section, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	d := document{
		view: v, Base: base, Path: ownPath(r), Self: base + ownPath(r), Section: section, Principal: admin.PrincipalOf(r.Context()),
		Theme: themeOf(r), Streams: u.Changes != nil, Queue: u.Queue != nil && u.Service.Settings.Config().Admin.QueueUI,
	}
	if v.Status >= http.StatusBadRequest {
		d.Changes = nil // what cannot be shown is not fetched again and again
	}
	block := "layout.html"
	if partly(r) {
		block = "live"
	} else {
		d.Notice = takeNotice(w, r)
	}
	t, err := u.template(base, name)
	var body bytes.Buffer
	if err == nil {
		err = t.ExecuteTemplate(&body, block, d)
	}
	if err != nil {
		u.Log.ErrorContext(r.Context(), "page cannot be written", slog.String("page", name), slog.Any("error", err))
		http.Error(w, "This page cannot be written; the server's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if v.Status != 0 {
		w.WriteHeader(v.Status)
	}
	_, _ = w.Write(visible(body.Bytes()))
}

// partly reports whether htmx asks for the block "live" alone.
func partly(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// ownPath is the path and query of a page that was fetched; a form's answer has none.
func ownPath(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	return r.URL.RequestURI()
}

// visible returns text with signs in the place of characters that are not seen or change
// the direction of what follows: senders choose titles and bodies.
func visible(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			out = utf8.AppendRune(out, utf8.RuneError)
		case r < ' ' && r != '\n' && r != '\t' && r != '\r':
			out = utf8.AppendRune(out, '␀'+r)
		case r == 0x7f:
			out = utf8.AppendRune(out, '␡')
		case r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			out = utf8.AppendRune(out, utf8.RuneError)
		default:
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	return out
}

// Problem shows why something was not done, with the way on.
func (u *UI) Problem(w http.ResponseWriter, r *http.Request, p *admin.Problem) {
	protect(w.Header())
	u.render(w, r, "problem", view{Title: problemTitle(p.Status), Data: p, Status: p.Status})
}

// problemTitle says a status of HTTP in people's words.
func problemTitle(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "Not found"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "Not allowed"
	case status == http.StatusTooManyRequests:
		return "Too many tries"
	case status == http.StatusConflict, status == http.StatusServiceUnavailable:
		return "Not possible now"
	case status >= http.StatusInternalServerError:
		return "Something went wrong"
	default:
		return "This cannot be done"
	}
}

// SignIn is what the page to sign in shows.
type SignIn struct {
	// Next is where to go then, without the base path.
	Next string
	// Problem is why the last try failed; empty for none.
	Problem string
	// Token, Link and Provider are the ways to sign in: Provider names the OpenID Connect
	// provider, and is empty without one.
	Token, Link bool
	Provider    string
	// Nobody: the configuration lets nobody in, so that a link is the only way.
	Nobody bool
	// Status is 200 if it is zero.
	Status int
}

// SignIn shows the page to sign in.
func (u *UI) SignIn(w http.ResponseWriter, r *http.Request, s SignIn) {
	protect(w.Header())
	u.render(w, r, "signin", view{Title: "Sign in", Data: s, Status: s.Status})
}

// Assets serves what pages load. Their paths change with their content.
func (u *UI) Assets(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	u.assets.ServeHTTP(w, r)
}

func setNotice(w http.ResponseWriter, r *http.Request, notice string) {
	setCookie(w, r, noticeCookie, base64.RawURLEncoding.EncodeToString([]byte(cut(maxNotice, notice))), 60)
}

// setCookie sets one that holds no secret, so that it may go over plain HTTP; an age below 0
// deletes it.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, age int) {
	//nolint:gosec // G124: see above
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: admin.BasePathOf(r.Context()) + "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// takeNotice returns the notice of the action before, once.
func takeNotice(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	setCookie(w, r, noticeCookie, "", -1)
	notice, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return ""
	}
	return cut(maxNotice, string(notice))
}

// themeOf is light, dark or nothing, which is as the system has it.
func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// setTheme keeps the colours that a viewer has chosen.
func setTheme(w http.ResponseWriter, r *http.Request) (done, error) {
	theme := r.PostFormValue("theme")
	age := maxAge
	if theme != "light" && theme != "dark" {
		theme, age = "", -1
	}
	setCookie(w, r, themeCookie, theme, age)
	return done{To: admin.Local(r.PostFormValue("next"), "/")}, nil
}

// link returns the address of a path, with names and values of a query in turn. Empty
// values are left out.
func link(base, to string, query ...any) (string, error) {
	if len(query)%2 != 0 {
		return "", fmt.Errorf("address of %s: want names and values", to)
	}
	q := url.Values{}
	for i := 0; i < len(query); i += 2 {
		value := text(query[i+1])
		if value != "" {
			q.Set(text(query[i]), value)
		}
	}
	if len(q) == 0 {
		return base + to, nil
	}
	return base + to + "?" + q.Encode(), nil
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	default:
		return fmt.Sprint(v)
	}
}
