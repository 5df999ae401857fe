package signature_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/signature"
)

type vector struct {
	Name      string
	Preset    string
	Scheme    signature.Scheme
	Secret    string
	OldSecret string `json:"old_secret"`
	ID        string
	Time      int64
	Body      string
	Headers   map[string]string
}

func (v vector) scheme() signature.Scheme {
	switch v.Preset {
	case "github":
		return signature.GitHub()
	case "standard-webhooks":
		return signature.StandardWebhooks()
	default:
		return v.Scheme
	}
}

func (v vector) header() http.Header {
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return h
}

func (v vector) secrets() []string {
	if v.OldSecret == "" {
		return []string{v.Secret}
	}
	return []string{v.Secret, v.OldSecret}
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(tb, err)
	var vs []vector
	require.NoError(tb, json.Unmarshal(raw, &vs))
	return vs
}

func newSigner(tb testing.TB, s signature.Scheme, secrets ...string) *signature.Signer {
	tb.Helper()
	signer, err := signature.New(s, secrets...)
	require.NoError(tb, err)
	return signer
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			signer := newSigner(t, v.scheme(), v.secrets()...)
			at := time.Unix(v.Time, 0)

			got := http.Header{}
			require.NoError(t, signer.Sign(got, v.ID, at, []byte(v.Body)))
			require.Equal(t, v.header(), got)

			m, err := signer.Verify(v.header(), []byte(v.Body), at)
			require.NoError(t, err)
			require.Equal(t, v.ID, m.ID)
			if v.Time != 0 {
				require.Equal(t, v.Time, m.Time.Unix())
			}
			for _, secret := range v.secrets() {
				_, err = newSigner(t, v.scheme(), secret).Verify(v.header(), []byte(v.Body), at)
				require.NoError(t, err)
			}

			_, err = signer.Verify(v.header(), []byte(v.Body+" "), at)
			require.ErrorIs(t, err, signature.ErrMismatch)
			_, err = newSigner(t, v.scheme(), "another secret").Verify(v.header(), []byte(v.Body), at)
			require.ErrorIs(t, err, signature.ErrMismatch)
		})
	}
}

func TestEveryHeaderOfAVectorIsNeeded(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		for name := range v.Headers {
			h := v.header()
			h.Del(name)
			signer := newSigner(t, v.scheme(), v.secrets()...)
			_, err := signer.Verify(h, []byte(v.Body), time.Unix(v.Time, 0))
			require.ErrorIs(t, err, signature.ErrMissing, "%s without %s", v.Name, name)
			require.ErrorIs(t, signer.Check(h), signature.ErrMissing)
			require.ErrorContains(t, err, name)
		}
	}
}

func TestSignedTimeOutsideTheTolerance(t *testing.T) {
	t.Parallel()
	at := time.Unix(1700000000, 0)
	for _, tc := range []struct {
		tolerance time.Duration
		off       time.Duration
		stale     bool
	}{
		{0, 5 * time.Minute, false},
		{0, -5 * time.Minute, false},
		{0, 5*time.Minute + time.Second, true},
		{0, -5*time.Minute - time.Second, true},
		{time.Hour, 59 * time.Minute, false},
		{time.Second, 2 * time.Second, true},
		{0, 100 * 365 * 24 * time.Hour, true},
	} {
		t.Run(fmt.Sprintf("%s off %s", tc.tolerance, tc.off), func(t *testing.T) {
			t.Parallel()
			scheme := signature.StandardWebhooks()
			scheme.Tolerance = tc.tolerance
			signer := newSigner(t, scheme, "secret")
			h := http.Header{}
			require.NoError(t, signer.Sign(h, "id", at, []byte("body")))
			_, err := signer.Verify(h, []byte("body"), at.Add(tc.off))
			if tc.stale {
				require.ErrorIs(t, err, signature.ErrStale)
				return
			}
			require.NoError(t, err)
		})
	}
}

// A stale time that nobody signed is a mismatch: the log then does not speak of clocks
// to a forger.
func TestForgedTimeIsAMismatch(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, signature.StandardWebhooks(), "secret")
	h := http.Header{}
	require.NoError(t, signer.Sign(h, "id", time.Unix(1600000000, 0), nil))
	h.Set("Webhook-Timestamp", "1700000000")
	_, err := signer.Verify(h, nil, time.Unix(1700000000, 0))
	require.ErrorIs(t, err, signature.ErrMismatch)
}

