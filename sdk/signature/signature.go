// Package signature signs and verifies webhooks by HMAC: by Standard Webhooks, as
// GitHub does, or by a scheme that is spelled out.
package signature

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // senders exist that know nothing else; it must be asked for by name
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a signed time may be off unless a scheme says
// otherwise.
const DefaultTolerance = 5 * time.Minute

// What Verify finds wrong.
var (
	// ErrMissing: a header that the scheme needs is absent.
	ErrMissing = errors.New("signature missing")
	// ErrMalformed: a header is there and cannot be read.
	ErrMalformed = errors.New("signature malformed")
	// ErrMismatch: no secret made any of the signatures.
	ErrMismatch = errors.New("signature does not match")
	// ErrStale: the signature is genuine and its time outside the tolerance.
	ErrStale = errors.New("signed time outside the tolerance")
)

// Algorithm names the hash under the HMAC.
type Algorithm string

// The algorithms.
const (
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
	// SHA1 is for senders that offer nothing better.
	SHA1 Algorithm = "sha1"
)

// Encoding says how a signature is written.
type Encoding string

// The encodings.
const (
	Hex    Encoding = "hex"
	Base64 Encoding = "base64"
)

// Scheme says what is signed and where the signature is. What is signed is BODY,
// TIMESTAMP.BODY with a TimestampHeader, or ID.TIMESTAMP.BODY with an IDHeader too.
type Scheme struct {
	// Header holds the signatures.
	Header string
	// Algorithm is SHA256 when empty.
	Algorithm Algorithm
	// Encoding is Hex when empty.
	Encoding Encoding
	// Prefix precedes each encoded signature.
	Prefix string
	// TimestampHeader holds a Unix time in seconds.
	TimestampHeader string
	// IDHeader holds the id of the message. It needs a TimestampHeader.
	IDHeader string
	// Tolerance is how far the signed time may be off, either way, and
	// DefaultTolerance when zero.
	Tolerance time.Duration
	// Multiple: requests are signed with every secret, for receivers that read a
	// list. Without it the first secret signs. Lists are always understood.
	Multiple bool
	// EncodedSecrets: what follows whsec_ in a secret is base64.
	EncodedSecrets bool
}

// StandardWebhooks returns the scheme of version 1 of the Standard Webhooks
// specification, https://www.standardwebhooks.com.
func StandardWebhooks() Scheme {
	return Scheme{
		Header: "Webhook-Signature", Algorithm: SHA256, Encoding: Base64, Prefix: "v1,",
		TimestampHeader: "Webhook-Timestamp", IDHeader: "Webhook-Id",
		Multiple: true, EncodedSecrets: true,
	}
}

// GitHub returns the scheme of X-Hub-Signature-256,
// https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
func GitHub() Scheme {
	return Scheme{Header: "X-Hub-Signature-256", Algorithm: SHA256, Encoding: Hex, Prefix: "sha256="}
}

// Message is what a verified signature vouches for beyond the body. Fields that the
// scheme does not sign are zero.
type Message struct {
	ID   string
	Time time.Time
}

// Signer signs and verifies with the secrets of one scheme. It may be used
// concurrently.
type Signer struct {
	scheme Scheme
	size   int
	// macs makes a MAC for each secret. Functions do not print what they hold.
	macs []func() hash.Hash
}

// New returns a signer. Secrets are raw strings; those of Standard Webhooks may be
// whsec_ and the base64 of 16 bytes or more, as senders show them. CheckSecret judges
// each. The first is the newest; the others are those that rotation has
// not retired yet.
func New(s Scheme, secrets ...string) (*Signer, error) {
	if s.Header == "" {
		return nil, errors.New("header: name the header that holds the signature")
	}
	if s.IDHeader != "" && s.TimestampHeader == "" {
		return nil, errors.New("id header: a signed id needs a timestamp header")
	}
	if s.Tolerance < 0 {
		return nil, errors.New("tolerance: must not be negative")
	}
	if s.Tolerance == 0 {
		s.Tolerance = DefaultTolerance
	}
	var digest func() hash.Hash
	switch s.Algorithm {
	case SHA256, "":
		digest = sha256.New
	case SHA512:
		digest = sha512.New
	case SHA1:
		digest = sha1.New
	default:
		return nil, fmt.Errorf("algorithm: %q is not sha256, sha512 or sha1", s.Algorithm)
	}
	if s.Encoding != Hex && s.Encoding != Base64 && s.Encoding != "" {
		return nil, fmt.Errorf("encoding: %q is not hex or base64", s.Encoding)
	}
	if len(secrets) == 0 {
		return nil, errors.New("secrets: at least one is needed")
	}
	signer := &Signer{scheme: s, size: digest().Size()}
	for i, secret := range secrets {
		key, err := s.parseSecret(secret)
		if err != nil {
			return nil, fmt.Errorf("secrets[%d]: %w", i, err)
		}
		signer.macs = append(signer.macs, func() hash.Hash { return hmac.New(digest, key) })
	}
	return signer, nil
}

