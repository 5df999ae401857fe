package auth_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/auth"
	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

var now = time.Unix(1700000000, 0)

const body = `{"eventType":"Test"}`

func newGate(tb testing.TB, entries ...config.Auth) *auth.Gate {
	tb.Helper()
	g, err := auth.New(config.Source{Auth: entries}, nil)
	require.NoError(tb, err)
	return g
}

func hmacAuth(preset string, secrets ...sdk.Secret) config.Auth {
	return config.Auth{HMAC: &config.HMAC{Preset: preset, Secrets: secrets}}
}

func basicAuth(username string, password sdk.Secret) config.Auth {
	return config.Auth{Basic: &config.Basic{Username: username, Password: password}}
}

func headerAuth(name string, value sdk.Secret) config.Auth {
	return config.Auth{Header: &config.HeaderAuth{Name: name, Value: value}}
}

func tokenAuth(query string, value sdk.Secret) config.Auth {
	return config.Auth{Token: &config.Token{Query: query, Value: value}}
}

func request(edit func(r *http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hooks/radarr", http.NoBody)
	r.Host = "hookarr:8484"
	if edit != nil {
		edit(r)
	}
	return r
}

// arrived is an outgoing request as its receiver sees it.
func arrived(r *http.Request) *http.Request {
	in := httptest.NewRequest(r.Method, r.URL.String(), http.NoBody)
	in.Header, in.Host = r.Header, "hookarr:8484"
	if _, token, ok := strings.Cut(strings.TrimPrefix(in.URL.Path, "/hooks/"), "/"); ok {
		in.SetPathValue(auth.PathToken, token)
	}
	return in
}

// every is one entry of each kind, with the scheme that it answers to.
func every() map[string]config.Auth {
	return map[string]config.Auth{
		"github":            hmacAuth("github", "a-secret", "old-secret"),
		"standard-webhooks": hmacAuth("standard-webhooks", "whsec_YSBzZWNyZXQgdGhhdCBpcyBsb25nIGVub3VnaA==", "old-secret"),
		"hmac": {HMAC: &config.HMAC{
			Secrets: []sdk.Secret{"a-secret"}, Header: "x-relay-signature", Algorithm: "sha512", Encoding: "base64",
			Prefix: "v1=", TimestampHeader: "X-Relay-Time", IDHeader: "X-Relay-Id",
		}},
		"basic":  basicAuth("arr", "a-secret"),
		"header": headerAuth("X-Relay-Key", "a-secret"),
		"token":  tokenAuth("", "a-secret"),
		"none":   {None: &config.None{}},
	}
}

func TestSignedRequestsGetIn(t *testing.T) {
	t.Parallel()
	entries := every()
	entries["token in the query"] = tokenAuth("key", "a-secret")
	entries["password alone"] = basicAuth("", "a-secret")
	for name, entry := range entries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, entry)
			r := request(nil)
			require.NoError(t, g.Sign(r, []byte(body), "msg_1", now))
			in := arrived(r)
			require.NoError(t, g.Precheck(in))
			identity, err := g.Verify(in, []byte(body), now)
			require.NoError(t, err)
			if _, ok := every()[name]; ok {
				require.Equal(t, name, identity.Scheme)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, value) }
	}
	signed := func(preset string, secret sdk.Secret, at time.Time, signedBody string) func(*http.Request) {
		g := newGate(t, hmacAuth(preset, secret))
		return func(r *http.Request) {
			require.NoError(t, g.Sign(r, []byte(signedBody), "msg_1", at))
		}
	}
	sha1Only := config.Auth{HMAC: &config.HMAC{Secrets: []sdk.Secret{"k"}, Header: "X-Hub-Signature", Algorithm: "sha1", Prefix: "sha1="}}
	for _, tc := range []struct {
		name  string
		entry config.Auth
		edit  func(*http.Request)
		want  auth.Reason
		// early: refused before the body is read.
		early bool
	}{
		{"hmac missing", hmacAuth("github", "k"), nil, auth.ReasonMissing, true},
		{"hmac malformed", hmacAuth("github", "k"), set("X-Hub-Signature-256", "sha256=zz"), auth.ReasonMalformed, true},
		{"hmac another secret", hmacAuth("github", "k"), signed("github", "old", now, body), auth.ReasonMismatch, false},
		{"hmac another body", hmacAuth("github", "k"), signed("github", "k", now, body+" "), auth.ReasonMismatch, false},
		{"hmac sha1 header for sha256", hmacAuth("github", "k"), set("X-Hub-Signature", "sha1=4b6eb4f7fbe015ff427a1167933f438293dd83ec"), auth.ReasonMissing, true},
		{"hmac sha256 for sha1", sha1Only, set("X-Hub-Signature", "sha256="+strings.Repeat("0", 64)), auth.ReasonMalformed, true},
		{"hmac stale", hmacAuth("standard-webhooks", "k"), signed("standard-webhooks", "k", now.Add(-6*time.Minute), body), auth.ReasonStale, false},
		{"hmac from the future", hmacAuth("standard-webhooks", "k"), signed("standard-webhooks", "k", now.Add(6*time.Minute), body), auth.ReasonStale, false},
		{"basic missing", basicAuth("arr", "k"), nil, auth.ReasonMissing, true},
		{"basic bearer", basicAuth("arr", "k"), set("Authorization", "Bearer k"), auth.ReasonMissing, true},
		{"basic malformed", basicAuth("arr", "k"), set("Authorization", "Basic ???"), auth.ReasonMalformed, true},
		{"basic user", basicAuth("arr", "k"), func(r *http.Request) { r.SetBasicAuth("ar", "k") }, auth.ReasonMismatch, true},
		{"basic password", basicAuth("arr", "k"), func(r *http.Request) { r.SetBasicAuth("arr", "") }, auth.ReasonMismatch, true},
		{"basic repeated", basicAuth("arr", "k"), func(r *http.Request) {
			r.SetBasicAuth("arr", "k")
			r.Header.Add("Authorization", "Basic eA==")
		}, auth.ReasonMalformed, true},
		{"header missing", headerAuth("X-Key", "k"), nil, auth.ReasonMissing, true},
		{"header mismatch", headerAuth("X-Key", "k"), set("X-Key", "K"), auth.ReasonMismatch, true},
		{"header repeated", headerAuth("X-Key", "k"), func(r *http.Request) { r.Header["X-Key"] = []string{"k", "k"} }, auth.ReasonMalformed, true},
		{"token missing", tokenAuth("", "k"), nil, auth.ReasonMissing, true},
		{"token mismatch", tokenAuth("", "k"), func(r *http.Request) { r.SetPathValue(auth.PathToken, "x") }, auth.ReasonMismatch, true},
		{"token in the wrong place", tokenAuth("", "k"), func(r *http.Request) { r.URL.RawQuery = "token=k" }, auth.ReasonMissing, true},
		{"query token missing", tokenAuth("key", "k"), func(r *http.Request) { r.URL.RawQuery = "key=" }, auth.ReasonMissing, true},
		{"query token mismatch", tokenAuth("key", "k"), func(r *http.Request) { r.URL.RawQuery = "key=kk" }, auth.ReasonMismatch, true},
		{"query token repeated", tokenAuth("key", "k"), func(r *http.Request) { r.URL.RawQuery = "key=k&key=x" }, auth.ReasonMalformed, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g, r := newGate(t, tc.entry), request(tc.edit)
			var refusal *auth.Error
			if err := g.Precheck(r); tc.early {
				require.ErrorAs(t, err, &refusal)
				require.Equal(t, tc.want, refusal.Reason)
			} else {
				require.NoError(t, err)
			}
			identity, err := g.Verify(r, []byte(body), now)
			require.Empty(t, identity)
			require.ErrorIs(t, err, auth.ErrUnauthorized)
			require.NotErrorIs(t, err, auth.ErrForbidden)
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, tc.want, refusal.Reason)
		})
	}
}

