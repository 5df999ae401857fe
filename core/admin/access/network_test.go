package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/access"
	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

const (
	viewToken    = "view-0123456789abcdef"
	operateToken = "operate-0123456789abcdef"
)

// who answers with the name, way and role of the principal, and the path and what is left
// of a proxy's headers.
func who(w http.ResponseWriter, r *http.Request) {
	p := admin.PrincipalOf(r.Context())
	var left []string
	for name := range r.Header {
		if strings.HasPrefix(strings.ToLower(name), "remote") {
			left = append(left, name)
		}
	}
	_, _ = io.WriteString(w, strings.Join(append([]string{p.Name, p.Via, p.Role, r.URL.Path}, left...), " "))
}

func public(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "public") }

// serve runs the handler of the network on the loopback interface.
func serve(t *testing.T, c *config.Config, log io.Writer) string {
	t.Helper()
	handler, err := access.Network(access.Options{
		Config: c, Limiter: new(auth.Limiter), Public: http.HandlerFunc(public), API: http.HandlerFunc(who),
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func tokens() *config.Config {
	return &config.Config{Admin: config.Admin{
		Listen: "127.0.0.1:0",
		Tokens: []config.AdminToken{
			{Name: "dashboard", Role: config.RoleView, Token: viewToken},
			{Name: "ci", Role: config.RoleOperate, Token: operateToken},
		},
	}}
}

// ask returns the status and the text, or the detail of a problem.
func ask(t *testing.T, method, url string, header map[string]string) (status int, said string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	for name, value := range header {
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header[name] = []string{value}
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if resp.StatusCode == http.StatusOK {
		return resp.StatusCode, string(text)
	}
	require.Equal(t, admin.ProblemType, resp.Header.Get("Content-Type"))
	var p admin.Problem
	require.NoError(t, json.Unmarshal(text, &p))
	require.Equal(t, resp.StatusCode, p.Status)
	return resp.StatusCode, p.Detail
}

func TestTokens(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	url := serve(t, tokens(), &log)
	for _, tt := range []struct {
		name   string
		path   string
		header map[string]string
		status int
		want   string
	}{
		{"key", "/x", map[string]string{"X-Api-Key": viewToken}, 200, "dashboard token view /x"},
		{"bearer", "/x", map[string]string{"Authorization": "bearer " + operateToken}, 200, "ci token operate /x"},
		{"none", "/x", nil, 401, "give a token of admin.tokens in the header X-Api-Key or Authorization: Bearer"},
		{"wrong", "/x", map[string]string{"X-Api-Key": viewToken[1:]}, 401, "give a token of admin.tokens in the header X-Api-Key or Authorization: Bearer"},
		{"basic", "/x", map[string]string{"Authorization": "Basic " + operateToken}, 401, "give a token of admin.tokens in the header X-Api-Key or Authorization: Bearer"},
		{"query", "/x?token=" + operateToken + "&apikey=" + operateToken, nil, 401, "give a token of admin.tokens in the header X-Api-Key or Authorization: Bearer"},
		{"health needs none", "/healthz", nil, 200, "public"},
		{"metrics need none, by any name", "/metrics", map[string]string{"Host": "probe.example"}, 200, "public"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, said := ask(t, http.MethodGet, url+tt.path, tt.header)
			require.Equal(t, tt.status, status)
			require.Equal(t, tt.want, said)
		})
	}
	t.Cleanup(func() {
		require.NotContains(t, log.String(), viewToken[1:])
		require.NotContains(t, log.String(), operateToken)
		require.Contains(t, log.String(), `msg="sign-in refused" client=127.0.0.1`)
	})
}

func TestNobodyIsConfigured(t *testing.T) {
	t.Parallel()
	url := serve(t, &config.Config{Admin: config.Admin{Listen: "127.0.0.1:0"}}, io.Discard)
	status, said := ask(t, http.MethodGet, url+"/api/v1/version", map[string]string{"X-Api-Key": "guess"})
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "nobody may come in here yet: run hookarr open on the server, or configure admin.tokens, admin.forward_auth or admin.oidc", said)
	status, said = ask(t, http.MethodGet, url+"/readyz", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "public", said)
}

func TestFailedSignInsAreLimited(t *testing.T) {
	t.Parallel()
	url := serve(t, tokens(), io.Discard)
	var last int
	for range 40 {
		last, _ = ask(t, http.MethodGet, url+"/x", map[string]string{"X-Api-Key": "guess"})
	}
	require.Equal(t, http.StatusTooManyRequests, last)
	status, _ := ask(t, http.MethodGet, url+"/x", map[string]string{"X-Api-Key": viewToken})
	require.Equal(t, http.StatusOK, status, "who can sign in is not kept waiting")
}

func TestHosts(t *testing.T) {
	t.Parallel()
	c := tokens()
	c.Admin.ExternalURL, c.Admin.Hosts = "https://home.example/hookarr", []string{"nas.lan"}
	c.TrustedProxies = nil
	url := serve(t, c, io.Discard)
	proxied := tokens()
	proxied.Admin.ExternalURL = "https://home.example"
	proxied.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	behind := serve(t, proxied, io.Discard)
	for _, tt := range []struct {
		name, url string
		header    map[string]string
		status    int
	}{
		{"as it listens", url, nil, 200},
		{"localhost", url, map[string]string{"Host": "localhost:9000"}, 200},
		{"an address", url, map[string]string{"Host": "[fd00::1]:9000"}, 200},
		{"external_url", url, map[string]string{"Host": "HOME.example."}, 200},
		{"admin.hosts", url, map[string]string{"Host": "nas.lan:9000"}, 200},
		{"another", url, map[string]string{"Host": "evil.example"}, 403},
		{"a part of one", url, map[string]string{"Host": "xnas.lan"}, 403},
		{"a stranger's word", url, map[string]string{"Host": "evil.example", "X-Forwarded-Host": "nas.lan"}, 403},
		{"a proxy's word", behind, map[string]string{"Host": "upstream", "X-Forwarded-Host": "evil.example, home.example"}, 200},
		{"a proxy's word of another", behind, map[string]string{"Host": "localhost", "X-Forwarded-Host": "home.example, evil.example"}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{"X-Api-Key": viewToken}
			maps.Copy(header, tt.header)
			status, said := ask(t, http.MethodGet, tt.url+"/x", header)
			require.Equal(t, tt.status, status, said)
			if status == http.StatusForbidden {
				require.Contains(t, said, "put it into admin.hosts or admin.external_url")
			}
		})
	}
}

// TestHostsOfTwoProxies: the line of the nearest proxy is the last, as its word in a line is.
func TestHostsOfTwoProxies(t *testing.T) {
	t.Parallel()
	c := tokens()
	c.Admin.ExternalURL = "https://home.example"
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	url := serve(t, c, io.Discard)
	for last, status := range map[string]int{"home.example": http.StatusOK, "evil.example": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/x", nil)
		require.NoError(t, err)
		req.Header = http.Header{"X-Api-Key": {viewToken}, "X-Forwarded-Host": {"localhost", last}}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, status, resp.StatusCode)
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	c := tokens()
	c.Admin.ExternalURL = "https://home.example:8443/hookarr"
	url := serve(t, c, io.Discard)
	for _, tt := range []struct {
		name, method string
		header       map[string]string
		status       int
	}{
		{"no browser", http.MethodPost, nil, 200},
		{"own page", http.MethodPost, map[string]string{"Origin": url}, 200},
		{"own page by fetch metadata", http.MethodPost, map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		{"own page behind a proxy that changes Host", http.MethodPost, map[string]string{"Origin": "https://home.example:8443"}, 200},
		{"another page", http.MethodPost, map[string]string{"Origin": "https://evil.example"}, 403},
		{"another page by fetch metadata", http.MethodPost, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"another port", http.MethodPost, map[string]string{"Origin": "https://home.example"}, 403},
		{"another page reads", http.MethodGet, map[string]string{"Origin": "https://evil.example"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{"X-Api-Key": operateToken}
			maps.Copy(header, tt.header)
			status, said := ask(t, tt.method, url+"/x", header)
			require.Equal(t, tt.status, status, said)
			if status == http.StatusForbidden {
				require.Contains(t, said, `Origin is "`+tt.header["Origin"]+`"`)
				require.Contains(t, said, `Host is "`+strings.TrimPrefix(url, "http://")+`"`)
				require.Contains(t, said, "set admin.external_url")
			}
		})
	}
}

func TestForwardAuth(t *testing.T) {
	t.Parallel()
	forward := func(from string) *config.Config {
		c := tokens()
		c.Admin.ForwardAuth = &config.ForwardAuth{
			Header: "Remote-User", Role: config.RoleView, GroupsHeader: "Remote-Groups", OperateGroups: []string{"admins"},
			From: []netip.Prefix{netip.MustParsePrefix(from)},
		}
		// What a trusted proxy says of others does not make it a peer.
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		return c
	}
	proxy, stranger := serve(t, forward("127.0.0.0/8"), io.Discard), serve(t, forward("10.0.0.0/8"), io.Discard)
	for _, tt := range []struct {
		name, url string
		header    map[string]string
		status    int
		want      string
	}{
		{"signed in", proxy, map[string]string{"Remote-User": "ann"}, 200, "ann proxy view /x Remote-User"},
		{"a group", proxy, map[string]string{"Remote-User": "ann", "Remote-Groups": "users, admins"}, 200, "ann proxy operate /x"},
		{"a group between bars", proxy, map[string]string{"Remote-User": "ann", "Remote-Groups": "users|admins"}, 200, "ann proxy operate /x"},
		{"a part of a group", proxy, map[string]string{"Remote-User": "ann", "Remote-Groups": "admins2"}, 200, "ann proxy view /x"},
		{"nobody", proxy, map[string]string{"Remote-User": " "}, 401, ""},
		{"an alias", proxy, map[string]string{"Remote_User": "ann"}, 401, ""},
		{"an alias of the group", proxy, map[string]string{"Remote-User": "ann", "Remote_Groups": "admins"}, 200, "ann proxy view /x Remote-User"},
		{"a token behind the proxy", proxy, map[string]string{"Remote-User": "ann", "X-Api-Key": operateToken}, 200, "ci token operate /x Remote-User"},
		{"the proxy's own bearer", proxy, map[string]string{"Remote-User": "ann", "Authorization": "Bearer of-the-proxy"}, 200, "ann proxy view /x Remote-User"},
		{"a stranger", stranger, map[string]string{"Remote-User": "ann"}, 401, ""},
		{"a stranger who forwards", stranger, map[string]string{"Remote-User": "ann", "X-Forwarded-For": "10.0.0.1"}, 401, ""},
		{"a stranger with a token", stranger, map[string]string{"Remote-User": "ann", "Remote_user": "ann", "X-Api-Key": viewToken}, 200, "dashboard token view /x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, said := ask(t, http.MethodGet, tt.url+"/x", tt.header)
			require.Equal(t, tt.status, status, said)
			if tt.want != "" {
				require.True(t, strings.HasPrefix(said, tt.want), said)
				require.False(t, tt.url == stranger && strings.Contains(said, "Remote"), said)
				require.NotContains(t, said, "_")
			}
		})
	}
}

func TestForwardAuthByTwoNamesIsNobody(t *testing.T) {
	t.Parallel()
	c := tokens()
	c.Admin.ForwardAuth = &config.ForwardAuth{Header: "Remote-User", Role: config.RoleOperate, From: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, serve(t, c, io.Discard)+"/x", nil)
	require.NoError(t, err)
	req.Header["Remote-User"] = []string{"ann", "root"}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
}

func TestBasePath(t *testing.T) {
	t.Parallel()
	c := tokens()
	c.Admin.BasePath = "/hookarr"
	url := serve(t, c, io.Discard)
	key := map[string]string{"X-Api-Key": viewToken}
	for path, want := range map[string]string{
		"/hookarr/api/v1/version": "dashboard token view /api/v1/version",
		"/hookarr/a%2Fb":          "dashboard token view /a/b",
		"/healthz":                "public",
		"/hookarr/metrics":        "public",
	} {
		status, said := ask(t, http.MethodGet, url+path, key)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, want, said)
	}
	for _, path := range []string{"/api/v1/version", "/hookarrx/api", "/hookarr", "/"} {
		status, said := ask(t, http.MethodGet, url+path, key)
		require.Equal(t, http.StatusNotFound, status, path)
		require.Contains(t, said, "admin.base_path")
	}
}

// TestLetIn is told of requests with credentials alone, and of scrapes where they need some.
func TestLetIn(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]bool{"of its own": false, "shared": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var let atomic.Int64
			handler, err := access.Network(access.Options{
				Config: tokens(), Shared: shared, Limiter: new(auth.Limiter), LetIn: func(context.Context) { let.Add(1) },
				Public: http.HandlerFunc(public), API: http.HandlerFunc(who), Log: slog.New(slog.DiscardHandler),
			})
			require.NoError(t, err)
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			told := func(path, token string) int64 {
				before := let.Load()
				_, _ = ask(t, http.MethodGet, server.URL+path, map[string]string{"X-Api-Key": token})
				return let.Load() - before
			}
			require.EqualValues(t, 1, told("/api/v1/events", viewToken))
			require.Zero(t, told("/api/v1/events", "wrong"))
			require.Zero(t, told("/healthz", viewToken))
			scrapes := int64(0)
			if shared {
				scrapes = 1
			}
			require.Equal(t, scrapes, told("/metrics", viewToken))
			require.Zero(t, told("/metrics", "wrong"))
		})
	}
}
