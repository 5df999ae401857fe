package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/plugins/target-webhook/internal/fields"
	"github.com/hookarr/hookarr/sdk"
)

// config is one endpoint.
type config struct {
	URL    sdk.Secret `json:"url" hookarr:"required,title=URL" jsonschema:"example=https://hooks.example/events" doc:"Where to send events: http or https. Private addresses are allowed; link-local ones and cloud metadata services are not."`
	Method string     `json:"method" hookarr:"default=POST,enum=POST|PUT|PATCH" doc:"HTTP method."`
	Format string     `json:"format" hookarr:"default=standard,enum=standard|cloudevents|raw|arr|template,group=Body" doc:"What to send. standard: type, timestamp and the event as data, for a group of events type group and data with key and events; cloudevents: CloudEvents 1.0, structured, for a group a batch; raw: the bytes that the application sent, with its User-Agent and Content-Type; arr: the event as Radarr, Sonarr, Lidarr, Readarr, Whisparr or Prowlarr sends it; template: what template and templates say. raw and arr take no groups."`
	Only   []string   `json:"only" hookarr:"group=Body" doc:"Send these fields of the event and no others, for the formats standard, cloudevents and template: dotted paths such as media.title or files.path."`
	Omit   []string   `json:"omit" hookarr:"group=Body" doc:"Leave these fields of the event out, for the formats standard, cloudevents and template: dotted paths such as media.overview or files.media_info."`
	Accept []int      `json:"accept" doc:"Further statuses that mean that the endpoint has the delivery: 409 of one that so tells a repetition. Every 2xx does."`

	Template  *templateParts                 `json:"template" hookarr:"group=Template" doc:"The request of the format template. One that fails, or whose result is not what content_type says, is sent in the format standard, which is part of the delivery's story."`
	Templates template.ByType[templateParts] `json:"templates" hookarr:"group=Template" doc:"Requests by type of event, where template does not fit: media.imported, media.*. The most specific one is taken. A type that neither has is sent in the format standard."`

	Secrets []sdk.Secret `json:"secrets" hookarr:"group=Signature" doc:"Sign by Standard Webhooks with each of these secrets, newest first: whsec_ and the base64 of 16 bytes or more, or any text. None: not signed."`

	HubSignature bool           `json:"hub_signature" hookarr:"group=Signature" doc:"Sign by X-Hub-Signature-256 as well, with the first secret exactly as it is written."`
	HeaderNames  headerNames    `json:"header_names" hookarr:"advanced" doc:"Headers that the endpoint reads by other names than those of Standard Webhooks, which are sent all the same."`
	Signature    *signatureForm `json:"signature" hookarr:"advanced" doc:"How the signature under header_names.signature is made. By default it is sha256= and the HMAC of the body in hexadecimal, as GitHub has it."`

	Headers map[string]sdk.Secret `json:"headers" hookarr:"group=Credentials" doc:"Further headers by name."`
	Bearer  sdk.Secret            `json:"bearer" hookarr:"group=Credentials" doc:"Token of an Authorization: Bearer header."`
	Basic   *basicAuth            `json:"basic" hookarr:"group=Credentials" doc:"User and password of basic authentication."`

	Traceparent bool `json:"traceparent" hookarr:"advanced" doc:"Send the header traceparent of W3C Trace Context with what Hookarr traces, so that the endpoint's spans join the trace of the attempt."`

	TLS                tlsConfig `json:"tls" hookarr:"group=TLS" doc:"Certificates of an endpoint with https."`
	InsecureSkipVerify bool      `json:"insecure_skip_verify" hookarr:"group=TLS" doc:"Accept any TLS certificate, such as one that the endpoint signed itself."`
}

// basicAuth is sent before the endpoint asks for it.
type basicAuth struct {
	Username string     `json:"username" doc:"User; may be empty."`
	Password sdk.Secret `json:"password" hookarr:"required" doc:"Password."`

	// encoded is what is sent: an endpoint may repeat it, and the SDK takes every Secret
	// of a configuration out of what is shown.
	encoded sdk.Secret
}