func TestAnyEntryLetsIn(t *testing.T) {
	t.Parallel()
	g := newGate(t, hmacAuth("github", "new", "old"), basicAuth("arr", "pass"), tokenAuth("key", "tok"))
	for name, edit := range map[string]func(*http.Request){
		"new": func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(t, "new")) },
		"old": func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(t, "old")) },
		"basic beside a wrong signature": func(r *http.Request) {
			r.Header.Set("X-Hub-Signature-256", sign(t, "retired"))
			r.SetBasicAuth("arr", "pass")
		},
		"token": func(r *http.Request) { r.URL.RawQuery = "key=tok" },
	} {
		r := request(edit)
		require.NoError(t, g.Precheck(r), name)
		_, err := g.Verify(r, []byte(body), now)
		require.NoError(t, err, name)
	}

	var refusal *auth.Error
	r := request(func(r *http.Request) {
		r.Header.Set("X-Hub-Signature-256", sign(t, "retired"))
		r.Header.Set("Authorization", "Basic ???")
	})
	_, err := g.Verify(r, []byte(body), now)
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, auth.ReasonMismatch, refusal.Reason, "the nearest miss is reported")
}

// TestRequestsWithoutCredentials are told everything that the source takes.
func TestRequestsWithoutCredentials(t *testing.T) {
	t.Parallel()
	every := every()
	for want, entries := range map[string][]config.Auth{
		"no credentials: the source takes hmac (github) or basic": {every["github"], every["basic"]},
		"no credentials: the source takes hmac (header x-relay-signature), the header X-Relay-Key, a token in the path or a token in the query parameter key": {
			every["hmac"], every["header"], every["token"], tokenAuth("key", "a-secret"),
		},
		"no basic credentials": {every["basic"]},
	} {
		var refusal *auth.Error
		require.ErrorAs(t, newGate(t, entries...).Precheck(request(nil)), &refusal)
		require.Equal(t, auth.ReasonMissing, refusal.Reason)
		require.EqualError(t, refusal, want)
	}
}

