package session

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/store"
)

const (
	cookieName = "hookarr-session"
	// hostOnly begins the name of a cookie that browsers take from this host alone, over
	// TLS and for all of its paths.
	hostOnly = "__Host-"
	// maxCookies bounds how many cookies of one name are looked at: another path or a part
	// of the domain may have set some.
	maxCookies = 4
)

// Secure reports whether the browser speaks TLS, with us or with a trusted proxy.
func Secure(r *http.Request, trusted []netip.Prefix) bool {
	return r.TLS != nil || strings.EqualFold(auth.Forwarded(r, "X-Forwarded-Proto", trusted), "https")
}

// cookie is that of a session, without its value.
func cookie(r *http.Request, trusted []netip.Prefix) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // Secure is as the browser's connection
		Name: cookieName, Path: admin.BasePathOf(r.Context()) + "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: Secure(r, trusted),
	}
	if c.Secure && c.Path == "/" {
		c.Name = hostOnly + cookieName
	}
	return c
}

// Give has the browser keep the secret of its session for as long as any lasts.
func Give(w http.ResponseWriter, r *http.Request, trusted []netip.Prefix, secret string) {
	c := cookie(r, trusted) //nolint:gosec // see there
	c.Value, c.MaxAge = secret, int(store.SessionAge.Seconds())
	http.SetCookie(w, c)
}

// Take has the browser forget it.
func Take(w http.ResponseWriter, r *http.Request, trusted []netip.Prefix) {
	c := cookie(r, trusted) //nolint:gosec // see there
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// Given returns the secrets that a browser has for this path, the nearest first.
func Given(r *http.Request, trusted []netip.Prefix) []string {
	var secrets []string
	for _, c := range r.CookiesNamed(cookie(r, trusted).Name) {
		if len(secrets) < maxCookies && c.Value != "" {
			secrets = append(secrets, c.Value)
		}
	}
	return secrets
}
