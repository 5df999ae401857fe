package auth_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
)

// A page that somebody on the network opens must not post to a source that lets everybody
// in, neither across sites nor under a name that leads here for a moment.
func TestBrowsersAreRefused(t *testing.T) {
	t.Parallel()
	open, err := auth.New(config.Source{Auth: []config.Auth{{None: &config.None{}}}}, nil, "hooks.example.org")
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		edit func(r *http.Request)
		want auth.Reason
	}{
		"an application":      {func(*http.Request) {}, ""},
		"foreign origin":      {func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, auth.ReasonOrigin},
		"another port":        {func(r *http.Request) { r.Header.Set("Origin", "http://hookarr:7878") }, auth.ReasonOrigin},
		"origin of a file":    {func(r *http.Request) { r.Header.Set("Origin", "null") }, auth.ReasonOrigin},
		"own origin":          {func(r *http.Request) { r.Header.Set("Origin", "http://hookarr:8484") }, ""},
		"cross-site":          {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, auth.ReasonOrigin},
		"same site":           {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, auth.ReasonOrigin},
		"same origin":         {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, ""},
		"rebound name":        {func(r *http.Request) { r.Host = "evil.example:8484" }, auth.ReasonHost},
		"rebound, own origin": {func(r *http.Request) { r.Host = "a.evil.com"; r.Header.Set("Origin", "http://a.evil.com") }, auth.ReasonHost},
		"looks like an address": {
			func(r *http.Request) { r.Host = "127.0.0.1.evil.com" }, auth.ReasonHost,
		},
		"looks private":          {func(r *http.Request) { r.Host = "hookarr.local.evil.com:8484" }, auth.ReasonHost},
		"localhost":              {func(r *http.Request) { r.Host = "localhost:8484" }, ""},
		"address":                {func(r *http.Request) { r.Host = "192.168.1.5:8484" }, ""},
		"address without a port": {func(r *http.Request) { r.Host = "192.168.1.5" }, ""},
		"IPv6":                   {func(r *http.Request) { r.Host = "[fd00::5]:8484" }, ""},
		"IPv6 without a port":    {func(r *http.Request) { r.Host = "[fd00::5]" }, ""},
		"docker":                 {func(r *http.Request) { r.Host = "my_hookarr-1" }, ""},
		"docker's host":          {func(r *http.Request) { r.Host = "host.docker.internal:8484" }, ""},
		"multicast DNS":          {func(r *http.Request) { r.Host = "NAS.local.:8484" }, ""},
		"at home":                {func(r *http.Request) { r.Host = "hookarr.home.arpa" }, ""},
		"Kubernetes":             {func(r *http.Request) { r.Host = "hookarr.media.svc.cluster.local:80" }, ""},
		"configured":             {func(r *http.Request) { r.Host = "Hooks.example.org" }, ""},
		"none, as of HTTP/1.0":   {func(r *http.Request) { r.Host = "" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(tc.edit)
			_, verr := open.Verify(r, []byte(body), now)
			for _, err := range []error{open.Precheck(r), verr} {
				if tc.want == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, auth.ErrForbidden)
				refusal, ok := errors.AsType[*auth.Error](err)
				require.True(t, ok)
				require.Equal(t, tc.want, refusal.Reason)
			}
		})
	}
}

// A browser that was told the password once would send it for any page.
func TestBrowsersWithBasicCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	g := newGate(t, basicAuth("arr", "k"), headerAuth("X-Key", "k"))
	r := request(func(r *http.Request) {
		r.SetBasicAuth("arr", "k")
		r.Header.Set("Origin", "http://evil.example")
		r.Host = "hooks.example.net"
	})
	require.ErrorIs(t, g.Precheck(r), auth.ErrForbidden)
	r.Header.Del("Origin")
	require.NoError(t, g.Precheck(r), "its host does not matter")
}
