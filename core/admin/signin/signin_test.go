package signin_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin/admintest"
	"github.com/hookarr/hookarr/core/config"
)

func TestToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	led := b.get("/events?q=a+b")
	require.Equal(t, http.StatusSeeOther, led.status)
	require.Equal(t, "/login?next=%2Fevents%3Fq%3Da%2Bb", led.header.Get("Location"))
	page := b.get(led.header.Get("Location"))
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, `name="token"`)
	require.Contains(t, page.body, `name="link"`)
	require.Contains(t, page.body, `name="next" value="/events?q=a&#43;b"`)
	require.NotContains(t, page.body, "/login/oidc")
	require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'")

	in := b.post("/login", url.Values{"token": {" " + admintest.OperateToken + "\n"}, "next": {"/events?q=a+b"}}, "User-Agent", "Browser/1")
	require.Equal(t, http.StatusSeeOther, in.status)
	require.Equal(t, "/events?q=a+b", in.header.Get("Location"))
	c := in.cookie("hookarr-session")
	require.NotNil(t, c)
	require.True(t, c.HttpOnly)
	require.False(t, c.Secure)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Equal(t, 30*24*60*60, c.MaxAge)
	require.Equal(t, "/", c.Path)
	require.Empty(t, c.Domain)
	require.Equal(t, "ci token operate /events", b.get("/events").body)
	require.Equal(t, "ci token operate /api/v1/x", b.get("/api/v1/x").body)
	require.Contains(t, b.get("/login").body, "You are signed in as <strong>ci</strong> by token, with the role operate.")
	require.Contains(t, r.Logged(), "msg=\"signed in\" who=ci via=token role=operate client=127.0.0.1")
	require.NotContains(t, r.Logged(), c.Value)

	list, err := r.Store.ListSessions(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "Browser/1", list[0].Agent)

	out := b.post("/logout", url.Values{})
	require.Equal(t, http.StatusSeeOther, out.status)
	require.Equal(t, "/login", out.header.Get("Location"))
	require.Negative(t, out.cookie("hookarr-session").MaxAge)
	require.Equal(t, "/", out.cookie("hookarr-session").Path)
	require.NotContains(t, b.get("/login").body, "has ended")
	// Who has kept the cookie is out all the same.
	kept := r.browser(t).get("/events", "Cookie", "hookarr-session="+c.Value)
	require.Equal(t, http.StatusSeeOther, kept.status)
	require.Contains(t, kept.header.Get("Location"), "/login?next=")
}

func TestWrongTokens(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	var statuses []int
	var last answer
	for range 11 {
		last = b.post("/login", url.Values{"token": {"guess-guess-guess"}, "next": {"/events"}})
		statuses = append(statuses, last.status)
		require.Nil(t, last.cookie("hookarr-session"))
		require.Contains(t, last.body, `name="next" value="/events"`)
	}
	require.Equal(t, []int{401, 401, 401, 401, 401, 401, 401, 401, 401, 429, 429}, statuses)
	require.Contains(t, last.body, "Too many failed sign-ins from this address")
	require.Equal(t, "6", last.header.Get("Retry-After"))
	require.NotContains(t, last.body, "guess-guess-guess")
	require.NotContains(t, r.Logged(), "guess")
	b.signIn() // who has the right one is not kept waiting
	require.Equal(t, http.StatusSeeOther, r.browser(t).post("/login", url.Values{"link": {r.link(t)}}).status)
}

func TestBadForms(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	for _, tt := range []struct {
		form   url.Values
		status int
		want   string
	}{
		{url.Values{}, 422, "Give a token, or the code of hookarr open."},
		{url.Values{"token": {""}, "link": {"  "}}, 422, "Give a token, or the code"},
		{url.Values{"token": {strings.Repeat("x", 10000)}}, 401, "This is no token"},
		{url.Values{"token": {strings.Repeat("x", 100000)}}, 400, "The form cannot be read"},
		{url.Values{"token": {"\x00\xff"}}, 401, "This is no token"},
		{url.Values{"link": {strings.Repeat("A", 43)}}, 401, "This code was used already"},
		{url.Values{"link": {"x#"}}, 401, "This code was used already"},
	} {
		a := b.post("/login", tt.form)
		require.Equal(t, tt.status, a.status)
		require.Contains(t, a.body, tt.want)
		require.Nil(t, a.cookie("hookarr-session"))
	}
	// A token in the address would end in logs.
	require.Equal(t, 422, b.post("/login?token="+admintest.OperateToken, url.Values{}).status)
	require.Equal(t, http.StatusMethodNotAllowed, b.get("/logout").status)
	require.Equal(t, http.StatusMethodNotAllowed, b.do(http.MethodPut, "/login", nil).status)
	require.Equal(t, http.StatusNotFound, b.get("/login/oidc").status)
	require.Equal(t, http.StatusNotFound, b.get("/login/x").status)
}

