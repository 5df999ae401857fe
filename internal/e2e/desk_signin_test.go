package e2e

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/browsertest"
)

const (
	tokenButton = "form:has(#token) button"
	linkButton  = "form:has(#link-secret) button"
)

// signIn gives a token to the form.
func (d *desk) signIn(p *browsertest.Page) {
	p.Go(d.base + "/login")
	p.Fill("#token", adaToken)
	p.Follow(tokenButton)
}

var signInLink = regexp.MustCompile(`https?://\S+/login#(\S+)`)

// link asks for one that signs in once.
func (d *desk) link(t *testing.T) (path, code string) {
	t.Helper()
	out, err := d.cli("open")
	require.NoError(t, err, out)
	m := signInLink.FindStringSubmatch(out)
	require.NotNil(t, m, out)
	require.True(t, strings.HasPrefix(m[0], d.origin+d.base+"/login#"), "%s leads to no page of %s%s", m[0], d.origin, d.base)
	return strings.TrimPrefix(m[0], d.origin), m[1]
}

// TestSignInByToken leads to the page that was asked for, and out again.
func TestSignInByToken(t *testing.T) {
	t.Parallel()

	for _, scripts := range []bool{true, false} {
		t.Run(map[bool]string{true: "with scripts", false: "without scripts"}[scripts], func(t *testing.T) {
			t.Parallel()
			d := startedDesk(t, deskSettings{base: "/hookarr"})
			p := chromium.Open(t, d.origin)
			if !scripts {
				p.NoScripts()
			}
			for _, width := range []int{browsertest.Narrow, browsertest.Wide} {
				for _, scheme := range []string{"light", "dark"} {
					p.Width(width)
					p.Scheme(scheme)
					p.Go("/hookarr/targets?x=1")
					require.Equal(t, "Sign in", p.Text("h1"))
					p.Check()
				}
			}
			p.Fill("#token", "wrong-0123456789abcdef")
			p.FollowTo(tokenButton, http.StatusUnauthorized)
			p.AwaitText(".problem", "no token")
			p.Check()
			p.Fill("#token", adaToken)
			p.Follow(tokenButton)
			require.Equal(t, "/hookarr/targets?x=1", p.Path())
			p.AwaitText("header", "ada")
			require.Empty(t, browsertest.Evaluate[string](p, "document.cookie"), "a script can read a cookie")

			tab := p.Another()
			tab.Go("/hookarr/targets")
			tab.AwaitText("header", "ada")

			// Either window may ask for its parts anew, and be refused, before it is led away.
			back, tabBack := p.Away(), tab.Away()
			p.Follow(`form[action$="/logout"] button`)
			require.Equal(t, "Sign in", p.Text("h1"))
			tab.Go("/hookarr/targets")
			require.Equal(t, "Sign in", tab.Text("h1"), "the session has ended for every tab")
			back()
			tabBack()
		})
	}
}

// TestWrongTokensAreLimited tells an address to wait, which keeps nobody out who can sign in.
func TestWrongTokensAreLimited(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	p := chromium.Open(t, d.origin)
	p.Go("/login")
	p.Expect(http.StatusUnauthorized)
	p.Expect(http.StatusTooManyRequests)
	wrong := url.Values{"token": {"wrong-0123456789abcdef"}}
	// One more is forgiven each few seconds, which pass on a slow machine.
	for round := 0; !strings.Contains(p.Text(".problem"), "Too many"); round++ {
		require.Less(t, round, 10, "nothing limits how often a token is tried")
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if resp, err := http.PostForm(d.origin+"/login", wrong); err == nil {
					_ = resp.Body.Close()
				}
			})
		}
		all.Wait()
		p.Fill("#token", wrong.Get("token"))
		p.Submit(tokenButton)
	}
	p.Check()
	p.Fill("#token", adaToken)
	p.Follow(tokenButton)
	p.AwaitText("header", "ada")
	require.NotContains(t, d.log.String(), adaToken)
}

