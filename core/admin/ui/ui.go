// Package ui is the operators' web pages over an admin.Service: HTML from templates that
// works without JavaScript, where htmx only fetches parts anew that have changed. It asks
// nobody who they are; package access does.
package ui

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

// maxForm bounds what a form may send, in bytes.
const maxForm = 1 << 20

// Options are what the pages are made of.
type Options struct {
	Service *admin.Service
	// Changes streams what changes while a page is open. Without it pages stay as they are.
	Changes http.Handler
	// Queue is the page of the job queue; nil is none.
	Queue http.Handler
	Log   *slog.Logger
}

// UI serves the pages. It may be used concurrently.
type UI struct {
	Options
	mux    *http.ServeMux
	assets assets
	sent   sentForms
	// patterns are those of the pages.
	patterns []string
	// pages are the templates by the base path that their links begin with.
	mu    sync.Mutex
	pages map[string]map[string]*template.Template
}

// New returns the pages. Their requests come from package access, which says who makes them
// and below which path they are.
func New(o Options) (*UI, error) {
	u := &UI{Options: o, mux: http.NewServeMux(), pages: map[string]map[string]*template.Template{}}
	var err error
	if u.assets, err = readAssets(); err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	if _, err = u.template("", "problem"); err != nil {
		return nil, err
	}
	u.routes()
	return u, nil
}

func (u *UI) routes() {
	if u.Changes != nil {
		u.mux.Handle("GET /live", u.Changes)
	}
	u.action("POST /theme", config.RoleView, setTheme)
	u.nowPages()
	u.serverPages()
	u.eventPages()
	u.deliveryPages()
	u.bulkPages()
	u.actionPages()
}

// Patterns are those of http.ServeMux that the pages have, for who wants to see each.
func (u *UI) Patterns() []string { return slices.Clone(u.patterns) }

// ServeHTTP serves those who were let in.
func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	_, pattern := u.mux.Handler(r)
	if pattern == "" {
		u.Problem(w, r, u.nothingHere(r))
		return
	}
	u.mux.ServeHTTP(w, r)
}

// nothingHere says why no page has the path and method of a request.
func (u *UI) nothingHere(r *http.Request) *admin.Problem {
	other := r.Clone(r.Context())
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other.Method = method
		if _, pattern := u.mux.Handler(other); pattern != "" && method != r.Method {
			return admin.NewProblem(http.StatusMethodNotAllowed, "This address is for another kind of request.")
		}
	}
	return admin.NewProblem(http.StatusNotFound, "There is no such page.")
}

// protect sets the headers of every page. Nothing runs or loads that is not our own.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// view is what a page shows.
type view struct {
	Title string
	// Data is what the templates of the page get as .Data.
	Data any
	// Changes are the events of the stream that fetch the block "live" anew; none leaves it
	// as it is.
	Changes []string
	// Status is 200 if it is zero.
	Status int
}

// handle adds a handler for those with a role.
func (u *UI) handle(pattern, role string, serve http.HandlerFunc) {
	u.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if p := admin.PrincipalOf(r.Context()); !p.May(role) {
			u.Problem(w, r, needs(role))
			return
		}
		serve(w, r)
	})
}

// page adds a page for those with a role: the template name.html, filled with what read
// returns. A request of htmx gets the block "live" alone.
func (u *UI) page(pattern, name, role string, read func(r *http.Request) (view, error)) {
	u.patterns = append(u.patterns, pattern)
	u.handle(pattern, role, func(w http.ResponseWriter, r *http.Request) {
		v, err := read(r)
		if err != nil {
			u.fail(w, r, err)
			return
		}
		u.render(w, r, name, v)
	})
}

// done is what an action has brought about.
type done struct {
	// To is the page that shows it, without the base path.
	To string
	// Notice is a sentence that the page begins with.
	Notice string
	// Page is a template that is filled with View in the place of both: an answer that is
	// nowhere else, or the form with what is wrong in it. View has no Changes: there is no
	// address to fetch it anew from.
	Page string
	View view
}

// action adds what a form does, for those with a role. The browser goes on to the page that
// shows what was done.
func (u *UI) action(pattern, role string, do func(w http.ResponseWriter, r *http.Request) (done, error)) {
	u.handle(pattern, role, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			u.Problem(w, r, unreadForm(err))
			return
		}
		d, err := do(w, r)
		if err != nil {
			u.fail(w, r, err)
			return
		}
		if d.Page != "" {
			u.render(w, r, d.Page, d.View)
			return
		}
		if d.Notice != "" {
			setNotice(w, r, d.Notice)
		}
		http.Redirect(w, r, admin.BasePathOf(r.Context())+d.To, http.StatusSeeOther)
	})
}

// unreadForm says why a form was not read.
func unreadForm(err error) *admin.Problem {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return admin.NewProblem(http.StatusRequestEntityTooLarge, "The form is too large: at most "+humanize.IBytes(uint64(large.Limit))+" are read.")
	}
	return admin.NewProblem(http.StatusBadRequest, "The form cannot be read: its fields are damaged.")
}

func needs(role string) *admin.Problem {
	return admin.NewProblem(http.StatusForbidden, "This needs the role "+role+": sign in with a token that has it.")
}

// fail shows an error. What is none of the operator's goes to the log.
func (u *UI) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, own := u.Service.Explain(err)
	if own && r.Context().Err() == nil {
		u.Log.ErrorContext(r.Context(), "page failed", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Any("error", err))
	}
	u.Problem(w, r, p)
}
