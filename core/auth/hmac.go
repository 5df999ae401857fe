package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk/signature"
)

// maxID is in bytes; an id is kept as a key.
const maxID = 255

// hmacMethod lets in what one of the secrets signed.
type hmacMethod struct {
	name   string
	signer *signature.Signer
	// unsignedID is the header of an id that the signature does not cover.
	unsignedID string
}

func newHMAC(c config.HMAC) (*hmacMethod, []error) {
	scheme, problems := hmacScheme(c)
	scheme.Tolerance = c.Tolerance
	secrets := make([]string, 0, len(c.Secrets))
	for _, s := range c.Secrets {
		secrets = append(secrets, s.Reveal())
	}
	m := &hmacMethod{name: c.Preset}
	if c.Preset == "" {
		m.name, m.unsignedID = "hmac", c.IDHeader
	}
	if len(problems) == 0 {
		var err error
		if m.signer, err = signature.New(scheme, secrets...); err != nil {
			problems = append(problems, fmt.Errorf(".hmac.%w", err))
		}
	}
	return m, problems
}

func hmacScheme(c config.HMAC) (signature.Scheme, []error) {
	spelledOut := c.Header + c.Algorithm + c.Encoding + c.Prefix + c.TimestampHeader + c.IDHeader
	switch {
	case c.Preset != "" && spelledOut != "":
		return signature.Scheme{}, []error{errors.New(".hmac.preset: stands for header, algorithm, encoding, prefix, timestamp_header and id_header: remove it or them")}
	case c.Preset == "github":
		return signature.GitHub(), nil
	case c.Preset == "standard-webhooks":
		return signature.StandardWebhooks(), nil
	case c.Preset != "":
		return signature.Scheme{}, []error{fmt.Errorf(".hmac.preset: %q is not github or standard-webhooks", c.Preset)}
	case c.Header == "":
		return signature.Scheme{}, []error{errors.New(".hmac.preset: write github or standard-webhooks, or name the header that holds the signature under header")}
	}
	var problems []error
	for _, h := range []struct{ key, name string }{
		{"header", c.Header}, {"timestamp_header", c.TimestampHeader}, {"id_header", c.IDHeader},
	} {
		if err := checkHeaderName(h.name); h.name != "" && err != nil {
			problems = append(problems, fmt.Errorf(".hmac.%s: %w", h.key, err))
		}
	}
	return signature.Scheme{
		Header: c.Header, Algorithm: signature.Algorithm(c.Algorithm), Encoding: signature.Encoding(c.Encoding),
		Prefix: c.Prefix, TimestampHeader: c.TimestampHeader,
	}, problems
}

func (m *hmacMethod) check(r *http.Request) *Error { return fromSignature(m.signer.Check(r.Header)) }

func (m *hmacMethod) verify(r *http.Request, body []byte, now time.Time) (Identity, *Error) {
	message, err := m.signer.Verify(r.Header, body, now)
	if err != nil {
		return Identity{}, fromSignature(err)
	}
	identity := Identity{SignedID: message.ID, IDSigned: message.ID != "", Scheme: m.name}
	if m.unsignedID != "" {
		identity.SignedID = bindID(r.Header.Values(m.unsignedID), body)
	}
	if !message.Time.IsZero() {
		// From as early as a clock may be slow to as late as it may be fast.
		identity.Window = 2 * m.signer.Scheme().Tolerance
		if !identity.IDSigned {
			identity.Message = digest(strconv.FormatInt(message.Time.Unix(), 10), body)
		}
	}
	return identity, nil
}

// bindID ties an id that nobody signed to the body, which was: else who replays an
// old message under the id of a coming one makes that one a duplicate. An id that is
// missing or unfit for a key is none.
func bindID(values []string, body []byte) string {
	if len(values) != 1 || values[0] == "" || len(values[0]) > maxID {
		return ""
	}
	if strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return digest(values[0], body)
}

// digest names a message by what it begins with and its body.
func digest(head string, body []byte) string {
	sum := sha256.Sum256(body)
	return head + "." + hex.EncodeToString(sum[:])
}

func (m *hmacMethod) sign(r *http.Request, body []byte, id string, now time.Time) error {
	if m.unsignedID != "" && id != "" {
		r.Header.Set(m.unsignedID, id)
	}
	return m.signer.Sign(r.Header, id, now, body)
}

func (m *hmacMethod) takes() string {
	if m.name == "hmac" {
		return "hmac (header " + m.signer.Scheme().Header + ")"
	}
	return "hmac (" + m.name + ")"
}

func (m *hmacMethod) credentials() (headers, params []string) {
	return []string{m.signer.Scheme().Header}, nil
}
