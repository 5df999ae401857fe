// Package access lets operators in: over a unix socket, whose users the system vouches for,
// and over the network with a token, a session or a proxy's word.
package access

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/session"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

// Sessions are those of browsers that have signed in. session.Sessions are some.
type Sessions interface {
	// Find returns who a secret signs in under a configuration.
	Find(ctx context.Context, c *config.Config, secret string) (admin.Principal, bool, error)
}

// Options are what a Handler is made of.
type Options struct {
	// Config is all that says who may come in; it does not change.
	Config *config.Config
	// Limiter counts failed sign-ins, over all handlers of a process.
	Limiter *auth.Limiter
	// Shared is set where the listener takes webhooks, too. Its metrics ask for credentials
	// as the API does, as others reach it than those who scrape.
	Shared bool
	// LetIn, if there is one, is called for each request of an operator that was let in.
	LetIn func(context.Context)
	// Public answers health and metrics, which need no credentials on a listener of their own.
	Public http.Handler
	// API answers those who were let in below /api/, and Pages elsewhere; without Pages the
	// API does.
	API, Pages http.Handler
	// Assets answers everybody below /assets/, and SignIn at /login, below it, and at
	// /logout.
	Assets, SignIn http.Handler
	// Problem shows people why they are not let in; nil tells them as it tells programs.
	Problem func(w http.ResponseWriter, r *http.Request, p *admin.Problem)
	// Sessions is nil where there are none.
	Sessions Sessions
	Log      *slog.Logger
}

// Handler answers at admin.listen.
type Handler struct {
	Options
	tokens *Tokens
	names  hosts
	origin *http.CrossOriginProtection
}

// Network returns the handler of admin.listen. It is cheap to make: a reload makes another.
func Network(o Options) (*Handler, error) {
	h := &Handler{Options: o, names: newHosts(o.Config.Admin), tokens: NewTokens(o.Config.Admin.Tokens)}
	var err error
	if h.origin, err = newOriginCheck(o.Config.Admin); err != nil {
		return nil, err
	}
	return h, nil
}

// ServeHTTP answers for health and metrics with and without the base path: probes do not
// come through the proxy.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := h.Config.Admin.BasePath
	path, below := strings.CutPrefix(r.URL.Path, base)
	switch {
	case isHealth(r.URL.Path), isMetrics(r.URL.Path):
		path = r.URL.Path
	case !below, !strings.HasPrefix(path, "/"):
		h.outside(w, r)
		return
	}
	r = rebased(r, path, base)
	if isHealth(path) || isMetrics(path) && !h.Shared {
		h.Public.ServeHTTP(w, r)
		return
	}
	if h.Assets != nil && strings.HasPrefix(path, "/assets/") {
		h.Assets.ServeHTTP(w, r) // pages that refuse have to look like something
		return
	}
	r.Host = h.host(r)
	h.strip(r)
	if !h.names.allow(r.Host) {
		h.problem(w, r, admin.NewProblem(http.StatusForbidden, fmt.Sprintf(
			"%q is not a name of this server, so that the page of another may be asking: if it is one, put it into admin.hosts or admin.external_url", r.Host)))
		return
	}
	if err := h.origin.Check(r); err != nil {
		h.problem(w, r, admin.NewProblem(http.StatusForbidden, fmt.Sprintf(
			"the request comes from the page of another site: Origin is %q and Host is %q; if that is this server behind a proxy, set admin.external_url to what people open",
			r.Header.Get("Origin"), r.Host)))
		return
	}
	p, ok, err := h.identify(r)
	switch {
	case err != nil:
		h.away(w, r, err)
	case h.SignIn != nil && isSignIn(path):
		h.SignIn.ServeHTTP(w, asked(r, p))
	case !ok:
		h.refuse(w, r)
	case isMetrics(path):
		h.letIn(r)
		h.Public.ServeHTTP(w, r)
	case h.Pages != nil && !isAPI(path):
		h.letIn(r)
		h.Pages.ServeHTTP(w, asked(r, p))
	default:
		h.letIn(r)
		h.API.ServeHTTP(w, asked(r, p))
	}
}

func (h *Handler) letIn(r *http.Request) {
	if h.LetIn != nil {
		h.LetIn(r.Context())
	}
}

// asked returns the request as one of a principal.
func asked(r *http.Request, p admin.Principal) *http.Request {
	return r.WithContext(admin.WithPrincipal(r.Context(), p))
}

func isHealth(path string) bool { return path == "/healthz" || path == "/readyz" }

func isMetrics(path string) bool { return path == "/metrics" }

func isSignIn(path string) bool {
	return path == "/login" || strings.HasPrefix(path, "/login/") || path == "/logout"
}

func isAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }

// rebased returns a copy of the request without the base path, which may be changed.
func rebased(r *http.Request, path, base string) *http.Request {
	c := r.Clone(admin.WithBasePath(r.Context(), base))
	c.URL.Path, c.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, base)
	return c
}

// host is the name that the client used. A proxy may say which that was.
func (h *Handler) host(r *http.Request) string {
	return cmp.Or(auth.Forwarded(r, "X-Forwarded-Host", h.Config.TrustedProxies), r.Host)
}

// Admits reports whether the one who made a request, whom another handler may have let in, is
// let in by this one, too, or cannot be told now.
func (h *Handler) Admits(r *http.Request) bool {
	// The name of a session's cookie goes by the base path.
	r = r.Clone(admin.WithBasePath(r.Context(), h.Config.Admin.BasePath))
	h.strip(r)
	_, ok, err := h.identify(r)
	return ok || err != nil
}

// identify returns who a token says that it is, or else a session, or else a proxy.
func (h *Handler) identify(r *http.Request) (admin.Principal, bool, error) {
	if p, ok := h.tokens.Find(credential(r)); ok {
		return p, true, nil
	}
	if h.Sessions != nil {
		for _, secret := range session.Given(r, h.Config.TrustedProxies) {
			if p, ok, err := h.Sessions.Find(r.Context(), h.Config, secret); ok || err != nil {
				return p, ok, err
			}
		}
	}
	p, ok := h.forwarded(r)
	return p, ok, nil
}

// credential is what a client signs in with. A token in a URL would end in logs.
func credential(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// Socket returns the handler of the unix socket: its users are vouched for by the system,
// and no browser reaches it. Listeners' connections are told apart by ConnContext.
func Socket(public, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := peerOf(r.Context())
		if err != nil {
			admin.NewProblem(http.StatusForbidden, err.Error()).Write(w)
			return
		}
		if isHealth(r.URL.Path) || isMetrics(r.URL.Path) {
			public.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, asked(r, p))
	})
}

type peerKey struct{}

// peer is the user at the other end of a connection.
type peer struct {
	uid int
	err error
}

func peerOf(ctx context.Context) (admin.Principal, error) {
	p, ok := ctx.Value(peerKey{}).(peer)
	if !ok {
		return admin.Principal{}, errNoPeer
	}
	if p.err != nil {
		return admin.Principal{}, p.err
	}
	return admin.Principal{Name: userName(p.uid), Via: admin.ViaSocket, Role: config.RoleOperate}, nil
}
