package auth_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

func TestStrip(t *testing.T) {
	t.Parallel()
	g := newGate(t,
		config.Auth{HMAC: &config.HMAC{Header: "x-sig", Secrets: []sdk.Secret{"k"}}},
		headerAuth("x-relay-key", "k"), tokenAuth("pass", "k"))
	h := http.Header{
		"Authorization": {"s"}, "Proxy-Authorization": {"s"}, "Cookie": {"s"}, "X-Api-Key": {"s"}, "X-Sig": {"s", "s"},
		"X-Relay-Key": {"s"}, "X-Hub-Signature-256": {"s"}, "Webhook-Signature": {"s"}, "X-Original-Uri": {"/hooks/radarr/s"},
		"User-Agent": {"Radarr/6"}, "Content-Type": {"application/json"}, "Webhook-Id": {"msg_1"},
	}
	q := url.Values{"pass": {"s"}, "token": {"s"}, "APIKEY": {"s"}, "lang": {"en", "de"}}
	before := h.Clone()
	header, query := g.Strip(h, q)
	require.Equal(t, http.Header{"User-Agent": {"Radarr/6"}, "Content-Type": {"application/json"}, "Webhook-Id": {"msg_1"}}, header)
	require.Equal(t, url.Values{"lang": {"en", "de"}}, query)
	require.Equal(t, before, h, "the request itself is left alone")

	for name, entry := range every() {
		g, r := newGate(t, entry), request(nil)
		require.NoError(t, g.Sign(r, []byte(body), "msg_1", now))
		header, query := g.Strip(r.Header, r.URL.Query())
		stripped := arrived(request(nil))
		stripped.Header, stripped.URL.RawQuery = header, query.Encode()
		if name != "none" {
			require.ErrorIs(t, g.Precheck(stripped), auth.ErrUnauthorized, name)
		}
	}
}

// A secret is not kept under another name either, however it is spelled.
func TestStripKeepsNoSecret(t *testing.T) {
	t.Parallel()
	g, err := auth.New(config.Source{
		Auth: []config.Auth{
			hmacAuth("github", "hmac-secret-1"), basicAuth("arr", "pass/word+1"), headerAuth("x-relay-key", "header value 1"),
			tokenAuth("pass", "json"),
		},
		Config: map[string]any{"base_url": "http://radarr:7878", "api_key": "0123456789abcdef", "more": []any{map[string]any{"client_secret": "deep-secret"}}},
	}, nil)
	require.NoError(t, err)
	header, query := g.Strip(http.Header{
		"X-Hmac": {"hmac-secret-1"}, "X-List": {"a", "b hmac-secret-1 c"}, "X-Basic": {"Basic YXJyOnBhc3Mvd29yZCsx"},
		"Referer": {"http://x/?p=pass%2Fword%2B1"}, "X-Odd": {"%70ass/word%2b1"}, "X-Header": {"header value 1"}, "X-Short": {"json"},
		"X-Arr-Key": {"k=0123456789abcdef"}, "X-Deep": {"deep-secret"},
		"Content-Type": {"application/json"}, "X-From": {"http://radarr:7878"}, "User-Agent": {"100%"},
	}, url.Values{"a": {"1", "hmac-secret-1"}, "deep-secret": {""}, "q": {"x0123456789abcdefx"}, "format": {"json"}, "lang": {"en"}})
	require.Equal(t, http.Header{"Content-Type": {"application/json"}, "X-From": {"http://radarr:7878"}, "User-Agent": {"100%"}}, header)
	require.Equal(t, url.Values{"lang": {"en"}}, query)
}

func TestRedactURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/hooks/radarr":                    "/hooks/radarr",
		"/hooks/radarr/":                   "/hooks/radarr/",
		"/hooks/radarr/s3cret":             "/hooks/radarr/[redacted]",
		"/hooks/radarr/s3cret/s3cret":      "/hooks/radarr/[redacted]",
		"/hooks/radarr?token=s3cret&a=b":   "/hooks/radarr?a=[redacted]&token=[redacted]",
		"/hooks/radarr?s3cret":             "/hooks/radarr?[redacted]",
		"/hooks/radarr?a=s3cret&a=s3cret":  "/hooks/radarr?a=[redacted]",
		"/hooks/radarr?a%26=s3cret;s3cret": "/hooks/radarr",
	} {
		u, err := url.Parse(in)
		require.NoError(t, err)
		require.Equal(t, want, auth.RedactURL(u))
	}
}
