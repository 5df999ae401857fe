package signin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

// trusting serves a configuration that trusts a provider.
func trusting(t *testing.T, p *provider, change func(o *config.OIDC)) *rig {
	t.Helper()
	return newRig(t, trust(p, change))
}

func trust(p *provider, change func(o *config.OIDC)) func(*config.Config) {
	return func(c *config.Config) {
		c.Admin.OIDC = &config.OIDC{
			Issuer: p.url, ClientID: "hookarr", ClientSecret: clientSecret, Scopes: []string{"openid", "groups"},
			UsernameClaim: "preferred_username", GroupsClaim: "groups",
			Allow: config.People{Groups: []string{"family"}}, Operate: config.People{Groups: []string{"admins"}},
		}
		if change != nil {
			change(c.Admin.OIDC)
		}
	}
}

// leave begins a sign-in and returns the address at the provider.
func (b *browser) leave(next string) string {
	b.t.Helper()
	a := b.get("/login/oidc?" + url.Values{"next": {next}}.Encode())
	require.Equal(b.t, http.StatusSeeOther, a.status, a.body)
	return a.header.Get("Location")
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := trusting(t, p, nil)
	b := r.browser(t)
	require.Zero(t, p.discovered, "an outage of the provider does not matter before somebody signs in")
	// A link: the policy lets no form end at the provider.
	require.Contains(t, b.get("/login?next=/events").body, `<a class="button" href="/login/oidc?next=%2Fevents">Sign in with 127.0.0.1</a>`)

	left := b.get("/login/oidc?next=/events%3Fq=x")
	require.Equal(t, http.StatusSeeOther, left.status)
	require.Contains(t, left.header.Get("Location"), "scope=openid+groups")
	require.Contains(t, left.header.Get("Location"), url.QueryEscape(r.server.URL+"/login/oidc/callback"))
	require.Len(t, left.header.Values("Set-Cookie"), 1)
	kept, err := http.ParseSetCookie(left.header.Get("Set-Cookie"))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(kept.Name, "hookarr-oidc-"))
	require.Equal(t, "/login/oidc", kept.Path)
	require.True(t, kept.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, kept.SameSite)
	require.Equal(t, 600, kept.MaxAge)

	in := b.get(p.authorize(left.header.Get("Location")), "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusSeeOther, in.status, in.body)
	require.Equal(t, "/events?q=x", in.header.Get("Location"))
	require.NotNil(t, in.cookie("hookarr-session"))
	require.Negative(t, in.cookie(kept.Name).MaxAge)
	require.Equal(t, "ann oidc view /events", b.get("/events").body)
	require.Contains(t, r.Logged(), `msg="signed in" who=ann via=oidc role=view`)
	require.NotContains(t, r.Logged(), clientSecret)

	// Who is not trusted any more is out.
	for name, change := range map[string]func(c *config.Config){
		"no provider":    nil,
		"another list":   trust(p, func(o *config.OIDC) { o.Allow.Groups = []string{"others"} }),
		"another issuer": trust(p, func(o *config.OIDC) { o.Issuer = "https://other.example" }),
	} {
		in := r.browser(t)
		require.Equal(t, http.StatusSeeOther, in.get(p.authorize(in.leave("/"))).status)
		require.Equal(t, http.StatusOK, in.get("/events").status)
		r.reload(t, change)
		require.Equal(t, http.StatusSeeOther, in.get("/events").status, name)
		r.reload(t, trust(p, nil))
	}
}

