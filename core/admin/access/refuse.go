package access

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/auth"
)

const (
	// signInBurst failed sign-ins of an address are forgiven: the tenth is told to wait.
	// signInEvery is the pause until one more is.
	signInBurst = 9
	signInEvery = 6 * time.Second
	// restTimeout is how long who is not let in may take for the rest of a request.
	restTimeout = 5 * time.Second
)

// NewLimiter returns the limiter of failed sign-ins.
func NewLimiter() *auth.Limiter { return &auth.Limiter{Burst: signInBurst, Every: signInEvery} }

// TooMany is what an address is told that has failed too often. Who can sign in is never
// told: only what failed is counted.
func TooMany(w http.ResponseWriter) *admin.Problem {
	w.Header().Set("Retry-After", strconv.Itoa(int(signInEvery.Seconds())))
	return admin.NewProblem(http.StatusTooManyRequests, "too many failed sign-ins from this address: wait a while and check the token")
}

// problem tells why something is not done: people by a page, programs by JSON.
func (h *Handler) problem(w http.ResponseWriter, r *http.Request, p *admin.Problem) {
	// The server waits for the rest of a request before it answers.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restTimeout))
	if h.Problem == nil || !wantsPage(r) {
		p.Write(w)
		return
	}
	h.Problem(w, r, p)
}

// wantsPage reports whether a person looks at the answer.
func wantsPage(r *http.Request) bool {
	return !isAPI(r.URL.Path) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// outside answers for paths that are not below the base path. A person who has left out the
// last slash is led to it.
func (h *Handler) outside(w http.ResponseWriter, r *http.Request) {
	base := h.Config.Admin.BasePath
	at := rebased(r, r.URL.Path, base)
	if r.URL.Path == base && wantsPage(r) && reads(r) {
		http.Redirect(w, at, base+"/", http.StatusSeeOther) //nolint:gosec // the configuration's own path
		return
	}
	h.problem(w, at, admin.NewProblem(http.StatusNotFound, "there is nothing here: every path begins with admin.base_path"))
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// away answers while nobody can say whose session it is.
func (h *Handler) away(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		h.Log.ErrorContext(r.Context(), "session cannot be looked up", slog.Any("error", err))
	}
	w.Header().Set("Retry-After", "5")
	h.problem(w, r, admin.NewProblem(http.StatusServiceUnavailable,
		"the database does not answer, so that nobody can tell who you are: what was accepted is kept, and this works again once it does"))
}

// refuse answers who was not let in. Too many failures of an address are told apart: who
// can sign in is never kept waiting.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request) {
	a := h.Config.Admin
	if credential(r) != "" && len(a.Tokens) > 0 {
		client := auth.Client(r, h.Config.TrustedProxies)
		if h.Limiter.Fail(client, time.Now()) {
			h.problem(w, r, TooMany(w))
			return
		}
		h.Log.WarnContext(r.Context(), "sign-in refused", slog.String("client", client.String()))
	} else if h.SignIn != nil && h.leads(w, r) {
		return
	}
	if len(a.Tokens) == 0 && a.ForwardAuth == nil && a.OIDC == nil {
		h.problem(w, r, admin.NewProblem(http.StatusUnauthorized,
			"nobody may come in here yet: run hookarr open on the server, or configure admin.tokens, admin.forward_auth or admin.oidc"))
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="hookarr"`)
	h.problem(w, r, admin.NewProblem(http.StatusUnauthorized, "give a token of admin.tokens in the header X-Api-Key or Authorization: Bearer"))
}

// leads leads a person to the page to sign in, which leads back. It does nothing for
// programs.
func (h *Handler) leads(w http.ResponseWriter, r *http.Request) bool {
	base := h.Config.Admin.BasePath
	switch {
	case r.Header.Get("HX-Request") == "true" && !isAPI(r.URL.Path):
		// htmx follows a redirect by itself, and would put the page to sign in into this one.
		w.Header().Set("HX-Redirect", login(base, h.current(r)))
		h.problem(w, r, admin.NewProblem(http.StatusUnauthorized, "your session has ended: sign in again"))
	case !wantsPage(r):
		return false
	case reads(r):
		http.Redirect(w, r, login(base, r.URL.RequestURI()), http.StatusSeeOther) //nolint:gosec // admin.Local has judged it
	default:
		h.problem(w, r, admin.NewProblem(http.StatusUnauthorized, "nothing was done: your session has ended, so sign in and do it again"))
	}
	return true
}

// current is the page that htmx works for, without the base path.
func (h *Handler) current(r *http.Request) string {
	u, err := url.Parse(r.Header.Get("HX-Current-URL"))
	if err != nil {
		return "/"
	}
	path, _ := strings.CutPrefix(u.Path, h.Config.Admin.BasePath)
	return (&url.URL{Path: path, RawQuery: u.RawQuery}).RequestURI()
}

// login is the address of the page to sign in that leads to another.
func login(base, next string) string {
	if next = admin.Local(next, "/"); next == "/" {
		return base + "/login"
	}
	return base + "/login?" + url.Values{"next": {next}}.Encode()
}
