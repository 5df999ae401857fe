// Package signin is the pages by which browsers sign in and out. It stands before access:
// everybody may ask it, and it says who has signed in to those who have.
package signin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/admin/oidc"
	"github.com/hookarr/hookarr/core/admin/session"
	"github.com/hookarr/hookarr/core/admin/ui"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

const (
	// maxForm bounds what a stranger may send, in bytes, and formTimeout how long it may
	// take.
	maxForm     = 16 << 10
	formTimeout = 5 * time.Second
)

// Pages show what there is to see. ui.UI is one.
type Pages interface {
	SignIn(w http.ResponseWriter, r *http.Request, s ui.SignIn)
	Problem(w http.ResponseWriter, r *http.Request, p *admin.Problem)
}

// Sessions begin and end. session.Sessions are some.
type Sessions interface {
	Begin(ctx context.Context, c *config.Config, p admin.Principal, b session.Browser) (secret string, err error)
	Redeem(ctx context.Context, c *config.Config, link string, b session.Browser) (secret string, p admin.Principal, err error)
	End(ctx context.Context, secret string) error
}

// Claimer makes that something is done once, on all nodes. store.Store is one.
type Claimer interface {
	Claim(ctx context.Context, key string, window time.Duration, owner uuid.UUID) (uuid.UUID, error)
}

// Options are what the pages are made of.
type Options struct {
	// Config says who may sign in; it does not change.
	Config   *config.Config
	Sessions Sessions
	Once     Claimer
	// Limiter counts failed sign-ins, over all handlers of a process.
	Limiter *auth.Limiter
	Pages   Pages
	Log     *slog.Logger
}

type handler struct {
	Options
	tokens   *access.Tokens
	provider *oidc.Provider
}

// New returns the handler of /login, what is below it, and /logout. A reload makes another.
func New(o Options) http.Handler {
	h := &handler{Options: o, tokens: access.NewTokens(o.Config.Admin.Tokens)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", h.show)
	mux.HandleFunc("POST /login", h.signIn)
	mux.HandleFunc("POST /logout", h.signOut)
	if c := o.Config.Admin.OIDC; c != nil {
		h.provider = oidc.New(*c)
		mux.HandleFunc("GET "+oidcPath, h.leave)
		mux.HandleFunc("GET "+oidcPath+"/callback", h.comeBack)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		switch {
		case pattern != "":
			mux.ServeHTTP(w, r)
		case r.URL.Path == "/login" || r.URL.Path == "/logout":
			w.Header().Set("Allow", "POST")
			h.Pages.Problem(w, r, admin.NewProblem(http.StatusMethodNotAllowed, "this address is for another kind of request"))
		default:
			h.Pages.Problem(w, r, admin.NewProblem(http.StatusNotFound, "there is no such page"))
		}
	})
}

// show shows the ways to sign in, and who has signed in already.
func (h *handler) show(w http.ResponseWriter, r *http.Request) {
	page := h.page(r.URL.Query().Get("next"))
	if admin.PrincipalOf(r.Context()).Name == "" && len(session.Given(r, h.Config.TrustedProxies)) > 0 {
		session.Take(w, r, h.Config.TrustedProxies)
		page.Problem = "Your session has ended: sign in again."
	}
	h.Pages.SignIn(w, r, page)
}

// page is the page to sign in that leads on to another.
func (h *handler) page(next string) ui.SignIn {
	a := h.Config.Admin
	page := ui.SignIn{
		Next: admin.Local(next, "/"), Token: len(a.Tokens) > 0, Link: true,
		Nobody: len(a.Tokens) == 0 && a.OIDC == nil && a.ForwardAuth == nil,
	}
	if h.provider != nil {
		page.Provider = h.provider.Name()
	}
	return page
}

// refuse shows the page to sign in with what was wrong.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, next, why string) {
	page := h.page(next)
	page.Status, page.Problem = status, why
	h.Pages.SignIn(w, r, page)
}