func TestLink(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	link := r.link(t)
	b := r.browser(t)
	in := b.post("/login", url.Values{"link": {"http://127.0.0.1:8485/login#" + link}})
	require.Equal(t, http.StatusSeeOther, in.status)
	require.Equal(t, "/", in.header.Get("Location"))
	require.Equal(t, "root link operate /events", b.get("/events").body)
	require.NotContains(t, r.Logged(), link)

	again := r.browser(t).post("/login", url.Values{"link": {link}})
	require.Equal(t, http.StatusUnauthorized, again.status)
	require.Contains(t, again.body, "run hookarr open on the server for another")
	require.Equal(t, "root link operate /events", b.get("/events").body, "the first is still in")
}

// TestLinkOnce: of many browsers that redeem one link at the same time, one is in.
func TestLinkOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	link := r.link(t)
	var in atomic.Int32
	var redeemers sync.WaitGroup
	for range 8 {
		b := r.browser(t)
		redeemers.Go(func() {
			if b.post("/login", url.Values{"link": {link}}).status == http.StatusSeeOther {
				in.Add(1)
			}
		})
	}
	redeemers.Wait()
	require.EqualValues(t, 1, in.Load())
}

// TestRotation: a cookie that was there before a sign-in signs nobody in.
func TestRotation(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	first := b.signIn().cookie("hookarr-session").Value
	for _, form := range []url.Values{{"token": {admintest.ViewToken}}, {"link": {r.link(t)}}} {
		in := b.post("/login", form)
		require.Equal(t, http.StatusSeeOther, in.status)
		second := in.cookie("hookarr-session").Value
		require.NotEqual(t, first, second)
		require.Equal(t, http.StatusSeeOther, r.browser(t).get("/events", "Cookie", "hookarr-session="+first).status)
		first = second
	}
	// Nor does one that somebody else has chosen.
	chosen := strings.Repeat("A", 43)
	in := r.browser(t).post("/login", url.Values{"token": {admintest.ViewToken}}, "Cookie", "hookarr-session="+chosen)
	require.NotEqual(t, chosen, in.cookie("hookarr-session").Value)
	require.Equal(t, http.StatusSeeOther, r.browser(t).get("/events", "Cookie", "hookarr-session="+chosen).status)
}

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/\t/evil.example", "/a\r\nSet-Cookie: x=y", "evil", "/..//evil.example", strings.Repeat("/a", 2000)} {
		b := r.browser(t)
		page := b.get("/login?" + url.Values{"next": {next}}.Encode())
		require.Contains(t, page.body, `name="next" value="/"`, next)
		in := b.post("/login", url.Values{"token": {admintest.OperateToken}, "next": {next}})
		require.Equal(t, "/", in.header.Get("Location"), next)
		require.Len(t, in.header.Values("Set-Cookie"), 1, next)
	}
}

func TestEndedSession(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	b.signIn()
	list, err := r.Store.ListSessions(t.Context())
	require.NoError(t, err)
	require.NoError(t, r.Store.EndSession(t.Context(), list[0].ID))

	led := b.get("/targets")
	require.Equal(t, http.StatusSeeOther, led.status)
	done := b.post("/targets/ops/pause", url.Values{})
	require.Equal(t, http.StatusUnauthorized, done.status)
	require.Contains(t, done.body, "Nothing was done")
	require.Contains(t, done.body, `href="/login"`)
	part := b.get("/targets", "HX-Request", "true", "HX-Current-URL", r.server.URL+"/targets?x=1")
	require.Equal(t, http.StatusUnauthorized, part.status)
	require.Equal(t, "/login?next=%2Ftargets%3Fx%3D1", part.header.Get("HX-Redirect"))
	require.Equal(t, "/login", b.get("/targets", "HX-Request", "true", "HX-Current-URL", "https://evil.example//evil").header.Get("HX-Redirect"))
	stream := b.get("/live", "Accept", "text/event-stream")
	require.Equal(t, http.StatusUnauthorized, stream.status)
	program := b.get("/api/v1/targets")
	require.Equal(t, http.StatusUnauthorized, program.status)
	require.Equal(t, "application/problem+json", program.header.Get("Content-Type"))

	page := b.get(led.header.Get("Location"))
	require.Contains(t, page.body, "Your session has ended: sign in again.")
	require.NotContains(t, b.get("/login").body, "has ended", "it says so once")
}