// TestSignInByLink signs in once, within its time, and by itself.
func TestSignInByLink(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{base: "/hookarr"})
	path, code := d.link(t)
	p := chromium.Open(t, d.origin)
	p.Go(path)
	p.AwaitTrue(`location.pathname === "/hookarr/"`)
	p.AwaitTrue(`document.querySelector("header .who") != null`)
	require.NotContains(t, strings.Join(p.Requests(), " "), code, "the code is in an address that is asked for")

	again := chromium.Open(t, d.origin)
	again.GoTo(path, http.StatusOK, http.StatusUnauthorized)
	again.AwaitText(".problem", "used already")
	again.Check()
	require.NotContains(t, browsertest.Evaluate[string](again, "location.href"), code)

	// A link that is pasted where the page to sign in is shown loads no page.
	pasted := chromium.Open(t, d.origin)
	pasted.Go("/hookarr/login")
	path, _ = d.link(t)
	browsertest.Evaluate[bool](pasted, `location.href = "`+path+`"; true`)
	pasted.AwaitTrue(`location.pathname === "/hookarr/"`)
	pasted.AwaitTrue(`document.querySelector("header .who") != null`)

	// Without scripts the code is typed.
	typed := chromium.Open(t, d.origin)
	typed.NoScripts()
	_, code = d.link(t)
	typed.Go("/hookarr/login")
	typed.Fill("#link-secret", code)
	typed.Follow(linkButton)
	typed.AwaitText("header", "operate")

	path, _ = d.link(t)
	execSQL(t, "sqlite://"+d.database, "UPDATE sign_in_links SET expires_at = 1")
	late := chromium.Open(t, d.origin)
	late.GoTo(path, http.StatusOK, http.StatusUnauthorized)
	late.AwaitText(".problem", "older than 5 minutes")
	require.NotContains(t, d.log.String(), code)
}

// TestSessionIsRevoked under a page that is open: it leads to the page to sign in, and back.
func TestSessionIsRevoked(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	p := chromium.Open(t, d.origin)
	d.signIn(p)
	p.Go("/targets/phone")
	p.AwaitText("#stream", "live")
	form := p.Another()
	form.NoScripts() // it would be led away by itself
	form.Go("/targets/phone")

	out, err := d.cli("sessions", "list", "--json")
	require.NoError(t, err, out)
	id := regexp.MustCompile(`"id": ?"([^"]+)"`).FindStringSubmatch(out)
	require.NotNil(t, id, out)
	back := p.Away()
	out, err = d.cli("sessions", "revoke", id[1])
	require.NoError(t, err, out)

	// An action is not carried out.
	form.FollowTo(`form[action$="/pause"] button`, http.StatusUnauthorized)
	form.AwaitText("main", "Nothing was done")
	form.Check()
	d.awaitTarget(t, "phone", "open")

	d.sample(t, "sonarr", "health")
	p.AwaitText("h1", "Sign in")
	p.Fill("#token", adaToken)
	p.Follow(tokenButton)
	require.Equal(t, "/targets/phone", p.Path())
	back()
}

// TestForeignPagePosts gets a page that names what is wrong, and nothing done.
func TestForeignPagePosts(t *testing.T) {
	t.Parallel()

	d := startedDesk(t, deskSettings{})
	p := chromium.Open(t, d.origin)
	d.signIn(p)
	other := newReceiver(t)
	for _, tt := range []struct {
		name, value, want string
		status            int
	}{
		{"Origin", other.URL, other.URL, http.StatusForbidden},
		{"Host", "evil.test", "evil.test", http.StatusForbidden},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.origin+"/targets/phone/pause", strings.NewReader("reason=x"))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Accept", "text/html")
		req.Header.Set("X-Api-Key", adaToken)
		req.Header.Set(tt.name, tt.value)
		if tt.name == "Host" {
			req.Host = tt.value
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, tt.status, resp.StatusCode)
		require.Contains(t, string(body), tt.want)
		require.Contains(t, string(body), "admin.")
	}
	d.awaitTarget(t, "phone", "open")
}