// signIn signs in who has a token or a link.
func (h *handler) signIn(w http.ResponseWriter, r *http.Request) {
	if !h.read(w, r) {
		return
	}
	next := r.PostForm.Get("next")
	token, link := strings.TrimSpace(r.PostForm.Get("token")), strings.TrimSpace(r.PostForm.Get("link"))
	switch {
	case token != "":
		p, ok := h.tokens.Find(token)
		if !ok {
			h.failed(w, r, next, "This is no token of the configuration.")
			return
		}
		secret, err := h.Sessions.Begin(r.Context(), h.Config, p, h.browser(r))
		h.begun(w, r, next, secret, p, err)
	case link != "":
		// Who pastes the whole address means what is behind its #.
		secret, p, err := h.Sessions.Redeem(r.Context(), h.Config, link[strings.LastIndexByte(link, '#')+1:], h.browser(r))
		if errors.Is(err, session.ErrLinkOver) {
			h.failed(w, r, next, "This code was used already, or is older than 5 minutes: run hookarr open on the server for another.")
			return
		}
		h.begun(w, r, next, secret, p, err)
	default:
		h.refuse(w, r, http.StatusUnprocessableEntity, next, "Give a token, or the code of hookarr open.")
	}
}

// read reads the form of a stranger, or answers why not.
func (h *handler) read(w http.ResponseWriter, r *http.Request) bool {
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(formTimeout))
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if err == nil { // it leaves what is no form of this kind unread
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		// The deadline stays: the server waits for the rest before it answers.
		h.refuse(w, r, http.StatusBadRequest, "", "The form cannot be read: send it again.")
		return false
	}
	_ = connection.SetReadDeadline(time.Time{}) // which would be taken for the client's leaving
	return true
}

func (h *handler) browser(r *http.Request) session.Browser {
	b := session.Browser{Agent: r.UserAgent()}
	if given := session.Given(r, h.Config.TrustedProxies); len(given) > 0 {
		b.Former = given[0]
	}
	return b
}

// failed answers who could not sign in, and counts it.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, next, why string) {
	client := auth.Client(r, h.Config.TrustedProxies)
	if h.Limiter.Fail(client, time.Now()) {
		p := access.TooMany(w)
		h.refuse(w, r, p.Status, next, "Too many failed sign-ins from this address: wait a few seconds, and check what you enter.")
		return
	}
	h.Log.WarnContext(r.Context(), "sign-in refused", slog.String("client", client.String()))
	h.refuse(w, r, http.StatusUnauthorized, next, why)
}

// begun gives the browser its session.
func (h *handler) begun(w http.ResponseWriter, r *http.Request, next, secret string, p admin.Principal, err error) {
	if err != nil {
		if r.Context().Err() == nil {
			h.Log.ErrorContext(r.Context(), "session cannot begin", slog.Any("error", err))
		}
		w.Header().Set("Retry-After", "5")
		h.Pages.Problem(w, r, admin.NewProblem(http.StatusServiceUnavailable, "the database does not answer, so that nobody can sign in: try again in a moment"))
		return
	}
	h.Log.InfoContext(r.Context(), "signed in", slog.String("who", p.Name), slog.String("via", p.Via), slog.String("role", p.Role),
		slog.String("client", auth.Client(r, h.Config.TrustedProxies).String()))
	session.Give(w, r, h.Config.TrustedProxies, secret)
	h.lead(w, r, next)
}

// lead goes on to a page of this server.
func (h *handler) lead(w http.ResponseWriter, r *http.Request, next string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, admin.BasePathOf(r.Context())+admin.Local(next, "/"), http.StatusSeeOther) //nolint:gosec // admin.Local has judged it
}

// signOut ends the browser's session.
func (h *handler) signOut(w http.ResponseWriter, r *http.Request) {
	if !h.read(w, r) {
		return
	}
	for _, secret := range session.Given(r, h.Config.TrustedProxies) {
		if err := h.Sessions.End(r.Context(), secret); err != nil {
			h.Log.ErrorContext(r.Context(), "session cannot end", slog.Any("error", err))
			h.Pages.Problem(w, r, admin.NewProblem(http.StatusServiceUnavailable, "the database does not answer, so that you are still signed in: try again in a moment"))
			return
		}
	}
	session.Take(w, r, h.Config.TrustedProxies)
	if p := admin.PrincipalOf(r.Context()); p.Session != "" {
		h.Log.InfoContext(r.Context(), "signed out", slog.String("who", p.Name), slog.String("via", p.Via))
	}
	h.lead(w, r, "/login")
}
