package signin_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const clientSecret = "client-secret-0123456789abcdef"

// provider is an OpenID Connect provider that holds its clients to the specification: codes
// are for one use, for one redirect_uri, and for who has the PKCE verifier.
type provider struct {
	t   *testing.T
	url string
	key *rsa.PrivateKey

	mu    sync.Mutex
	codes map[string]grant
	// claims are those of the person who signs in, asked those of userinfo alone.
	claims, asked map[string]any
	// forge changes the claims of the next tokens; sign is the key they are signed with.
	forge func(claims map[string]any)
	sign  *rsa.PrivateKey
	// methods are how a client may authenticate itself, and public is that it needs no secret.
	methods []string
	public  bool
	// down is the status of every answer; 0 is as it should be.
	down int
	// discovered counts the looks at what the provider tells of itself.
	discovered int
}

type grant struct{ redirect, challenge, nonce string }

// ownKey is the key of every provider: making one takes long.
var ownKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, _ := rsa.GenerateKey(rand.Reader, 2048)
	return key
})

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, codes: map[string]grant{}, methods: []string{"client_secret_basic"}, claims: map[string]any{
		"sub": "17", "preferred_username": "ann", "email": "ann@example.org", "email_verified": true, "groups": []string{"family", "users"},
	}}
	p.key = ownKey()
	p.sign = p.key
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.discovered++
		tell(w, map[string]any{
			"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys",
			"userinfo_endpoint": p.url + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"},
			"token_endpoint_auth_methods_supported": p.methods,
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		public := p.key.PublicKey
		tell(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1",
			"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		tell(w, p.asked)
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down != 0 {
			http.Error(w, "down with "+clientSecret, p.down)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": why, "error_description": "not with " + clientSecret})
}

// change changes what the provider does.
func (p *provider) change(how func(p *provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	how(p)
}

// authorize is the person who signs in: it returns where the provider sends the browser.
func (p *provider) authorize(address string) string {
	p.t.Helper()
	u, err := url.Parse(address)
	require.NoError(p.t, err)
	q := u.Query()
	require.Equal(p.t, p.url+"/authorize", u.Scheme+"://"+u.Host+u.Path)
	require.Equal(p.t, "code", q.Get("response_type"))
	require.Equal(p.t, "hookarr", q.Get("client_id"))
	require.Equal(p.t, "S256", q.Get("code_challenge_method"))
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		require.GreaterOrEqual(p.t, len(q.Get(name)), 26, name)
	}
	code := rand.Text()
	p.change(func(p *provider) {
		p.codes[code] = grant{q.Get("redirect_uri"), q.Get("code_challenge"), q.Get("nonce")}
	})
	return q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.url}}.Encode()
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if !basic && !slices.Contains(p.methods, "client_secret_basic") || p.public {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	g, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	if id != "hookarr" || secret != clientSecret && !p.public {
		refuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	if !ok || r.FormValue("grant_type") != "authorization_code" || g.redirect != r.FormValue("redirect_uri") || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		refuse(w, http.StatusBadRequest, "invalid_grant")
		return
	}
	claims := map[string]any{"iss": p.url, "aud": "hookarr", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": g.nonce}
	maps.Copy(claims, p.claims)
	if p.forge != nil {
		p.forge(claims)
	}
	tell(w, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": p.jwt(claims)})
}

// jwt signs claims. What has the algorithm none is not signed.
func (p *provider) jwt(claims map[string]any) string {
	alg, _ := claims["alg"].(string)
	delete(claims, "alg")
	if alg == "" {
		alg = "RS256"
	}
	encode := func(v any) string {
		data, err := json.Marshal(v)
		require.NoError(p.t, err)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := encode(map[string]any{"alg": alg, "kid": "1", "typ": "JWT"}) + "." + encode(claims)
	if alg == "none" {
		return text + "."
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.sign, crypto.SHA256, sum[:])
	require.NoError(p.t, err)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