// TestSessionsOfTokens: what a token has begun ends with it.
func TestSessionsOfTokens(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c *config.Config){
		"removed":      func(c *config.Config) { c.Admin.Tokens = c.Admin.Tokens[:1] },
		"another role": func(c *config.Config) { c.Admin.Tokens[1].Role = config.RoleView },
		"another name": func(c *config.Config) { c.Admin.Tokens[1].Name = "cd" },
		"another text": func(c *config.Config) { c.Admin.Tokens[1].Token = "changed-0123456789abcdef" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			b := r.browser(t)
			b.signIn()
			link := r.browser(t)
			require.Equal(t, http.StatusSeeOther, link.post("/login", url.Values{"link": {r.link(t)}}).status)
			r.reload(t, func(c *config.Config) { c.Admin.Hosts = []string{"nas.lan"} })
			require.Equal(t, http.StatusOK, b.get("/events").status, "a reload of something else ends nothing")
			r.reload(t, change)
			require.Equal(t, http.StatusSeeOther, b.get("/events").status)
			r.reload(t, nil)
			require.Equal(t, http.StatusSeeOther, b.get("/events").status, "nor does it come back")
			require.Equal(t, http.StatusOK, link.get("/events").status)
		})
	}
}

func TestBasePathAndCookies(t *testing.T) {
	t.Parallel()
	based := func(path string) func(*config.Config) { return func(c *config.Config) { c.Admin.BasePath = path } }
	r := newRig(t, based("/a"))
	b := r.browser(t)
	require.Equal(t, "/a/", b.get("/a").header.Get("Location"))
	led := b.get("/a/events")
	require.Equal(t, "/a/login?next=%2Fevents", led.header.Get("Location"))
	require.Contains(t, b.get("/a/login").body, `action="/a/login"`)
	in := b.post("/a/login", url.Values{"token": {admintest.ViewToken}, "next": {"/events"}})
	require.Equal(t, "/a/events", in.header.Get("Location"))
	c := in.cookie("hookarr-session")
	require.Equal(t, "/a/", c.Path)
	require.Equal(t, "dashboard token view /events", b.get("/a/events").body)
	require.Equal(t, "/a/login", b.post("/a/logout", url.Values{}).header.Get("Location"))
	require.Equal(t, http.StatusNotFound, b.get("/login").status)

	// That of another instance comes along, and is in nobody's way.
	other := strings.Repeat("B", 43)
	in = r.browser(t).post("/a/login", url.Values{"token": {admintest.ViewToken}})
	own := in.cookie("hookarr-session").Value
	for _, cookies := range []string{other + "; hookarr-session=" + own, own + "; hookarr-session=" + other, `"x"; hookarr-session=` + own} {
		require.Equal(t, http.StatusOK, r.browser(t).get("/a/events", "Cookie", "hookarr-session="+cookies).status, cookies)
	}
	many := strings.Repeat(other+"; hookarr-session=", 10)
	require.Equal(t, http.StatusSeeOther, r.browser(t).get("/a/events", "Cookie", "hookarr-session="+many+own).status, "no more are looked up than a browser may have")
}