// tlsConfig is PEM, which mostly is in files: ca_file, client_cert_file and
// client_key_file, which Hookarr reads.
type tlsConfig struct {
	CA         string     `json:"ca" doc:"Trust the endpoint's certificate if these authorities signed it, and no others: one or several certificates in PEM."`
	ClientCert string     `json:"client_cert" doc:"Certificate to show the endpoint, for mutual TLS, in PEM."`
	ClientKey  sdk.Secret `json:"client_key" doc:"Private key of client_cert, in PEM."`
}

// Validate checks what the tags cannot say, and completes what the SDK has to know of.
func (c config) Validate() error {
	if c.Basic != nil {
		pair := c.Basic.Username + ":" + c.Basic.Password.Reveal()
		c.Basic.encoded = sdk.Secret(base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	u, err := endpointurl.Parse("url", c.URL)
	problems := []error{err, c.checkSigning(), c.checkHeaders(), c.checkFields(), c.checkTemplates()}
	if u != nil && u.Scheme != "https" && c.TLS != (tlsConfig{}) {
		problems = append(problems, sdk.Problem("tls", "is for an endpoint with https; write the url so, or remove it"))
	}
	if c.InsecureSkipVerify && c.TLS.CA != "" {
		problems = append(problems, sdk.Problem("tls.ca", "has no effect while insecure_skip_verify accepts any certificate; remove one of them"))
	}
	if (c.TLS.ClientCert == "") != (c.TLS.ClientKey == "") {
		problems = append(problems, sdk.Problem("tls", "needs both client_cert and client_key for mutual TLS; add the other"))
	}
	for i, status := range c.Accept {
		if status < 100 || status > 599 {
			problems = append(problems, sdk.Problem(fmt.Sprintf("accept[%d]", i), "is not an HTTP status, which is 100 to 599"))
		}
	}
	return errors.Join(problems...)
}

// checkFields judges the paths of only and omit.
func (c config) checkFields() error {
	_, onlyErr := fields.Parse("only", c.Only)
	_, omitErr := fields.Parse("omit", c.Omit)
	if err := errors.Join(onlyErr, omitErr); err != nil {
		return err
	}
	if c.Format == formatRaw || c.Format == formatArr {
		for _, list := range []struct {
			key   string
			paths []string
		}{{"only", c.Only}, {"omit", c.Omit}} {
			if len(list.paths) > 0 {
				return sdk.Problem(list.key, "is for the formats standard, cloudevents and template; the format "+c.Format+" is the application's own")
			}
		}
	}
	return nil
}

// fields returns what leaves fields of events out.
func (c config) fields() (fields.Filter, error) {
	only, err := fields.Parse("only", c.Only)
	if err != nil {
		return fields.Filter{}, err
	}
	omit, err := fields.Parse("omit", c.Omit)
	return fields.Filter{Only: only, Omit: omit}, err
}

// useTLS has requests made with the certificates. It returns when the client's ends.
func (c config) useTLS(client *sdk.HTTP) (expiry, error) {
	if c.InsecureSkipVerify {
		client.InsecureSkipVerify()
	}
	if c.TLS.CA != "" {
		if err := client.TrustCA(c.TLS.CA); err != nil {
			return expiry{}, sdk.Problem("tls.ca", err.Error())
		}
	}
	if c.TLS.ClientCert == "" {
		return expiry{}, nil
	}
	leaf, err := client.ClientCertificate(c.TLS.ClientCert, c.TLS.ClientKey)
	if err != nil {
		return expiry{}, sdk.Problem("tls.client_cert", err.Error())
	}
	return expiry{leaf.NotAfter}, nil
}

// warn tells of what is probably not meant.
func (c config) warn(env sdk.Env) {
	c.Templates.Warn(env, "templates")
	for i, status := range c.Accept {
		if status >= http.StatusOK && status < http.StatusMultipleChoices {
			env.Warn(fmt.Sprintf("accept[%d]", i), fmt.Sprintf("says nothing: every 2xx means that the endpoint has the delivery; remove %d", status))
		}
	}
}
