package signin_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/admin/session"
	"github.com/hookarr/hookarr/core/admin/signin"
	"github.com/hookarr/hookarr/core/admin/ui"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/store"
)

// rig is access with the pages to sign in, over a real database.
type rig struct {
	*admintest.Rig
	server *httptest.Server
	access atomic.Pointer[access.Handler]
	pages  *ui.UI
}

// newRig serves a configuration, which change may change.
func newRig(t *testing.T, change func(a *config.Config)) *rig {
	t.Helper()
	r := &rig{Rig: admintest.New(t)}
	var err error
	r.pages, err = ui.New(ui.Options{Service: r.Service, Log: r.Log})
	require.NoError(t, err)
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.access.Load().ServeHTTP(w, req) }))
	t.Cleanup(r.server.Close)
	r.reload(t, change)
	return r
}

// reload takes another configuration into use.
func (r *rig) reload(t *testing.T, change func(c *config.Config)) {
	t.Helper()
	c := *r.Config
	c.Admin.Tokens = append([]config.AdminToken(nil), c.Admin.Tokens...)
	if change != nil {
		change(&c)
	}
	sessions, limiter := &session.Sessions{Store: r.Store, Log: r.Log}, access.NewLimiter()
	network, err := access.Network(access.Options{
		Config: &c, Limiter: limiter, Public: http.NotFoundHandler(), API: http.HandlerFunc(who), Pages: http.HandlerFunc(who),
		Assets:  http.HandlerFunc(r.pages.Assets),
		SignIn:  signin.New(signin.Options{Config: &c, Sessions: sessions, Once: r.Store, Limiter: limiter, Pages: r.pages, Log: r.Log}),
		Problem: r.pages.Problem, Sessions: sessions, Log: r.Log,
	})
	require.NoError(t, err)
	r.access.Store(network)
}

// who answers with who was let in.
func who(w http.ResponseWriter, r *http.Request) {
	p := admin.PrincipalOf(r.Context())
	_, _ = io.WriteString(w, strings.Join([]string{p.Name, p.Via, p.Role, r.URL.Path}, " "))
}

// browser is one that keeps cookies and follows nothing by itself.
type browser struct {
	t    *testing.T
	jar  http.CookieJar
	base string
}

func (r *rig) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, jar: jar, base: r.server.URL}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// cookie returns the cookie that an answer sets.
func (a answer) cookie(name string) *http.Cookie {
	for _, line := range a.header.Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == name {
			return c
		}
	}
	return nil
}

func (b *browser) do(method, path string, form url.Values, header ...string) answer {
	b.t.Helper()
	address := path
	if !strings.HasPrefix(path, "http") {
		address = b.base + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	require.NoError(b.t, err)
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", b.base)
	}
	for i := 0; i < len(header); i += 2 {
		switch {
		case header[i] == "Host":
			req.Host = header[i+1]
		case header[i+1] == "":
			req.Header.Del(header[i])
		default:
			req.Header.Set(header[i], header[i+1])
		}
	}
	client := http.Client{Jar: b.jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	require.NoError(b.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.t, err)
	require.NoError(b.t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (b *browser) get(path string, header ...string) answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil, header...)
}

func (b *browser) post(path string, form url.Values, header ...string) answer {
	b.t.Helper()
	return b.do(http.MethodPost, path, form, header...)
}

// signIn signs in with the token that may operate.
func (b *browser) signIn() answer {
	b.t.Helper()
	a := b.post("/login", url.Values{"token": {admintest.OperateToken}})
	require.Equal(b.t, http.StatusSeeOther, a.status, a.body)
	return a
}

func (r *rig) link(t *testing.T) string {
	t.Helper()
	secret, id := store.NewSecret()
	_, err := r.Store.AddLink(t.Context(), &store.Action{What: store.ActionLink, State: store.ActionDone, Who: "root", Via: "socket"}, id, "root")
	require.NoError(t, err)
	return secret
}

func loopback(c *config.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}
