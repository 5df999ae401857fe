package apprise

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

func TestEveryProblemNamesItsKey(t *testing.T) {
	t.Parallel()
	stored := config{URL: "http://apprise:8000/base", Key: "my_Key-1", Tag: "family, admins urgent"}
	stateless := config{URL: "https://user:s3cret@apprise.example", URLs: []sdk.Secret{"tgram://s3cret/1", "json://host"}}
	require.NoError(t, stored.Validate())
	require.NoError(t, stateless.Validate())
	for name, c := range map[string]struct {
		of     config
		change func(c *config)
		want   string
	}{
		"no scheme":    {stored, func(c *config) { c.URL = "apprise:8000" }, "url: "},
		"metadata":     {stored, func(c *config) { c.URL = "http://169.254.169.254/s3cret" }, "url: "},
		"path":         {stored, func(c *config) { c.URL = "http://apprise:8000/notify/s3cret" }, "url: "},
		"neither":      {stored, func(c *config) { c.Key, c.Tag = "", "" }, "key: "},
		"both":         {stored, func(c *config) { c.URLs = []sdk.Secret{"json://s3cret"} }, "key: "},
		"bad key":      {stored, func(c *config) { c.Key = "s3cret/../x" }, "key: "},
		"long key":     {stored, func(c *config) { c.Key = sdk.Secret(strings.Repeat("s3cret", 30)) }, "key: "},
		"lonely tag":   {stateless, func(c *config) { c.Tag = "family" }, "tag: "},
		"bad tag":      {stored, func(c *config) { c.Tag = "family;admins" }, "tag: "},
		"no URL":       {stateless, func(c *config) { c.URLs[1] = "s3cret" }, "urls[1]: "},
		"two in one":   {stateless, func(c *config) { c.URLs[0] = "json://s3cret, json://b" }, "urls[0]: "},
		"empty URL":    {stateless, func(c *config) { c.URLs[0] = "" }, "urls[0]: "},
		"scheme alone": {stateless, func(c *config) { c.URLs[0] = "json://" }, "urls[0]: "},
	} {
		bad := c.of
		bad.URLs = append([]sdk.Secret(nil), bad.URLs...)
		c.change(&bad)
		err := bad.Validate()
		require.ErrorContains(t, err, c.want, name)
		require.Len(t, strings.Split(err.Error(), "\n"), 1, name)
		require.NotContains(t, err.Error(), "s3cret", name)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	var got config
	plugintest.StartTarget(t, info(), func(ctx context.Context, env sdk.Env, c config) (sdk.Target, error) {
		got = c
		return newTarget(ctx, env, c)
	}, map[string]any{"url": "http://127.0.0.1:8000", "key": "k"})
	require.Equal(t, config{URL: "http://127.0.0.1:8000", Key: "k", Format: "text", Look: "standard", MaxBody: 2000}, got)
}
