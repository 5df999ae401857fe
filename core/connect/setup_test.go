package connect_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/connect"
)

// load reads a configuration whose sources are a part of a file.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	c, err := config.Loader{Environ: func() []string { return []string{"PASSWORD=0123456789abcdef"} }}.Load(file)
	require.NoError(t, err)
	return c
}

func TestSetup(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef"
	c := load(t, `listen: 0.0.0.0:8484
sources:
  radarr:
    plugin: radarr
    auth:
      - hmac: {preset: github, secrets: [`+secret+`]}
      - basic: {username: arr, password: "${PASSWORD}"}
      - header: {name: X-Key, value: `+secret+`}
      - token: {value: `+secret+`}
      - token: {query: key, value: `+secret+`}
    config: {base_url: "http://nas:7878", api_key: abc}
  open: {plugin: radarr, auth: [{none: {}}]}
`)
	s, err := connect.SetupOf(c, "radarr")
	require.NoError(t, err)
	at := func(line int, key string) connect.Secret {
		key = "sources.radarr.auth" + key
		return connect.Secret{Key: key, Origin: config.Origin{File: c.File, Line: line, Key: key}}
	}
	const url = "http://127.0.0.1:8484/hooks/radarr"
	require.Equal(t, connect.Setup{
		URL: url, Local: true,
		Warning: "the application is told to post to its own machine: set external_url to where it reaches this server",
		Ways: []connect.Way{
			{Scheme: "hmac", Name: "github", Secret: at(6, "[0].hmac.secrets")},
			{Scheme: "basic", Name: "arr", Secret: at(7, "[1].basic.password")},
			{Scheme: "header", Name: "X-Key", Secret: at(8, "[2].header.value")},
			{Scheme: "token", URL: url + "/TOKEN", Secret: at(9, "[3].token.value")},
			{Scheme: "token", URL: url + "?key=TOKEN", Secret: at(10, "[4].token.value")},
		},
	}, s)
	s, err = connect.SetupOf(c, "open")
	require.NoError(t, err)
	require.Equal(t, []connect.Way{{Scheme: "none"}}, s.Ways)

	c = load(t, "external_url: https://hooks.example/arr\nsources: {open: {plugin: radarr, auth: [{none: {}}]}}\n")
	s, err = connect.SetupOf(c, "open")
	require.NoError(t, err)
	require.Equal(t, connect.Setup{URL: "https://hooks.example/arr/hooks/open", Ways: []connect.Way{{Scheme: "none"}}}, s)
}

func TestAddress(t *testing.T) {
	t.Parallel()
	c := load(t, `sources:
  signed: {plugin: radarr, auth: [{hmac: {preset: github, secrets: [0123456789abcdef]}}]}
  token: {plugin: radarr, auth: [{token: {query: key, value: 0123456789abcdef}}]}
`)
	_, _, err := connect.Address(c, "signed")
	require.ErrorContains(t, err, "sources.signed.auth: Arr applications cannot sign")
	address, credentials, err := connect.Address(c, "token")
	require.NoError(t, err)
	require.Empty(t, credentials)
	require.Equal(t, "http://127.0.0.1:8484/hooks/token?key=0123456789abcdef", address)
	require.Equal(t, "http://127.0.0.1:8484/hooks/token", connect.Shown(address))
}
