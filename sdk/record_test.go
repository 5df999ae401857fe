package sdk

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSentURLShowsNoPartOfASecretOne(t *testing.T) {
	t.Parallel()
	r := newRedactor([]Secret{"https://user:pw@host/api/hooks/T0/B0/short?key=k", "bot-token", "ab"})
	for given, want := range map[string]string{
		"https://host/api/v10/hooks/T0/B0/short?wait=true":        "https://host/[redacted]/v10/[redacted]/[redacted]/[redacted]/[redacted]?wait=true",
		"https://user:pw@host/?key=k&b=%6B":                       "https://[redacted]@host/?key=[redacted]&b=[redacted]",
		"https://other/botbot-token/send?chat=1&text=bot-%74oken": "https://other/bot[redacted]/send?chat=1&text=[redacted]",
		"http://other/%73hort/ab":                                 "http://other/[redacted]/[redacted]",
		"http://[::1]:80":                                         "http://[::1]:80",
		"http://nas/poster.jpg?w=5&apikey=0a1b&X-Plex-Token=2c3d": "http://nas/poster.jpg?w=5&apikey=[redacted]&X-Plex-Token=[redacted]",
	} {
		u, err := url.Parse(given)
		require.NoError(t, err)
		require.Equal(t, want, r.address(u))
	}
	require.Len(t, redactor{}.address(&url.URL{Scheme: "http", Host: "host", Path: "/" + strings.Repeat("x", 10_000)}), maxMessage)
}

func TestSentHeadersShowNoCredential(t *testing.T) {
	t.Parallel()
	r := newRedactor([]Secret{"s3cret", "ab"})
	h := http.Header{"X-Plain": {"a s3cret", "ab", "abc"}, "Webhook-Signature": {"v1,xyz"}}
	// Encoded, a secret is not known by its letters.
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "X-Password"} {
		h.Set(name, "Basic dTpzM2NyZXQ=")
	}
	for _, shown := range r.headers(h) {
		switch shown.GetName() {
		case "X-Plain":
			require.Equal(t, []string{"a [redacted]", "[redacted]", "abc"}, shown.GetValues())
		case "Webhook-Signature":
			require.Equal(t, []string{"v1,xyz"}, shown.GetValues())
		default:
			require.Equal(t, []string{"[redacted]"}, shown.GetValues(), shown.GetName())
		}
	}
	many := http.Header{}
	for range 200 {
		many.Set("X-"+strings.Repeat("y", len(many)), "v")
	}
	require.Len(t, r.headers(many), maxSentHeaders)
}

// Wherever the body is cut, nothing is left of a secret.
func TestSentBodyHasNoHalfOfASecret(t *testing.T) {
	t.Parallel()
	const secret = "ABCDEFGHIJKLMNOP"
	r := newRedactor([]Secret{secret})
	for at := maxSentBody - 40; at <= maxSentBody+20; at++ {
		for _, before := range []string{"", secret, strings.Repeat(secret, 50)} {
			text := before + strings.Repeat("-", at-len(before)) + secret + strings.Repeat("-", 100)
			beginning := []byte(text)[:maxSentBody+r.longest]
			shown, truncated := r.body(beginning, true)
			require.True(t, truncated)
			require.LessOrEqual(t, len(shown), maxSentBody)
			left := strings.Trim(strings.ReplaceAll(string(shown), redacted, ""), "-")
			// Of the placeholder, half may be left.
			require.NotContains(t, left, "A", "at %d", at)
		}
	}
	shown, truncated := r.body([]byte("all of "+secret), false)
	require.Equal(t, "all of [redacted]", string(shown))
	require.False(t, truncated)
	shown, truncated = r.body([]byte(strings.Repeat("x", maxSentBody+5)), false)
	require.Len(t, shown, maxSentBody)
	require.True(t, truncated)
}
