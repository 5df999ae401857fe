package signin

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/oidc"
	"github.com/hookarr/hookarr/core/admin/session"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/event"
)

const (
	oidcPath = "/login/oidc"
	// loginPrefix begins the name of the cookie that keeps a sign-in under way. Each has one
	// of its own, so that two tabs do not disturb each other.
	loginPrefix = "hookarr-oidc-"
	// loginAge is how long a person may take at the provider, and maxLogins how many
	// sign-ins a browser may have under way.
	loginAge  = 10 * time.Minute
	maxLogins = 5
	// statePart is how much of a state tells the sign-ins of one browser apart.
	statePart = 12
)

// leave sends the browser to the provider.
func (h *handler) leave(w http.ResponseWriter, r *http.Request) {
	next := admin.Local(r.URL.Query().Get("next"), "/")
	address, login, err := h.provider.Begin(r.Context(), h.callback(r))
	if err != nil {
		h.providerFailed(w, r, next, err)
		return
	}
	h.forgetOld(w, r)
	c := h.loginCookie(r, login.State) //nolint:gosec // see there
	c.Value, c.MaxAge = kept{login, next}.String(), int(loginAge.Seconds())
	http.SetCookie(w, c)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // the provider's, which the configuration names
}

// comeBack signs in whom the provider vouches for.
func (h *handler) comeBack(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	state := query.Get("state")
	login, ok := h.takeLogin(w, r, state)
	if !ok {
		h.refuse(w, r, http.StatusBadRequest, "", "This sign-in did not begin in this browser, or is older than 10 minutes: begin anew.")
		return
	}
	if issuer := query.Get("iss"); issuer != "" && issuer != h.Config.Admin.OIDC.Issuer {
		h.refuse(w, r, http.StatusBadRequest, login.next, "Another provider than the configured one has answered: begin anew.")
		return
	}
	code := query.Get("code")
	if code == "" {
		h.refuse(w, r, http.StatusForbidden, login.next, "The provider has not signed you in: begin anew, or take another way.")
		return
	}
	who, err := h.provider.Finish(r.Context(), h.callback(r), login.Login, code)
	if err != nil {
		h.providerFailed(w, r, login.next, err)
		return
	}
	role, ok := oidc.Role(*h.Config.Admin.OIDC, who)
	if !ok {
		h.Log.WarnContext(r.Context(), "sign-in refused, as admin.oidc does not name this person", slog.String("who", who.Name),
			slog.String("subject", who.Subject), slog.String("client", auth.Client(r, h.Config.TrustedProxies).String()))
		h.refuse(w, r, http.StatusForbidden, login.next, "You have signed in at the provider, and the configuration does not let you in here: ask who runs this server to add you to admin.oidc.allow.")
		return
	}
	if used, err := h.usedUp(r, state); used || err != nil {
		if err == nil {
			h.refuse(w, r, http.StatusBadRequest, login.next, "This sign-in was used already: begin anew.")
			return
		}
		h.begun(w, r, login.next, "", admin.Principal{}, err)
		return
	}
	p := admin.Principal{Name: who.Name, Via: admin.ViaOIDC, Role: role}
	secret, err := h.Sessions.Begin(r.Context(), h.Config, p, h.browser(r))
	h.begun(w, r, login.next, secret, p, err)
}

// usedUp reports whether a state has signed in already, and makes it so. Only who is let in
// makes us write.
func (h *handler) usedUp(r *http.Request, state string) (bool, error) {
	id := event.NewID()
	owner, err := h.Once.Claim(r.Context(), "oidc:"+state, 2*loginAge, id)
	return owner != id, err
}

// providerFailed says what went wrong at the provider.
func (h *handler) providerFailed(w http.ResponseWriter, r *http.Request, next string, err error) {
	if r.Context().Err() == nil {
		h.Log.WarnContext(r.Context(), "sign-in with the provider failed", slog.Any("error", err),
			slog.String("client", auth.Client(r, h.Config.TrustedProxies).String()))
	}
	if errors.Is(err, oidc.ErrRefused) {
		h.refuse(w, r, http.StatusForbidden, next, "The provider does not vouch for this sign-in: begin anew.")
		return
	}
	w.Header().Set("Retry-After", "5")
	h.refuse(w, r, http.StatusBadGateway, next, h.provider.Name()+" does not answer as it should: try again in a moment, or take another way. The server's log says why.")
}

// callback is where the provider sends the browser back to.
func (h *handler) callback(r *http.Request) string {
	origin := h.Config.Admin.ExternalOrigin()
	switch {
	case origin != "":
	case session.Secure(r, h.Config.TrustedProxies):
		origin = "https://" + r.Host
	default:
		origin = "http://" + r.Host
	}
	return origin + admin.BasePathOf(r.Context()) + oidcPath + "/callback"
}

// kept is a sign-in under way as the browser keeps it. It is the browser's own, so that
// nobody else gains by changing it.
type kept struct {
	oidc.Login
	next string
}

// String is the value of the cookie, which begins with when the sign-in began.
func (k kept) String() string {
	return fmt.Sprintf("%d.%s.%s.%s.%s", time.Now().Unix(), k.State, k.Nonce, k.Verifier, base64.RawURLEncoding.EncodeToString([]byte(k.next)))
}

func readKept(value string) (k kept, ok bool) {
	part := strings.Split(value, ".")
	if len(part) != 5 || part[1] == "" || part[2] == "" || part[3] == "" {
		return kept{}, false
	}
	next, err := base64.RawURLEncoding.DecodeString(part[4])
	if err != nil {
		return kept{}, false
	}
	return kept{oidc.Login{State: part[1], Nonce: part[2], Verifier: part[3]}, admin.Local(string(next), "/")}, true
}

// loginCookie is the cookie of a state, without its value. The provider's answer is led to
// from another site, which is why it is Lax.
func (h *handler) loginCookie(r *http.Request, state string) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is as the browser's connection
		Name: loginPrefix + state[:statePart], Path: admin.BasePathOf(r.Context()) + oidcPath, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, Secure: session.Secure(r, h.Config.TrustedProxies),
	}
}

// takeLogin returns the sign-in of a state that began in this browser, once.
func (h *handler) takeLogin(w http.ResponseWriter, r *http.Request, state string) (kept, bool) {
	if len(state) < statePart {
		return kept{}, false
	}
	for _, c := range r.CookiesNamed(loginPrefix + state[:statePart]) {
		k, ok := readKept(c.Value)
		if !ok || k.State != state {
			continue
		}
		gone := h.loginCookie(r, state) //nolint:gosec // see there
		gone.MaxAge = -1
		http.SetCookie(w, gone)
		return k, true
	}
	return kept{}, false
}

// forgetOld has the browser forget the oldest sign-ins of many that were not ended, which
// would fill the heads of its requests.
func (h *handler) forgetOld(w http.ResponseWriter, r *http.Request) {
	var open []*http.Cookie
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, loginPrefix) && len(c.Name) == len(loginPrefix)+statePart {
			open = append(open, c)
		}
	}
	began := func(c *http.Cookie) int64 {
		text, _, _ := strings.Cut(c.Value, ".")
		at, _ := strconv.ParseInt(text, 10, 64)
		return at
	}
	slices.SortFunc(open, func(a, b *http.Cookie) int { return cmp.Compare(began(a), began(b)) })
	for _, c := range open[:max(0, len(open)-maxLogins+1)] {
		gone := h.loginCookie(r, strings.TrimPrefix(c.Name, loginPrefix)) //nolint:gosec // see there
		gone.MaxAge = -1
		http.SetCookie(w, gone)
	}
}
