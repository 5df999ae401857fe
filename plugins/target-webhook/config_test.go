package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
		"host":          {func(c *config) { c.Headers = map[string]sdk.Secret{"host": "s3cret"} }, "headers.host: "},
	} {
		bad := good
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
		require.NotContains(t, err.Error(), "czNjcmV0", name)
	}

	err := config{HubSignature: true, Headers: map[string]sdk.Secret{"": ""}}.Validate()
	require.Len(t, strings.Split(err.Error(), "\n"), 3, "all problems at once")
}
