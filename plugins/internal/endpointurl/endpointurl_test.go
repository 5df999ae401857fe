package endpointurl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/endpointurl"
	"github.com/hookarr/hookarr/sdk"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, good := range []sdk.Secret{
		"https://a.example/hook?x=y", "http://127.0.0.1:9900/hook", "http://[::1]:80", "https://user:pass@a.example/",
	} {
		u, err := endpointurl.Parse("url", good)
		require.NoError(t, err)
		require.Equal(t, good.Reveal(), u.String())
	}
	for _, bad := range []sdk.Secret{
		"", "a.example/hook", "//a.example/hook", "ftp://a.example/", "https://", "https://:443/", "http://a.example:port/", "https://a b/t0ken", "https:a.example",
	} {
		_, err := endpointurl.Parse("url", bad)
		require.ErrorContains(t, err, "url", bad.Reveal())
		require.NotContains(t, err.Error(), "t0ken")
	}
	for _, refused := range []sdk.Secret{
		"http://169.254.169.254/t0ken", "http://[fe80::1]/t0ken", "http://[::ffff:169.254.169.254]:80/t0ken", "http://2852039166/t0ken", "http://0xa9fea9fe/t0ken",
	} {
		_, err := endpointurl.Parse("url", refused)
		require.ErrorContains(t, err, "is not an address to deliver to", refused.Reveal())
		require.NotContains(t, err.Error(), "t0ken")
	}
}
