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
