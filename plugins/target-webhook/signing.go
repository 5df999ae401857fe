package webhook

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// signatureForm is how a signature under a name of the operator's is made.
type signatureForm struct {
	Algorithm string `json:"algorithm" hookarr:"default=sha256,enum=sha256|sha512|sha1" doc:"Hash under the HMAC."`
	Encoding  string `json:"encoding" hookarr:"default=hex,enum=hex|base64" doc:"How the HMAC is written."`
	// Prefix is a pointer because an empty one is a choice.
	Prefix    *string `json:"prefix" doc:"What precedes the HMAC. By default the algorithm and an equals sign: sha256=."`
	Timestamp bool    `json:"timestamp" doc:"Sign TIMESTAMP.BODY, with the time under header_names.timestamp, so that nobody can send a delivery again later."`
}

// scheme is the configured signature with a header of its own.
func (c config) scheme() signature.Scheme {
	form := c.Signature
	if form == nil {
		form = &signatureForm{}
	}
	s := signature.Scheme{
		Header:    c.HeaderNames.Signature,
		Algorithm: signature.Algorithm(cmp.Or(form.Algorithm, "sha256")),
		Encoding:  signature.Encoding(cmp.Or(form.Encoding, "hex")),
	}
	s.Prefix = string(s.Algorithm) + "="
	if form.Prefix != nil {
		s.Prefix = *form.Prefix
	}
	if form.Timestamp {
		s.TimestampHeader = c.HeaderNames.Timestamp
	}
	return s
}

// checkSigning judges the secrets and what is asked for besides Standard Webhooks.
func (c config) checkSigning() error {
	var problems []error
	for i, secret := range c.Secrets {
		if err := signature.StandardWebhooks().CheckSecret(secret.Reveal()); err != nil {
			problems = append(problems, sdk.Problem(fmt.Sprintf("secrets[%d]", i), err.Error()))
		}
	}
	if len(c.Secrets) == 0 {
		const missing = "needs a secret to sign with; add one to secrets"
		if c.HubSignature {
			problems = append(problems, sdk.Problem("hub_signature", missing))
		}
		if c.HeaderNames.Signature != "" {
			problems = append(problems, sdk.Problem("header_names.signature", missing))
		}
	}
	if form := c.Signature; form != nil {
		switch {
		case c.HeaderNames.Signature == "":
			problems = append(problems, sdk.Problem("signature", "is of a signature with a name of its own; add header_names.signature"))
		case form.Timestamp && c.HeaderNames.Timestamp == "":
			problems = append(problems, sdk.Problem("signature.timestamp", "needs a header for the time; add header_names.timestamp"))
		case form.Prefix != nil && headerValue(*form.Prefix) != *form.Prefix:
			problems = append(problems, sdk.Problem("signature.prefix", "has line breaks or control characters"))
		}
	}
	return errors.Join(problems...)
}

// signers returns one for each header that the endpoint is to verify.
func (c config) signers() ([]*signature.Signer, error) {
	if len(c.Secrets) == 0 {
		return nil, nil
	}
	secrets := make([]string, 0, len(c.Secrets))
	for _, s := range c.Secrets {
		secrets = append(secrets, s.Reveal())
	}
	schemes := []signature.Scheme{signature.StandardWebhooks()}
	if c.HubSignature {
		schemes = append(schemes, signature.GitHub())
	}
	if c.HeaderNames.Signature != "" {
		schemes = append(schemes, c.scheme())
	}
	signers := make([]*signature.Signer, 0, len(schemes))
	for _, scheme := range schemes {
		s, err := signature.New(scheme, secrets...)
		if err != nil {
			return nil, fmt.Errorf("set up %s: %w", scheme.Header, err)
		}
		signers = append(signers, s)
	}
	return signers, nil
}