func TestSecureCookies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, base, proto, cookie string
		trusted, secure           bool
	}{
		{"a trusted proxy with TLS", "", "https", "__Host-hookarr-session", true, true},
		{"below a base path", "/a", "https", "hookarr-session", true, true},
		{"two proxies", "", "http, https", "__Host-hookarr-session", true, true},
		{"the nearest has none", "", "https, http", "hookarr-session", true, false},
		{"a trusted proxy without", "", "http", "hookarr-session", true, false},
		{"a stranger's word", "", "https", "hookarr-session", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *config.Config) {
				c.Admin.BasePath = tt.base
				c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
				if tt.trusted {
					loopback(c)
				}
			})
			b := r.browser(t)
			in := b.post(tt.base+"/login", url.Values{"token": {admintest.ViewToken}}, "X-Forwarded-Proto", tt.proto)
			require.Equal(t, http.StatusSeeOther, in.status)
			c := in.cookie(tt.cookie)
			require.NotNil(t, c, in.header)
			require.Equal(t, tt.secure, c.Secure)
			require.Equal(t, tt.base+"/", c.Path)
			require.Equal(t, http.StatusOK, r.browser(t).get(tt.base+"/events", "X-Forwarded-Proto", tt.proto, "Cookie", c.Name+"="+c.Value).status)
			stream := httptest.NewRequest(http.MethodGet, tt.base+"/live", nil)
			stream.RemoteAddr = "127.0.0.1:1"
			stream.Header.Set("X-Forwarded-Proto", tt.proto)
			stream.Header.Set("Cookie", c.Name+"="+c.Value)
			require.True(t, r.access.Load().Admits(stream), "it may go on")
			if strings.HasPrefix(tt.cookie, "__Host-") {
				// One that was set without TLS may be anybody's.
				require.Equal(t, http.StatusSeeOther, r.browser(t).get("/events", "X-Forwarded-Proto", tt.proto, "Cookie", "hookarr-session="+c.Value).status)
			}
		})
	}
}

func TestOtherSites(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) { c.Admin.ExternalURL = "https://home.example" })
	b := r.browser(t)
	b.signIn()
	for _, tt := range []struct {
		name   string
		header []string
		status int
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"another part of the site", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"another site without fetch metadata", []string{"Origin", "https://evil.example"}, 403},
		{"an origin that is not told", []string{"Origin", "null"}, 403},
		{"the own page without fetch metadata", []string{"Origin", r.server.URL}, 303},
		{"the own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, 303},
		{"behind a proxy that changes Host", []string{"Host", "127.0.0.1:1", "Origin", "https://home.example"}, 303},
		{"behind a proxy that is not configured", []string{"Host", "127.0.0.1:1", "Origin", "https://other.example"}, 403},
		{"no browser", []string{"Origin", ""}, 303},
	} {
		for _, path := range []string{"/login", "/logout"} {
			form := url.Values{"token": {admintest.ViewToken}}
			own := r.browser(t)
			a := own.post(path, form, tt.header...)
			require.Equal(t, tt.status, a.status, "%s %s", tt.name, path)
			if tt.status != http.StatusForbidden {
				continue
			}
			require.Empty(t, a.header.Values("Set-Cookie"), "%s %s", tt.name, path)
			require.Contains(t, a.header.Get("Content-Type"), "text/html")
			require.Contains(t, a.body, "Origin is", tt.name)
			require.Contains(t, a.body, "Host is", tt.name)
			require.Contains(t, a.body, "set admin.external_url", tt.name)
		}
	}
	require.Equal(t, http.StatusOK, b.get("/events").status, "nobody was signed out")
	// A link from elsewhere is followed, as a GET changes nothing.
	require.Equal(t, http.StatusOK, b.get("/events", "Sec-Fetch-Site", "cross-site").status)
	host := b.get("/events", "Host", "evil.example")
	require.Equal(t, http.StatusForbidden, host.status)
	style := regexp.MustCompile(`/assets/[0-9a-f]+/hookarr\.css`).FindString(host.body)
	require.Equal(t, http.StatusOK, r.browser(t).get(style, "Host", "evil.example").status)
	require.Contains(t, host.body, "put it into admin.hosts or admin.external_url")
	require.Contains(t, host.header.Get("Content-Type"), "text/html")
}

func TestNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) { c.Admin.Tokens = nil })
	b := r.browser(t)
	page := b.get(b.get("/").header.Get("Location"))
	require.Equal(t, http.StatusOK, page.status)
	require.Contains(t, page.body, "Nobody may come in yet: run <code>hookarr open</code> on the server.")
	require.NotContains(t, page.body, `name="token"`)
	require.Equal(t, http.StatusUnauthorized, b.post("/login", url.Values{"token": {"0123456789abcdef"}}).status)
	require.Equal(t, http.StatusSeeOther, b.post("/login", url.Values{"link": {r.link(t)}}).status)
	require.Equal(t, "root link operate /", b.get("/").body)
}