func TestOIDCRoles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		claims map[string]any
		change func(o *config.OIDC)
		want   string
	}{
		{"a group", nil, nil, "ann oidc view /"},
		{"an operators' group", map[string]any{"groups": []string{"admins"}}, nil, "ann oidc operate /"},
		{"a group that is no list", map[string]any{"groups": "admins"}, nil, "ann oidc operate /"},
		{"a part of a group", map[string]any{"groups": []string{"admins2", "famil"}}, nil, ""},
		{"no group", map[string]any{"groups": nil}, nil, ""},
		{"groups that are none", map[string]any{"groups": map[string]any{"family": true}}, nil, ""},
		{"a subject", nil, func(o *config.OIDC) { o.Operate.Subjects = []string{"17"} }, "ann oidc operate /"},
		{"an address", nil, func(o *config.OIDC) { o.Operate.Emails = []string{"ANN@example.org"} }, "ann oidc operate /"},
		{"an address that is not verified", map[string]any{"email_verified": false, "groups": nil}, func(o *config.OIDC) { o.Operate.Emails = []string{"ann@example.org"} }, ""},
		{"an address of which nothing is known", map[string]any{"email_verified": nil, "groups": nil}, func(o *config.OIDC) { o.Allow.Emails = []string{"ann@example.org"} }, ""},
		{"a verified address in words", map[string]any{"email_verified": "true", "groups": nil}, func(o *config.OIDC) { o.Allow.Emails = []string{"ann@example.org"} }, "ann oidc view /"},
		{"only operators", nil, func(o *config.OIDC) { o.Allow = config.People{} }, ""},
		{"another claim", map[string]any{"nick": "Ann A."}, func(o *config.OIDC) { o.UsernameClaim = "nick" }, "Ann A. oidc view /"},
		{"no name", map[string]any{"preferred_username": " "}, nil, "ann@example.org oidc view /"},
		{"nothing but a subject", map[string]any{"preferred_username": nil, "email": nil}, nil, "17 oidc view /"},
		{"a long name", map[string]any{"preferred_username": strings.Repeat("é", 5000)}, nil, strings.Repeat("é", 50) + "… oidc view /"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.change(func(p *provider) {
				p.asked = map[string]any{"sub": "17"}
				for name, value := range tt.claims {
					if p.claims[name] = value; value == nil {
						delete(p.claims, name)
					}
				}
			})
			r := trusting(t, p, tt.change)
			b := r.browser(t)
			in := b.get(p.authorize(b.leave("/")))
			if tt.want == "" {
				require.Equal(t, http.StatusForbidden, in.status)
				require.Contains(t, in.body, "ask who runs this server to add you to admin.oidc.allow")
				require.Nil(t, in.cookie("hookarr-session"))
				return
			}
			require.Equal(t, http.StatusSeeOther, in.status, in.body)
			require.Equal(t, tt.want, b.get("/").body)
		})
	}
}

// TestOIDCAsks: some providers tell groups only when they are asked.
func TestOIDCAsks(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.change(func(p *provider) {
		p.claims = map[string]any{"sub": "17", "email": "root@example.org"}
		p.asked = map[string]any{"sub": "17", "preferred_username": "ann", "groups": []string{"admins"}, "email": "ann@example.org", "email_verified": true}
	})
	r := trusting(t, p, nil)
	b := r.browser(t)
	require.Equal(t, http.StatusSeeOther, b.get(p.authorize(b.leave("/"))).status)
	require.Equal(t, "ann oidc operate /", b.get("/").body)

	p.change(func(p *provider) { p.asked["sub"] = "18" })
	in := r.browser(t)
	a := in.get(p.authorize(in.leave("/")))
	require.Equal(t, http.StatusForbidden, a.status)
	require.Contains(t, a.body, "The provider does not vouch for this sign-in")
	require.Contains(t, r.Logged(), "userinfo is of somebody else")

	// An address is not verified by what is said of another.
	p.change(func(p *provider) {
		p.asked = map[string]any{"sub": "17", "email": "ann@example.org", "email_verified": true}
	})
	r.reload(t, trust(p, func(o *config.OIDC) { o.Operate.Emails = []string{"root@example.org"} }))
	in = r.browser(t)
	require.Equal(t, http.StatusForbidden, in.get(p.authorize(in.leave("/"))).status)
}

