// Command hookarr-target-webhook sends events to any HTTP endpoint.
package main

import (
	"context"
	"net/http"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/signature"
)

// config is one endpoint.
type config struct {
	URL          sdk.Secret            `json:"url" hookarr:"required" doc:"Where to send events: http or https. Private addresses are allowed; link-local ones and cloud metadata services are not."`
	Method       string                `json:"method" hookarr:"default=POST" doc:"POST or PUT."`
	Format       string                `json:"format" hookarr:"default=standard" doc:"standard: type, timestamp and the event as data; cloudevents: CloudEvents 1.0, structured; raw: the bytes that the application sent."`
	Secrets      []sdk.Secret          `json:"secrets" doc:"Sign by Standard Webhooks with each of these secrets, newest first: whsec_ and base64, or any text. None: not signed."`
	HubSignature bool                  `json:"hub_signature" doc:"Sign by X-Hub-Signature-256 as well, with the first secret exactly as it is written."`
	Headers      map[string]sdk.Secret `json:"headers" doc:"Further headers by name, for example Authorization."`
	Insecure     bool                  `json:"insecure_skip_verify" doc:"Accept any TLS certificate, such as one that the endpoint signed itself."`
}

func info() sdk.Info {
	return sdk.Info{
		Name:     "webhook",
		Version:  "0.1.0",
		Summary:  "Sends events to any HTTP endpoint, signed.",
		Features: []sdk.Feature{sdk.FeatureRaw},
	}
}

func main() { sdk.ServeTarget(info(), newTarget) }

func newTarget(_ context.Context, env sdk.Env, c config) (sdk.Target, error) {
	if c.Insecure {
		env.HTTP.InsecureSkipVerify()
	}
	t := &target{http: env.HTTP, method: c.Method, url: c.URL, format: c.Format, headers: http.Header{}}
	for name, value := range c.Headers {
		t.headers.Set(name, value.Reveal())
	}
	signers, err := c.signers()
	t.signers = signers
	return t, err
}

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
			return nil, err
		}
		signers = append(signers, s)
	}
	return signers, nil
}