func sign(tb testing.TB, secret string) string {
	tb.Helper()
	signer, err := signature.New(signature.GitHub(), secret)
	require.NoError(tb, err)
	h := http.Header{}
	require.NoError(tb, signer.Sign(h, "", now, []byte(body)))
	return h.Get("X-Hub-Signature-256")
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	entry := hmacAuth("standard-webhooks", "k")
	entry.HMAC.Tolerance = time.Hour
	g, r := newGate(t, entry), request(nil)
	require.NoError(t, g.Sign(r, []byte(body), "msg_1", now))
	_, err := g.Verify(r, []byte(body), now.Add(59*time.Minute))
	require.NoError(t, err)
	_, err = g.Verify(r, []byte(body), now.Add(61*time.Minute))
	require.ErrorIs(t, err, auth.ErrUnauthorized)
}

func TestSignedID(t *testing.T) {
	t.Parallel()
	id := func(g *auth.Gate, r *http.Request, body string) string {
		identity, err := g.Verify(r, []byte(body), now)
		require.NoError(t, err)
		return identity.SignedID
	}
	standard := newGate(t, hmacAuth("standard-webhooks", "k"))
	r := request(nil)
	require.NoError(t, standard.Sign(r, []byte(body), "msg_1", now))
	require.Equal(t, "msg_1", id(standard, r, body))

	github := newGate(t, hmacAuth("github", "k"))
	r = request(func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", "x") })
	require.NoError(t, github.Sign(r, []byte(body), "msg_1", now))
	require.Empty(t, id(github, r, body), "nobody asked for that header")

	spelledOut := newGate(t, config.Auth{HMAC: &config.HMAC{
		Header: "X-Hub-Signature-256", Prefix: "sha256=", IDHeader: "X-GitHub-Delivery", Secrets: []sdk.Secret{"k"},
	}})
	signed := func(body string, ids ...string) *http.Request {
		r := request(nil)
		require.NoError(t, spelledOut.Sign(r, []byte(body), "", now))
		r.Header["X-Github-Delivery"] = ids
		return r
	}
	first := id(spelledOut, signed(body, "a"), body)
	require.NotEmpty(t, first)
	require.Equal(t, first, id(spelledOut, signed(body, "a"), body))
	require.NotEqual(t, first, id(spelledOut, signed(body, "b"), body))
	require.NotEqual(t, first, id(spelledOut, signed("{}", "a"), "{}"), "an unsigned id on another signed body is another message")
	for _, ids := range [][]string{nil, {""}, {"a", "b"}, {"é"}, {"a\x00"}, {strings.Repeat("x", 256)}} {
		require.Empty(t, id(spelledOut, signed(body, ids...), body), "%q", ids)
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	hm := func(h config.HMAC) config.Auth {
		if h.Secrets == nil {
			h.Secrets = []sdk.Secret{"k"}
		}
		return config.Auth{HMAC: &h}
	}
	for want, entries := range map[string][]config.Auth{
		"auth: is empty":                  {},
		"auth[0]: set exactly one":        {{}},
		"auth[1]: set exactly one":        {basicAuth("a", "k"), {Basic: &config.Basic{Password: "k"}, Token: &config.Token{Value: "k"}}},
		"auth[1].none: lets everybody in": {basicAuth("a", "k"), {None: &config.None{}}},
		"auth[0].hmac.preset: \"gitlab\" is not github or standard-webhooks": {hm(config.HMAC{Preset: "gitlab"})},
		"auth[0].hmac.preset: stands for":                                    {hm(config.HMAC{Preset: "github", Header: "X"})},
		"auth[0].hmac.preset: write github":                                  {hm(config.HMAC{})},
		"auth[0].hmac.header: \"X Sig\"":                                     {hm(config.HMAC{Header: "X Sig"})},
		"auth[0].hmac.id_header: host cannot":                                {hm(config.HMAC{Header: "X", IDHeader: "host"})},
		"auth[0].hmac.algorithm: \"md5\"":                                    {hm(config.HMAC{Header: "X", Algorithm: "md5"})},
		"auth[0].hmac.encoding: \"hax\"":                                     {hm(config.HMAC{Header: "X", Encoding: "hax"})},
		"auth[0].hmac.tolerance: ":                                           {hm(config.HMAC{Preset: "github", Tolerance: -1})},
		"auth[0].hmac.secrets: at least one":                                 {hm(config.HMAC{Preset: "github", Secrets: []sdk.Secret{}})},
		"auth[0].hmac.secrets[1]: is empty":                                  {hm(config.HMAC{Preset: "github", Secrets: []sdk.Secret{"k", ""}})},
		"auth[0].hmac.secrets[0]: what follows whsec_":                       {hm(config.HMAC{Preset: "standard-webhooks", Secrets: []sdk.Secret{"whsec_hunter2!"}})},
		"auth[0].basic.password: is empty":                                   {basicAuth("arr", "")},
		"auth[0].basic.username: must not":                                   {basicAuth("a:b", "k")},
		"auth[0].basic: use ASCII":                                           {basicAuth("arr", "hunter2é")},
		"auth[0].header.name: \"\"":                                          {headerAuth("", "k")},
		"auth[0].header.name: content-length cannot":                         {headerAuth("content-length", "k")},
		"auth[0].header.value: is empty":                                     {headerAuth("X-Key", " ")},
		"auth[0].header.value: no header":                                    {headerAuth("X-Key", "hunter2\n")},
		"auth[0].token.value: is empty":                                      {tokenAuth("key", "")},
		"auth[0].token.value: use only":                                      {tokenAuth("", "hunter2/")},
	} {
		_, err := auth.New(config.Source{Auth: entries}, nil)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}

	_, err := auth.New(config.Source{Auth: []config.Auth{basicAuth("a:b", ""), {}, tokenAuth("", "..")}}, nil)
	for _, want := range []string{"auth[0].basic.password", "auth[0].basic.username", "auth[1]", "auth[2].token.value"} {
		require.ErrorContains(t, err, want, "all problems at once")
	}
}

func TestSecretsStayOutOfErrorsAndFormatting(t *testing.T) {
	t.Parallel()
	entries := []config.Auth{
		hmacAuth("github", "hunter2"), basicAuth("hunter2", "hunter2"), headerAuth("X-Key", "hunter2"),
		tokenAuth("key", "hunter2"), tokenAuth("", "hunter2"),
	}
	g := newGate(t, entries...)
	r := request(func(r *http.Request) {
		r.SetBasicAuth("guess1", "guess1")
		r.Header.Set("X-Key", "guess1")
		r.Header.Set("X-Hub-Signature-256", "guess1")
		r.URL.RawQuery = "key=guess1"
		r.SetPathValue(auth.PathToken, "guess1")
	})
	_, err := g.Verify(r, []byte(body), now)
	require.ErrorIs(t, err, auth.ErrUnauthorized)
	for _, secret := range []string{"hunter2", "guess1"} {
		require.NotContains(t, errors.Join(err, g.Precheck(r)).Error(), secret)
	}
	require.NotContains(t, fmt.Sprintf("%+v %#v", g, g), "hunter2")
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	require.Contains(t, newGate(t, hmacAuth("github", "k"), basicAuth("a", "k")).Challenge(), "Basic realm=")
	require.Empty(t, newGate(t, hmacAuth("github", "k")).Challenge())
}
