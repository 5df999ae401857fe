package apprise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func TestOptionsAreTheTags(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *config) { c.Tag = "nobody" })
	b.apprise.Tags = []string{"phones", "family"}
	ask := func(target sdk.Target) ([]sdk.Option, error) {
		lister, ok := target.(sdk.OptionLister)
		require.True(t, ok)
		return lister.Options(t.Context(), "tag")
	}
	found, err := ask(b.target)
	require.NoError(t, err)
	require.Equal(t, []sdk.Option{{Value: "family", Label: "mailto, tgram"}, {Value: "phones", Label: "mailto, tgram"}}, found)
	require.Empty(t, b.apprise.Messages())
	b.apprise.Tags = []string{}
	found, err = ask(b.target)
	require.NoError(t, err)
	require.Empty(t, found)

	b.apprise.Locked = true
	_, err = ask(b.target)
	require.ErrorContains(t, err, "the server does not show stored configurations; its settings forbid it")
	_, err = ask(setup(t, func(c *config) { c.Key = "another" }).target)
	require.ErrorContains(t, err, "the server has no stored configuration with this key: check key")
	_, err = ask(setup(t, func(c *config) { c.Key, c.URLs = "", []sdk.Secret{"json://localhost"} }).target)
	require.ErrorContains(t, err, "set key in the place of urls")
	_, err = ask(setup(t, func(c *config) { c.URL = "http://127.0.0.1:1" }).target)
	require.ErrorContains(t, err, "connection refused")
}