func TestForwardAuth(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) {
		c.Admin.ForwardAuth = &config.ForwardAuth{Header: "Remote-User", Role: config.RoleView, From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	})
	b := r.browser(t)
	require.Equal(t, "ann proxy view /events", b.get("/events", "Remote-User", "ann").body)
	require.Contains(t, b.get("/login", "Remote-User", "ann").body, "You are signed in as <strong>ann</strong> by proxy, with the role view.")
	require.NotContains(t, b.get("/login", "Remote_User", "ann").body, "You are signed in")
	require.Equal(t, "ci token operate /api/v1/x", b.get("/api/v1/x", "Remote-User", "ann", "X-Api-Key", admintest.OperateToken).body)
	// Who wants another role than the proxy gives signs in besides.
	b.signIn()
	require.Equal(t, "ci token operate /events", b.get("/events", "Remote-User", "ann").body)
	b.post("/logout", url.Values{}, "Remote-User", "ann")
	require.Equal(t, "ann proxy view /events", b.get("/events", "Remote-User", "ann").body)
}

func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	b.signIn()
	require.NoError(t, r.Store.Close())
	page := b.get("/events")
	require.Equal(t, http.StatusServiceUnavailable, page.status)
	require.Contains(t, page.body, "The database does not answer")
	require.Equal(t, "5", page.header.Get("Retry-After"))
	require.Equal(t, http.StatusServiceUnavailable, b.post("/logout", url.Values{}).status)
	fresh := r.browser(t)
	require.Equal(t, http.StatusServiceUnavailable, fresh.post("/login", url.Values{"token": {admintest.OperateToken}}).status)
	require.Equal(t, http.StatusOK, fresh.get("/login").status)
	require.Equal(t, "ci token operate /api/v1/x", b.get("/api/v1/x", "X-Api-Key", admintest.OperateToken).body, "a token needs no database")
}

// TestSlowForm: a stranger does not keep us waiting.
func TestSlowForm(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	type stalled struct {
		conn   net.Conn
		status int
	}
	var waiting []stalled
	for _, form := range []string{"application/x-www-form-urlencoded", "text/plain"} {
		for path, status := range map[string]int{"/login": http.StatusBadRequest, "/logout": http.StatusBadRequest, "/events": http.StatusUnauthorized} {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.server.URL, "http://"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, conn.Close()) })
			_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\ntoken=", path, form)
			require.NoError(t, err)
			waiting = append(waiting, stalled{conn, status})
		}
	}
	for _, w := range waiting {
		answer, err := http.ReadResponse(bufio.NewReader(w.conn), nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, w.status, answer.StatusCode)
	}
}

// TestAdmitsNoLonger asks the handler that holds now of requests that one before has let in, as
// streams do that go on for long.
func TestAdmitsNoLonger(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	b := r.browser(t)
	b.signIn()
	home, err := url.Parse(r.server.URL)
	require.NoError(t, err)
	request := func(header, value string) *http.Request {
		req := httptest.NewRequest(http.MethodGet, "/live", nil)
		req.Header.Set(header, value)
		return req
	}
	cookie := b.jar.Cookies(home)[0]
	session, token := request("Cookie", cookie.Name+"="+cookie.Value), request("X-Api-Key", admintest.OperateToken)
	require.True(t, r.access.Load().Admits(session))
	require.True(t, r.access.Load().Admits(token))
	require.False(t, r.access.Load().Admits(request("X-Api-Key", "another")))
	r.reload(t, func(c *config.Config) { c.Admin.Tokens = c.Admin.Tokens[:1] })
	require.False(t, r.access.Load().Admits(session))
	require.False(t, r.access.Load().Admits(token))
}

// TestAdmitsBelowAPath: the name of the cookie depends on the base path, which the request of
// a stream has still.
func TestAdmitsBelowAPath(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *config.Config) {
		loopback(c)
		c.Admin.BasePath = "/hookarr"
	})
	b := r.browser(t)
	in := b.post("/hookarr/login", url.Values{"token": {admintest.OperateToken}}, "X-Forwarded-Proto", "https", "Origin", strings.Replace(b.base, "http:", "https:", 1))
	require.Equal(t, http.StatusSeeOther, in.status, in.body)
	c := in.cookie("hookarr-session")
	require.NotNil(t, c)
	stream := httptest.NewRequest(http.MethodGet, "/hookarr/live", nil)
	stream.RemoteAddr = "127.0.0.1:40000"
	stream.Header.Set("X-Forwarded-Proto", "https")
	stream.Header.Set("Cookie", c.Name+"="+c.Value)
	require.True(t, r.access.Load().Admits(stream))
}