func TestOIDCRefuses(t *testing.T) {
	t.Parallel()
	strange, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, how := range map[string]func(p *provider){
		"another nonce":      func(p *provider) { p.forge = func(c map[string]any) { c["nonce"] = "another" } },
		"no nonce":           func(p *provider) { p.forge = func(c map[string]any) { delete(c, "nonce") } },
		"nobody":             func(p *provider) { p.forge = func(c map[string]any) { c["sub"] = "" } },
		"another audience":   func(p *provider) { p.forge = func(c map[string]any) { c["aud"] = "other" } },
		"another issuer":     func(p *provider) { p.forge = func(c map[string]any) { c["iss"] = "https://evil.example" } },
		"expired":            func(p *provider) { p.forge = func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() } },
		"not signed":         func(p *provider) { p.forge = func(c map[string]any) { c["alg"] = "none" } },
		"another algorithm":  func(p *provider) { p.forge = func(c map[string]any) { c["alg"] = "HS256" } },
		"signed by somebody": func(p *provider) { p.sign = strange },
		"no token":           func(p *provider) { p.forge = func(c map[string]any) { c["alg"] = "none"; delete(c, "exp") } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			r := trusting(t, p, nil)
			b := r.browser(t)
			back := p.authorize(b.leave("/events"))
			p.change(how)
			a := b.get(back)
			require.Equal(t, http.StatusForbidden, a.status)
			require.Contains(t, a.body, "The provider does not vouch for this sign-in: begin anew.")
			require.Nil(t, a.cookie("hookarr-session"))
			require.Equal(t, http.StatusSeeOther, b.get("/events").status)
			require.Contains(t, r.Logged(), "sign-in with the provider failed")
		})
	}
}

func TestOIDCStates(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := trusting(t, p, nil)
	// Two tabs do not disturb each other.
	b := r.browser(t)
	first, second := p.authorize(b.leave("/one")), p.authorize(b.leave("/two"))
	require.Equal(t, "/one", b.get(first).header.Get("Location"))
	require.Equal(t, "/two", b.get(second).header.Get("Location"))

	// A way back is for the browser that left, and for once.
	again := b.get(first)
	require.Equal(t, http.StatusBadRequest, again.status)
	require.Contains(t, again.body, "This sign-in did not begin in this browser")
	other := r.browser(t)
	back := p.authorize(other.leave("/"))
	require.Equal(t, http.StatusBadRequest, b.get(back).status)
	require.Equal(t, http.StatusBadRequest, r.browser(t).get(back).status)
	for _, query := range []string{"", "?state=", "?state=x", "?code=x", "?state=" + strings.Repeat("A", 9000), "?state=%0d%0aAAAAAAAAAAAAAAAAAAAAAAAA"} {
		require.Equal(t, http.StatusBadRequest, b.get("/login/oidc/callback"+query).status, query)
	}

	// Who keeps the cookie does not use the code twice, nor the state with another code.
	keeper := r.browser(t)
	left := keeper.get("/login/oidc")
	kept, err := http.ParseSetCookie(left.header.Get("Set-Cookie"))
	require.NoError(t, err)
	address, cookie := left.header.Get("Location"), kept.Name+"="+kept.Value
	back = p.authorize(address)
	require.Equal(t, http.StatusSeeOther, r.browser(t).get(back, "Cookie", cookie).status)
	require.Equal(t, http.StatusForbidden, r.browser(t).get(back, "Cookie", cookie).status)
	replayed := r.browser(t).get(p.authorize(address), "Cookie", cookie)
	require.Equal(t, http.StatusBadRequest, replayed.status)
	require.Contains(t, replayed.body, "This sign-in was used already")
	require.Nil(t, replayed.cookie("hookarr-session"))

	// What the provider refuses is told without its words.
	refused, err := url.Parse(p.authorize(other.leave("/")))
	require.NoError(t, err)
	state := refused.Query().Get("state")
	a := other.get("/login/oidc/callback?error=access_denied&error_description=%3Cscript%3E&state=" + state)
	require.Equal(t, http.StatusForbidden, a.status)
	require.Contains(t, a.body, "The provider has not signed you in")
	require.NotContains(t, a.body, "access_denied")
	mixed := p.authorize(other.leave("/"))
	a = other.get(strings.Replace(mixed, "iss=", "iss=x", 1))
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Contains(t, a.body, "Another provider than the configured one")
}

// TestOIDCLeavesNoHeap: sign-ins that were not ended do not fill the heads of requests.
func TestOIDCLeavesNoHeap(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := trusting(t, p, nil).browser(t)
	var last string
	for range 12 {
		last = b.leave("/")
	}
	at, err := url.Parse(b.base + "/login/oidc/callback")
	require.NoError(t, err)
	require.Len(t, b.jar.Cookies(at), 5)
	require.Equal(t, http.StatusSeeOther, b.get(p.authorize(last)).status)
}

