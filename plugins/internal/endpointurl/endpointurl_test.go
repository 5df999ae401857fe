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
}