func TestListsOfSignatures(t *testing.T) {
	t.Parallel()
	const (
		good   = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
		wrong  = "0000000000000000000000000000000000000000000000000000000000000000"
		goodV1 = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
		badV1  = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	)
	for _, tc := range []struct {
		name     string
		standard bool
		values   []string
		want     error
	}{
		{"comma", false, []string{"sha256=" + wrong + ",sha256=" + good}, nil},
		{"comma and space", false, []string{"sha256=" + good + ", sha256=" + wrong}, nil},
		{"space", false, []string{"sha256=" + wrong + " sha256=" + good}, nil},
		{"repeated header", false, []string{"sha256=" + wrong, "sha256=" + good}, nil},
		{"upper case", false, []string{"sha256=" + strings.ToUpper(good)}, nil},
		{"other algorithms are passed over", false, []string{"sha1=aabb sha256=" + good}, nil},
		{"only wrong ones", false, []string{"sha256=" + wrong + ",sha256=" + wrong}, signature.ErrMismatch},
		{"no prefix", false, []string{good}, signature.ErrMalformed},
		{"too short", false, []string{"sha256=" + good[:62]}, signature.ErrMalformed},
		{"too long", false, []string{"sha256=" + good + "00"}, signature.ErrMalformed},
		{"not hex", false, []string{"sha256=" + good[:62] + "zz"}, signature.ErrMalformed},
		{"empty", false, []string{""}, signature.ErrMalformed},
		{"only separators", false, []string{" ,, ,"}, signature.ErrMalformed},
		{"prefix alone", false, []string{"sha256="}, signature.ErrMalformed},
		{"too many", false, []string{strings.Repeat("sha256="+wrong+",", 17) + "sha256=" + good}, signature.ErrMalformed},

		{"standard, space", true, []string{"v1," + badV1 + " v2," + badV1 + " v1," + goodV1}, nil},
		{"standard, comma", true, []string{"v1," + badV1 + ",v1," + goodV1}, nil},
		{"standard, unpadded", true, []string{"v1," + strings.TrimRight(goodV1, "=")}, nil},
		{"standard, asymmetric is passed over", true, []string{"v1a," + goodV1 + " v1," + goodV1}, nil},
		{"standard, asymmetric only", true, []string{"v1a," + goodV1}, signature.ErrMalformed},
		{"standard, wrong", true, []string{"v1," + badV1}, signature.ErrMismatch},
		{"standard, no version", true, []string{goodV1}, signature.ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			signer := newSigner(t, signature.GitHub(), "It's a Secret to Everybody")
			body, name := "Hello, World!", "X-Hub-Signature-256"
			h := http.Header{}
			if tc.standard {
				signer = newSigner(t, signature.StandardWebhooks(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
				body, name = `{"test": 2432232314}`, "Webhook-Signature"
				h.Set("Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
				h.Set("Webhook-Timestamp", "1614265330")
			}
			h[name] = tc.values
			_, err := signer.Verify(h, []byte(body), time.Unix(1614265330, 0))
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestMalformedIDsAndTimes(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, signature.StandardWebhooks(), "secret")
	at := time.Unix(1700000000, 0)
	for name, values := range map[string][]string{
		"Webhook-Timestamp": {"", "now", "-1", "+1700000000", "1700000000.5", "0x65", "1700000000000", "１７"},
		"Webhook-Id":        {"", "a.b", "a b", "a\tb", "é", strings.Repeat("x", 256)},
	} {
		for _, value := range values {
			h := http.Header{}
			require.NoError(t, signer.Sign(h, "id", at, nil))
			h[name] = []string{value}
			_, err := signer.Verify(h, nil, at)
			require.ErrorIs(t, err, signature.ErrMalformed, "%s: %q", name, value)
			require.ErrorIs(t, signer.Check(h), signature.ErrMalformed)
		}
		h := http.Header{}
		require.NoError(t, signer.Sign(h, "id", at, nil))
		h.Add(name, h.Get(name))
		_, err := signer.Verify(h, nil, at)
		require.ErrorIs(t, err, signature.ErrMalformed, "%s twice", name)
	}
	for _, id := range []string{"", "a.b", "a b", strings.Repeat("x", 256)} {
		require.ErrorContains(t, signer.Sign(http.Header{}, id, at, nil), "id", "%q", id)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	at, body := time.Unix(1700000000, 0), []byte("body")
	for _, scheme := range []signature.Scheme{signature.GitHub(), signature.StandardWebhooks()} {
		old := newSigner(t, scheme, "old")
		rotating := newSigner(t, scheme, "new", "old")
		fresh := newSigner(t, scheme, "new")

		for _, sender := range []*signature.Signer{old, rotating, fresh} {
			h := http.Header{}
			require.NoError(t, sender.Sign(h, "id", at, body))
			_, err := rotating.Verify(h, body, at)
			require.NoError(t, err)
		}

		h := http.Header{}
		require.NoError(t, old.Sign(h, "id", at, body))
		_, err := fresh.Verify(h, body, at)
		require.ErrorIs(t, err, signature.ErrMismatch)

		h = http.Header{}
		require.NoError(t, rotating.Sign(h, "id", at, body))
		_, err = fresh.Verify(h, body, at)
		require.NoError(t, err)
		_, err = old.Verify(h, body, at)
		if scheme.Multiple {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, signature.ErrMismatch)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	at := time.Unix(1700000000, 0)
	sign := func(s signature.Scheme, secret string) http.Header {
		h := http.Header{}
		require.NoError(t, newSigner(t, s, secret).Sign(h, "id", at, nil))
		return h
	}
	standard := signature.StandardWebhooks()
	const key, encoded = "the secret of 22 bytes", "whsec_dGhlIHNlY3JldCBvZiAyMiBieXRlcw=="
	for _, pasted := range []string{
		strings.TrimRight(encoded, "="), "v1," + encoded, " " + encoded + " ", "\t" + encoded + "\r\n", " v1," + encoded + "\n", key,
	} {
		require.Equal(t, sign(standard, encoded), sign(standard, pasted), "%q", pasted)
		require.NoError(t, standard.CheckSecret(pasted))
	}
	require.NotEqual(t, sign(signature.GitHub(), encoded), sign(signature.GitHub(), key), "only Standard Webhooks encodes secrets")
	require.NotEqual(t, sign(signature.GitHub(), key), sign(signature.GitHub(), key+" "), "a text is taken as it is")
	require.NoError(t, standard.CheckSecret("whsec_MDEyMzQ1Njc4OWFiY2RlZg=="), "16 bytes")
	for secret, want := range map[string]string{
		"":                             "is empty",
		strings.Repeat(" ", 16):        "is blank",
		"\t\r\n":                       "is blank",
		"whsec_":                       "must be base64",
		"v1,whsec_":                    "must be base64",
		"whsec_?hunter2?":              "must be base64",
		encoded + " " + encoded:        "must be base64",
		encoded + "," + encoded:        "must be base64",
		"whsec_AA==":                   "too short: want the base64 of 16 bytes or more",
		"v1,whsec_AA==\n":              "too short",
		"whsec_aHVudGVyMg==":           "too short",
		"whsec_MDEyMzQ1Njc4OWFiY2Rl":   "too short",
		"whsk_aHVudGVyMmh1bnRlcjI=":    "use one that begins with whsec_",
		"v1a,whpk_aHVudGVyMmh1bnRlcjI": "use one that begins with whsec_",
	} {
		_, err := signature.New(standard, "fine", secret)
		require.ErrorContains(t, err, "secrets[1]: ", "%q", secret)
		require.ErrorContains(t, err, want, "%q", secret)
		require.ErrorContains(t, standard.CheckSecret(secret), want)
		for _, part := range []string{"hunter2", "aHVudGVyMg", "AA==", "dGhlIHNlY3JldC"} {
			require.NotContains(t, err.Error(), part)
		}
	}
	for _, scheme := range []signature.Scheme{signature.GitHub(), {Header: "X-Signature"}} {
		require.Error(t, scheme.CheckSecret(strings.Repeat(" ", 16)))
		require.Error(t, scheme.CheckSecret(""))
		require.NoError(t, scheme.CheckSecret("whsec_AA=="), "a text like any other")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		printed := fmt.Sprintf(verb, newSigner(t, signature.GitHub(), "hunter2"))
		for _, form := range []string{"hunter2", "68756e74657232", "104 117 110", "0x68, 0x75"} {
			require.NotContains(t, printed, form, verb)
		}
	}
}

func TestUnusableSchemes(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]signature.Scheme{
		"header":    {},
		"id header": {Header: "X-Signature", IDHeader: "X-Id"},
		"tolerance": {Header: "X-Signature", Tolerance: -time.Second},
		"algorithm": {Header: "X-Signature", Algorithm: "md5"},
		"encoding":  {Header: "X-Signature", Encoding: "base32"},
	} {
		_, err := signature.New(s, "secret")
		require.ErrorContains(t, err, want)
	}
	_, err := signature.New(signature.GitHub())
	require.ErrorContains(t, err, "secrets")
}

func FuzzVerify(f *testing.F) {
	f.Add("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "msg_1", "1614265330")
	f.Add("v1, v1,v1a,,, ,v1,AAAA v1,====", "a.b", "-1")
	f.Add("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "", "99999999999999999999")
	schemes := []signature.Scheme{
		signature.StandardWebhooks(), signature.GitHub(),
		{Header: "Webhook-Signature", Algorithm: signature.SHA512, Encoding: signature.Base64, TimestampHeader: "Webhook-Timestamp"},
	}
	f.Fuzz(func(t *testing.T, signatures, id, timestamp string) {
		for _, scheme := range schemes {
			signer := newSigner(t, scheme, "a secret that the fuzzer does not know")
			h := http.Header{}
			h.Set(scheme.Header, signatures)
			h.Set("Webhook-Id", id)
			h.Set("Webhook-Timestamp", timestamp)
			_, err := signer.Verify(h, []byte("body"), time.Unix(1614265330, 0))
			require.Error(t, err)

			at := time.Unix(1614265330, 0)
			if signer.Sign(h, id, at, []byte("body")) == nil {
				h.Add(scheme.Header, signatures)
				if signer.Check(h) == nil {
					_, err := signer.Verify(h, []byte("body"), at)
					require.NoError(t, err, "other signatures hide no genuine one")
				}
			}
		}
	})
}
