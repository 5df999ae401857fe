package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

func prefixes(ss ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, s := range ss {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func TestAllowedAddresses(t *testing.T) {
	t.Parallel()
	allow := prefixes("192.0.2.0/24", "2001:db8::/32", "127.0.0.1/32", "::ffff:198.51.100.0/120")
	trusted := prefixes("10.0.0.0/8", "fd00::/8", "::1/128")
	for _, tc := range []struct {
		name   string
		peer   string
		header []string
		client string
		in     bool
	}{
		{"peer", "192.0.2.7:1000", nil, "192.0.2.7", true},
		{"peer outside", "203.0.113.1:1000", nil, "203.0.113.1", false},
		{"ipv6", "[2001:db8::1]:1000", nil, "2001:db8::1", true},
		{"ipv4 inside ipv6", "[::ffff:192.0.2.7]:1000", nil, "192.0.2.7", true},
		{"prefix of ipv4 inside ipv6", "198.51.100.9:1000", nil, "198.51.100.9", true},
		{"zone", "[2001:db8::1%eth0]:1000", nil, "2001:db8::1", true},
		{"stranger speaks for an allowed address", "203.0.113.1:1000", []string{"192.0.2.7"}, "203.0.113.1", false},
		{"allowed address speaks for a stranger", "192.0.2.7:1000", []string{"203.0.113.1"}, "192.0.2.7", true},
		{"proxy speaks for an allowed address", "10.0.0.1:1000", []string{"192.0.2.7"}, "192.0.2.7", true},
		{"proxy speaks for a stranger", "10.0.0.1:1000", []string{"203.0.113.1"}, "203.0.113.1", false},
		{"stranger behind a proxy claims more", "10.0.0.1:1000", []string{"192.0.2.7, 203.0.113.1"}, "203.0.113.1", false},
		{"the same in two headers", "10.0.0.1:1000", []string{"192.0.2.7", "203.0.113.1"}, "203.0.113.1", false},
		{"two proxies", "10.0.0.1:1000", []string{"203.0.113.1, 192.0.2.7, 10.0.0.2"}, "192.0.2.7", true},
		{"proxy over ipv6", "[::1]:1000", []string{"2001:db8::5,fd00::1"}, "2001:db8::5", true},
		{"proxies only", "10.0.0.1:1000", []string{"10.0.0.9, 10.0.0.8"}, "10.0.0.9", false},
		{"proxy alone", "10.0.0.1:1000", nil, "10.0.0.1", false},
		{"ports", "10.0.0.1:1000", []string{"192.0.2.7:4711"}, "192.0.2.7", true},
		{"brackets", "10.0.0.1:1000", []string{"[2001:db8::5]"}, "2001:db8::5", true},
		{"brackets and port", "10.0.0.1:1000", []string{"[2001:db8::5]:80"}, "2001:db8::5", true},
		{"mapped", "10.0.0.1:1000", []string{"::ffff:192.0.2.7"}, "192.0.2.7", true},
		{"malformed at the end", "10.0.0.1:1000", []string{"192.0.2.7, unknown"}, "10.0.0.1", false},
		{"malformed left of a client", "10.0.0.1:1000", []string{"<script>, 192.0.2.7"}, "192.0.2.7", true},
		{"malformed left of a proxy", "10.0.0.1:1000", []string{"192.0.2.7, ?, 10.0.0.3"}, "10.0.0.1", false},
		{"empty", "10.0.0.1:1000", []string{""}, "10.0.0.1", false},
		{"no address", "@", nil, "", false},
		{"no address, but a claim", "@", []string{"192.0.2.7"}, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}, AllowFrom: allow}, trusted)
			require.NoError(t, err)
			r := request(func(r *http.Request) {
				r.RemoteAddr = tc.peer
				r.Header["X-Forwarded-For"] = tc.header
			})
			if tc.client == "" {
				require.False(t, g.Client(r).IsValid())
			} else {
				require.Equal(t, tc.client, g.Client(r).String())
			}
			_, err = g.Verify(r, nil, now)
			if tc.in {
				require.NoError(t, err)
				require.NoError(t, g.Precheck(r))
				return
			}
			require.ErrorIs(t, err, auth.ErrForbidden)
			require.NotErrorIs(t, err, auth.ErrUnauthorized)
			require.ErrorIs(t, g.Precheck(r), auth.ErrForbidden)
		})
	}
}

// A proxy on an allowed address must not let in whoever makes it pass on nonsense.
func TestNonsenseBehindAnAllowedProxyIsRefused(t *testing.T) {
	t.Parallel()
	loopback := prefixes("127.0.0.0/8")
	g, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}, AllowFrom: loopback}, loopback)
	require.NoError(t, err)
	for header, in := range map[string]bool{"": true, "unknown": false, "203.0.113.1": false, "127.0.0.1": true} {
		r := request(func(r *http.Request) {
			r.RemoteAddr = "127.0.0.1:1000"
			if header != "" {
				r.Header.Set("X-Forwarded-For", header)
			}
		})
		_, err := g.Verify(r, nil, now)
		require.Equal(t, in, err == nil, header)
	}
}

func TestCredentialsCountForNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	g, err := auth.New(config.Source{Auth: []config.Auth{basicAuth("arr", "k")}, AllowFrom: prefixes("192.0.2.0/24")}, nil)
	require.NoError(t, err)
	r := request(func(r *http.Request) {
		r.RemoteAddr = "203.0.113.1:1000"
		r.SetBasicAuth("arr", "k")
	})
	_, err = g.Verify(r, nil, now)
	var refusal *auth.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, auth.ReasonAddress, refusal.Reason)
}

func FuzzForwardedFor(f *testing.F) {
	f.Add("192.0.2.7, 10.0.0.1")
	f.Add("[::1%lo]:80,,::ffff:1.2.3.4:99")
	trusted := prefixes("10.0.0.0/8")
	g, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}, AllowFrom: prefixes("192.0.2.0/24")}, trusted)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, forwarded string) {
		r := request(func(r *http.Request) {
			r.RemoteAddr = "10.0.0.1:1000"
			r.Header.Set("X-Forwarded-For", forwarded+", 203.0.113.1")
		})
		require.Equal(t, "203.0.113.1", g.Client(r).String(), "what a client writes itself does not count")
		require.ErrorIs(t, g.Precheck(r), auth.ErrForbidden)

		r.Header.Set("X-Forwarded-For", forwarded)
		require.True(t, g.Client(r).IsValid())
	})
}

func TestForwarded(t *testing.T) {
	t.Parallel()
	trusted := prefixes("192.0.2.0/24")
	for _, tc := range []struct {
		peer, want string
		said       []string
	}{
		{"192.0.2.1:1", "nas.lan", []string{"nas.lan"}},
		{"192.0.2.1:1", "nas.lan", []string{"evil.example, nas.lan"}},
		{"192.0.2.1:1", "nas.lan", []string{"evil.example", "nas.lan"}},
		{"192.0.2.1:1", "", nil},
		{"198.51.100.1:1", "", []string{"nas.lan"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-Host"] = tc.peer, tc.said
		require.Equal(t, tc.want, auth.Forwarded(r, "X-Forwarded-Host", trusted), "%s from %s", tc.said, tc.peer)
	}
}