// Scheme returns the signer's scheme.
func (s *Signer) Scheme() Scheme { return s.scheme }

const (
	encodedSecretPrefix = "whsec_"
	// minKey is in bytes. The specification wants 24 to 64; less than 16 can be guessed.
	minKey = 16
)

// CheckSecret reports what is wrong with a secret, in words that do not repeat it. A
// signer takes every secret that passes.
func (s Scheme) CheckSecret(secret string) error {
	_, err := s.parseSecret(secret)
	return err
}

// parseSecret keeps the secret out of its errors.
func (s Scheme) parseSecret(secret string) ([]byte, error) {
	trimmed := strings.TrimSpace(secret)
	switch {
	case secret == "":
		return nil, errors.New("is empty")
	case trimmed == "":
		return nil, errors.New("is blank")
	case !s.EncodedSecrets:
		return []byte(secret), nil
	case asymmetric(trimmed):
		return nil, errors.New("is a key of asymmetric signatures, which are not supported: use one that begins with whsec_")
	}
	// Senders show their secrets with the version of the signature before them.
	encoded, ok := strings.CutPrefix(strings.TrimPrefix(trimmed, s.Prefix), encodedSecretPrefix)
	if !ok {
		return []byte(secret), nil
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	switch {
	case err != nil || len(key) == 0:
		return nil, errors.New("what follows whsec_ must be base64: paste one secret, whole")
	case len(key) < minKey:
		return nil, fmt.Errorf("what follows whsec_ is too short: want the base64 of %d bytes or more, such as `openssl rand -base64 32` makes", minKey)
	}
	return key, nil
}

// asymmetric reports whether a secret is a public or private key of version 1a.
func asymmetric(secret string) bool {
	secret = strings.TrimPrefix(secret, "v1a,")
	return strings.HasPrefix(secret, "whsk_") || strings.HasPrefix(secret, "whpk_")
}

// Sign sets the headers that sign a request with the given body. The id is left out
// by schemes that do not sign one.
func (s *Signer) Sign(h http.Header, id string, at time.Time, body []byte) error {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	if s.scheme.IDHeader != "" {
		if !validID(id) {
			return fmt.Errorf("sign: id %q is not 1 to %d printable ASCII characters without full stops", id, maxID)
		}
		h.Set(s.scheme.IDHeader, id)
	}
	if s.scheme.TimestampHeader != "" {
		h.Set(s.scheme.TimestampHeader, timestamp)
	}
	macs := s.macs
	if !s.scheme.Multiple {
		macs = macs[:1]
	}
	signatures := make([]string, 0, len(macs))
	for _, mac := range macs {
		signatures = append(signatures, s.scheme.Prefix+s.encode(s.sum(mac(), id, timestamp, body)))
	}
	h.Set(s.scheme.Header, strings.Join(signatures, " "))
	return nil
}

// Check reports what is wrong with the headers by themselves, as ErrMissing or
// ErrMalformed, before a body is read.
func (s *Signer) Check(h http.Header) error {
	_, err := s.parse(h)
	return err
}

// Verify returns what the headers sign beyond the body. Every secret is tried on
// every signature, and all of them when one has matched, so that the time taken does
// not tell which did. The error matches one of the package's.
func (s *Signer) Verify(h http.Header, body []byte, now time.Time) (Message, error) {
	p, err := s.parse(h)
	if err != nil {
		return Message{}, err
	}
	matched := false
	for _, mac := range s.macs {
		want := s.sum(mac(), p.id, p.timestamp, body)
		for _, got := range p.signatures {
			matched = hmac.Equal(want, got) || matched
		}
	}
	if !matched {
		return Message{}, ErrMismatch
	}
	if s.scheme.TimestampHeader != "" {
		if off := now.Sub(p.time); off > s.scheme.Tolerance || off < -s.scheme.Tolerance {
			return Message{}, fmt.Errorf("%w: off by %s", ErrStale, off.Round(time.Second))
		}
	}
	return Message{ID: p.id, Time: p.time}, nil
}

func (s *Signer) sum(mac hash.Hash, id, timestamp string, body []byte) []byte {
	if s.scheme.IDHeader != "" {
		mac.Write([]byte(id + "."))
	}
	if s.scheme.TimestampHeader != "" {
		mac.Write([]byte(timestamp + "."))
	}
	mac.Write(body)
	return mac.Sum(nil)
}

func (s *Signer) encode(sum []byte) string {
	if s.scheme.Encoding == Base64 {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}
