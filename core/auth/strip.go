package auth

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// wellKnown lists what carries secrets whether or not the source asks for it: a sender
// may send more than it must. The last four headers are where reverse proxies repeat
// the URL, and with it a token.
func wellKnown() (headers, params []string) {
	headers = []string{
		"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key",
		"X-Hub-Signature", "X-Hub-Signature-256", "Webhook-Signature",
		"X-Forwarded-Uri", "X-Original-Uri", "X-Original-Url", "X-Rewrite-Url",
	}
	return headers, []string{"token", "apikey", "api_key", "access_token"}
}

// Strip returns copies of a request's headers and query without credentials: what
// may be stored and handed to plugins. What has one of the source's secrets in it goes,
// whatever its name is.
func (g *Gate) Strip(h http.Header, q url.Values) (http.Header, url.Values) {
	kept := h.Clone()
	for _, name := range g.headers {
		kept.Del(name)
	}
	for name, values := range kept {
		if slices.ContainsFunc(values, g.secrets.in) {
			delete(kept, name)
		}
	}
	params := url.Values{}
	for name, values := range q {
		secret := slices.ContainsFunc(g.params, func(p string) bool { return strings.EqualFold(p, name) })
		if !secret && !g.secrets.in(name) && !slices.ContainsFunc(values, g.secrets.in) {
			params[name] = slices.Clone(values)
		}
	}
	return kept, params
}

const redacted = "[redacted]"

// RedactURL returns the URL of a webhook, /hooks/SOURCE, for a log: without whatever
// follows the source's name and without the values in the query, because credentials
// are also sent where they are not asked for.
func RedactURL(u *url.URL) string {
	var b strings.Builder
	elements := strings.SplitN(strings.TrimPrefix(u.Path, "/"), "/", 3)
	for i, element := range elements {
		if i == 2 && element != "" {
			element = redacted
		}
		b.WriteString("/" + element)
	}
	names := make([]string, 0, 4)
	for name, values := range u.Query() {
		if strings.Join(values, "") == "" {
			name = redacted
		} else {
			name = url.QueryEscape(name) + "=" + redacted
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > 0 {
		b.WriteString("?" + strings.Join(names, "&"))
	}
	return b.String()
}
