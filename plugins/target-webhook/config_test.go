package webhook

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	good := config{
		URL: "https://user:pass@a.example/hook", Secrets: []sdk.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "plain"},
		HubSignature: true, Headers: map[string]sdk.Secret{"authorization": "Bearer a b", "X-Empty": ""},
	}
	require.NoError(t, good.Validate())
	require.NoError(t, config{URL: "http://127.0.0.1:9900"}.Validate())
	require.NoError(t, config{URL: "http://127.0.0.1:9900", Secrets: []sdk.Secret{" v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "}}.Validate())
	require.NoError(t, config{
		URL: "https://a.example", Secrets: []sdk.Secret{"plain"}, Accept: []int{100, 409, 599}, Bearer: "t0ken",
		HeaderNames: headerNames{Signature: "X-Revenge-Signature", Event: "X-Revenge-Event", Delivery: "Idempotency-Key", Timestamp: "X-Revenge-Timestamp"},
		Signature:   &signatureForm{Algorithm: "sha512", Encoding: "base64", Prefix: new(""), Timestamp: true},
		Only:        []string{"media", "files.path"}, Omit: []string{"media.ids.imdb"},
	}.Validate())

	for name, c := range map[string]struct {
		change func(c *config)
		want   string
	}{
		"no scheme":     {func(c *config) { c.URL = "a.example/s3cret" }, "url: "},
		"metadata":      {func(c *config) { c.URL = "http://169.254.169.254/s3cret" }, "url: 169.254.169.254 is not an address to deliver to"},
		"scheme":        {func(c *config) { c.URL = "ftp://a.example/s3cret" }, "url: "},
		"secret":        {func(c *config) { c.Secrets = []sdk.Secret{"plain", "whsec_s3cret!"} }, "secrets[1]: what follows whsec_ must be base64"},
		"short secret":  {func(c *config) { c.Secrets = []sdk.Secret{"whsec_czNjcmV0"} }, "secrets[0]: what follows whsec_ is too short"},
		"blank secret":  {func(c *config) { c.Secrets = []sdk.Secret{sdk.Secret(strings.Repeat(" ", 16))} }, "secrets[0]: is blank"},
		"empty secret":  {func(c *config) { c.Secrets = []sdk.Secret{""} }, "secrets[0]: is empty"},
		"hub signature": {func(c *config) { c.Secrets = nil }, "hub_signature: "},
		"header name":   {func(c *config) { c.Headers = map[string]sdk.Secret{"X Y": "s3cret"} }, "headers.X Y: "},
		"header value":  {func(c *config) { c.Headers = map[string]sdk.Secret{"X-Y": "s3cret\r\nHost: b"} }, "headers.X-Y: "},
		"reserved":      {func(c *config) { c.Headers = map[string]sdk.Secret{"webhook-id": "s3cret"} }, "headers.webhook-id: "},
		"traceparent": {
			func(c *config) { c.Traceparent, c.Headers = true, map[string]sdk.Secret{"traceparent": "s3cret"} },
			"headers.traceparent: is set by traceparent; remove one of them",
		},
		"host": {func(c *config) { c.Headers = map[string]sdk.Secret{"host": "s3cret"} }, "headers.host: "},

		"low status":  {func(c *config) { c.Accept = []int{409, 99} }, "accept[1]: is not an HTTP status"},
		"high status": {func(c *config) { c.Accept = []int{600} }, "accept[0]: is not an HTTP status"},
		"omit":        {func(c *config) { c.Omit = []string{"media.ids", "meda"} }, `omit[1]: "meda" is no field of an event; did you mean media?`},
		"only":        {func(c *config) { c.Only = []string{"files.size"} }, `only[0]: "size" is no field of files`},
		"omit of raw": {func(c *config) { c.Format, c.Omit = formatRaw, []string{"media"} }, "omit: is for the formats standard"},
		"only of arr": {func(c *config) { c.Format, c.Only = formatArr, []string{"media"} }, "only: is for the formats standard"},

		"two authorizations":   {func(c *config) { c.Bearer = "s3cret" }, "bearer: sets the header Authorization, as headers.authorization does; keep one of them"},
		"three authorizations": {func(c *config) { c.Bearer, c.Basic = "s3cret", &basicAuth{Password: "s3cret"} }, "bearer: sets the header Authorization, as basic and headers.authorization does"},
		"bearer":               {func(c *config) { c.Headers, c.Bearer = nil, "s3cret\r\nX: y" }, "bearer: has line breaks"},
		"colon":                {func(c *config) { c.Headers, c.Basic = nil, &basicAuth{Username: "a:b", Password: "s3cret"} }, "basic.username: "},

		"name":              {func(c *config) { c.HeaderNames.Event = "X Y" }, "header_names.event: is not a header name"},
		"name taken":        {func(c *config) { c.HeaderNames.Delivery = "webhook-id" }, "header_names.delivery: is set for every delivery"},
		"name of another":   {func(c *config) { c.HeaderNames.Event = "content-type" }, "header_names.event: says something else"},
		"name twice":        {func(c *config) { c.HeaderNames.Delivery, c.HeaderNames.Event = "x-a", "X-A" }, "header_names.event: is the same as header_names.delivery"},
		"name and header":   {func(c *config) { c.HeaderNames.Event = "x-empty" }, "headers.X-Empty: is set by header_names.event"},
		"nothing to sign":   {func(c *config) { c.Secrets, c.HubSignature, c.HeaderNames.Signature = nil, false, "X-S" }, "header_names.signature: needs a secret"},
		"unnamed signature": {func(c *config) { c.Signature = &signatureForm{} }, "signature: is of a signature with a name of its own"},
		"untimed signature": {func(c *config) { c.HeaderNames.Signature, c.Signature = "X-S", &signatureForm{Timestamp: true} }, "signature.timestamp: needs a header for the time"},
		"prefix":            {func(c *config) { c.HeaderNames.Signature, c.Signature = "X-S", &signatureForm{Prefix: new("s3cret\n")} }, "signature.prefix: has line breaks"},

		"no template":      {func(c *config) { c.Format = formatTemplate }, "template: is missing"},
		"unused template":  {func(c *config) { c.Template = &templateParts{} }, "template: is for the format template"},
		"unused templates": {func(c *config) { c.Templates = map[string]templateParts{"*": {}} }, "templates: is for the format template"},
		"pattern": {func(c *config) {
			c.Format, c.Templates = formatTemplate, map[string]templateParts{"media.[": {}}
		}, "templates.media.[: is no event type"},
		"media type": {func(c *config) {
			c.Format, c.Template = formatTemplate, &templateParts{ContentType: "json\r\n"}
		}, "template.content_type: is no media type"},
		"template's header": {func(c *config) {
			c.Format, c.Templates = formatTemplate, map[string]templateParts{"*": {Headers: map[string]template.Template{"content-type": {}}}}
		}, "templates.*.headers.content-type: is content_type"},
		"header of both": {func(c *config) {
			c.Format, c.Template = formatTemplate, &templateParts{Headers: map[string]template.Template{"authorization": {}}}
		}, "template.headers.authorization: is set for every delivery"},
		"header of a name": {func(c *config) {
			c.Format, c.Template = formatTemplate, &templateParts{Headers: map[string]template.Template{"x-event": {}}}
			c.HeaderNames.Event = "X-Event"
		}, "template.headers.x-event: is set by header_names.event"},

		"half a pair": {func(c *config) { c.TLS.ClientKey = "s3cret" }, "tls: needs both client_cert and client_key"},
		"plain":       {func(c *config) { c.URL, c.TLS.CA = "http://a.example", "PEM" }, "tls: is for an endpoint with https"},
		"any and one": {func(c *config) { c.InsecureSkipVerify, c.TLS.CA = true, "PEM" }, "tls.ca: has no effect"},
	} {
		bad := good
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, "%s: %s", name, err)
		require.NotContains(t, err.Error(), "s3cret", name)
		require.NotContains(t, err.Error(), "czNjcmV0", name)
	}

	err := config{HubSignature: true, Headers: map[string]sdk.Secret{"": ""}}.Validate()
	require.Len(t, strings.Split(err.Error(), "\n"), 3, "all problems at once")
}