func TestOIDCIsAway(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := trusting(t, p, nil)
	b := r.browser(t)
	p.change(func(p *provider) { p.down = http.StatusInternalServerError })
	a := b.get("/login/oidc?next=/events")
	require.Equal(t, http.StatusBadGateway, a.status)
	require.Contains(t, a.body, "127.0.0.1 does not answer as it should: try again in a moment, or take another way.")
	require.Contains(t, a.body, `name="token"`)
	require.Contains(t, a.body, `name="next" value="/events"`)
	require.NotContains(t, a.body, clientSecret)
	p.change(func(p *provider) { p.down = 0 })
	r.reload(t, trust(p, nil))
	back := p.authorize(b.leave("/"))
	p.change(func(p *provider) { p.down = http.StatusServiceUnavailable })
	require.Equal(t, http.StatusBadGateway, b.get(back).status)
	require.Equal(t, http.StatusSeeOther, b.post("/login", url.Values{"link": {r.link(t)}}).status, "the other ways work")
	require.NotContains(t, r.Logged(), clientSecret)

	// A wrong secret is a matter of the configuration.
	p.change(func(p *provider) { p.down = 0 })
	r.reload(t, trust(p, func(o *config.OIDC) { o.ClientSecret = "another-secret" }))
	in := r.browser(t)
	require.Equal(t, http.StatusBadGateway, in.get(p.authorize(in.leave("/"))).status)
	require.Contains(t, r.Logged(), "invalid_client")
	require.NotContains(t, r.Logged(), "another-secret")

	// Nobody is there, or somebody else.
	r.reload(t, trust(p, func(o *config.OIDC) { o.Issuer = "http://127.0.0.1:1" }))
	require.Equal(t, http.StatusBadGateway, in.get("/login/oidc").status)
	r.reload(t, trust(p, func(o *config.OIDC) { o.Issuer = p.url + "/" }))
	require.Equal(t, http.StatusBadGateway, in.get("/login/oidc").status)
	require.Contains(t, r.Logged(), "issuer")
}

func TestOIDCBehindAProxy(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for name, tt := range map[string]struct {
		change func(c *config.Config)
		header []string
		want   string
	}{
		"external_url":       {func(c *config.Config) { c.Admin.ExternalURL = "https://home.example/a" }, nil, "https://home.example/a/login/oidc/callback"},
		"a proxy with TLS":   {loopback, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "nas.lan"}, "https://nas.lan/a/login/oidc/callback"},
		"a stranger's words": {func(*config.Config) {}, []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "nas.lan"}, "/a/login/oidc/callback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *config.Config) {
				trust(p, nil)(c)
				c.Admin.BasePath, c.Admin.Hosts = "/a", []string{"nas.lan"}
				tt.change(c)
			})
			a := r.browser(t).get("/a/login/oidc", tt.header...)
			require.Equal(t, http.StatusSeeOther, a.status)
			u, err := url.Parse(a.header.Get("Location"))
			require.NoError(t, err)
			want := tt.want
			if strings.HasPrefix(want, "/") {
				want = r.server.URL + want
			}
			require.Equal(t, want, u.Query().Get("redirect_uri"))
			kept, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
			require.NoError(t, err)
			require.Equal(t, "/a/login/oidc", kept.Path)
			require.Equal(t, name == "a proxy with TLS", kept.Secure)
		})
	}
}

func TestOIDCClients(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		provider func(p *provider)
		client   func(o *config.OIDC)
	}{
		"the secret in the form":        {func(p *provider) { p.methods = []string{"client_secret_post"} }, nil},
		"nothing told of methods":       {func(p *provider) { p.methods = nil }, nil},
		"a public client has no secret": {func(p *provider) { p.public = true }, func(o *config.OIDC) { o.ClientSecret = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.change(tt.provider)
			b := trusting(t, p, tt.client).browser(t)
			a := b.get(p.authorize(b.leave("/")))
			require.Equal(t, http.StatusSeeOther, a.status, a.body)
		})
	}
}
