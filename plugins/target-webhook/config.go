package main

import (
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"

	"golang.org/x/net/http/httpguts"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// config is one endpoint.
type config struct {
	URL                sdk.Secret            `json:"url" hookarr:"required" doc:"Where to send events: http or https. Private addresses are allowed; link-local ones and cloud metadata services are not."`
	Method             string                `json:"method" hookarr:"default=POST,enum=POST|PUT" doc:"HTTP method."`
	Format             string                `json:"format" hookarr:"default=standard,enum=standard|cloudevents|raw" doc:"What to send. standard: type, timestamp and the event as data; cloudevents: CloudEvents 1.0, structured; raw: the bytes that the application sent, with its User-Agent and Content-Type."`
	Secrets            []sdk.Secret          `json:"secrets" doc:"Sign by Standard Webhooks with each of these secrets, newest first: whsec_ and the base64 of 16 bytes or more, or any text. None: not signed."`
	HubSignature       bool                  `json:"hub_signature" doc:"Sign by X-Hub-Signature-256 as well, with the first secret exactly as it is written."`
	Headers            map[string]sdk.Secret `json:"headers" doc:"Further headers by name, for example Authorization."`
	InsecureSkipVerify bool                  `json:"insecure_skip_verify" doc:"Accept any TLS certificate, such as one that the endpoint signed itself."`
}

// Validate checks what the tags cannot say.
func (c config) Validate() error {
	_, err := endpointurl.Parse("url", c.URL)
	problems := []error{err}
	for i, secret := range c.Secrets {
		if err := signature.StandardWebhooks().CheckSecret(secret.Reveal()); err != nil {
			problems = append(problems, sdk.Problem(fmt.Sprintf("secrets[%d]", i), err.Error()))
		}
	}
	if c.HubSignature && len(c.Secrets) == 0 {
		problems = append(problems, sdk.Problem("hub_signature", "needs a secret to sign with; add one to secrets"))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if fault := headerFault(name, c.Headers[name].Reveal()); fault != "" {
			problems = append(problems, sdk.Problem("headers."+name, fault))
		}
	}
	return errors.Join(problems...)
}

// headerFault says what is wrong with a configured header, or nothing.
func headerFault(name, value string) string {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case headerID, headerTimestamp, "Webhook-Signature", "X-Hub-Signature-256":
		return "is set for every delivery; remove it"
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer":
		return "belongs to the connection; remove it"
	}
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return "is not a header name"
	case !httpguts.ValidHeaderFieldValue(value):
		return "has a value with line breaks or control characters"
	default:
		return ""
	}
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
